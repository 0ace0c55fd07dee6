/* SPDX-License-Identifier: BSD-2-Clause */
/* What suffers: small pieces of work with their inputs, made once, and a folder of outputs, made anew for each run. */
#ifndef BDNN_TESTS_SCENARIO_H
#define BDNN_TESTS_SCENARIO_H

#include "bdnn_data.h"
#include "bdnn_measure.h"

#include <stdbool.h>

#define MAX_OUTPUTS 4

/* A scenario of the library leaves nothing behind but its outputs: what it made, it frees, also after an error. It
 * hashes what it computed into *digest (digest_add) and allocates nothing by itself. */
typedef bdnn_status scenario_run(uint64_t *digest, bdnn_error *err);

typedef struct scenario {
    const char *name;
    scenario_run *run;                /* of the library, or */
    const char *command;              /* a command line of the tool; IN/ and OUT/ stand for the folders */
    const char *outputs[MAX_OUTPUTS]; /* files in OUT that are replaced; there is an old one under each name */
    bool timed;                       /* what it prints and writes has times in it, which are not compared */
    bool slow;                        /* a run takes a second: few points */
} scenario;

extern const scenario library_scenarios[], tool_scenarios[]; /* each ends with one without a name */

/* Makes the inputs in FOLDER/in. Ends the program where it cannot. */
void make_inputs(const char *folder);

/* FOLDER/in/<name> and <name> in the folder of outputs, valid until the eighth call after this one. */
const char *in(const char *name);
const char *out(const char *name);

/* The folder of outputs of this process from now on, FOLDER/<name>/out, which is made. */
bool choose_out_folder(const char *name);

/* FNV-1a. */
static inline void digest_add(uint64_t *digest, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        *digest = (*digest ^ ((const unsigned char *)data)[i]) * UINT64_C(0x100000001b3);
    }
}

#endif
