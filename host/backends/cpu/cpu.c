/* SPDX-License-Identifier: BSD-2-Clause */
/* The processor as a backend: the fastest kernel for each shape, or always the definition. */
#include "kernels/cpu.h"
#include "backends/backend.h"
#include "core/memory.h"

#include <stdio.h>

struct cpu {
    bdnn_backend base;
    bdnn_threads *threads;
};

struct bdnn_resident {
    bdnn_ip_shape shape;
    bdnn_ip_weights weights;
    bdnn_sink sink; /* but for what is each run's */
    const bdnn_ip_kernel *kernel;
    void *packed;
};

static bdnn_status open_type(const bdnn_backend_type *type, bdnn_threads *threads, bdnn_backend **backend,
                             bdnn_error *err)
{
    struct cpu *cpu = bdnn_zalloc(1, sizeof *cpu);
    if (!cpu) {
        return bdnn_fail_memory(err, sizeof *cpu, "the CPU backend");
    }
    cpu->base.type = type;
    cpu->threads = threads;
    *backend = &cpu->base;
    return BDNN_OK;
}

static bdnn_status open_cpu(const bdnn_backend_options *options, bdnn_backend **backend, bdnn_error *err)
{
    const char *unknown = bdnn_cpu_unknown_name();
    if (unknown) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "BDNN_CPU is '%s', none of " BDNN_CPU_NAMES, unknown);
    }
    return open_type(&bdnn_backend_cpu, options->threads, backend, err);
}

static bdnn_status open_reference(const bdnn_backend_options *options, bdnn_backend **backend, bdnn_error *err)
{
    return open_type(&bdnn_backend_reference, options->threads, backend, err);
}

static void close_cpu(bdnn_backend *backend)
{
    bdnn_free(backend);
}

static bdnn_status prepare(bdnn_backend *backend, const bdnn_ip_shape *shape, const bdnn_ip_weights *weights,
                           const bdnn_sink *sink, const bdnn_placement *placement, bdnn_resident **resident,
                           bdnn_error *err)
{
    bdnn_resident *r = bdnn_zalloc(1, sizeof *r);
    size_t bytes;
    (void)placement; /* all on the host */
    if (!r) {
        return bdnn_fail_memory(err, sizeof *r, "a layer's weights");
    }
    r->shape = *shape;
    r->weights = *weights;
    r->sink = *sink;
    r->kernel = backend->type == &bdnn_backend_reference ? &bdnn_ip_xnor_scalar : bdnn_ip_choose(shape);
    bytes = r->kernel->packed_bytes(shape);
    if (bytes > 0) {
        r->packed = bdnn_alloc(bytes, 1);
        if (!r->packed) {
            bdnn_free(r);
            return bdnn_fail_memory(err, bytes, "a layer's decoded weights");
        }
        r->kernel->pack(shape, weights, r->packed, ((const struct cpu *)backend)->threads);
    }
    *resident = r;
    return BDNN_OK;
}

static void release(bdnn_backend *backend, bdnn_resident *resident)
{
    (void)backend;
    bdnn_free(resident->packed);
    bdnn_free(resident);
}

static size_t scratch_bytes(const bdnn_backend *backend, const bdnn_resident *resident)
{
    return resident->kernel->scratch_bytes(&resident->shape,
                                           bdnn_threads_count(((const struct cpu *)backend)->threads));
}

static bdnn_status run(bdnn_backend *backend, bdnn_resident *resident, const bdnn_operands *operands, void *scratch,
                       bdnn_error *err)
{
    bdnn_sink sink = resident->sink;
    (void)err;
    sink.y = operands->output->data;
    sink.addend = operands->addend ? operands->addend->data : NULL;
    sink.x_q = operands->next ? operands->next->data : NULL;
    resident->kernel->run(&resident->shape, &resident->weights, resident->packed, operands->input->data, &sink, scratch,
                          ((const struct cpu *)backend)->threads);
    return BDNN_OK;
}

static const char *describe(const bdnn_backend *backend, const bdnn_resident *resident, uint64_t *weight_bytes)
{
    const bdnn_ip_shape *s = &resident->shape;
    const uint64_t stored =
        (uint64_t)(s->filters * s->bases * bdnn_ip_words(s)) * sizeof(uint64_t) + (uint64_t)(s->filters * s->bases);
    const uint64_t packed = resident->kernel->packed_bytes(s);
    (void)backend;
    *weight_bytes = packed ? packed : stored;
    return resident->kernel->name;
}

static size_t list_one(const char *name, const char *description, bdnn_device_info *devices, size_t room)
{
    if (room < 1) {
        return 0;
    }
    snprintf(devices->name, sizeof devices->name, "%s", name);
    snprintf(devices->description, sizeof devices->description, "%s", description);
    return 1;
}

static size_t list_cpu(const char *bitstream, bdnn_device_info *devices, size_t room)
{
    (void)bitstream;
    return list_one("cpu", "the fastest kernels that this processor has", devices, room);
}

static size_t list_reference(const char *bitstream, bdnn_device_info *devices, size_t room)
{
    (void)bitstream;
    return list_one("reference", "scalar XNOR and popcount: the definition, for comparison", devices, room);
}

#define CPU_BACKEND(text, opening, listing)                                                                            \
    {                                                                                                                  \
        .name = text, .open = opening, .close = close_cpu, .prepare = prepare, .release = release,                     \
        .scratch_bytes = scratch_bytes, .run = run, .describe = describe, .list = listing                              \
    }

const bdnn_backend_type bdnn_backend_cpu = CPU_BACKEND("cpu", open_cpu, list_cpu);
const bdnn_backend_type bdnn_backend_reference = CPU_BACKEND("reference", open_reference, list_reference);
