/* SPDX-License-Identifier: BSD-2-Clause */
/* XRT's native C interface, loaded when it is first asked for: a bdnn that was built with this backend starts, and runs
 * on the CPU, where XRT is not installed. */
#ifndef BDNN_BACKENDS_XRT_LIBRARY_H
#define BDNN_BACKENDS_XRT_LIBRARY_H

#include "core/error.h"

#include <xrt.h>
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_kernel.h>

#define BDNN_XRT_FUNCTIONS(DO)                                                                                         \
    DO(xrtDeviceOpen)                                                                                                  \
    DO(xrtDeviceClose)                                                                                                 \
    DO(xrtDeviceToXclDevice)                                                                                           \
    DO(xrtDeviceLoadXclbinFile)                                                                                        \
    DO(xrtDeviceGetXclbinUUID)                                                                                         \
    DO(xrtPLKernelOpenExclusive)                                                                                       \
    DO(xrtKernelClose)                                                                                                 \
    DO(xrtKernelArgGroupId)                                                                                            \
    DO(xrtKernelReadRegister)                                                                                          \
    DO(xrtRunOpen)                                                                                                     \
    DO(xrtRunSetArg)                                                                                                   \
    DO(xrtRunStart)                                                                                                    \
    DO(xrtRunState)                                                                                                    \
    DO(xrtRunClose)                                                                                                    \
    DO(xrtBOAddress)                                                                                                   \
    DO(xrtBOAlloc)                                                                                                     \
    DO(xrtBOSubAlloc)                                                                                                  \
    DO(xrtBOFree)                                                                                                      \
    DO(xrtBOMap)                                                                                                       \
    DO(xrtBOSync)

#define BDNN_XRT_MEMBER(name) __typeof__(name) *name;
typedef struct bdnn_xrt_library {
    BDNN_XRT_FUNCTIONS(BDNN_XRT_MEMBER)
} bdnn_xrt_library;
#undef BDNN_XRT_MEMBER

/* Functions of XRT's drivers, which are loaded when the first device is opened; NULL before, and where they have none.
 */
unsigned (*bdnn_xrt_probe(void))(void); /* how many devices there are */
int (*bdnn_xrt_device_info(void))(xclDeviceHandle, struct xclDeviceInfo2 *);

/* The functions, for the rest of the process. Errors: BDNN_ERROR_DEVICE with the loader's words where XRT, or one of
 * the functions, is not there. */
bdnn_status bdnn_xrt_load(const bdnn_xrt_library **library, bdnn_error *err);

#endif
