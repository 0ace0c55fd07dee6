/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory behind AXI4 ports: what it answers and when, its bank's bandwidth, and that it finds what a master must
 * not do. The master is this test: it sets the pins by hand. */
#include "axi/axi_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { BASE = 0x10000, SIZE = 8192, BEAT = 8 };

struct bench {
    struct open_emu_axi_pins pins;
    struct axi_memory memory;
    struct axi_bank bank;
    uint8_t bytes[SIZE];
    uint64_t size; /* of the buffer */
    enum axi_response response;
    jmp_buf caught; /* where a violation goes */
    const char *violation;
    uint64_t address;
};

static struct axi_place place(void *context, uint64_t address, uint64_t size, bool write)
{
    struct bench *bench = context;
    (void)size;
    (void)write;
    if (address < BASE || address - BASE >= bench->size)
        return (struct axi_place){NULL, 0, AXI_OKAY};
    return (struct axi_place){bench->bytes + (address - BASE), bench->size - (address - BASE), bench->response};
}

static void violate(void *context, const char *what, uint64_t address)
{
    struct bench *bench = context;
    bench->violation = what;
    bench->address = address;
    longjmp(bench->caught, 1);
}

static void set_up(struct bench *bench, unsigned beat)
{
    memset(bench, 0, sizeof *bench);
    bench->size = SIZE;
    const struct axi_backing backing = {bench, place, violate};
    axi_memory_init(&bench->memory, &bench->pins, beat, &backing, &bench->bank, 1);
    for (unsigned i = 0; i < SIZE; i++)
        bench->bytes[i] = (uint8_t)(i * 7 + i / 256);
}

/* The cycle's end is left to the caller, who may look at the pins in between. */
static void begin(struct bench *bench)
{
    axi_bank_cycle(&bench->bank);
    axi_memory_drive(&bench->memory);
}

static void cycle(struct bench *bench)
{
    begin(bench);
    axi_memory_sample(&bench->memory);
}

static void ask(struct bench *bench, uint64_t address, unsigned beats)
{
    bench->pins.arvalid = 1;
    bench->pins.araddr = address;
    bench->pins.arlen = (uint8_t)(beats - 1);
    begin(bench);
    while (!bench->pins.arready) {
        axi_memory_sample(&bench->memory);
        begin(bench);
    }
    axi_memory_sample(&bench->memory);
    bench->pins.arvalid = 0;
}

static void reads_come_in_order_after_the_latency(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench, BEAT);
    bench.memory.timing = (struct axi_timing){10, 10, 100, 100};
    ask(&bench, BASE + 64, 3);
    ask(&bench, BASE + 4096 - 8, 1);
    bench.pins.rready = 1;
    const unsigned expected[] = {64, 72, 80, 4096 - 8};
    unsigned got = 0, first = 0;
    for (unsigned i = 0; i < 30; i++) {
        begin(&bench);
        if (bench.pins.rvalid) {
            assert_true(got < 4);
            assert_memory_equal(bench.pins.rdata, bench.bytes + expected[got], BEAT);
            assert_int_equal(bench.pins.rlast, got >= 2);
            first = got++ ? first : i;
        }
        axi_memory_sample(&bench.memory);
    }
    assert_int_equal(got, 4);
    assert_int_equal(first, 8); /* accepted in cycle 0, asked for the second in cycle 1 */
    assert_true(axi_memory_quiet(&bench.memory));
    assert_int_equal(bench.memory.counters.read_beats, 4);
    assert_int_equal(bench.memory.counters.max_reads, 2);
}

/* Writes `beats` beats of 0xff.. with the last strobe given; returns the response. */
static unsigned write_burst(struct bench *bench, uint64_t address, unsigned beats, uint64_t last_strobe)
{
    struct open_emu_axi_pins *pins = &bench->pins;
    const unsigned beat = bench->memory.beat;
    pins->awvalid = pins->bready = 1;
    pins->awaddr = address;
    pins->awlen = (uint8_t)(beats - 1);
    memset(pins->wdata, 0xff, sizeof pins->wdata);
    for (unsigned sent = 0, i = 0; i < 500; i++) {
        pins->wvalid = sent < beats;
        pins->wlast = sent + 1 == beats;
        pins->wstrb = pins->wlast ? last_strobe : UINT64_MAX >> (64 - beat);
        begin(bench);
        const bool address_taken = pins->awvalid && pins->awready, answered = pins->bvalid;
        sent += pins->wvalid && pins->wready;
        axi_memory_sample(&bench->memory);
        if (address_taken)
            pins->awvalid = 0;
        if (answered)
            return pins->bresp;
    }
    fail_msg("no response");
    return 0;
}

static void strobes_say_what_is_written(void **state)
{
    (void)state;
    static const unsigned widths[] = {4, 8, 16, 32, 64};
    for (unsigned w = 0; w < 5; w++) {
        struct bench bench;
        const unsigned beat = widths[w];
        set_up(&bench, beat);
        uint8_t expected[SIZE];
        memcpy(expected, bench.bytes, SIZE);
        memset(expected + 128, 0xff, beat);
        expected[128 + beat + 1] = expected[128 + 2 * beat - 1] = 0xff;
        assert_int_equal(write_burst(&bench, BASE + 128, 2, (uint64_t)1 << (beat - 1) | 2), AXI_OKAY);
        assert_memory_equal(bench.bytes, expected, SIZE);
    }
}

static void error_responses_write_nothing(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench, BEAT);
    uint8_t before[SIZE];
    memcpy(before, bench.bytes, SIZE);
    bench.response = AXI_DECERR;
    assert_int_equal(write_burst(&bench, BASE, 4, 255), AXI_DECERR);
    assert_memory_equal(bench.bytes, before, SIZE);
    bench.pins.rready = 1;
    ask(&bench, BASE, 1);
    do
        begin(&bench);
    while (axi_memory_sample(&bench.memory), !bench.pins.rvalid);
    assert_int_equal(bench.pins.rresp, AXI_DECERR);
}

/* Two ports on a bank of 6 bytes a cycle: together 6 bytes a cycle, and both get something. */
static void ports_share_the_bandwidth(void **state)
{
    (void)state;
    struct bench one, two;
    set_up(&one, BEAT);
    set_up(&two, BEAT);
    two.memory.bank = &one.bank;
    one.bank.bytes_per_cycle = 6;
    one.pins.rready = two.pins.rready = one.pins.arvalid = two.pins.arvalid = 1;
    one.pins.araddr = two.pins.araddr = BASE;
    one.pins.arlen = two.pins.arlen = 63;
    for (unsigned i = 0; i < 4000; i++) {
        axi_bank_cycle(&one.bank);
        const bool turn = one.bank.transfers % 2;
        axi_memory_drive(turn ? &one.memory : &two.memory);
        axi_memory_drive(turn ? &two.memory : &one.memory);
        axi_memory_sample(&one.memory);
        axi_memory_sample(&two.memory);
    }
    const uint64_t first = one.memory.counters.read_beats, second = two.memory.counters.read_beats;
    assert_in_range(first + second, 2990, 3010);
    assert_in_range(first, 1490, 1510);
}

/* Everything arrives, once and in order, whatever the delays. */
static void random_delays_lose_nothing(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench, BEAT);
    bench.memory.timing = (struct axi_timing){0, 60, 40, 40};
    unsigned got = 0, asked = 0;
    for (unsigned i = 0; i < 20000 && got < 64 * 16; i++) {
        /* A valid that waits stays as it is. */
        bench.pins.arvalid = asked < 64;
        bench.pins.araddr = BASE + 128 * asked;
        bench.pins.arlen = 15;
        bench.pins.rready = i * 2654435761u >> 30 != 0;
        begin(&bench);
        if (bench.pins.rvalid && bench.pins.rready) {
            assert_memory_equal(bench.pins.rdata, bench.bytes + BEAT * got, BEAT);
            assert_int_equal(bench.pins.rlast, got % 16 == 15);
            got++;
        }
        const bool taken = bench.pins.arvalid && bench.pins.arready;
        axi_memory_sample(&bench.memory);
        asked += taken;
    }
    assert_int_equal(got, 64 * 16);
    assert_true(axi_memory_quiet(&bench.memory));
}

/* ---- What a master must not do ---- */

static void offer_read(struct bench *bench)
{
    bench->pins.arvalid = 1;
    cycle(bench);
}

static void cross_border(struct bench *bench)
{
    bench->pins.araddr = BASE + 4096 - 8;
    bench->pins.arlen = 1;
    offer_read(bench);
}

static void wrap(struct bench *bench)
{
    bench->pins.araddr = BASE;
    bench->pins.arburst = 2;
    offer_read(bench);
}

static void narrow(struct bench *bench)
{
    bench->pins.araddr = BASE;
    bench->pins.arsize = 2;
    offer_read(bench);
}

static void unaligned(struct bench *bench)
{
    bench->pins.araddr = BASE + 4;
    offer_read(bench);
}

static void read_below(struct bench *bench)
{
    bench->pins.araddr = BASE - 8;
    offer_read(bench);
}

static void read_behind(struct bench *bench)
{
    bench->size = 100; /* 12.5 beats: the 13th may be read, the 14th not */
    ask(bench, BASE + 96, 1);
    bench->pins.araddr = BASE + 96;
    bench->pins.arlen = 1;
    offer_read(bench);
}

static void write_behind(struct bench *bench)
{
    bench->size = 100;
    assert_int_equal(write_burst(bench, BASE + 96, 1, 15), AXI_OKAY);
    write_burst(bench, BASE + 96, 1, 31);
}

static void write_outside(struct bench *bench)
{
    write_burst(bench, BASE + SIZE, 1, 255);
}

static void write_crosses_border(struct bench *bench)
{
    write_burst(bench, BASE + 4088, 2, 255);
}

static void withdraw_address(struct bench *bench)
{
    bench->memory.timing.ready_percent = 0;
    bench->pins.araddr = BASE;
    offer_read(bench);
    bench->pins.arvalid = 0;
    cycle(bench);
}

static void change_address(struct bench *bench)
{
    bench->memory.timing.ready_percent = 0;
    bench->pins.awvalid = 1;
    bench->pins.awaddr = BASE;
    cycle(bench);
    bench->pins.awaddr = BASE + 8;
    cycle(bench);
}

static void change_data(struct bench *bench)
{
    bench->pins.wvalid = 1; /* waits: there is no address yet */
    cycle(bench);
    bench->pins.wdata[BEAT - 1] = 1;
    cycle(bench);
}

static void early_last(struct bench *bench)
{
    bench->pins.awvalid = 1;
    bench->pins.awaddr = BASE;
    bench->pins.awlen = 1;
    cycle(bench);
    bench->pins.awvalid = 0;
    bench->pins.wvalid = bench->pins.wlast = 1;
    cycle(bench);
}

struct violation {
    void (*misbehave)(struct bench *bench);
    const char *what;
    uint64_t address;
};

/* A function of its own: what lives across setjmp must not change. */
static void violation_is_found(const struct violation *violation)
{
    struct bench bench;
    set_up(&bench, BEAT);
    if (setjmp(bench.caught) == 0) {
        violation->misbehave(&bench);
        fail_msg("not found: %s", violation->what);
    }
    if (!strstr(bench.violation, violation->what))
        fail_msg("'%s' instead of '%s'", bench.violation, violation->what);
    assert_int_equal(bench.address, violation->address);
}

static void violations_are_found(void **state)
{
    (void)state;
    static const struct violation cases[] = {
        {cross_border, "crosses a 4-KiB border", BASE + 4088},
        {wrap, "another type than INCR", BASE},
        {narrow, "not as wide as the port", BASE},
        {unaligned, "not aligned", BASE + 4},
        {read_below, "a read outside of all buffers", BASE - 8},
        {read_behind, "a read outside of all buffers", BASE + 96},
        {write_behind, "a write behind the end", BASE + 96},
        {write_outside, "a write outside of all buffers", BASE + SIZE},
        {write_crosses_border, "crosses a 4-KiB border", BASE + 4088},
        {withdraw_address, "before ARREADY", BASE},
        {change_address, "before AWREADY", BASE},
        {change_data, "before WREADY", 0},
        {early_last, "WLAST", BASE},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        violation_is_found(&cases[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_come_in_order_after_the_latency),
        cmocka_unit_test(strobes_say_what_is_written),
        cmocka_unit_test(error_responses_write_nothing),
        cmocka_unit_test(ports_share_the_bandwidth),
        cmocka_unit_test(random_delays_lose_nothing),
        cmocka_unit_test(violations_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
