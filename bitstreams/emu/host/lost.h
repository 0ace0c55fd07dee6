/* SPDX-License-Identifier: BSD-2-Clause */
/* What a lost device answers: nothing but ones, as a board does that fell off its bus. A register reads 0xffffffff, so
 * that a run ends whose control register is asked for; memory likewise; allocations fail. Each thread of the host has
 * its own request under way. */
#ifndef OPEN_EMU_LOST_H
#define OPEN_EMU_LOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of requests, as the shim writes them: followed all the time, since the device may be lost before it answers. */
void lost_follow_request(const uint8_t *bytes, size_t size);

/* Prepares the answer to this thread's request, or what is left of it. Of the device's own answer the shim may have
 * read nothing (header_left is the whole header's size), the header (0; the body that it announced then has body_size
 * bytes, of which body_left are left), or a part of the body. False when nothing fits to what it has read. */
bool lost_prepare_answer(size_t header_left, size_t body_left, size_t body_size);

/* The next bytes of it; 0 when there are none, and an answer is to be prepared. */
size_t lost_read(uint8_t *bytes, size_t size);

#endif
