/* Messages and exit codes. */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

int cli_fail(const bdnn_error *err)
{
    fprintf(stderr, "bdnn: %s\n", err->message);
    return CLI_FAILED;
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
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == CLI_OK) {
        fprintf(stderr, "bdnn: cannot write the output: %s\n", strerror(errno));
        return CLI_FAILED;
    }
    return code;
}
