/* Boards and emulated devices behind XRT as a backend. Weights stay on the device; activations and results pass through
 * a few slots, so that one item is packed or unpacked while the compute units work on others. What the array cannot
 * take runs on the CPU. */
#include "backends/xrt/layer.h"

#include "core/memory.h"

#include <string.h>

/* Room for one item on the device. */
struct slot {
    bdnn_xrt_buffer activations, results;
};

#define MOST_SLOTS (2 * BDNN_XCLBIN_MOST_UNITS)

struct xrt {
    bdnn_backend base;
    bdnn_xrt_device *device;
    bdnn_backend *cpu;
    uint32_t timeout_ms;
    size_t slot_count;
    struct slot slots[MOST_SLOTS];
};

struct bdnn_resident {
    bdnn_xrt_layer layer;
    bdnn_resident *cpu; /* what the array cannot take; layer is then unused */
};

static void close_xrt(bdnn_backend *backend)
{
    struct xrt *xrt = (struct xrt *)backend;
    for (size_t i = 0; i < xrt->slot_count; i++) {
        bdnn_xrt_free(xrt->device, &xrt->slots[i].activations);
        bdnn_xrt_free(xrt->device, &xrt->slots[i].results);
    }
    if (xrt->cpu) {
        xrt->cpu->type->close(xrt->cpu);
    }
    if (xrt->device) {
        bdnn_xrt_close(xrt->device);
    }
    bdnn_free(xrt);
}

static bdnn_status open_xrt(const bdnn_backend_options *options, bdnn_backend **backend, bdnn_error *err)
{
    struct xrt *xrt = bdnn_zalloc(1, sizeof *xrt);
    bdnn_status status;
    if (!xrt) {
        return bdnn_fail_memory(err, sizeof *xrt, "the XRT backend");
    }
    xrt->base.type = &bdnn_backend_xrt;
    xrt->timeout_ms = options->timeout_ms;
    status = bdnn_backend_cpu.open(options, &xrt->cpu, err);
    if (status == BDNN_OK) {
        status = bdnn_xrt_open(&xrt->device, options, err);
    }
    if (status != BDNN_OK) {
        close_xrt(&xrt->base);
        return status;
    }
    xrt->slot_count = 2 * xrt->device->unit_count;
    *backend = &xrt->base;
    return BDNN_OK;
}

static bdnn_status grow(bdnn_xrt_device *device, int pointer, size_t bytes, const char *what, bdnn_xrt_buffer *buffer,
                        bdnn_error *err)
{
    if (bytes <= buffer->bytes) {
        return BDNN_OK;
    }
    bdnn_xrt_free(device, buffer);
    return bdnn_xrt_allocate(device, pointer, bytes, what, buffer, err);
}

/* All layers share the slots, which are as large as the largest of them needs. */
static bdnn_status grow_slots(struct xrt *xrt, const bdnn_xrt_layer *layer, bdnn_error *err)
{
    const size_t wanted = (size_t)layer->items < xrt->slot_count ? (size_t)layer->items : xrt->slot_count;
    bdnn_status status = BDNN_OK;
    for (size_t i = 0; i < wanted && status == BDNN_OK; i++) {
        status = grow(xrt->device, BDNN_XRT_ACTIVATIONS, bdnn_xrt_layer_activation_bytes(layer), "activations",
                      &xrt->slots[i].activations, err);
        if (status == BDNN_OK) {
            status = grow(xrt->device, BDNN_XRT_RESULTS, bdnn_xrt_layer_result_bytes(layer), "results",
                          &xrt->slots[i].results, err);
        }
    }
    return status;
}

static bdnn_status prepare(bdnn_backend *backend, const bdnn_ip_shape *shape, const bdnn_ip_weights *weights,
                           const bdnn_sink *sink, bdnn_resident **resident, bdnn_error *err)
{
    struct xrt *xrt = (struct xrt *)backend;
    bdnn_resident *r = bdnn_zalloc(1, sizeof *r);
    bdnn_status status;
    if (!r) {
        return bdnn_fail_memory(err, sizeof *r, "a layer's weights");
    }
    if (!bdnn_xrt_layer_plan(&r->layer, &xrt->device->array, shape, sink)) {
        status = xrt->cpu->type->prepare(xrt->cpu, shape, weights, sink, &r->cpu, err);
    } else {
        bdnn_xrt_take_turn(xrt->device, xrt->timeout_ms);
        status = bdnn_xrt_layer_load(&r->layer, xrt->device, weights, sink, err);
        if (status == BDNN_OK) {
            status = grow_slots(xrt, &r->layer, err);
        }
        if (status != BDNN_OK) {
            bdnn_xrt_layer_unload(&r->layer, xrt->device);
        }
        bdnn_xrt_end_turn(xrt->device);
    }
    if (status != BDNN_OK) {
        bdnn_free(r);
        return status;
    }
    *resident = r;
    return BDNN_OK;
}

static void release(bdnn_backend *backend, bdnn_resident *resident)
{
    struct xrt *xrt = (struct xrt *)backend;
    if (resident->cpu) {
        xrt->cpu->type->release(xrt->cpu, resident->cpu);
    } else {
        bdnn_xrt_layer_unload(&resident->layer, xrt->device);
    }
    bdnn_free(resident);
}

static size_t scratch_bytes(const bdnn_backend *backend, const bdnn_resident *resident)
{
    const struct xrt *xrt = (const struct xrt *)backend;
    return resident->cpu ? xrt->cpu->type->scratch_bytes(xrt->cpu, resident->cpu)
                         : bdnn_xrt_layer_scratch_bytes(&resident->layer);
}

/* One run of a layer. Jobs go to the compute units in turn: job j, of group j % groups of item j / groups, to unit
 * j % units. */
struct progress {
    struct xrt *xrt;
    bdnn_xrt_layer *layer;
    const uint8_t *x_q;
    const bdnn_sink *sink;
    void *scratch;
    size_t slots;
    int64_t started, finished; /* jobs */
    uint64_t unit_cycles[BDNN_XCLBIN_MOST_UNITS];
};

/* Packs an item and sends it. */
static bdnn_status send_item(struct progress *p, int64_t item, bdnn_error *err)
{
    const struct slot *slot = &p->xrt->slots[(size_t)item % p->slots];
    const size_t bytes = bdnn_xrt_layer_activation_bytes(p->layer);
    bdnn_xrt_layer_pack(p->layer, p->x_q, item, p->scratch, slot->activations.host);
    p->layer->cost.bytes_to_device += bytes;
    return bdnn_xrt_to_device(p->xrt->device, &slot->activations, bytes, err);
}

static bdnn_status fetch_item(struct progress *p, int64_t item, bdnn_error *err)
{
    const struct slot *slot = &p->xrt->slots[(size_t)item % p->slots];
    const size_t bytes = bdnn_xrt_layer_result_bytes(p->layer);
    bdnn_status status = bdnn_xrt_from_device(p->xrt->device, &slot->results, bytes, err);
    if (status == BDNN_OK) {
        p->layer->cost.bytes_from_device += bytes;
        bdnn_xrt_layer_unpack(p->layer, slot->results.host, item, p->sink, p->scratch);
    }
    return status;
}

static void add_counters(struct progress *p, size_t unit, const bdnn_xrt_counters *c)
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

/* Waits for the oldest job; the last one of an item brings the item's results. */
static bdnn_status finish_job(struct progress *p, bdnn_error *err)
{
    const int64_t job = p->finished, groups = p->layer->shape.groups;
    const size_t unit = (size_t)job % p->xrt->device->unit_count;
    bdnn_xrt_counters counters = {0};
    bdnn_status status = bdnn_xrt_finish(p->xrt->device, unit, p->xrt->base.counting ? &counters : NULL, err);
    p->finished++;
    p->layer->cost.jobs++;
    add_counters(p, unit, &counters);
    return status == BDNN_OK && (job + 1) % groups == 0 ? fetch_item(p, job / groups, err) : status;
}

static bdnn_status start_job(struct progress *p, bdnn_error *err)
{
    const int64_t groups = p->layer->shape.groups, item = p->started / groups, group = p->started % groups;
    const struct slot *slot = &p->xrt->slots[(size_t)item % p->slots];
    const xrtBufferHandle pointers[BDNN_XRT_POINTERS] = {[BDNN_XRT_WEIGHTS] = p->layer->parts[2 * group],
                                                         [BDNN_XRT_ACTIVATIONS] = slot->activations.handle,
                                                         [BDNN_XRT_FILTERS] = p->layer->parts[2 * group + 1],
                                                         [BDNN_XRT_RESULTS] = slot->results.handle};
    bdnn_hw_job job = bdnn_device_job(&p->layer->plan, group);
    if (p->sink->addend) {
        job.low = (uint32_t)-INT16_MAX;
        job.high = INT16_MAX;
    }
    const size_t unit = (size_t)p->started++ % p->xrt->device->unit_count;
    return bdnn_xrt_start(p->xrt->device, unit, &job, pointers, err);
}

static bdnn_status run_layer(struct progress *p, bdnn_error *err)
{
    const int64_t groups = p->layer->shape.groups, jobs = p->layer->items * groups;
    const int64_t units = (int64_t)p->xrt->device->unit_count;
    bdnn_status status = BDNN_OK;
    while (p->started < jobs && status == BDNN_OK) {
        const int64_t item = p->started / groups;
        if (p->started % groups == 0) {
            /* The slot's last item must have left it. */
            while (p->finished < (item - (int64_t)p->slots + 1) * groups && status == BDNN_OK) {
                status = finish_job(p, err);
            }
            status = status == BDNN_OK ? send_item(p, item, err) : status;
        }
        while (p->finished <= p->started - units && status == BDNN_OK) {
            status = finish_job(p, err);
        }
        status = status == BDNN_OK ? start_job(p, err) : status;
    }
    while (p->finished < p->started && status == BDNN_OK) {
        status = finish_job(p, err);
    }
    /* The last results may have come from a device that was gone after its last run. */
    return status == BDNN_OK ? bdnn_xrt_check(p->xrt->device, err) : status;
}

static bdnn_status run(bdnn_backend *backend, const bdnn_resident *resident, const uint8_t *x_q, const bdnn_sink *sink,
                       void *scratch, bdnn_error *err)
{
    struct xrt *xrt = (struct xrt *)backend;
    bdnn_xrt_layer *layer = (bdnn_xrt_layer *)&resident->layer;
    struct progress progress = {.xrt = xrt, .layer = layer, .x_q = x_q, .sink = sink, .scratch = scratch};
    bdnn_status status;
    if (resident->cpu) {
        return xrt->cpu->type->run(xrt->cpu, resident->cpu, x_q, sink, scratch, err);
    }
    progress.slots = (size_t)layer->items < xrt->slot_count ? (size_t)layer->items : xrt->slot_count;
    memset(&layer->cost, 0, sizeof layer->cost);
    bdnn_xrt_take_turn(xrt->device, xrt->timeout_ms);
    status = run_layer(&progress, err);
    bdnn_xrt_end_turn(xrt->device);
    return status;
}

static const char *describe(const bdnn_backend *backend, const bdnn_resident *resident, uint64_t *weight_bytes)
{
    const struct xrt *xrt = (const struct xrt *)backend;
    if (resident->cpu) {
        return xrt->cpu->type->describe(xrt->cpu, resident->cpu, weight_bytes);
    }
    *weight_bytes = resident->layer.constants.bytes;
    return resident->layer.gathered ? BDNN_HW_KERNEL " on gathered rows" : BDNN_HW_KERNEL;
}

static void cost(const bdnn_backend *backend, const bdnn_resident *resident, bdnn_accelerator_cost *cost_of_layer)
{
    (void)backend;
    if (!resident->cpu) {
        *cost_of_layer = resident->layer.cost;
    }
}

const bdnn_backend_type bdnn_backend_xrt = {.name = "xrt",
                                            .numbered = true,
                                            .open = open_xrt,
                                            .close = close_xrt,
                                            .prepare = prepare,
                                            .release = release,
                                            .scratch_bytes = scratch_bytes,
                                            .run = run,
                                            .describe = describe,
                                            .cost = cost,
                                            .list = bdnn_xrt_list};
