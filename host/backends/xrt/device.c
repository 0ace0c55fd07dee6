/* Devices behind XRT: opening and checking one, its buffers. */
#define _POSIX_C_SOURCE 200809L
#include "backends/xrt/device.h"

#include "core/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE_BYTES ((size_t)4096)

static bdnn_status lose(bdnn_xrt_device *device, bdnn_error *err, const char *what)
{
    device->lost = true;
    return bdnn_fail(err, BDNN_ERROR_DEVICE, "xrt: %s", what);
}

bool bdnn_xrt_target(bdnn_xclbin_target *target)
{
    const char *mode = getenv("XCL_EMULATION_MODE");
    *target = BDNN_XCLBIN_HARDWARE;
    while (mode && *mode && strcmp(mode, bdnn_xclbin_target_name(*target)) != 0) {
        if (*target == BDNN_XCLBIN_SW_EMU) {
            return false;
        }
        *target = (bdnn_xclbin_target)(*target + 1);
    }
    return true;
}

/* XRT looks at the variable when it is loaded; the file must be of the same kind. */
static bdnn_status check_target(const bdnn_xrt_device *device, const char *path, bdnn_error *err)
{
    const char *mode = getenv("XCL_EMULATION_MODE"), *wanted = bdnn_xclbin_target_name(device->xclbin.target);
    const bool set = mode && *mode;
    bdnn_xclbin_target target;
    if (bdnn_xrt_target(&target) && target == device->xclbin.target) {
        return BDNN_OK;
    }
    if (device->xclbin.target == BDNN_XCLBIN_HARDWARE) {
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "%s is for a board, and XCL_EMULATION_MODE is '%.20s'", path,
                         set ? mode : "");
    }
    return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED,
                     "%s is for emulation and needs XCL_EMULATION_MODE=%s, which is %s%.20s", path, wanted,
                     set ? "" : "not set", set ? mode : "");
}

bdnn_status bdnn_xrt_check_driver(bdnn_xclbin_target target, bdnn_error *err)
{
    static const char *const names[] = {
        [BDNN_XCLBIN_HARDWARE] = "core", [BDNN_XCLBIN_HW_EMU] = "hwemu", [BDNN_XCLBIN_SW_EMU] = "swemu"};
    const char *root = getenv("XILINX_XRT");
    char path[1024];
#if defined(__aarch64__) || defined(__arm__)
    root = root ? root : "/usr"; /* as XRT does there */
#endif
    if (!root || !*root) {
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "xrt: XILINX_XRT is not set; it names the folder of XRT");
    }
    snprintf(path, sizeof path, "%s/lib/libxrt_%s.so.2", root, names[target]);
    return access(path, R_OK) == 0 ? BDNN_OK
                                   : bdnn_fail(err, BDNN_ERROR_DEVICE,
                                               "xrt: XILINX_XRT has nothing that drives such a device: no %s", path);
}

static bdnn_status configure(bdnn_xrt_device *device, unsigned index, const char *path, bdnn_error *err)
{
    const bdnn_xrt_library *xrt = device->xrt;
    xuid_t uuid;
    char wanted[37], found[37];
    device->handle = xrt->xrtDeviceOpen(index);
    /* Emulation opens devices of any number. */
    if (!device->handle || (bdnn_xrt_probe() && index >= bdnn_xrt_probe()())) {
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "xrt: there is no device %u", index);
    }
    if (xrt->xrtDeviceLoadXclbinFile(device->handle, path) != 0) {
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "xrt: device %u does not take %s", index, path);
    }
    if (xrt->xrtDeviceGetXclbinUUID(device->handle, uuid) != 0 ||
        memcmp(uuid, device->xclbin.uuid, sizeof device->xclbin.uuid) != 0) {
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "xrt: device %u holds the xclbin %s, not %s, which is %s", index,
                         bdnn_xclbin_uuid_text(uuid, found), path, bdnn_xclbin_uuid_text(device->xclbin.uuid, wanted));
    }
    return BDNN_OK;
}

/* Each unit by itself and exclusively: registers can be read, and a job's unit is known. */
static bdnn_status open_units(bdnn_xrt_device *device, bdnn_error *err)
{
    const bdnn_xrt_library *xrt = device->xrt;
    for (size_t u = 0; u < device->xclbin.unit_count; u++) {
        bdnn_xrt_unit *unit = &device->units[u];
        char name[128];
        unit->name = device->xclbin.units[u];
        snprintf(name, sizeof name, BDNN_HW_KERNEL ":{%s}", unit->name);
        device->unit_count = u + 1;
        unit->kernel = xrt->xrtPLKernelOpenExclusive(device->handle, device->xclbin.uuid, name);
        unit->run = unit->kernel ? xrt->xrtRunOpen(unit->kernel) : NULL;
        if (!unit->run) {
            return bdnn_fail(err, BDNN_ERROR_DEVICE,
                             "xrt: cannot open the compute unit %s; another program may hold it", unit->name);
        }
        for (int p = 0; p < BDNN_XRT_POINTERS; p++) {
            const int group = xrt->xrtKernelArgGroupId(unit->kernel, p);
            if (group < 0 || (u > 0 && group != device->groups[p])) {
                return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED,
                                 "xrt: the compute units %s and %s are connected to different memories",
                                 device->units[0].name, unit->name);
            }
            device->groups[p] = group;
        }
    }
    return BDNN_OK;
}

static bdnn_status read_register(bdnn_xrt_device *device, size_t unit, uint32_t offset, uint32_t *value,
                                 bdnn_error *err)
{
    return device->xrt->xrtKernelReadRegister(device->units[unit].kernel, offset, value) == 0
               ? BDNN_OK
               : lose(device, err, "a register cannot be read");
}

bdnn_status bdnn_xrt_check(bdnn_xrt_device *device, bdnn_error *err)
{
    uint32_t identity;
    return device->xrt->xrtKernelReadRegister(device->units[0].kernel, BDNN_HW_REG_IDENTITY, &identity) == 0 &&
                   identity == device->identity
               ? BDNN_OK
               : lose(device, err, "the device is lost");
}

/* A job of zeros, which every kernel refuses without an access to memory: a kernel in C has its status registers from a
 * run alone, and of the others it shows that runs end. */
static bdnn_status run_nothing(bdnn_xrt_device *device, size_t unit, bdnn_error *err)
{
    static const bdnn_hw_job nothing;
    const xrtBufferHandle page = device->page.handle, pages[BDNN_XRT_POINTERS] = {page, page, page, page};
    uint32_t ending = 0;
    bdnn_status status = bdnn_xrt_start(device, unit, &nothing, pages, err);
    if (status == BDNN_OK) {
        status = bdnn_xrt_await(device, unit, err);
    }
    if (status == BDNN_OK) {
        status = read_register(device, unit, BDNN_HW_REG_ENDING, &ending, err);
    }
    if (status == BDNN_OK && !BDNN_HW_REFUSED(ending)) {
        char text[96];
        snprintf(text, sizeof text, "compute unit %s does not refuse a job of zeros (ending 0x%x)",
                 device->units[unit].name, ending);
        status = lose(device, err, text);
    }
    return status;
}

/* The kernel's identity and sizes, the same on all units. */
static bdnn_status identify(bdnn_xrt_device *device, size_t unit, bdnn_error *err)
{
    static const uint32_t offsets[] = {BDNN_HW_REG_IDENTITY, BDNN_HW_REG_ARRAY, BDNN_HW_REG_WORD, BDNN_HW_REG_BUFFERS,
                                       BDNN_HW_REG_FEATURES};
    uint32_t found[5] = {0};
    bdnn_device_array array;
    bdnn_status status = read_register(device, unit, BDNN_HW_REG_IDENTITY, &found[0], err);
    if (status == BDNN_OK && (found[0] == 0 || found[0] == BDNN_HW_IDENTITY)) {
        status = run_nothing(device, unit, err);
        for (int i = 0; i < 5 && status == BDNN_OK; i++) {
            status = read_register(device, unit, offsets[i], &found[i], err);
        }
    }
    if (status != BDNN_OK) {
        return status;
    }
    if (found[0] == UINT32_MAX) {
        return lose(device, err, "the device is lost: its registers read ones");
    }
    if (found[0] != BDNN_HW_IDENTITY) {
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "xrt: the kernel's identity is 0x%08x, not 0x%08x", found[0],
                         BDNN_HW_IDENTITY);
    }
    if (!bdnn_device_array_read(&array, found[1], found[2], found[3])) {
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "xrt: the registers 0x%08x 0x%08x 0x%08x are of no array", found[1],
                         found[2], found[3]);
    }
    if (unit > 0 && memcmp(&array, &device->array, sizeof array) != 0) {
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "xrt: the compute units %s and %s have arrays of different sizes",
                         device->units[0].name, device->units[unit].name);
    }
    device->array = array;
    device->identity = found[0];
    device->features = unit > 0 ? device->features & found[4] : found[4];
    return BDNN_OK;
}

static bdnn_status open_device(bdnn_xrt_device *device, const char *path, bdnn_error *err)
{
    bdnn_xrt_buffer page;
    bdnn_status status = check_target(device, path, err);
    if (status == BDNN_OK) {
        status = bdnn_xrt_check_driver(device->xclbin.target, err);
    }
    if (status == BDNN_OK) {
        status = bdnn_xrt_load(&device->xrt, err);
    }
    if (status == BDNN_OK) {
        status = configure(device, device->index, path, err);
    }
    if (status == BDNN_OK) {
        status = open_units(device, err);
    }
    if (status == BDNN_OK) {
        status = bdnn_xrt_allocate(device, BDNN_XRT_RESULTS, PAGE_BYTES, "a page", &page, err);
        device->page = page;
    }
    for (size_t u = 0; u < device->unit_count && status == BDNN_OK; u++) {
        status = identify(device, u, err);
    }
    return status;
}

static void close_device(bdnn_xrt_device *device)
{
    if (!device->lost) {
        bdnn_xrt_free(device, &device->page);
        for (size_t u = 0; u < device->unit_count; u++) {
            if (device->units[u].run) {
                device->xrt->xrtRunClose(device->units[u].run);
            }
            if (device->units[u].kernel) {
                device->xrt->xrtKernelClose(device->units[u].kernel);
            }
        }
        if (device->handle) {
            device->xrt->xrtDeviceClose(device->handle);
        }
    }
    pthread_mutex_destroy(&device->turn);
    bdnn_free(device);
}

/* The devices that this process has open: XRT opens each once. */
static bdnn_xrt_device *open_devices;
static pthread_mutex_t open_devices_lock = PTHREAD_MUTEX_INITIALIZER;

/* The device of that number; NULL when it is not open. */
static bdnn_xrt_device *find_open(unsigned index)
{
    bdnn_xrt_device *d = open_devices;
    while (d && d->index != index) {
        d = d->next;
    }
    return d;
}

static bdnn_status open_or_share(bdnn_xrt_device **device, const bdnn_backend_options *options, const char *path,
                                 bdnn_error *err)
{
    const unsigned index = options->index;
    bdnn_xclbin xclbin;
    bdnn_xrt_device *d = find_open(index);
    bdnn_status status = bdnn_xclbin_read(path, BDNN_HW_KERNEL, &xclbin, err);
    if (status != BDNN_OK) {
        return status;
    }
    if (d && memcmp(d->xclbin.uuid, xclbin.uuid, sizeof xclbin.uuid) != 0) {
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "xrt: this process uses device %u with another xclbin than %s", index,
                         path);
    }
    if (!d) {
        d = bdnn_zalloc(1, sizeof *d);
        if (!d) {
            return bdnn_fail_memory(err, sizeof *d, "a device");
        }
        pthread_mutex_init(&d->turn, NULL);
        d->xclbin = xclbin;
        d->index = index;
        d->timeout_ms = options->timeout_ms ? options->timeout_ms : BDNN_XRT_TIMEOUT_MS;
        status = open_device(d, path, err);
        if (status != BDNN_OK) {
            close_device(d);
            return status;
        }
        d->next = open_devices;
        open_devices = d;
    }
    d->users++;
    *device = d;
    return BDNN_OK;
}

bdnn_status bdnn_xrt_open(bdnn_xrt_device **device, const bdnn_backend_options *options, bdnn_error *err)
{
    const char *path = options->bitstream ? options->bitstream : getenv("BDNN_XCLBIN");
    bdnn_status status;
    if (!path || !*path) {
        return bdnn_fail(err, BDNN_ERROR_DEVICE,
                         "xrt: no xclbin is named, neither by an option nor by the environment variable BDNN_XCLBIN");
    }
    pthread_mutex_lock(&open_devices_lock);
    status = open_or_share(device, options, path, err);
    pthread_mutex_unlock(&open_devices_lock);
    return status;
}

void bdnn_xrt_close(bdnn_xrt_device *device)
{
    pthread_mutex_lock(&open_devices_lock);
    if (--device->users == 0) {
        bdnn_xrt_device **link = &open_devices;
        while (*link != device) {
            link = &(*link)->next;
        }
        *link = device->next;
        close_device(device);
    }
    pthread_mutex_unlock(&open_devices_lock);
}

void bdnn_xrt_take_turn(bdnn_xrt_device *device, uint32_t timeout_ms)
{
    pthread_mutex_lock(&device->turn);
    device->timeout_ms = timeout_ms ? timeout_ms : BDNN_XRT_TIMEOUT_MS;
}

void bdnn_xrt_end_turn(bdnn_xrt_device *device)
{
    pthread_mutex_unlock(&device->turn);
}

/* Emulation gives buffers that it has no memory for, at address 0. There may lie the very first, which is ours. */
static bool has_memory(const bdnn_xrt_device *device, xrtBufferHandle handle)
{
    const uint64_t address = device->xrt->xrtBOAddress(handle);
    return address != UINT64_MAX && (address != 0 || !device->page.handle);
}

bdnn_status bdnn_xrt_allocate(bdnn_xrt_device *device, int pointer, size_t bytes, const char *what,
                              bdnn_xrt_buffer *buffer, bdnn_error *err)
{
    memset(buffer, 0, sizeof *buffer);
    if (device->lost) {
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "xrt: the device is lost");
    }
    /* Whole pages, as XRT asks the C library for the host's side of it. */
    bytes = bdnn_round_up(bytes, PAGE_BYTES);
    buffer->handle = device->xrt->xrtBOAlloc(device->handle, bytes, 0, (xrtMemoryGroup)device->groups[pointer]);
    if (buffer->handle && has_memory(device, buffer->handle)) {
        buffer->host = device->xrt->xrtBOMap(buffer->handle);
        buffer->bytes = bytes;
    }
    if (!buffer->host) {
        bdnn_xrt_free(device, buffer);
        if (device->identity && bdnn_xrt_check(device, err) != BDNN_OK) {
            return BDNN_ERROR_DEVICE;
        }
        return bdnn_fail(err, BDNN_ERROR_MEMORY, "xrt: the device has no %zu bytes for %s", bytes, what);
    }
    return BDNN_OK;
}

void bdnn_xrt_free(bdnn_xrt_device *device, bdnn_xrt_buffer *buffer)
{
    if (buffer->handle && !device->lost) {
        device->xrt->xrtBOFree(buffer->handle);
    }
    memset(buffer, 0, sizeof *buffer);
}

static bdnn_status sync(bdnn_xrt_device *device, const bdnn_xrt_buffer *buffer, enum xclBOSyncDirection direction,
                        size_t bytes, bdnn_error *err)
{
    if (device->lost) {
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "xrt: the device is lost");
    }
    return device->xrt->xrtBOSync(buffer->handle, direction, bytes, 0) == 0
               ? BDNN_OK
               : lose(device, err, "a buffer cannot be copied to or from the device");
}

bdnn_status bdnn_xrt_to_device(bdnn_xrt_device *device, const bdnn_xrt_buffer *buffer, size_t bytes, bdnn_error *err)
{
    return sync(device, buffer, XCL_BO_SYNC_BO_TO_DEVICE, bytes, err);
}

bdnn_status bdnn_xrt_from_device(bdnn_xrt_device *device, const bdnn_xrt_buffer *buffer, size_t bytes, bdnn_error *err)
{
    return sync(device, buffer, XCL_BO_SYNC_BO_FROM_DEVICE, bytes, err);
}
