/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages and exit codes. */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#undef cli_error /* a macro where an analyzer reads */

static bool told; /* why the tool fails */

int cli_fail(const bdnn_error *err)
{
    char text[sizeof err->message];
    snprintf(text, sizeof text, "%s", err->message);
    fprintf(stderr, "bdnn: %s\n", cli_printable(text));
    told = true;
    return CLI_FAILED;
}

bdnn_status cli_error(bdnn_error *err, bdnn_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    return err->status = status;
}

int cli_usage(const char *command, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "bdnn %s: ", command);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, " ('bdnn help %s' shows the options)\n", command);
    return CLI_USAGE;
}

int cli_finish(int code)
{
    const bool failed_before = ferror(stdout) != 0;
    if (cli_lacks_memory() && (code == CLI_OK || (cli_lacks_json() && !told))) {
        fprintf(stderr, "bdnn: out of memory: the output is not complete\n");
        code = CLI_FAILED;
    }
    if ((fflush(stdout) != 0 || failed_before) && code == CLI_OK) {
        fprintf(stderr, "bdnn: cannot write the output%s%s\n", failed_before ? "" : ": ",
                failed_before ? "" : strerror(errno));
        return CLI_FAILED;
    }
    return code;
}
