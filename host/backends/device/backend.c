/* Accelerators as a backend, on any bus. Weights stay on the device; activations and results pass through a few slots,
 * so that one item is packed and another unpacked while the compute units work. What the array cannot take runs on the
 * CPU. */
#include "backends/device/backend.h"

#include "backends/device/layer.h"

#include "core/memory.h"

#include <string.h>

/* Room for one item on the device. */
struct slot {
    bdnn_bus_memory activations, results;
};

#define MOST_SLOTS (2 * BDNN_ACCELERATOR_MOST_UNITS)

struct accelerated {
    bdnn_backend base;
    bdnn_accelerator *device;
    bdnn_backend *cpu;
    uint32_t timeout_ms;
    bdnn_wait wait;
    size_t slot_count;
    struct slot slots[MOST_SLOTS];
};

struct bdnn_resident {
    bdnn_resident_layer layer;
    bdnn_resident *cpu; /* what the array cannot take; layer is then unused */
};

void bdnn_device_backend_close(bdnn_backend *backend)
{
    struct accelerated *self = (struct accelerated *)backend;
    if (self->cpu) {
        self->cpu->type->close(self->cpu);
    }
    if (self->device) {
        bdnn_accelerator_take_turn(self->device, self->timeout_ms, self->wait);
        for (size_t i = 0; i < self->slot_count; i++) {
            bdnn_accelerator_free(self->device, &self->slots[i].activations);
            bdnn_accelerator_free(self->device, &self->slots[i].results);
        }
        bdnn_accelerator_end_turn(self->device);
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
    status = bdnn_backend_cpu.open(options, &self->cpu, err);
    if (status == BDNN_OK) {
        status = bdnn_accelerator_open(bus, name, options, &self->device, err);
    }
    if (status != BDNN_OK) {
        bdnn_device_backend_close(&self->base);
        return status;
    }
    self->slot_count = 2 * self->device->unit_count;
    *backend = &self->base;
    return BDNN_OK;
}

static bdnn_status grow(bdnn_accelerator *device, int pointer, size_t bytes, const char *what, bdnn_bus_memory *memory,
                        bdnn_error *err)
{
    if (bytes <= memory->bytes) {
        return BDNN_OK;
    }
    bdnn_accelerator_free(device, memory);
    return bdnn_accelerator_allocate(device, pointer, bytes, what, memory, err);
}

/* All layers share the slots, which are as large as the largest of them needs. */
static bdnn_status grow_slots(struct accelerated *self, const bdnn_resident_layer *layer, bdnn_error *err)
{
    const size_t wanted = (size_t)layer->items < self->slot_count ? (size_t)layer->items : self->slot_count;
    bdnn_status status = BDNN_OK;
    for (size_t i = 0; i < wanted && status == BDNN_OK; i++) {
        status = grow(self->device, BDNN_POINTER_ACTIVATIONS, bdnn_resident_layer_activation_bytes(layer),
                      "activations", &self->slots[i].activations, err);
        if (status == BDNN_OK) {
            status = grow(self->device, BDNN_POINTER_RESULTS, bdnn_resident_layer_result_bytes(layer), "results",
                          &self->slots[i].results, err);
        }
    }
    return status;
}

bdnn_status bdnn_device_backend_prepare(bdnn_backend *backend, const bdnn_ip_shape *shape,
                                        const bdnn_ip_weights *weights, const bdnn_sink *sink, bdnn_resident **resident,
                                        bdnn_error *err)
{
    struct accelerated *self = (struct accelerated *)backend;
    bdnn_resident *r = bdnn_zalloc(1, sizeof *r);
    bdnn_status status;
    if (!r) {
        return bdnn_fail_memory(err, sizeof *r, "a layer's weights");
    }
    if (!bdnn_resident_layer_plan(&r->layer, &self->device->array, shape, sink)) {
        status = self->cpu->type->prepare(self->cpu, shape, weights, sink, &r->cpu, err);
    } else {
        bdnn_accelerator_take_turn(self->device, self->timeout_ms, self->wait);
        status = bdnn_resident_layer_load(&r->layer, self->device, weights, sink, err);
        if (status == BDNN_OK) {
            status = grow_slots(self, &r->layer, err);
        }
        if (status != BDNN_OK) {
            bdnn_resident_layer_unload(&r->layer, self->device);
        }
        bdnn_accelerator_end_turn(self->device);
    }
    if (status != BDNN_OK) {
        bdnn_free(r);
        return status;
    }
    *resident = r;
    return BDNN_OK;
}

void bdnn_device_backend_release(bdnn_backend *backend, bdnn_resident *resident)
{
    struct accelerated *self = (struct accelerated *)backend;
    if (resident->cpu) {
        self->cpu->type->release(self->cpu, resident->cpu);
    } else {
        bdnn_accelerator_take_turn(self->device, self->timeout_ms, self->wait);
        bdnn_resident_layer_unload(&resident->layer, self->device);
        bdnn_accelerator_end_turn(self->device);
    }
    bdnn_free(resident);
}

size_t bdnn_device_backend_scratch_bytes(const bdnn_backend *backend, const bdnn_resident *resident)
{
    const struct accelerated *self = (const struct accelerated *)backend;
    return resident->cpu ? self->cpu->type->scratch_bytes(self->cpu, resident->cpu)
                         : bdnn_resident_layer_scratch_bytes(&resident->layer);
}

/* One run of a layer. Jobs go to the compute units in turn: job j, of group j % groups of item j / groups, to unit
 * j % units. */
struct progress {
    struct accelerated *self;
    bdnn_resident_layer *layer;
    const uint8_t *x_q;
    const bdnn_sink *sink;
    void *scratch;
    size_t slots;
    int64_t started, finished; /* jobs */
    int64_t fetched;           /* items */
    uint64_t unit_cycles[BDNN_ACCELERATOR_MOST_UNITS];
};

/* Packs an item and sends it. */
static bdnn_status send_item(struct progress *p, int64_t item, bdnn_error *err)
{
    const struct slot *slot = &p->self->slots[(size_t)item % p->slots];
    const size_t bytes = bdnn_resident_layer_activation_bytes(p->layer);
    bdnn_resident_layer_pack(p->layer, p->x_q, item, p->scratch, slot->activations.host);
    p->layer->cost.bytes_to_device += bytes;
    return bdnn_accelerator_to_device(p->self->device, &slot->activations, bytes, err);
}

static bdnn_status fetch_item(struct progress *p, int64_t item, bdnn_error *err)
{
    const struct slot *slot = &p->self->slots[(size_t)item % p->slots];
    const size_t bytes = bdnn_resident_layer_result_bytes(p->layer);
    bdnn_status status = bdnn_accelerator_from_device(p->self->device, &slot->results, bytes, err);
    if (status == BDNN_OK) {
        p->layer->cost.bytes_from_device += bytes;
        bdnn_resident_layer_unpack(p->layer, slot->results.host, item, p->sink, p->scratch);
    }
    return status;
}

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
    const struct slot *slot = &p->self->slots[(size_t)item % p->slots];
    const bdnn_bus_memory *const pointers[BDNN_POINTERS] = {
        [BDNN_POINTER_WEIGHTS] = &p->layer->parts[2 * group],
        [BDNN_POINTER_ACTIVATIONS] = &slot->activations,
        [BDNN_POINTER_FILTERS] = &p->layer->parts[2 * group + 1],
        [BDNN_POINTER_RESULTS] = &slot->results,
    };
    bdnn_hw_job job = bdnn_device_job(&p->layer->plan, group);
    if (p->sink->addend) {
        job.low = (uint32_t)-INT16_MAX;
        job.high = INT16_MAX;
    }
    const size_t unit = (size_t)p->started++ % p->self->device->unit_count;
    return bdnn_accelerator_start(p->self->device, unit, &job, pointers, err);
}

/* Brings the results of items from p->fetched on, up to `items`, waiting for their jobs. */
static bdnn_status fetch_items(struct progress *p, int64_t items, bdnn_error *err)
{
    const int64_t groups = p->layer->shape.groups;
    bdnn_status status = BDNN_OK;
    while (p->fetched < items && status == BDNN_OK) {
        while (p->finished < (p->fetched + 1) * groups && status == BDNN_OK) {
            status = finish_job(p, err);
        }
        status = status == BDNN_OK ? fetch_item(p, p->fetched++, err) : status;
    }
    return status;
}

/* The unit of the next job is free as soon as its last one has ended; results are fetched when their slot is needed, by
 * then under the next jobs. So even with one unit both packing and unpacking overlap with its work. */
static bdnn_status run_layer(struct progress *p, bdnn_error *err)
{
    const int64_t groups = p->layer->shape.groups, jobs = p->layer->items * groups;
    const int64_t units = (int64_t)p->self->device->unit_count;
    bdnn_status status = BDNN_OK;
    while (p->started < jobs && status == BDNN_OK) {
        const int64_t item = p->started / groups;
        if (p->started % groups == 0) {
            /* The slot's last item must have left it. */
            status = fetch_items(p, item - (int64_t)p->slots + 1, err);
            status = status == BDNN_OK ? send_item(p, item, err) : status;
        }
        while (p->finished <= p->started - units && status == BDNN_OK) {
            status = finish_job(p, err);
        }
        status = status == BDNN_OK ? start_job(p, err) : status;
    }
    status = status == BDNN_OK ? fetch_items(p, p->layer->items, err) : status;
    /* The last results may have come from a device that was gone after its last run. */
    return status == BDNN_OK ? bdnn_accelerator_check(p->self->device, err) : status;
}

bdnn_status bdnn_device_backend_run(bdnn_backend *backend, const bdnn_resident *resident, const uint8_t *x_q,
                                    const bdnn_sink *sink, void *scratch, bdnn_error *err)
{
    struct accelerated *self = (struct accelerated *)backend;
    bdnn_resident_layer *layer = (bdnn_resident_layer *)&resident->layer;
    struct progress progress = {.self = self, .layer = layer, .x_q = x_q, .sink = sink, .scratch = scratch};
    bdnn_status status;
    if (resident->cpu) {
        return self->cpu->type->run(self->cpu, resident->cpu, x_q, sink, scratch, err);
    }
    progress.slots = (size_t)layer->items < self->slot_count ? (size_t)layer->items : self->slot_count;
    memset(&layer->cost, 0, sizeof layer->cost);
    bdnn_accelerator_take_turn(self->device, self->timeout_ms, self->wait);
    status = run_layer(&progress, err);
    bdnn_accelerator_end_turn(self->device);
    return status;
}

const char *bdnn_device_backend_describe(const bdnn_backend *backend, const bdnn_resident *resident,
                                         uint64_t *weight_bytes)
{
    const struct accelerated *self = (const struct accelerated *)backend;
    if (resident->cpu) {
        return self->cpu->type->describe(self->cpu, resident->cpu, weight_bytes);
    }
    *weight_bytes = resident->layer.constants.bytes;
    return resident->layer.gathered ? BDNN_HW_KERNEL " on gathered rows" : BDNN_HW_KERNEL;
}

void bdnn_device_backend_cost(const bdnn_backend *backend, const bdnn_resident *resident,
                              bdnn_accelerator_cost *cost_of_layer)
{
    (void)backend;
    if (!resident->cpu) {
        *cost_of_layer = resident->layer.cost;
    }
}

bdnn_status bdnn_device_backend_time_launches(bdnn_backend *backend, size_t count, uint64_t *nanoseconds,
                                              bdnn_error *err)
{
    struct accelerated *self = (struct accelerated *)backend;
    bdnn_status status;
    bdnn_accelerator_take_turn(self->device, self->timeout_ms, self->wait);
    status = bdnn_accelerator_time_launches(self->device, count, nanoseconds, err);
    bdnn_accelerator_end_turn(self->device);
    return status;
}
