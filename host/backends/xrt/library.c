/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading XRT. */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include "backends/xrt/library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIBRARY "libxrt_coreutil.so.2"

static struct {
    bdnn_xrt_library functions;
    char message[256]; /* why they are not there; empty when they are */
} loaded;

static bool find(void *library, const char *name, void *function)
{
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof symbol);
    if (!symbol) {
        snprintf(loaded.message, sizeof loaded.message, LIBRARY " has no %s", name);
    }
    return symbol != NULL;
}

/* XRT keeps threads and tables of its own until the process ends, so that it is never unloaded. */
static void load(void)
{
    if (getenv("XCL_EMULATION_MODE")) {
        setenv("OPEN_EMU_LOST", "ones", 0); /* the loss of an emulated device is an error, not the end of the program */
    }
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *reason = dlerror();
        snprintf(loaded.message, sizeof loaded.message, "%s", reason ? reason : LIBRARY " cannot be loaded");
        return;
    }
#define FIND(name) &&find(library, #name, &loaded.functions.name)
    const bool complete = true BDNN_XRT_FUNCTIONS(FIND);
#undef FIND
    (void)complete; /* the message says it */
}

bdnn_status bdnn_xrt_load(const bdnn_xrt_library **library, bdnn_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    *library = &loaded.functions;
    return loaded.message[0] ? bdnn_fail(err, BDNN_ERROR_DEVICE, "XRT: %s", loaded.message) : BDNN_OK;
}

/* The drivers are loaded for everyone to see. */
static void *driver_function(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}

unsigned (*bdnn_xrt_probe(void))(void)
{
    void *symbol = driver_function("xclProbe");
    unsigned (*function)(void);
    memcpy(&function, &symbol, sizeof symbol);
    return function;
}

int (*bdnn_xrt_device_info(void))(xclDeviceHandle, struct xclDeviceInfo2 *)
{
    void *symbol = driver_function("xclGetDeviceInfo2");
    int (*function)(xclDeviceHandle, struct xclDeviceInfo2 *);
    memcpy(&function, &symbol, sizeof symbol);
    return function;
}
