/* SPDX-License-Identifier: BSD-2-Clause */
/* What `bdnn compare` measured, on stdout. */
#ifndef BDNN_CLI_COMPARE_REPORT_H
#define BDNN_CLI_COMPARE_REPORT_H

#include "cli/compare_results.h"

/* Exit codes. */
int compare_print(const compare_results *c);
int compare_print_json(const compare_results *c);

#endif
