/* SPDX-License-Identifier: BSD-2-Clause */
/* The xclbin file: header, section headers, sections, all little-endian. Offsets are those that XRT's xclbin.h fixes by
 * static assertions ("axlf"). */
#include "backends/xrt/xclbin.h"

#include "core/file.h"

#include <stdio.h>
#include <string.h>

/* In the file, in bytes */
enum {
    HEADER_MODE = 332,
    HEADER_PLATFORM = 352,
    HEADER_UUID = 416,
    HEADER_SECTIONS = 448,
    FIRST_SECTION = 456,
    /* A section's header */
    SECTION_BYTES = 40,
    SECTION_OFFSET = 24,
    SECTION_SIZE = 32,
    /* A section's list of things: their number, and where the first is */
    LIST_COUNT_BYTES = 8,
    /* An entry of IP_LAYOUT */
    IP_BYTES = 80,
    IP_NAME = 16,
    IP_NAME_BYTES = 64,
    /* An entry of CLOCK_FREQ_TOPOLOGY */
    CLOCK_FIRST = 2,
    CLOCK_BYTES = 136,
    CLOCK_TYPE = 2
};

enum { SECTION_METADATA = 2, SECTION_IP_LAYOUT = 8, SECTION_CLOCKS = 11 };
enum { IP_KERNEL = 1, CLOCK_OF_KERNELS = 2 };
enum { MODE_HW_EMU = 4, MODE_SW_EMU = 5, MODE_HW_EMU_PR = 6 };

static uint64_t number(const uint8_t *at, int bytes)
{
    uint64_t value = 0;
    for (int i = bytes - 1; i >= 0; i--) {
        value = value << 8 | at[i];
    }
    return value;
}

/* Copies a text field of `size` bytes, which need not be terminated; to[size + 1]. */
static void take_text(const uint8_t *at, size_t size, char *to)
{
    memcpy(to, at, size);
    to[size] = '\0';
}

/* The first section of a kind; an empty one when there is none. False when it reaches beyond the file. */
static bool find_section(const bdnn_file_map *file, uint32_t kind, bdnn_file_map *section)
{
    const uint64_t count = number(file->data + HEADER_SECTIONS, 4), room = (file->size - FIRST_SECTION) / SECTION_BYTES;
    *section = (bdnn_file_map){.data = NULL};
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *header = file->data + FIRST_SECTION + i * SECTION_BYTES;
        if (i >= room) {
            return false;
        }
        if (number(header, 4) == kind) {
            const uint64_t offset = number(header + SECTION_OFFSET, 8), size = number(header + SECTION_SIZE, 8);
            if (offset > file->size || size > file->size - offset) {
                return false;
            }
            *section = (bdnn_file_map){.data = file->data + offset, .size = (size_t)size};
            return true;
        }
    }
    return true;
}

/* Compute units are named "KERNEL:UNIT". */
static bool list_units(const bdnn_file_map *layout, const char *kernel, bdnn_xclbin *xclbin)
{
    const size_t length = strlen(kernel);
    const uint64_t count = layout->size < LIST_COUNT_BYTES ? 0 : number(layout->data, 4);
    if (count > (layout->size < LIST_COUNT_BYTES ? 0 : (layout->size - LIST_COUNT_BYTES) / IP_BYTES)) {
        return false;
    }
    for (uint64_t i = 0; i < count && xclbin->unit_count < BDNN_XCLBIN_MAX_COMPUTE_UNITS; i++) {
        const uint8_t *ip = layout->data + LIST_COUNT_BYTES + i * IP_BYTES;
        char name[IP_NAME_BYTES + 1];
        take_text(ip + IP_NAME, IP_NAME_BYTES, name);
        if (number(ip, 4) == IP_KERNEL && strncmp(name, kernel, length) == 0 && name[length] == ':') {
            memcpy(xclbin->units[xclbin->unit_count++], name + length + 1, sizeof name - length - 1);
        }
    }
    return true;
}

static uint32_t kernel_clock(const bdnn_file_map *clocks)
{
    const uint64_t count = clocks->size < CLOCK_FIRST ? 0 : number(clocks->data, 2);
    for (uint64_t i = 0; i < count && CLOCK_FIRST + (i + 1) * CLOCK_BYTES <= clocks->size; i++) {
        const uint8_t *clock = clocks->data + CLOCK_FIRST + i * CLOCK_BYTES;
        if (clock[CLOCK_TYPE] == CLOCK_OF_KERNELS) {
            return (uint32_t)number(clock, 2);
        }
    }
    return 0;
}

/* The place behind the first `text` in the bytes; NULL when there is none. */
static const uint8_t *behind(const uint8_t *at, const uint8_t *end, const char *text)
{
    const size_t length = strlen(text);
    for (; (size_t)(end - at) >= length; at++) {
        if (memcmp(at, text, length) == 0) {
            return at + length;
        }
    }
    return NULL;
}

/* Up to five decimal digits. */
static uint32_t decimal(const uint8_t *at, const uint8_t *end)
{
    uint32_t value = 0;
    for (int i = 0; i < 5 && at < end && *at >= '0' && *at <= '9'; i++) {
        value = 10 * value + (uint32_t)(*at++ - '0');
    }
    return value;
}

/* Emulation's files have their clock in the metadata alone: clockFreq="300MHz" of the platform's core. The kernel's
 * memory ports are elements <port name=".." mode="master" range=".." dataWidth="64" ../> within its own. */
static void read_metadata(const bdnn_file_map *metadata, const char *kernel, bdnn_xclbin *xclbin)
{
    const uint8_t *at = metadata->data, *end, *clock;
    char element[128];
    if (!at) {
        return;
    }
    end = at + metadata->size;
    clock = behind(at, end, "clockFreq=\"");
    if (clock && !xclbin->clock_mhz) {
        xclbin->clock_mhz = decimal(clock, end);
    }
    snprintf(element, sizeof element, "<kernel name=\"%s\"", kernel);
    at = behind(at, end, element);
    if (at) {
        const uint8_t *closing = behind(at, end, "</kernel>");
        end = closing ? closing : end;
    }
    while (at && (at = behind(at, end, "mode=\"master\"")) != NULL) {
        if (xclbin->ports++ == 0) { /* once: looked for behind every port it would take quadratic time where it lacks */
            const uint8_t *bits = behind(at, end, "dataWidth=\"");
            xclbin->port_bits = bits ? decimal(bits, end) : 0;
        }
    }
}

static bdnn_status read_file(const bdnn_file_map *file, const char *kernel, bdnn_xclbin *xclbin, bdnn_error *err)
{
    bdnn_file_map layout, clocks, metadata;
    if (file->size < FIRST_SECTION || memcmp(file->data, "xclbin2", 8) != 0) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "this is no xclbin");
    }
    const uint64_t mode = number(file->data + HEADER_MODE, 2);
    xclbin->target = mode == MODE_HW_EMU || mode == MODE_HW_EMU_PR ? BDNN_XCLBIN_HW_EMU
                     : mode == MODE_SW_EMU                         ? BDNN_XCLBIN_SW_EMU
                                                                   : BDNN_XCLBIN_HARDWARE;
    memcpy(xclbin->uuid, file->data + HEADER_UUID, sizeof xclbin->uuid);
    take_text(file->data + HEADER_PLATFORM, sizeof xclbin->platform - 1, xclbin->platform);
    if (!find_section(file, SECTION_IP_LAYOUT, &layout) || !find_section(file, SECTION_CLOCKS, &clocks) ||
        !find_section(file, SECTION_METADATA, &metadata) || !list_units(&layout, kernel, xclbin)) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "this is a damaged xclbin: a section reaches beyond its %zu bytes",
                         file->size);
    }
    xclbin->clock_mhz = kernel_clock(&clocks);
    read_metadata(&metadata, kernel, xclbin);
    return xclbin->unit_count
               ? BDNN_OK
               : bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "there is no compute unit of the kernel %s in it", kernel);
}

/* A full bitstream of the largest devices takes some 200 MB. */
#define MAX_BYTES ((size_t)1 << 30)

bdnn_status bdnn_xclbin_read(const char *path, const char *kernel, bdnn_xclbin *xclbin, bdnn_error *err)
{
    bdnn_file_map file;
    bdnn_status status = bdnn_read_file(path, MAX_BYTES, &file, err);
    memset(xclbin, 0, sizeof *xclbin);
    if (status != BDNN_OK) {
        return status;
    }
    status = read_file(&file, kernel, xclbin, err);
    bdnn_unmap_file(&file);
    return status == BDNN_OK ? BDNN_OK : bdnn_prefix(err, status, "%s", path);
}

const char *bdnn_xclbin_target_name(bdnn_xclbin_target target)
{
    static const char *const names[] = {
        [BDNN_XCLBIN_HARDWARE] = "hw", [BDNN_XCLBIN_HW_EMU] = "hw_emu", [BDNN_XCLBIN_SW_EMU] = "sw_emu"};
    return names[target];
}

char *bdnn_xclbin_uuid_text(const uint8_t uuid[16], char text[37])
{
    char *at = text;
    for (int i = 0; i < 16; i++) {
        at += snprintf(at, 4, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", uuid[i]);
    }
    return text;
}
