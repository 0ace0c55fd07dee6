/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs ONNX's backend test suite, as Debian's package libonnx-testdata holds it, and says what passed, failed, is
 * unsupported.
 *
 *     onnx_backend [--data DIR] [--expected FILE] [--write-expected FILE] [--markdown FILE] [--verbose]
 * [FOLDER/CASE...]
 *
 * Exit status: 0 when nothing failed and every case of the expected list passed; 1 otherwise; 77 when there is no data.
 */
#include "backend_case.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct suite_case {
    char name[256]; /* folder/case */
    case_report report;
} suite_case;

typedef struct suite {
    const char *data, *expected, *write_expected, *markdown;
    bool verbose;
    suite_case *cases;
    size_t count;
} suite;

static const char *const folders[] = {"node", "simple", "pytorch-converted", "pytorch-operator"};
enum { FOLDERS = sizeof folders / sizeof *folders, NO_DATA = 77 };

static void add_case(suite *s, const char *folder, const char *name)
{
    if (!(s->count & (s->count - 1))) {
        suite_case *larger = realloc(s->cases, (s->count ? 2 * s->count : 1) * sizeof *larger);
        if (!larger) {
            perror("onnx_backend");
            exit(1);
        }
        s->cases = larger;
    }
    memset(&s->cases[s->count], 0, sizeof *s->cases);
    snprintf(s->cases[s->count++].name, sizeof s->cases->name, "%.63s/%.190s", folder, name);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const suite_case *)a)->name, ((const suite_case *)b)->name);
}

static void find_cases(suite *s)
{
    for (size_t f = 0; f < FOLDERS; f++) {
        char path[1024];
        struct dirent *entry;
        DIR *directory;
        snprintf(path, sizeof path, "%s/%s", s->data, folders[f]);
        directory = opendir(path);
        while (directory && (entry = readdir(directory)) != NULL) {
            if (strncmp(entry->d_name, "test_", 5) == 0) {
                add_case(s, folders[f], entry->d_name);
            }
        }
        if (directory) {
            closedir(directory);
        }
    }
    if (s->count) {
        qsort(s->cases, s->count, sizeof *s->cases, by_name);
    }
}

static void run_cases(suite *s)
{
    static const char *const words[] = {"passed", "FAILED", "unsupported"};
    for (size_t i = 0; i < s->count; i++) {
        suite_case *c = &s->cases[i];
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", s->data, c->name);
        run_backend_case(path, &c->report);
        if (s->verbose || c->report.result == CASE_FAILED) {
            printf("%-12s %s%s%s%s\n", words[c->report.result], c->name,
                   c->report.folded ? " (computed at import)" : "", c->report.reason[0] ? ": " : "", c->report.reason);
        }
    }
}

static size_t count_of(const suite *s, case_result result, const char *folder)
{
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++) {
        size_t length = folder ? strlen(folder) : 0;
        count += s->cases[i].report.result == result &&
                 (!folder || (strncmp(s->cases[i].name, folder, length) == 0 && s->cases[i].name[length] == '/'));
    }
    return count;
}

/* ---- The list of cases that must pass ---- */

static size_t check_expected(const suite *s)
{
    FILE *file = fopen(s->expected, "r");
    char line[512];
    size_t missing = 0;
    if (!file) {
        perror(s->expected);
        return 1;
    }
    while (fgets(line, sizeof line, file)) {
        const suite_case *found;
        suite_case key;
        line[strcspn(line, "\n")] = '\0';
        if (!line[0] || line[0] == '#') {
            continue;
        }
        snprintf(key.name, sizeof key.name, "%.*s", (int)sizeof key.name - 1, line);
        found = bsearch(&key, s->cases, s->count, sizeof key, by_name);
        if (!found || found->report.result != CASE_PASSED) {
            printf("REGRESSED    %s: %s\n", line, found ? found->report.reason : "no such case");
            missing++;
        }
    }
    fclose(file);
    return missing;
}

static FILE *open_output(const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file) {
        perror(path);
        exit(1);
    }
    return file;
}

static void close_output(FILE *file, const char *path)
{
    if (fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static void write_expected(const suite *s)
{
    FILE *file = open_output(s->write_expected);
    fprintf(file, "# Cases of ONNX's backend test suite that pass; one that no longer does is an error.\n"
                  "# Written by onnx_backend --write-expected.\n");
    for (size_t i = 0; i < s->count; i++) {
        if (s->cases[i].report.result == CASE_PASSED) {
            fprintf(file, "%s\n", s->cases[i].name);
        }
    }
    close_output(file, s->write_expected);
}

/* ---- The page for readers ---- */

/* The reason without "model.onnx: node 'name' ", and without the characters that mean something in a table. */
static void print_reason(FILE *file, const char *reason)
{
    const char *start = strncmp(reason, "model.onnx: ", 12) == 0 ? reason + 12 : reason;
    const char *op_type = strncmp(start, "node '", 6) == 0 ? strstr(start, "' (") : NULL;
    for (const char *c = op_type ? op_type + 2 : start; *c; c++) {
        fprintf(file, *c == '|' ? "\\%c" : "%c", *c);
    }
}

/* One item of a list, on a new line where the old one is full. */
static void print_item(FILE *file, const char *item, size_t *column)
{
    if (*column && *column + strlen(item) > 118) {
        fprintf(file, ",\n");
        *column = 0;
    }
    *column += (size_t)fprintf(file, "%s%s", *column ? ", " : "", item);
}

static void print_passed(FILE *file, const suite *s, bool folded)
{
    for (size_t f = 0; f < FOLDERS; f++) {
        size_t length = strlen(folders[f]), column = 0, count = 0;
        for (size_t i = 0; i < s->count; i++) {
            const suite_case *c = &s->cases[i];
            if (c->report.result == CASE_PASSED && c->report.folded == folded &&
                strncmp(c->name, folders[f], length) == 0 && c->name[length] == '/') {
                if (!count++) {
                    fprintf(file, "**%s**:\n", folders[f]);
                }
                print_item(file, c->name + length + 1 + strlen("test_"), &column);
            }
        }
        if (count) {
            fprintf(file, "\n\n");
        }
    }
}

static int by_operator(const void *a, const void *b)
{
    const suite_case *const *x = a, *const *y = b;
    int order = strcmp((*x)->report.operator_name, (*y)->report.operator_name);
    return order ? order : strcmp((*x)->name, (*y)->name);
}

/* Operators without an importer, each with the number of its cases. */
static void print_operators(FILE *file, const suite *s)
{
    const suite_case **sorted = calloc(s->count ? s->count : 1, sizeof(*sorted));
    size_t count = 0, run, column = 0;
    if (!sorted) {
        perror("onnx_backend");
        exit(1);
    }
    for (size_t i = 0; i < s->count; i++) {
        if (s->cases[i].report.result == CASE_UNSUPPORTED && !s->cases[i].report.operators_known) {
            sorted[count++] = &s->cases[i];
        }
    }
    qsort(sorted, count, sizeof(*sorted), by_operator);
    for (size_t i = 0; i < count; i += run) {
        for (run = 1;
             i + run < count && strcmp(sorted[i + run]->report.operator_name, sorted[i]->report.operator_name) == 0;
             run++) {
        }
        char item[128];
        snprintf(item, sizeof item, "%s (%zu)", sorted[i]->report.operator_name, run);
        print_item(file, item, &column);
    }
    fprintf(file, "\n");
    free(sorted);
}

static void write_markdown(const suite *s)
{
    FILE *file = open_output(s->markdown);
    fprintf(
        file,
        "# ONNX backend tests\n\nThe cases of Debian's `libonnx-testdata` (ONNX 1.12), run through import, layers and "
        "session by the test\n`onnx_backend`, which wrote this page (`onnx_backend --markdown FILE`).\n\n"
        "A case passes when every output has the expected shape, every float satisfies\n"
        "`|found - expected| <= 1e-5 |expected| + 1e-6 max |expected|`, and every integer is equal. The first "
        "floating\n"
        "point input is the network's input, the others are bound as constants. Cases whose operators are only folded\n"
        "(`Shape`, `Gather`, ...) have all their inputs bound; they are listed apart.\n\n"
        "| folder | passed | failed | unsupported |\n| --- | ---: | ---: | ---: |\n");
    for (size_t f = 0; f <= FOLDERS; f++) {
        const char *folder = f < FOLDERS ? folders[f] : NULL;
        fprintf(file, "| %s | %zu | %zu | %zu |\n", folder ? folder : "all", count_of(s, CASE_PASSED, folder),
                count_of(s, CASE_FAILED, folder), count_of(s, CASE_UNSUPPORTED, folder));
    }
    fprintf(file, "\n## Unsupported forms of supported operators\n\n| case | reason |\n| --- | --- |\n");
    for (size_t i = 0; i < s->count; i++) {
        const suite_case *c = &s->cases[i];
        if (c->report.result == CASE_FAILED || (c->report.result == CASE_UNSUPPORTED && c->report.operators_known)) {
            fprintf(file, "| %s | %s", c->name, c->report.result == CASE_FAILED ? "FAILED: " : "");
            print_reason(file, c->report.reason);
            fprintf(file, " |\n");
        }
    }
    fprintf(file, "\n## Passed\n\nWithout the prefix `test_`.\n\n");
    print_passed(file, s, false);
    fprintf(file, "## Passed, computed at import\n\n");
    print_passed(file, s, true);
    fprintf(file, "## Operators that are not supported\n\nIn brackets, the number of cases.\n\n");
    print_operators(file, s);
    close_output(file, s->markdown);
}

/* ---- The program ---- */

static bool read_arguments(suite *s, int argc, char **argv)
{
    struct {
        const char *option, **value;
    } values[] = {{"--data", &s->data},
                  {"--expected", &s->expected},
                  {"--write-expected", &s->write_expected},
                  {"--markdown", &s->markdown}};
    for (int i = 1; i < argc; i++) {
        bool known = false;
        for (size_t v = 0; v < sizeof values / sizeof *values && !known; v++) {
            if (strcmp(argv[i], values[v].option) == 0 && i + 1 < argc) {
                *values[v].value = argv[++i];
                known = true;
            }
        }
        if (!known && strcmp(argv[i], "--verbose") == 0) {
            s->verbose = known = true;
        }
        if (!known && strchr(argv[i], '/')) {
            char *slash = strchr(argv[i], '/');
            *slash = '\0';
            add_case(s, argv[i], slash + 1);
            known = true;
        }
        if (!known) {
            fprintf(stderr, "onnx_backend: unknown argument '%s'\n", argv[i]);
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    suite s = {.data = "/usr/share/libonnx-testdata/data"};
    size_t regressed = 0, failed;
    if (!read_arguments(&s, argc, argv)) {
        return 1;
    }
    if (!s.count) {
        find_cases(&s);
    }
    if (!s.count) {
        printf("no test data in %s (Debian package libonnx-testdata)\n", s.data);
        return NO_DATA;
    }
    run_cases(&s);
    if (s.expected) {
        regressed = check_expected(&s);
    }
    if (s.write_expected) {
        write_expected(&s);
    }
    if (s.markdown) {
        write_markdown(&s);
    }
    failed = count_of(&s, CASE_FAILED, NULL);
    printf("%zu passed, %zu failed, %zu unsupported, %zu regressed\n", count_of(&s, CASE_PASSED, NULL), failed,
           count_of(&s, CASE_UNSUPPORTED, NULL), regressed);
    free(s.cases);
    return failed || regressed ? 1 : 0;
}
