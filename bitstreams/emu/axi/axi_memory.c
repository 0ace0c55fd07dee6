/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory behind AXI4 masters. */
#include "axi_memory.h"

#include <string.h>

enum { BORDER = 4096, INCR = 1 };

/* xorshift64*, the upper half: the same sequence everywhere. */
static uint32_t next_random(struct axi_memory *memory)
{
    uint64_t r = memory->random;
    r ^= r >> 12;
    r ^= r << 25;
    r ^= r >> 27;
    memory->random = r;
    return (uint32_t)(r * 0x2545F4914F6CDD1Du >> 32);
}

static bool chance(struct axi_memory *memory, unsigned percent)
{
    return percent >= 100 || next_random(memory) % 100 < percent;
}

static uint64_t due_time(struct axi_memory *memory)
{
    unsigned span = memory->timing.latency_high - memory->timing.latency_low;
    return memory->cycle + memory->timing.latency_low + (span ? next_random(memory) % (span + 1) : 0);
}

static void violate(const struct axi_memory *memory, const char *what, uint64_t address)
{
    memory->backing.violation(memory->backing.context, what, address);
}

/* ---- Queues of bursts ---- */

static struct axi_burst *front(struct axi_queue *queue)
{
    return &queue->burst[queue->first];
}

static void push(struct axi_queue *queue, const struct axi_burst *burst)
{
    queue->burst[(queue->first + queue->count++) % AXI_MAX_OUTSTANDING] = *burst;
}

static void pop(struct axi_queue *queue)
{
    queue->first = (queue->first + 1) % AXI_MAX_OUTSTANDING;
    queue->count--;
}

/* ---- The bank ---- */

/* Credit that is not used is lost, but for what makes a rate below a beat a cycle add up. */
void axi_bank_cycle(struct axi_bank *bank)
{
    double most = bank->bytes_per_cycle > OPEN_EMU_BEAT_BYTES ? bank->bytes_per_cycle : OPEN_EMU_BEAT_BYTES;
    bank->credit += bank->bytes_per_cycle;
    if (bank->credit > most)
        bank->credit = most;
}

/* A transfer may leave a debt, which the following cycles pay. */
static bool bank_ready(const struct axi_memory *memory)
{
    return !memory->bank || memory->bank->bytes_per_cycle <= 0 || memory->bank->credit > 0;
}

static void bank_take(struct axi_memory *memory)
{
    if (!memory->bank)
        return;
    memory->bank->credit -= memory->beat;
    memory->bank->transfers++;
}

/* ---- A cycle ---- */

void axi_memory_init(struct axi_memory *memory, struct open_emu_axi_pins *pins, unsigned beat,
                     const struct axi_backing *backing, struct axi_bank *bank, uint64_t seed)
{
    unsigned size = 0;
    while (1u << size < beat)
        size++;
    memset(memory, 0, sizeof *memory);
    memset(pins, 0, sizeof *pins);
    pins->arsize = pins->awsize = (uint8_t)size;
    pins->arburst = pins->awburst = INCR;
    memory->pins = pins;
    memory->backing = *backing;
    memory->bank = bank;
    memory->timing.ready_percent = memory->timing.data_percent = 100;
    memory->beat = beat;
    memory->random = seed * 0x9E3779B97F4A7C15u + 1;
}

static void drive_read(struct axi_memory *memory)
{
    struct open_emu_axi_pins *pins = memory->pins;
    if (memory->r_held)
        return;
    pins->rvalid = 0;
    if (!memory->reads.count)
        return;
    const struct axi_burst *burst = front(&memory->reads);
    if (burst->due > memory->cycle || !bank_ready(memory) || !chance(memory, memory->timing.data_percent))
        return;
    /* What lies behind the end of the buffer, in its last beat, reads as zero, and so does what nothing answers for. */
    size_t there = burst->room < memory->beat ? (size_t)burst->room : memory->beat;
    if (burst->response == AXI_DECERR)
        there = 0;
    if (there)
        memcpy(pins->rdata, burst->bytes, there);
    memset(pins->rdata + there, 0, memory->beat - there);
    pins->rvalid = 1;
    pins->rresp = (uint8_t)burst->response;
    pins->rlast = burst->left == 1;
    pins->rid = burst->id;
    bank_take(memory);
}

static void drive_response(struct axi_memory *memory)
{
    struct open_emu_axi_pins *pins = memory->pins;
    if (memory->b_held)
        return;
    pins->bvalid = memory->responses.count && front(&memory->responses)->due <= memory->cycle &&
                   chance(memory, memory->timing.data_percent);
    if (pins->bvalid) {
        pins->bresp = (uint8_t)front(&memory->responses)->response;
        pins->bid = front(&memory->responses)->id;
    }
}

void axi_memory_drive(struct axi_memory *memory)
{
    struct open_emu_axi_pins *pins = memory->pins;
    const unsigned percent = memory->timing.ready_percent;
    pins->arready = memory->reads.count < AXI_MAX_OUTSTANDING && chance(memory, percent);
    pins->awready = memory->writes.count + memory->responses.count < AXI_MAX_OUTSTANDING && chance(memory, percent);
    /* Data may come before their address is accepted; this memory takes them afterwards only. */
    pins->wready = memory->writes.count && bank_ready(memory) && chance(memory, percent);
    drive_read(memory);
    drive_response(memory);
}

/* Payload must not change while its valid waits for ready. */
static void check_held(const struct axi_memory *memory)
{
    const struct open_emu_axi_pins *now = memory->pins, *then = &memory->held;
    if (memory->ar_held && (!now->arvalid || now->araddr != then->araddr || now->arlen != then->arlen ||
                            now->arsize != then->arsize || now->arburst != then->arburst || now->arid != then->arid))
        violate(memory, "ARVALID or the read address and its attributes change before ARREADY", then->araddr);
    if (memory->aw_held && (!now->awvalid || now->awaddr != then->awaddr || now->awlen != then->awlen ||
                            now->awsize != then->awsize || now->awburst != then->awburst || now->awid != then->awid))
        violate(memory, "AWVALID or the write address and its attributes change before AWREADY", then->awaddr);
    if (memory->w_held && (!now->wvalid || now->wlast != then->wlast || now->wstrb != then->wstrb ||
                           memcmp(now->wdata, then->wdata, memory->beat) != 0))
        violate(memory, "WVALID, WDATA, WSTRB or WLAST change before WREADY",
                memory->writes.count ? memory->writes.burst[memory->writes.first].address : 0);
}

static void hold(struct axi_memory *memory)
{
    const struct open_emu_axi_pins *pins = memory->pins;
    memory->ar_held = pins->arvalid && !pins->arready;
    memory->aw_held = pins->awvalid && !pins->awready;
    memory->w_held = pins->wvalid && !pins->wready;
    memory->r_held = pins->rvalid && !pins->rready;
    memory->b_held = pins->bvalid && !pins->bready;
    if (memory->ar_held || memory->aw_held || memory->w_held)
        memory->held = *pins;
}

static struct axi_burst accept(struct axi_memory *memory, bool write)
{
    const struct open_emu_axi_pins *pins = memory->pins;
    const uint64_t address = write ? pins->awaddr : pins->araddr;
    const unsigned beats = (write ? pins->awlen : pins->arlen) + 1u;
    const uint64_t size = (uint64_t)beats * memory->beat;
    if ((write ? pins->awburst : pins->arburst) != INCR)
        violate(memory, "a burst of another type than INCR", address);
    const unsigned width = write ? pins->awsize : pins->arsize;
    if (width > 7 || 1u << width != memory->beat)
        violate(memory, "a burst whose beats are not as wide as the port", address);
    if (address & (memory->beat - 1))
        violate(memory, "a burst that is not aligned to the port's width", address);
    if (address / BORDER != (address + size - 1) / BORDER)
        violate(memory, "a burst crosses a 4-KiB border", address);
    struct axi_place place = memory->backing.place(memory->backing.context, address, size, write);
    /* The last beat may be partly behind the end of the buffer. */
    if (!place.bytes || (place.room < size && place.room + memory->beat <= size))
        violate(memory, write ? "a write outside of all buffers" : "a read outside of all buffers", address);
    struct axi_burst burst = {
        place.bytes, address, place.room, due_time(memory), beats, write ? pins->awid : pins->arid, place.response};
    return burst;
}

static void advance(struct axi_burst *burst, unsigned beat)
{
    burst->address += beat;
    burst->bytes += beat;
    burst->room -= beat < burst->room ? beat : burst->room;
    burst->left--;
}

static void take_data(struct axi_memory *memory)
{
    const struct open_emu_axi_pins *pins = memory->pins;
    struct axi_burst *burst = front(&memory->writes);
    if (pins->wlast != (burst->left == 1))
        violate(memory, "WLAST is not at the last beat", burst->address);
    const uint64_t all = memory->beat == 64 ? UINT64_MAX : ((uint64_t)1 << memory->beat) - 1;
    const uint64_t strobe = pins->wstrb & all;
    if (burst->room < memory->beat && strobe >> burst->room)
        violate(memory, "a write behind the end of a buffer", burst->address);
    if (burst->response == AXI_OKAY && strobe == all) {
        memcpy(burst->bytes, pins->wdata, memory->beat);
    } else if (burst->response == AXI_OKAY) {
        for (unsigned i = 0; i < memory->beat; i++)
            if (strobe >> i & 1)
                burst->bytes[i] = pins->wdata[i];
    }
    advance(burst, memory->beat);
    memory->counters.write_beats++;
    bank_take(memory);
    if (burst->left)
        return;
    burst->due = due_time(memory);
    push(&memory->responses, burst);
    pop(&memory->writes);
}

static void count_waits(struct axi_memory *memory)
{
    const struct open_emu_axi_pins *pins = memory->pins;
    struct axi_counters *counters = &memory->counters;
    counters->read_waits += memory->reads.count && !pins->rvalid;
    counters->read_blocked += pins->rvalid && !pins->rready;
    counters->write_waits += pins->wvalid && !pins->wready;
}

static void take_addresses(struct axi_memory *memory)
{
    const struct open_emu_axi_pins *pins = memory->pins;
    struct axi_counters *counters = &memory->counters;
    if (pins->arvalid && pins->arready) {
        const struct axi_burst burst = accept(memory, false);
        push(&memory->reads, &burst);
        counters->read_bursts++;
        if (memory->reads.count > counters->max_reads)
            counters->max_reads = memory->reads.count;
    }
    if (pins->awvalid && pins->awready) {
        const struct axi_burst burst = accept(memory, true);
        push(&memory->writes, &burst);
        counters->write_bursts++;
        if (memory->writes.count + memory->responses.count > counters->max_writes)
            counters->max_writes = memory->writes.count + memory->responses.count;
    }
}

void axi_memory_sample(struct axi_memory *memory)
{
    const struct open_emu_axi_pins *pins = memory->pins;
    check_held(memory);
    hold(memory);
    count_waits(memory);
    if (pins->rvalid && pins->rready) {
        struct axi_burst *burst = front(&memory->reads);
        advance(burst, memory->beat);
        memory->counters.read_beats++;
        if (!burst->left)
            pop(&memory->reads);
    }
    if (pins->bvalid && pins->bready)
        pop(&memory->responses);
    if (pins->wvalid && pins->wready)
        take_data(memory);
    take_addresses(memory);
    memory->cycle++;
}

bool axi_memory_quiet(const struct axi_memory *memory)
{
    return !memory->reads.count && !memory->writes.count && !memory->responses.count;
}
