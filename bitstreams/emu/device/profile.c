/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters of compute units and their ports, as text. */
#include "profile.h"
#include "report.h"

#include <time.h>

static double percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

void emu_profile_speed(uint64_t cycles)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    double seconds = (double)time.tv_sec + (double)time.tv_nsec / 1e9;
    emu_say("%llu cycles simulated in %.2f s of processor time: %.0f a second", (unsigned long long)cycles, seconds,
            seconds > 0 ? (double)cycles / seconds : 0);
}

void emu_profile_unit(const char *name, uint64_t launches, uint64_t busy, double clock_mhz)
{
    emu_say("compute unit %s: %llu launches, %llu cycles at work, %.3f ms at %g MHz", name,
            (unsigned long long)launches, (unsigned long long)busy,
            clock_mhz > 0 ? (double)busy / (clock_mhz * 1000) : 0, clock_mhz);
}

void emu_profile_port(const struct open_emu_port *port, const struct axi_counters *counters, uint64_t busy)
{
    if (counters->read_bursts)
        emu_say(
            "  port %s, %u bits: %llu beats read in %llu bursts, %.1f %% of the cycles; at most %u bursts under way; "
            "waiting for data %.1f %%, data waiting %.1f %%",
            port->name, (unsigned)port->bits, (unsigned long long)counters->read_beats,
            (unsigned long long)counters->read_bursts, percent(counters->read_beats, busy), counters->max_reads,
            percent(counters->read_waits, busy), percent(counters->read_blocked, busy));
    if (counters->write_bursts)
        emu_say("  port %s, %u bits: %llu beats written in %llu bursts, %.1f %% of the cycles; at most %u bursts under "
                "way; held back %.1f %%",
                port->name, (unsigned)port->bits, (unsigned long long)counters->write_beats,
                (unsigned long long)counters->write_bursts, percent(counters->write_beats, busy), counters->max_writes,
                percent(counters->write_waits, busy));
}
