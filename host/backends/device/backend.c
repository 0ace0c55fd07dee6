/* SPDX-License-Identifier: BSD-2-Clause */
/* Accelerators as a backend, on any bus. Weights and feature maps stay in the device's memory: a run hands jobs to the
 * compute units, and only transfers touch the host. */
#include "backends/device/backend.h"

#include "backends/device/layer.h"

#include "core/memory.h"

#include <string.h>

/* Feature maps: all in one piece of memory, at the plan's offsets, so that results can be read where they were written.
 * Where the device keeps activations and results apart, each has such a piece. */
enum { READ, WRITTEN, MEMORIES };

struct accelerated {
    bdnn_backend base;
    bdnn_accelerator *device;
    uint32_t timeout_ms;
    bdnn_wait wait;
    bdnn_bus_memory maps[MEMORIES]; /* the second only where it is apart */
};

struct bdnn_resident {
    bdnn_resident_layer layer;
    bdnn_sink sink; /* but for what is each run's; of a pooling all zero */
};

static void take_turn(struct accelerated *self)
{
    bdnn_accelerator_take_turn(self->device, self->timeout_ms, self->wait);
}

static void end_turn(struct accelerated *self)
{
    bdnn_accelerator_end_turn(self->device);
}

/* ---- Opening and closing ---- */

void bdnn_device_backend_close(bdnn_backend *backend)
{
    struct accelerated *self = (struct accelerated *)backend;
    if (self->device) {
        take_turn(self);
        for (int i = 0; i < MEMORIES; i++) {
            bdnn_accelerator_free(self->device, &self->maps[i]);
        }
        end_turn(self);
        bdnn_accelerator_close(self->device);
    }
    bdnn_free(self);
}

bdnn_status bdnn_device_backend_open(const bdnn_backend_type *type, const bdnn_bus *bus, const char *name,
                                     const bdnn_backend_options *options, bdnn_backend **backend, bdnn_error *err)
{
    struct accelerated *self = bdnn_zalloc(1, sizeof *self);
    bdnn_status status;
    if (!self) {
        return bdnn_fail_memory(err, sizeof *self, "the backend of an accelerator");
    }
    self->base.type = type;
    self->timeout_ms = options->timeout_ms;
    self->wait = options->wait;
    status = bdnn_accelerator_open(bus, name, options, &self->device, err);
    if (status != BDNN_OK) {
        bdnn_device_backend_close(&self->base);
        return status;
    }
    *backend = &self->base;
    return BDNN_OK;
}

/* ---- Layers ---- */

static bool place_layer(const bdnn_backend *backend, const bdnn_ip_shape *shape, const bdnn_sink *sink, bool resident,
                        bdnn_placement *placement)
{
    const struct accelerated *self = (const struct accelerated *)backend;
    bdnn_resident_layer layer;
    if (!bdnn_resident_layer_plan(&layer, &self->device->array, shape, sink, resident)) {
        return false;
    }
    *placement = bdnn_resident_layer_placement(&layer);
    return true;
}

static bool place_pool(const bdnn_backend *backend, const bdnn_ip_shape *shape, bdnn_placement *placement)
{
    const struct accelerated *self = (const struct accelerated *)backend;
    bdnn_resident_layer layer;
    if (!(self->device->features & BDNN_HW_FEATURES_MAX_POOLING) ||
        !bdnn_resident_layer_plan_pool(&layer, &self->device->array, shape)) {
        return false;
    }
    *placement = bdnn_resident_layer_placement(&layer);
    return true;
}

bdnn_status bdnn_device_backend_prepare(bdnn_backend *backend, const bdnn_ip_shape *shape,
                                        const bdnn_ip_weights *weights, const bdnn_sink *sink,
                                        const bdnn_placement *placement, bdnn_resident **resident, bdnn_error *err)
{
    struct accelerated *self = (struct accelerated *)backend;
    bdnn_resident *r = bdnn_zalloc(1, sizeof *r);
    bdnn_status status;
    if (!r) {
        return bdnn_fail_memory(err, sizeof *r, "a layer's weights");
    }
    r->sink = *sink;
    bdnn_resident_layer_plan_as(&r->layer, &self->device->array, shape, sink, placement);
    take_turn(self);
    status = bdnn_resident_layer_load(&r->layer, self->device, weights, sink, err);
    end_turn(self);
    if (status != BDNN_OK) {
        bdnn_free(r);
        return status;
    }
    *resident = r;
    return BDNN_OK;
}

static bdnn_status prepare_pool(bdnn_backend *backend, const bdnn_ip_shape *shape, bdnn_resident **resident,
                                bdnn_error *err)
{
    const struct accelerated *self = (const struct accelerated *)backend;
    bdnn_resident *r = bdnn_zalloc(1, sizeof *r);
    if (!r) {
        return bdnn_fail_memory(err, sizeof *r, "a pooling");
    }
    bdnn_resident_layer_plan_pool(&r->layer, &self->device->array, shape);
    *resident = r;
    return BDNN_OK;
}

void bdnn_device_backend_release(bdnn_backend *backend, bdnn_resident *resident)
{
    struct accelerated *self = (struct accelerated *)backend;
    take_turn(self);
    bdnn_resident_layer_unload(&resident->layer, self->device);
    end_turn(self);
    bdnn_free(resident);
}

size_t bdnn_device_backend_scratch_bytes(const bdnn_backend *backend, const bdnn_resident *resident)
{
    (void)backend;
    return bdnn_resident_layer_scratch_bytes(&resident->layer);
}

/* ---- Feature maps ---- */

static bool chains(const bdnn_backend *backend)
{
    const struct accelerated *self = (const struct accelerated *)backend;
    return !self->device->bus->apart || !self->device->bus->apart(self->device);
}

static const bdnn_bus_memory *memory_of(const struct accelerated *self, bool written)
{
    return &self->maps[written && self->maps[WRITTEN].bytes ? WRITTEN : READ];
}

static bdnn_status reserve(bdnn_backend *backend, size_t bytes, bdnn_error *err)
{
    struct accelerated *self = (struct accelerated *)backend;
    bdnn_status status;
    if (bytes >> BDNN_HW_OFFSET_BITS) {
        return bdnn_fail(
            err, BDNN_ERROR_UNSUPPORTED,
            "the feature maps take %zu bytes on the device, of which a job reaches %llu: a smaller batch fits", bytes,
            1ull << BDNN_HW_OFFSET_BITS);
    }
    take_turn(self);
    status = bdnn_accelerator_allocate(self->device, BDNN_HW_POINTER_ACTIVATIONS, bytes, "feature maps",
                                       &self->maps[READ], err);
    if (status == BDNN_OK && !chains(backend)) {
        status = bdnn_accelerator_allocate(self->device, BDNN_HW_POINTER_RESULTS, bytes, "results",
                                           &self->maps[WRITTEN], err);
    }
    end_turn(self);
    return status;
}

/* ---- Runs ---- */

/* One run of a layer. Jobs go to the compute units in turn: job j, of group j % groups of item j / groups, to unit
 * j % units. */
struct progress {
    struct accelerated *self;
    bdnn_resident_layer *layer;
    const bdnn_operands *operands;
    bdnn_sink sink; /* where fetched results go */
    void *scratch;
    int64_t started, finished; /* jobs */
    int64_t done;              /* items, fetched ones where they are */
    uint64_t unit_cycles[BDNN_ACCELERATOR_MAX_COMPUTE_UNITS];
};

static void add_counters(struct progress *p, size_t unit, const bdnn_accelerator_counters *c)
{
    bdnn_accelerator_cost *cost = &p->layer->cost;
    cost->cycles += c->cycles;
    cost->busy_cycles += c->busy;
    cost->wait_load_cycles += c->wait_load;
    cost->wait_results_cycles += c->wait_results;
    cost->bytes_read += sizeof(uint64_t) * c->words_read;
    cost->bytes_written += sizeof(uint64_t) * c->words_written;
    p->unit_cycles[unit] += c->cycles;
    if (p->unit_cycles[unit] > cost->longest_cycles) {
        cost->longest_cycles = p->unit_cycles[unit];
    }
}

/* Waits for the oldest job. */
static bdnn_status finish_job(struct progress *p, bdnn_error *err)
{
    const size_t unit = (size_t)p->finished % p->self->device->unit_count;
    bdnn_accelerator_counters counters = {0};
    bdnn_status status = bdnn_accelerator_finish(p->self->device, unit, p->self->base.counting ? &counters : NULL, err);
    p->finished++;
    p->layer->cost.jobs++;
    add_counters(p, unit, &counters);
    return status;
}

static bdnn_status start_job(struct progress *p, bdnn_error *err)
{
    const int64_t groups = p->layer->shape.groups, item = p->started / groups, group = p->started % groups;
    const struct accelerated *self = p->self;
    const bdnn_bus_memory *constants = p->layer->parts ? &p->layer->parts[2 * group] : NULL;
    const bdnn_bus_memory *const pointers[BDNN_HW_POINTERS] = {
        [BDNN_HW_POINTER_WEIGHTS] = constants ? constants : memory_of(self, false),
        [BDNN_HW_POINTER_ACTIVATIONS] = memory_of(self, false),
        [BDNN_HW_POINTER_FILTERS] = constants ? constants + 1 : memory_of(self, false),
        [BDNN_HW_POINTER_RESULTS] = memory_of(self, true),
    };
    bdnn_hw_job job;
    if (!bdnn_resident_layer_job(p->layer, item, group, p->operands->input->offset, p->operands->output->offset,
                                 &job)) {
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED,
                         "its feature maps lie further apart than a job reaches: a smaller batch fits");
    }
    if (p->operands->addend) {
        job.low = (uint32_t)-INT16_MAX;
        job.high = INT16_MAX;
    }
    const size_t unit = (size_t)p->started++ % self->device->unit_count;
    return bdnn_accelerator_start(p->self->device, unit, &job, pointers, err);
}

static void *host_of(const bdnn_bus_memory *memory, size_t offset)
{
    return (uint8_t *)memory->host + offset;
}

/* Packs an item and sends it. */
static bdnn_status send_item(struct progress *p, int64_t item, bdnn_error *err)
{
    const bdnn_bus_memory *memory = memory_of(p->self, false);
    size_t bytes;
    const size_t offset = p->operands->input->offset + bdnn_resident_layer_input(p->layer, item, &bytes);
    bdnn_resident_layer_pack(p->layer, p->operands->send->data, item, p->scratch, host_of(memory, offset));
    return bdnn_accelerator_to_device(p->self->device, memory, offset, bytes, err);
}

static bdnn_status fetch_item(struct progress *p, int64_t item, bdnn_error *err)
{
    const bdnn_bus_memory *memory = memory_of(p->self, true);
    size_t bytes;
    const size_t offset = p->operands->output->offset + bdnn_resident_layer_output(p->layer, item, &bytes);
    const bdnn_status status = bdnn_accelerator_from_device(p->self->device, memory, offset, bytes, err);
    if (status == BDNN_OK) {
        bdnn_resident_layer_unpack(p->layer, host_of(memory, offset), item, &p->sink, p->scratch);
    }
    return status;
}

/* Finishes the jobs of items up to `items`, and fetches their results where that is asked for. */
static bdnn_status finish_items(struct progress *p, int64_t items, bdnn_error *err)
{
    const int64_t groups = p->layer->shape.groups;
    bdnn_status status = BDNN_OK;
    for (; p->done < items && status == BDNN_OK; p->done++) {
        while (p->finished < (p->done + 1) * groups && status == BDNN_OK) {
            status = finish_job(p, err);
        }
        if (status == BDNN_OK && p->operands->fetch) {
            status = fetch_item(p, p->done, err);
        }
    }
    return status;
}

/* The unit of the next job is free as soon as its last one has ended; results are fetched a few items later, by then
 * under the next jobs. So even with one unit both packing and unpacking overlap with its work. */
static bdnn_status run_jobs(struct progress *p, bdnn_error *err)
{
    const int64_t groups = p->layer->shape.groups, jobs = p->layer->items * groups;
    const int64_t units = (int64_t)p->self->device->unit_count;
    bdnn_status status = BDNN_OK;
    while (p->started < jobs && status == BDNN_OK) {
        const int64_t item = p->started / groups;
        if (p->started % groups == 0) {
            status = finish_items(p, item - 2 * units + 1, err);
            status = status == BDNN_OK && p->operands->send ? send_item(p, item, err) : status;
        }
        while (p->finished <= p->started - units && status == BDNN_OK) {
            status = finish_job(p, err);
        }
        status = status == BDNN_OK ? start_job(p, err) : status;
    }
    status = status == BDNN_OK ? finish_items(p, p->layer->items, err) : status;
    /* The last results may have come from a device that was gone after its last run. */
    return status == BDNN_OK ? bdnn_accelerator_check(p->self->device, err) : status;
}

static struct progress progress_of(bdnn_backend *backend, bdnn_resident *resident, const bdnn_operands *operands,
                                   void *scratch)
{
    struct progress p = {.self = (struct accelerated *)backend,
                         .layer = &resident->layer,
                         .operands = operands,
                         .sink = resident->sink,
                         .scratch = scratch};
    p.sink.y = operands->fetch ? operands->fetch->data : NULL;
    p.sink.addend = operands->addend ? operands->addend->data : NULL;
    p.sink.x_q = operands->next ? operands->next->data : NULL;
    return p;
}

bdnn_status bdnn_device_backend_run(bdnn_backend *backend, bdnn_resident *resident, const bdnn_operands *operands,
                                    void *scratch, bdnn_error *err)
{
    struct progress p = progress_of(backend, resident, operands, scratch);
    bdnn_status status;
    memset(&resident->layer.cost, 0, sizeof resident->layer.cost);
    take_turn(p.self);
    status = run_jobs(&p, err);
    end_turn(p.self);
    return status;
}

static bdnn_status fetch(bdnn_backend *backend, bdnn_resident *resident, const bdnn_operands *operands, void *scratch,
                         bdnn_error *err)
{
    struct progress p = progress_of(backend, resident, operands, scratch);
    bdnn_status status = BDNN_OK;
    take_turn(p.self);
    for (int64_t item = 0; item < p.layer->items && status == BDNN_OK; item++) {
        status = fetch_item(&p, item, err);
    }
    end_turn(p.self);
    return status;
}

/* ---- What it cost ---- */

const char *bdnn_device_backend_describe(const bdnn_backend *backend, const bdnn_resident *resident,
                                         uint64_t *weight_bytes)
{
    (void)backend;
    *weight_bytes = resident->layer.constants.bytes;
    return resident->layer.gathered ? BDNN_HW_KERNEL " on gathered rows"
           : !resident->layer.parts ? BDNN_HW_KERNEL " maximum"
                                    : BDNN_HW_KERNEL;
}

static void cost_of(const bdnn_backend *backend, const bdnn_resident *resident, bdnn_accelerator_cost *cost)
{
    (void)backend;
    *cost = resident->layer.cost;
}

static bdnn_status time_launches(bdnn_backend *backend, size_t count, uint64_t *nanoseconds, bdnn_error *err)
{
    struct accelerated *self = (struct accelerated *)backend;
    bdnn_status status;
    take_turn(self);
    status = bdnn_accelerator_time_launches(self->device, count, nanoseconds, err);
    end_turn(self);
    return status;
}

const bdnn_device_type bdnn_device_backend_device = {.block_channels = BDNN_HW_UNIT,
                                                     .place_layer = place_layer,
                                                     .place_pool = place_pool,
                                                     .prepare_pool = prepare_pool,
                                                     .chains = chains,
                                                     .reserve = reserve,
                                                     .fetch = fetch,
                                                     .cost = cost_of,
                                                     .time_launches = time_launches};
