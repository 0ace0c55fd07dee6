/* SPDX-License-Identifier: BSD-2-Clause */
/* What `bdnn compare` measured, as a page. */
#ifndef BDNN_CLI_COMPARE_HTML_H
#define BDNN_CLI_COMPARE_HTML_H

#include "cli/compare_results.h"

/* A page that needs nothing else, written when it is complete; an exit code. */
int compare_write_html(const compare_results *c, const char *path);

#endif
