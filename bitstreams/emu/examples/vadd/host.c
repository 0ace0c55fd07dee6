/* SPDX-License-Identifier: BSD-2-Clause */
/* Adds two vectors on whatever device XRT has: a board, or an emulated one when XCL_EMULATION_MODE says so.
 *
 *   host XCLBIN [COUNT [RUNS [MILLISECONDS]]]
 *
 * RUNS runs are in flight at a time, each on its own part of the vectors. A run that does not end within MILLISECONDS
 * ends the program. Prints "vadd: N elements equal" and returns 0 when every sum is right. */
#include <xrt/experimental/xrt_bo.h>
#include <xrt/experimental/xrt_device.h>
#include <xrt/experimental/xrt_kernel.h>
#include <xrt/xrt.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_RUNS = 16 };

/* One run: its buffers and where they are mapped. */
struct part {
    xrtBufferHandle a, b, sum;
    int32_t *a_values, *b_values, *sum_values;
    xrtRunHandle run;
};

static int fail(const char *what)
{
    fprintf(stderr, "vadd: %s\n", what);
    return EXIT_FAILURE;
}

static int open_part(xrtDeviceHandle device, xrtKernelHandle kernel, size_t bytes, struct part *part)
{
    xrtBufferHandle *buffers[] = {&part->a, &part->b, &part->sum};
    int32_t **values[] = {&part->a_values, &part->b_values, &part->sum_values};
    for (int i = 0; i < 3; i++) {
        *buffers[i] = xrtBOAlloc(device, bytes, 0, xrtKernelArgGroupId(kernel, i));
        *values[i] = *buffers[i] ? xrtBOMap(*buffers[i]) : NULL;
        if (!*values[i])
            return fail("no buffer on the device");
    }
    part->run = xrtRunOpen(kernel);
    return part->run ? EXIT_SUCCESS : fail("no run");
}

static void fill(struct part *part, size_t count, uint32_t seed)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        part->a_values[i] = (int32_t)seed;
        part->b_values[i] = (int32_t)(seed >> 7 | i << 25);
        part->sum_values[i] = -1;
    }
}

static int start(struct part *part, size_t bytes, uint32_t count)
{
    if (xrtBOSync(part->a, XCL_BO_SYNC_BO_TO_DEVICE, bytes, 0) ||
        xrtBOSync(part->b, XCL_BO_SYNC_BO_TO_DEVICE, bytes, 0))
        return fail("cannot copy to the device");
    if (xrtRunSetArg(part->run, 0, part->a) || xrtRunSetArg(part->run, 1, part->b) ||
        xrtRunSetArg(part->run, 2, part->sum) || xrtRunSetArg(part->run, 3, count) || xrtRunStart(part->run))
        return fail("cannot start the kernel");
    return EXIT_SUCCESS;
}

/* xrtRunWaitFor of XRT 2.13 waits for ever in emulation, whatever time it is given; asking for the state does not wait.
 */
static enum ert_cmd_state wait_for(xrtRunHandle run, unsigned milliseconds)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (;;) {
        enum ert_cmd_state state = xrtRunState(run);
        clock_gettime(CLOCK_MONOTONIC, &now);
        long long passed = (now.tv_sec - start.tv_sec) * 1000LL + (now.tv_nsec - start.tv_nsec) / 1000000;
        if (state >= ERT_CMD_STATE_COMPLETED && state <= ERT_CMD_STATE_ABORT)
            return state;
        if (passed >= milliseconds)
            return ERT_CMD_STATE_TIMEOUT;
        nanosleep(&pause, NULL);
    }
}

static int finish(struct part *part, size_t bytes, size_t count, unsigned milliseconds)
{
    enum ert_cmd_state state = wait_for(part->run, milliseconds);
    if (state == ERT_CMD_STATE_TIMEOUT) {
        fprintf(stderr, "vadd: the run did not end within %u ms\n", milliseconds);
        return EXIT_FAILURE;
    }
    if (state != ERT_CMD_STATE_COMPLETED)
        return fail("the run failed");
    if (xrtBOSync(part->sum, XCL_BO_SYNC_BO_FROM_DEVICE, bytes, 0))
        return fail("cannot copy from the device");
    for (size_t i = 0; i < count; i++)
        if ((uint32_t)part->sum_values[i] != (uint32_t)part->a_values[i] + (uint32_t)part->b_values[i]) {
            fprintf(stderr, "vadd: element %zu is %d\n", i, part->sum_values[i]);
            return EXIT_FAILURE;
        }
    return EXIT_SUCCESS;
}

static int run_all(struct part *parts, size_t runs, size_t count, unsigned milliseconds)
{
    int status = EXIT_SUCCESS;
    for (size_t i = 0; i < runs && status == EXIT_SUCCESS; i++)
        status = start(&parts[i], count * sizeof(int32_t), (uint32_t)count);
    for (size_t i = 0; i < runs && status == EXIT_SUCCESS; i++)
        status = finish(&parts[i], count * sizeof(int32_t), count, milliseconds);
    return status;
}

static void close_part(struct part *part)
{
    if (part->run)
        xrtRunClose(part->run);
    xrtBufferHandle buffers[] = {part->a, part->b, part->sum};
    for (int i = 0; i < 3; i++)
        if (buffers[i])
            xrtBOFree(buffers[i]);
}

int main(int argument_count, char **arguments)
{
    size_t count = argument_count > 2 ? strtoul(arguments[2], NULL, 10) : 1024;
    size_t runs = argument_count > 3 ? strtoul(arguments[3], NULL, 10) : 1;
    unsigned milliseconds = argument_count > 4 ? (unsigned)strtoul(arguments[4], NULL, 10) : 20000;
    if (argument_count < 2 || count < 1 || count > 1 << 26 || runs < 1 || runs > MAX_RUNS)
        return fail("usage: host XCLBIN [COUNT [RUNS [MILLISECONDS]]]");
    xrtDeviceHandle device = xrtDeviceOpen(0);
    xuid_t uuid;
    if (!device || xrtDeviceLoadXclbinFile(device, arguments[1]) || xrtDeviceGetXclbinUUID(device, uuid))
        return fail("no device, or it does not take the xclbin");
    xrtKernelHandle kernel = xrtPLKernelOpen(device, uuid, "vadd");
    if (!kernel)
        return fail("the xclbin has no kernel vadd");
    struct part parts[MAX_RUNS] = {{0}};
    int status = EXIT_SUCCESS;
    for (size_t i = 0; i < runs && status == EXIT_SUCCESS; i++) {
        status = open_part(device, kernel, count * sizeof(int32_t), &parts[i]);
        if (status == EXIT_SUCCESS)
            fill(&parts[i], count, 12345u + (uint32_t)i);
    }
    if (status == EXIT_SUCCESS)
        status = run_all(parts, runs, count, milliseconds);
    /* Runs may be in flight: XRT waits for them when anything is closed, or loses its footing. */
    if (status != EXIT_SUCCESS)
        _exit(status);
    printf("vadd: %zu elements equal\n", runs * count);
    for (size_t i = 0; i < runs; i++)
        close_part(&parts[i]);
    xrtKernelClose(kernel);
    xrtDeviceClose(device);
    return status;
}
