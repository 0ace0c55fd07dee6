/* SPDX-License-Identifier: BSD-2-Clause */
/* The accelerator of the module's test: its registers, and runs that end after some looks or when time passes. */
#ifndef BDNN_TESTS_DRIVER_HARDWARE_H
#define BDNN_TESTS_DRIVER_HARDWARE_H

#include <stdbool.h>
#include <stdint.h>

extern struct hardware {
    bool running;
    bool stuck; /* the run does not end by itself */
    bool deaf;  /* nor when it is cancelled */
    unsigned runs, cancels;
    uint32_t registers[1024];
} hardware;

/* As after configuring the logic. */
void hardware_power_up(void);
/* A run that is under way ends, with its number as the count of its cycles. */
void hardware_end(void);

#endif
