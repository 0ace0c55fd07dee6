/* What the machine can do at best: the products of each instruction that kernels multiply by, from registers alone.
 * bdnn.h declares what `bdnn bench` holds kernels against; here is what files of one instruction set fill in. */
#ifndef BDNN_KERNELS_PEAK_H
#define BDNN_KERNELS_PEAK_H

#include <stdbool.h>

/* One instruction of multiplication. */
typedef struct bdnn_peak {
    const char *instruction; /* "TDPBUSD" */
    const char *kernels;     /* the instruction set as kernels' names end: "amxint8" */
    bool (*supported)(void);
    double multiply_adds; /* of one call of run */
    void (*run)(void);    /* a few microseconds of independent chains */
} bdnn_peak;

#endif
