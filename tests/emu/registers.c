/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers of a kernel through XRT: an argument written and read back, and an output of a run. And that XRT's shim,
 * which the wrapper keeps from it, does not handle the host program's crashes.
 *
 *   registers XCLBIN     of the kernel `largest` that emulation.sh describes */
#define _POSIX_C_SOURCE 200809L
#include <xrt/experimental/xrt_bo.h>
#include <xrt/experimental/xrt_device.h>
#include <xrt/experimental/xrt_kernel.h>

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { VALUES = 16, BYTES = 4096, COUNT = 0x1c, LARGEST = 0x80 };

static int crashes_are_ours(void)
{
    static const int signals[] = {SIGSEGV, SIGFPE, SIGABRT, SIGUSR1, SIGCHLD};
    for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction action;
        if (sigaction(signals[i], NULL, &action) != 0 || action.sa_handler != SIG_DFL) {
            printf("registers: signal %d has a handler\n", signals[i]);
            return 0;
        }
    }
    return 1;
}

int main(int argument_count, char **arguments)
{
    xuid_t uuid;
    xrtDeviceHandle device = xrtDeviceOpen(0);
    if (argument_count != 2 || !device || xrtDeviceLoadXclbinFile(device, arguments[1]) ||
        xrtDeviceGetXclbinUUID(device, uuid))
        return EXIT_FAILURE;
    xrtKernelHandle kernel = xrtPLKernelOpenExclusive(device, uuid, "largest");
    uint32_t count = 0, largest = 0;
    int status =
        !crashes_are_ours() || xrtKernelWriteRegister(kernel, COUNT, 7) || xrtKernelReadRegister(kernel, COUNT, &count);
    xrtBufferHandle buffer = xrtBOAlloc(device, BYTES, 0, xrtKernelArgGroupId(kernel, 0));
    uint32_t *values = xrtBOMap(buffer);
    for (uint32_t i = 0; i < VALUES; i++)
        values[i] = 1000 + 7 * i % VALUES;
    status = status || xrtBOSync(buffer, XCL_BO_SYNC_BO_TO_DEVICE, BYTES, 0);
    xrtRunHandle run = xrtKernelRun(kernel, buffer, (uint32_t)VALUES);
    xrtRunWait(run);
    status = status || xrtKernelReadRegister(kernel, LARGEST, &largest);
    printf("registers: %u %u\n", count, largest);
    xrtRunClose(run);
    xrtBOFree(buffer);
    xrtKernelClose(kernel);
    xrtDeviceClose(device);
    return status || count != 7 || largest != 1015 ? EXIT_FAILURE : EXIT_SUCCESS;
}
