/* SPDX-License-Identifier: BSD-2-Clause */
/* What a session transfers between host and accelerator in every run. */
#ifndef BDNN_CLI_TRANSFERS_H
#define BDNN_CLI_TRANSFERS_H

#include "bdnn_measure.h"
#include "cli/cli.h"

#include <cjson/cJSON.h>

/* A table on stdout, after an empty line; nothing where nothing is transferred. */
void cli_print_transfers(const bdnn_session *session, long long batch);

/* The list "transfers" of an object; nothing where nothing is transferred. */
void cli_add_transfers(cJSON *json, const bdnn_session *session);

#endif
