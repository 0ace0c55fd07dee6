/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs a fuzz target on files: all those of the folders and files named as arguments. How the kept corpus becomes a
 * test, with any compiler. Fails when there is nothing to run, and when one takes longer than any reader of so short a
 * file should: some of them are made for work that grows with the square of their size. */
#define _DEFAULT_SOURCE
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Seconds of processor time for one input, unless BDNN_REPLAY_SECONDS says otherwise, as for emulated processors:
 * milliseconds is what they take, also on a slow machine with sanitizers. */
#define MAX_SECONDS 5

static double max_seconds(void)
{
    const char *text = getenv("BDNN_REPLAY_SECONDS");
    const double seconds = text ? atof(text) : 0;
    return seconds > 0 ? seconds : MAX_SECONDS;
}

/* The bytes lie at the very end of an allocation of their size, so that a sanitizer sees each step beyond them. */
static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long size = -1;
    clock_t start;
    if (file && fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0 && fseek(file, 0, SEEK_SET) == 0) {
        data = malloc(size ? (size_t)size : 1);
    }
    if (!data || fread(data, 1, (size_t)size, file) != (size_t)size) {
        fprintf(stderr, "%s: cannot read\n", path);
        exit(1);
    }
    fclose(file);
    start = clock();
    LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    if ((double)(clock() - start) > max_seconds() * CLOCKS_PER_SEC) {
        fprintf(stderr, "%s: took %.1f s\n", path, (double)(clock() - start) / CLOCKS_PER_SEC);
        exit(1);
    }
    return 1;
}

static int run_path(const char *path)
{
    DIR *folder = opendir(path);
    int count = 0;
    if (!folder) {
        return run_file(path);
    }
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        char name[4096];
        if (entry->d_name[0] != '.') {
            snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
            count += run_path(name);
        }
    }
    closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;
    for (int i = 1; i < argc; i++) {
        count += run_path(argv[i]);
    }
    printf("%d inputs\n", count);
    return count ? 0 : 1;
}
