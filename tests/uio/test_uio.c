/* SPDX-License-Identifier: BSD-2-Clause */
/* The device "uio" on a double of Linux and the hardware (zynq.h): whole trained networks through every way to the
 * accelerator equal the definition, work overlaps, and whatever goes wrong is said and leaves nothing behind. */
#define _XOPEN_SOURCE 700
#include "../unit/plan_simulation.h"
#include "../unit/scratch.h"
#include "backends/device/accelerator.h"
#include "random_network.h"
#include "runtime/session.h"
#include "zynq.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* ---- Folders in the place of /sys ---- */

static void write_text(const char *folder, const char *file, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/class/%s", folder, file);
    scratch_write(path, text, strlen(text));
}

static void write_number(const char *folder, const char *file, unsigned long number)
{
    char text[32];
    snprintf(text, sizeof text, "0x%lx\n", number);
    write_text(folder, file, text);
}

static void write_uio(const char *folder, bool memory)
{
    write_text(folder, "uio/uio0/name", "bdnn\n");
    write_number(folder, "uio/uio0/maps/map0/addr", 0xa0000000);
    write_number(folder, "uio/uio0/maps/map0/size", 0x10000);
    write_number(folder, "uio/uio0/maps/map0/offset", 0);
    if (memory) {
        write_number(folder, "uio/uio0/maps/map1/addr", ZYNQ_MAP1_ADDRESS);
        write_number(folder, "uio/uio0/maps/map1/size", ZYNQ_MAP1_BYTES);
    }
}

static void write_udmabuf(const char *folder, const char *coherent)
{
    write_number(folder, "u-dma-buf/udmabuf0/phys_addr", ZYNQ_UDMABUF_ADDRESS);
    write_text(folder, "u-dma-buf/udmabuf0/size", "16777216\n");
    write_text(folder, "u-dma-buf/udmabuf0/dma_coherent", coherent);
}

static int set_up(void **state)
{
    scratch_make(state);
    write_text("all", "misc/bdnn0/dev", "10:1\n");
    write_text("all", "misc/bdnn0-direct/dev", "10:2\n");
    write_text("all", "misc/cpu_dma_latency/dev", "10:3\n");
    write_uio("all", true);
    write_text("all", "uio/uio7/name", "a stranger\n");
    write_udmabuf("all", "0\n");
    write_uio("buffer", false);
    write_udmabuf("buffer", "0\n");
    write_uio("coherent", false);
    write_udmabuf("coherent", "1\n");
    write_uio("memoryless", false);
    write_text("none", "misc/loop-control/dev", "10:4\n");
    bdnn_uio_system_used = &zynq_system;
    return 0;
}

/* A device of /sys as in `folder`, on which nothing is wrong yet. */
static void use(const char *folder)
{
    static char sysfs[512];
    zynq = (struct zynq_settings){.pool_bytes = 64 << 20, .fault_run = 1};
    zynq_counted = (struct zynq_counts){.runs = 0};
    snprintf(sysfs, sizeof sysfs, "%s", scratch_path(folder));
    zynq_system.sysfs = sysfs;
}

static void expect_nothing_left(void)
{
    assert_int_equal(zynq_counted.open_files, 0);
    assert_int_equal(zynq_counted.mappings, 0);
    assert_int_equal(zynq_counted.buffers, 0);
    assert_int_equal(zynq_counted.pool_used, 0);
}

/* ---- Networks ---- */

static bdnn_error err;

static void check(bdnn_status status)
{
    if (status != BDNN_OK) {
        fail_msg("%s", err.message);
    }
}

static bdnn_model *load(const char *network)
{
    bdnn_model *model;
    char path[512];
    snprintf(path, sizeof path, BDNN_TEST_NETWORKS "/%s.bdnn", network);
    check(bdnn_model_load(path, NULL, &model, &err));
    return model;
}

static bdnn_session *open_session(const bdnn_model *model, const char *device, size_t batch, bdnn_wait wait)
{
    const bdnn_session_options options = {.struct_size = sizeof options,
                                          .device = device,
                                          .batch = batch,
                                          .threads = 1,
                                          .timeout_ms = 5000,
                                          .wait = wait};
    bdnn_session *session;
    check(bdnn_session_create(model, &options, &session, &err));
    return session;
}

static float *make_input(const bdnn_model *model, size_t batch)
{
    const bdnn_preprocess p = bdnn_model_preprocess(model);
    const size_t count = batch * (size_t)p.channels * (size_t)p.height * (size_t)p.width;
    float *input = malloc(count * sizeof *input);
    uint32_t noise = 1;
    assert_non_null(input);
    for (size_t i = 0; i < count; i++) {
        noise = noise * 1664525 + 1013904223;
        input[i] = (float)(noise >> 16) / 32768.0f - 1.0f;
    }
    return input;
}

static void expect_equal(const bdnn_session *a, const bdnn_session *b)
{
    assert_true(bdnn_session_output_count(a) > 0);
    for (size_t o = 0; o < bdnn_session_output_count(a); o++) {
        bdnn_result x, y;
        size_t count = sizeof(float);
        check(bdnn_session_output(a, o, &x, &err));
        check(bdnn_session_output(b, o, &y, &err));
        for (int32_t i = 0; i < x.rank; i++) {
            count *= (size_t)x.shape[i];
        }
        assert_memory_equal(x.data, y.data, count);
    }
}

static const struct way {
    const char *folder, *device;
    bool coherent, early;
    bdnn_wait wait;
} ways[] = {
    {"all", "uio", false, false, BDNN_WAIT_HYBRID},
    {"all", "uio:bdnn0", true, true, BDNN_WAIT_INTERRUPT},
    {"all", "uio:bdnn0", false, true, BDNN_WAIT_POLL},
    {"all", "uio:bdnn0-direct", false, false, BDNN_WAIT_INTERRUPT},
    {"all", "uio:bdnn0-direct", false, true, BDNN_WAIT_POLL},
    {"all", "uio:bdnn0-direct", true, false, BDNN_WAIT_HYBRID},
    {"all", "uio:uio0", false, false, BDNN_WAIT_INTERRUPT},
    {"all", "uio:uio0,udmabuf0", false, false, BDNN_WAIT_POLL},
    {"buffer", "uio", false, true, BDNN_WAIT_INTERRUPT},
    {"coherent", "uio:uio0", true, false, BDNN_WAIT_HYBRID},
};
enum { WAYS = sizeof ways / sizeof *ways };

static void use_way(const struct way *way)
{
    use(way->folder);
    zynq.coherent = way->coherent;
    zynq.early = way->early;
}

static void check_network(const char *network, size_t first, size_t step)
{
    enum { BATCH = 3 };
    bdnn_model *model = load(network);
    float *input = make_input(model, BATCH);
    bdnn_session *reference = open_session(model, "reference", BATCH, BDNN_WAIT_HYBRID);
    check(bdnn_session_run(reference, input, &err));
    for (size_t w = first; w < WAYS; w += step) {
        use_way(&ways[w]);
        bdnn_session *session = open_session(model, ways[w].device, BATCH, ways[w].wait);
        const unsigned before = zynq_counted.runs;
        check(bdnn_session_run(session, input, &err));
        expect_equal(reference, session);
        assert_true(zynq_counted.runs > before);
        if (ways[w].wait == BDNN_WAIT_POLL) {
            assert_true(zynq_counted.interrupts == 0 || strcmp(ways[w].device, "uio:bdnn0") == 0);
        } else if (ways[w].wait == BDNN_WAIT_INTERRUPT) {
            assert_int_equal(zynq_counted.interrupts, zynq_counted.runs);
        }
        bdnn_session_free(session);
        expect_nothing_left();
    }
    bdnn_session_free(reference);
    free(input);
    bdnn_model_free(model);
}

static void test_alexnet(void **state)
{
    (void)state;
    check_network("alexnet", 0, 1); /* every way */
}

static void test_vgg(void **state)
{
    (void)state;
    check_network("vgg", 0, 4);
}

static void test_resnet(void **state)
{
    (void)state;
    check_network("resnet", 1, 4);
}

static void test_segnet(void **state)
{
    (void)state;
    check_network("segnet", 3, 4);
}

/* Layers that transfer their input or their output. */
static void count_transfers(const bdnn_model *model, const bdnn_session *session, unsigned *sent, unsigned *fetched)
{
    unsigned layers = 0;
    uint64_t bytes = 0;
    *sent = *fetched = 0;
    for (size_t l = 0; l < bdnn_model_layer_count(model); l++) {
        bdnn_layer_cost cost;
        check(bdnn_session_layer(session, l, &cost, &err));
        layers += cost.accelerator.jobs > 0;
        *sent += cost.accelerator.bytes_to_device > 0;
        *fetched += cost.accelerator.bytes_from_device > 0;
        bytes += cost.accelerator.bytes_to_device + cost.accelerator.bytes_from_device;
    }
    /* The list of transfers tells the same. */
    for (size_t i = 0; i < bdnn_session_transfer_count(session); i++) {
        bdnn_transfer transfer;
        check(bdnn_session_transfer(session, i, &transfer, &err));
        assert_true(transfer.bytes > 0 && *transfer.value && *transfer.layer);
        bytes -= transfer.bytes;
    }
    assert_int_equal(bytes, 0);
    assert_int_equal(bdnn_session_transfer_count(session), *sent + *fetched);
    assert_true(layers > 5);
}

/* Of every transferred input's images, all but the first are packed, and of every transferred output's all but the last
 * unpacked, while another one is computed. */
static void test_packing_and_unpacking_overlap_with_runs(void **state)
{
    enum { BATCH = 4 };
    static const char *const devices[] = {"uio:bdnn0", "uio:bdnn0-direct"}, *const networks[] = {"vgg", "resnet"};
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        bdnn_model *model = load(networks[n]);
        float *input = make_input(model, BATCH);
        for (size_t d = 0; d < 2; d++) {
            use("all");
            bdnn_session *session = open_session(model, devices[d], BATCH, BDNN_WAIT_HYBRID);
            unsigned sent, fetched;
            zynq_counted.to_device = zynq_counted.from_device = zynq_counted.to_while_running = 0;
            check(bdnn_session_run(session, input, &err));
            count_transfers(model, session, &sent, &fetched);
            assert_true(sent > 0 && zynq_counted.to_device > 2 * sent);
            assert_int_equal(zynq_counted.to_while_running, zynq_counted.to_device - sent);
            assert_true(fetched > 0 && zynq_counted.from_device >= fetched);
            assert_int_equal(zynq_counted.from_while_running, zynq_counted.from_device - fetched);
            bdnn_session_free(session);
        }
        free(input);
        bdnn_model_free(model);
    }
}

/* A network without sums stays on the device from its first layer to its last, poolings included. */
static void test_chains_stay_on_the_device(void **state)
{
    bdnn_model *model = load("vgg");
    float *input = make_input(model, 1);
    unsigned sent, fetched, poolings = 0;
    (void)state;
    use("all");
    bdnn_session *session = open_session(model, "uio", 1, BDNN_WAIT_INTERRUPT);
    check(bdnn_session_run(session, input, &err));
    count_transfers(model, session, &sent, &fetched);
    assert_int_equal(sent, 1);
    assert_int_equal(fetched, 1);
    for (size_t l = 0; l < bdnn_model_layer_count(model); l++) {
        bdnn_layer_info info;
        bdnn_layer_cost cost;
        check(bdnn_model_layer(model, l, &info, &err));
        check(bdnn_session_layer(session, l, &cost, &err));
        if (strcmp(info.operation, "max_pool") == 0) {
            assert_int_equal(cost.accelerator.jobs, 1);
            poolings++;
        }
    }
    assert_true(poolings > 1);
    bdnn_session_free(session);
    expect_nothing_left();
    free(input);
    bdnn_model_free(model);
}

/* Whatever stays on the device, is sent or fetched: the same outputs, for any batch. */
static void test_random_networks(void **state)
{
    enum { NETWORKS = 60 };
    uint64_t sent = 0, fetched = 0, jobs = 0, reshaped = 0; /* the last without moving anything */
    (void)state;
    for (size_t n = 0; n < NETWORKS; n++) {
        bdnn_model *model = random_network();
        const size_t batch = 1 + n % 10;
        int64_t shape[6];
        size_t count = batch;
        float input[10 * 4 * 13 * 13];
        use("all");
        for (int32_t a = 1; a < bdnn_model_input_shape(model, shape); a++) {
            count *= (size_t)shape[a];
        }
        for (size_t i = 0; i < count; i++) {
            input[i] = (float)((i * 7919 + n) % 601) / 300.0f - 1.0f;
        }
        bdnn_session *reference = open_session(model, "reference", batch, BDNN_WAIT_HYBRID);
        bdnn_session *session = open_session(model, n % 2 ? "uio:uio0" : "uio:bdnn0", batch, BDNN_WAIT_POLL);
        simulate_plan(&session->plan);
        for (int again = 0; again < 2; again++) {
            check(bdnn_session_run(reference, input, &err));
            check(bdnn_session_run(session, input, &err));
            expect_equal(reference, session);
            input[0] = -input[0];
        }
        for (size_t l = 0; l < bdnn_model_layer_count(model); l++) {
            bdnn_layer_info info;
            bdnn_layer_cost cost;
            check(bdnn_model_layer(model, l, &info, &err));
            check(bdnn_session_layer(session, l, &cost, &err));
            reshaped += strcmp(info.operation, "reshape") == 0 && strcmp(cost.kernel, "fused") == 0;
            jobs += cost.accelerator.jobs > 0;
            sent += cost.accelerator.bytes_to_device > 0;
            fetched += cost.accelerator.bytes_from_device > 0;
        }
        bdnn_session_free(session);
        bdnn_session_free(reference);
        bdnn_model_free(model);
        expect_nothing_left();
    }
    assert_true(sent > 0 && fetched > 0 && jobs > sent && jobs > fetched && reshaped > 0);
}

/* Two sessions of a process share a device, and the last one closes it. */
static void test_sessions_share(void **state)
{
    bdnn_model *model = load("alexnet");
    float *input = make_input(model, 1);
    (void)state;
    use("all");
    bdnn_session *b = open_session(model, "uio:bdnn0", 1, BDNN_WAIT_INTERRUPT);
    const size_t used = zynq_counted.pool_used, mappings = zynq_counted.mappings;
    bdnn_session *a = open_session(model, "uio", 1, BDNN_WAIT_POLL);
    assert_int_equal(zynq_counted.open_files, 1);
    assert_true(zynq_counted.pool_used > used);
    check(bdnn_session_run(a, input, &err));
    bdnn_session_free(a);
    assert_int_equal(zynq_counted.pool_used, used);
    assert_int_equal(zynq_counted.mappings, mappings);
    check(bdnn_session_run(b, input, &err));
    bdnn_session_free(b);
    expect_nothing_left();
    free(input);
    bdnn_model_free(model);
}

/* ---- What goes wrong ---- */

static void expect_message(const char *text)
{
    if (!strstr(err.message, text)) {
        fail_msg("'%s' does not say '%s'", err.message, text);
    }
}

static void expect_refusal(const bdnn_model *model, const char *device, bdnn_status status, const char *text)
{
    const bdnn_session_options options = {
        .struct_size = sizeof options, .device = device, .batch = 1, .threads = 1, .timeout_ms = 50};
    bdnn_session *session;
    assert_int_equal(bdnn_session_create(model, &options, &session, &err), status);
    expect_message(text);
    expect_nothing_left();
}

static void test_devices_that_are_not_there(void **state)
{
    bdnn_model *model = load("alexnet");
    (void)state;
    use("none");
    expect_refusal(model, "uio", BDNN_ERROR_DEVICE, "neither ");
    expect_message("class/misc/bdnn* nor a UIO device called bdnn*");
    use("all");
    expect_refusal(model, "uio:bdnn4", BDNN_ERROR_DEVICE, "there is no device 'bdnn4'");
    expect_refusal(model, "uio:../../etc", BDNN_ERROR_DEVICE, "there is no device '../../etc'");
    expect_refusal(model, "uio:uio0,udmabuf5", BDNN_ERROR_DEVICE, "class/u-dma-buf/udmabuf5");
    expect_refusal(model, "uio:uio7", BDNN_ERROR_DEVICE, "there is no /dev/uio7");
    expect_refusal(model, "uio:", BDNN_ERROR_ARGUMENT, "device 'uio:'");
    use("memoryless");
    expect_refusal(model, "uio", BDNN_ERROR_DEVICE, "uio0 has no memory");
    bdnn_model_free(model);
}

static void test_devices_that_cannot_be_opened(void **state)
{
    static const struct {
        int error;
        const char *device, *text;
    } cases[] = {{EACCES, "uio", "/dev/bdnn0: permission denied; that needs the group"},
                 {EACCES, "uio:bdnn0-direct", "/dev/bdnn0-direct: permission denied; it is for root"},
                 {EPERM, "uio:uio0", "/dev/uio0: permission denied"},
                 {EIO, "uio", "/dev/bdnn0: the accelerator still runs"},
                 {EBUSY, "uio", "/dev/bdnn0 is in use by another process"},
                 {ENXIO, "uio", "there is no /dev/bdnn0"},
                 {EMFILE, "uio", "/dev/bdnn0: "}};
    bdnn_model *model = load("alexnet");
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        use("all");
        zynq.open_error = cases[i].error;
        expect_refusal(model, cases[i].device, BDNN_ERROR_DEVICE, cases[i].text);
    }
    use("all");
    zynq.leased = true;
    expect_refusal(model, "uio:uio0", BDNN_ERROR_DEVICE, "/dev/uio0 is in use by another process");
    use("all");
    zynq.module_version = 1;
    expect_refusal(model, "uio", BDNN_ERROR_DEVICE, "the module is of version 1");
    bdnn_model_free(model);
}

static void test_other_kernels(void **state)
{
    static const char *const devices[] = {"uio:bdnn0", "uio:bdnn0-direct", "uio:uio0"};
    bdnn_model *model = load("alexnet");
    (void)state;
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++) {
        use("all");
        zynq.identity = 0x12345678;
        expect_refusal(model, devices[d], BDNN_ERROR_UNSUPPORTED, "the kernel's identity is 0x12345678, not 0x");
        assert_int_equal(zynq_counted.writes_to_strangers, 0);
    }
    use("all");
    zynq.identity = UINT32_MAX;
    expect_refusal(model, "uio", BDNN_ERROR_DEVICE, "registers read ones");
    bdnn_model_free(model);
}

/* What did not fit, in bytes, and in which layer. */
static void test_memory_that_is_too_small(void **state)
{
    static const struct {
        const char *folder, *device;
    } cases[] = {{"all", "uio:bdnn0"}, {"all", "uio:bdnn0-direct"}};
    bdnn_model *model = load("vgg");
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        use(cases[i].folder);
        zynq.pool_bytes = 300 << 10;
        expect_refusal(model, cases[i].device, BDNN_ERROR_MEMORY, "layer '");
        expect_message("the device has no ");
        expect_message(" bytes for a layer's weights: of its pool of 307200, ");
        expect_message(" are free");
    }
    use("all");
    zynq.max_buffers = 2;
    expect_refusal(model, "uio", BDNN_ERROR_MEMORY, "layer '");
    expect_message("the module allows a process no more (its parameter max_buffers)");
    bdnn_model_free(model);
}

/* The session fails with a message, and the next one on the same device is well. */
static void expect_failure(const bdnn_model *model, const float *input, const char *device, bdnn_wait wait,
                           const char *text)
{
    const bdnn_session_options options = {
        .struct_size = sizeof options, .device = device, .batch = 1, .threads = 1, .timeout_ms = 60, .wait = wait};
    bdnn_session *session;
    bdnn_status status = bdnn_session_create(model, &options, &session, &err);
    if (status == BDNN_OK) {
        status = bdnn_session_run(session, input, &err);
        expect_message("layer '");
        expect_message(device);
    }
    assert_int_equal(status, BDNN_ERROR_DEVICE);
    expect_message(text);
    if (session) {
        assert_int_equal(bdnn_session_run(session, input, &err), BDNN_ERROR_DEVICE);
        bdnn_session_free(session);
    }
    expect_nothing_left();
}

static void test_faults(void **state)
{
    static const struct {
        enum zynq_fault fault;
        bdnn_wait wait;
        const char *text;
    } cases[] = {{ZYNQ_STUCK, BDNN_WAIT_HYBRID, "its run did not end within 60 ms; the kernel was reset"},
                 {ZYNQ_STUCK, BDNN_WAIT_POLL, "its run did not end within 60 ms; the kernel was reset"},
                 {ZYNQ_STUCK, BDNN_WAIT_INTERRUPT, "its run did not end within 60 ms; the kernel was reset"},
                 {ZYNQ_DEAF, BDNN_WAIT_HYBRID, "did not end within 60 ms, and the kernel does not take a reset"},
                 {ZYNQ_BUS_ERROR, BDNN_WAIT_HYBRID, "an error of the memory it reads (ending 0x1)"},
                 {ZYNQ_GONE, BDNN_WAIT_HYBRID, "it is lost: its identity reads 0xffffffff"}};
    static const char *const devices[] = {"uio:bdnn0", "uio:bdnn0-direct", "uio:uio0"};
    bdnn_model *model = load("alexnet");
    float *input = make_input(model, 1);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t d = 0; d < sizeof devices / sizeof *devices; d++) {
            use("all");
            zynq.fault = cases[i].fault;
            zynq.fault_run = 3;
            expect_failure(model, input, devices[d], cases[i].wait, cases[i].text);
            zynq.fault = ZYNQ_WELL;
            bdnn_session *session = open_session(model, devices[d], 1, cases[i].wait);
            check(bdnn_session_run(session, input, &err));
            bdnn_session_free(session);
            expect_nothing_left();
        }
    }
    free(input);
    bdnn_model_free(model);
}

/* Interrupts that do not come are named as what is wrong; without need of them nothing is. */
static void test_missing_interrupts(void **state)
{
    static const char *const devices[] = {"uio:bdnn0-direct", "uio:uio0"};
    bdnn_model *model = load("alexnet");
    float *input = make_input(model, 1);
    (void)state;
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++) {
        const bdnn_session_options options = {.struct_size = sizeof options,
                                              .device = devices[d],
                                              .batch = 1,
                                              .threads = 1,
                                              .timeout_ms = 60,
                                              .wait = BDNN_WAIT_INTERRUPT};
        bdnn_session *session;
        use("all");
        zynq.fault = ZYNQ_SILENT;
        assert_int_equal(bdnn_session_create(model, &options, &session, &err), BDNN_ERROR_DEVICE);
        expect_message("its run has ended, but no interrupt came within 60 ms");
        expect_nothing_left();
        session = open_session(model, devices[d], 1, BDNN_WAIT_POLL);
        check(bdnn_session_run(session, input, &err));
        bdnn_session_free(session);
    }
    free(input);
    bdnn_model_free(model);
}

/* Signals, and interrupts without a cause, change nothing. */
static void test_disturbances(void **state)
{
    static const struct {
        enum zynq_fault fault;
        const char *device;
    } cases[] = {{ZYNQ_INTERRUPTED, "uio:bdnn0"}, {ZYNQ_SPURIOUS, "uio:bdnn0-direct"}, {ZYNQ_SPURIOUS, "uio:uio0"}};
    bdnn_model *model = load("alexnet");
    float *input = make_input(model, 1);
    bdnn_session *reference = open_session(model, "reference", 1, BDNN_WAIT_HYBRID);
    (void)state;
    check(bdnn_session_run(reference, input, &err));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        use("all");
        zynq.fault = cases[i].fault;
        zynq.fault_run = 2;
        bdnn_session *session = open_session(model, cases[i].device, 1, BDNN_WAIT_INTERRUPT);
        check(bdnn_session_run(session, input, &err));
        expect_equal(reference, session);
        bdnn_session_free(session);
        expect_nothing_left();
    }
    bdnn_session_free(reference);
    free(input);
    bdnn_model_free(model);
}

static void test_list(void **state)
{
    static const char *const names[] = {"uio:bdnn0", "uio:bdnn0-direct", "uio:uio0"};
    bdnn_device_info *devices;
    size_t count, found = 0;
    (void)state;
    use("all");
    check(bdnn_devices(NULL, &devices, &count, &err));
    for (size_t i = 0; i < count; i++) {
        if (strncmp(devices[i].name, "uio", 3) == 0) {
            assert_true(found < 3);
            assert_string_equal(devices[i].name, names[found++]);
            assert_string_equal(devices[i].problem, "");
            assert_int_equal(devices[i].identity, BDNN_HW_IDENTITY);
            assert_int_equal(devices[i].compute_units, 1);
            assert_true(devices[i].word_bits >= 64 && devices[i].memory_bytes >= 16 << 20);
        }
    }
    assert_int_equal(found, 3);
    bdnn_devices_free(devices);
    use("all");
    zynq.open_error = EACCES;
    check(bdnn_devices(NULL, &devices, &count, &err));
    for (size_t i = 0; i < count; i++) {
        if (strcmp(devices[i].name, "uio:bdnn0") == 0) {
            assert_non_null(strstr(devices[i].problem, "permission denied"));
        }
    }
    bdnn_devices_free(devices);
    expect_nothing_left();
}

static void test_describe(void **state)
{
    static const char *const asked[][2] = {
        {"uio", "uio:bdnn0"}, {"uio:bdnn0-direct", "uio:bdnn0-direct"}, {"uio:uio0", "uio:uio0"}};
    bdnn_device_info info;
    (void)state;
    use("all");
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        check(bdnn_device_describe(asked[i][0], NULL, &info, &err));
        assert_string_equal(info.name, asked[i][1]);
        assert_string_equal(info.problem, "");
        assert_true(info.accelerator);
        assert_int_equal(info.identity, BDNN_HW_IDENTITY);
    }
    check(bdnn_device_describe("uio:bdnn", NULL, &info, &err));
    assert_string_equal(info.problem, "uio:bdnn: there is no such device");
    expect_nothing_left();
}

static void test_launches(void **state)
{
    static const char *const devices[] = {"uio", "uio:bdnn0-direct", "uio:uio0"};
    bdnn_session_options options = {.struct_size = sizeof options, .timeout_ms = 5000, .wait = BDNN_WAIT_INTERRUPT};
    bdnn_launch_times times;
    (void)state;
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++) {
        use("all");
        options.device = devices[d];
        check(bdnn_device_launches(&options, 150, &times, &err));
        assert_true(zynq_counted.runs >= 150);
        assert_true(times.min_us > 0 && times.min_us <= times.median_us && times.median_us <= times.p99_us);
        expect_nothing_left();
    }
    options.device = "cpu";
    assert_int_equal(bdnn_device_launches(&options, 10, &times, &err), BDNN_ERROR_ARGUMENT);
    options.device = "float";
    assert_int_equal(bdnn_device_launches(&options, 10, &times, &err), BDNN_ERROR_ARGUMENT);
    use("all");
    options.device = "uio";
    assert_int_equal(bdnn_device_launches(&options, 0, &times, &err), BDNN_ERROR_ARGUMENT);
    zynq.fault = ZYNQ_STUCK;
    zynq.fault_run = 5;
    options.timeout_ms = 20;
    assert_int_equal(bdnn_device_launches(&options, 10, &times, &err), BDNN_ERROR_DEVICE);
    expect_message("uio:bdnn0: its run did not end within 20 ms");
    expect_nothing_left();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alexnet),
        cmocka_unit_test(test_vgg),
        cmocka_unit_test(test_resnet),
        cmocka_unit_test(test_segnet),
        cmocka_unit_test(test_packing_and_unpacking_overlap_with_runs),
        cmocka_unit_test(test_chains_stay_on_the_device),
        cmocka_unit_test(test_random_networks),
        cmocka_unit_test(test_sessions_share),
        cmocka_unit_test(test_devices_that_are_not_there),
        cmocka_unit_test(test_devices_that_cannot_be_opened),
        cmocka_unit_test(test_other_kernels),
        cmocka_unit_test(test_memory_that_is_too_small),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_missing_interrupts),
        cmocka_unit_test(test_disturbances),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_describe),
        cmocka_unit_test(test_launches),
    };
    return cmocka_run_group_tests_name("uio", tests, set_up, scratch_remove);
}
