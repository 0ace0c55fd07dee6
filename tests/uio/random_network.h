/* SPDX-License-Identifier: BSD-2-Clause */
/* Networks at random, of what the accelerator has to do with. */
#ifndef BDNN_TESTS_UIO_RANDOM_NETWORK_H
#define BDNN_TESTS_UIO_RANDOM_NETWORK_H

#include "bdnn.h"

/* Decomposed convolutions of any groups, strides and sizes, some of them residual, clips, poolings of any windows, sums
 * and concatenations between them, and a fully connected layer or a float one at the end. The next of a sequence. */
bdnn_model *random_network(void);

#endif
