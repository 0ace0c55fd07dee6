/* SPDX-License-Identifier: BSD-2-Clause */
/* What the peers in C and C++ share: they say "started" and then answer a line each on stdin, on stdout:
 *   load        loads the network and runs it once          ready
 *   run N       runs it once, then N times with a clock     milliseconds of each of the N
 *   output FILE writes the last run's output as float32     written
 * Anything that fails ends the program with a message on stderr. */
#ifndef PEERS_PEER_H
#define PEERS_PEER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

/* `count` float32 of a file. */
static inline float *read_floats(const char *path, size_t count)
{
    float *data = (float *)malloc(count * sizeof(float));
    FILE *file = fopen(path, "rb");
    if (!data || !file || fread(data, sizeof(float), count, file) != count) {
        fail("cannot read the input");
    }
    fclose(file);
    return data;
}

static inline void write_floats(const char *path, const float *data, size_t count)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, sizeof(float), count, file) != count || fclose(file) != 0) {
        fail("cannot write the output");
    }
}

static void serve(void (*load)(void), void (*run)(void), void (*output)(const char *path))
{
    char line[4096];
    printf("started\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, "load") == 0) {
            load();
            run();
            printf("ready\n");
        } else if (strncmp(line, "run ", 4) == 0) {
            run();
            for (int left = atoi(line + 4); left > 0; left--) {
                const double start = now_ms();
                run();
                printf("%.4f%c", now_ms() - start, left > 1 ? ' ' : '\n');
            }
        } else if (strncmp(line, "output ", 7) == 0) {
            output(line + 7);
            printf("written\n");
        } else {
            fail("no such request");
        }
        fflush(stdout);
    }
}

#endif
