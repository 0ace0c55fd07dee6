/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel of the module's test (kernel.h), but for memory. */
#define _DEFAULT_SOURCE
#define BDNN_TESTS_DRIVER_DOUBLE
#include "kernel.h"
#include "hardware.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct kernel kernel;

void kernel_broken(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "kernel: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    abort();
}

/* ---- Allocation ---- */

bool kernel_fails(void)
{
    return ++kernel.allocations == kernel.fail_at;
}

static void *allocate(size_t bytes)
{
    void *memory = kernel_fails() ? NULL : calloc(1, bytes);
    kernel.live += memory != NULL;
    return memory;
}

void *kzalloc(size_t bytes, gfp_t flags)
{
    kernel.unaccounted += !(flags & __GFP_ACCOUNT);
    return allocate(bytes);
}

void kfree(const void *memory)
{
    kernel.live -= memory != NULL;
    free((void *)(uintptr_t)memory);
}

/* ---- Sleep, locks ---- */

void mutex_lock(struct mutex *m)
{
    if (m->held) {
        kernel_broken("a mutex is locked twice");
    }
    m->held = true;
}

void mutex_unlock(struct mutex *m)
{
    if (!m->held) {
        kernel_broken("a mutex is unlocked that is not locked");
    }
    m->held = false;
}

int down_trylock(struct semaphore *s)
{
    return s->count == 0 ? 1 : (s->count--, 0);
}

void down(struct semaphore *s)
{
    if (s->count-- == 0) {
        kernel_broken("a wait for what does not come");
    }
}

void kernel_sleep(void)
{
    void (*sleeping)(void) = kernel.sleeping;
    kernel.sleeping = NULL;
    if (sleeping) {
        sleeping();
    }
    if (!hardware.stuck && !kernel.signal) {
        hardware_end();
    }
}

ktime_t ktime_get(void)
{
    static ktime_t now;
    return now += 10;
}

void kernel_run_work(void)
{
    struct delayed_work *work = kernel.work;
    kernel.work = NULL;
    if (work) {
        work->function(&work->work);
    }
}

/* ---- Arrays, numbers ---- */

int xa_alloc(struct xarray *x, u32 *id, void *entry, struct xa_limit limit, gfp_t flags)
{
    kernel.unaccounted += !(x->flags & XA_FLAGS_ACCOUNT);
    (void)flags;
    if (!x->slots && !(x->slots = allocate(XA_MAX * sizeof *x->slots))) {
        return -ENOMEM;
    }
    for (*id = limit.first; *id <= limit.last; ++*id) {
        if (!x->slots[*id]) {
            x->slots[*id] = entry;
            x->used++;
            return 0;
        }
    }
    return -EBUSY;
}

void *xa_load(struct xarray *x, unsigned long id)
{
    return x->slots && id < XA_MAX ? x->slots[id] : NULL;
}

void *xa_erase(struct xarray *x, unsigned long id)
{
    void *entry = xa_load(x, id);
    if (entry) {
        x->slots[id] = NULL;
        if (--x->used == 0) {
            xa_destroy(x);
        }
    }
    return entry;
}

void xa_destroy(struct xarray *x)
{
    kfree(x->slots);
    x->slots = NULL;
}

int ida_alloc(struct ida *ida, gfp_t flags)
{
    (void)flags;
    if (kernel_fails()) {
        return -ENOMEM;
    }
    kernel.live++;
    return ida->used++;
}

void ida_free(struct ida *ida, int id)
{
    if (id != --ida->used) {
        kernel_broken("the number %d is freed", id);
    }
    kernel.live--;
}

/* ---- Messages ---- */

static void say(const char *format, va_list arguments)
{
    vsnprintf(kernel.message, sizeof kernel.message, format, arguments);
}

void kernel_say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

int dev_err_probe(struct device *dev, int error, const char *format, ...)
{
    va_list arguments;
    (void)dev;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    return error;
}

/* ---- What goes with a device ---- */

struct devm_action {
    struct devm_action *before;
    void (*action)(void *);
    void *data;
};

int devm_add_action_or_reset(struct device *dev, void (*action)(void *), void *data)
{
    struct devm_action *a = allocate(sizeof *a);
    if (!a) {
        action(data);
        return -ENOMEM;
    }
    *a = (struct devm_action){dev->actions, action, data};
    dev->actions = a;
    return 0;
}

static void free_memory(void *memory)
{
    kfree(memory);
}

void *devm_kzalloc(struct device *dev, size_t bytes, gfp_t flags)
{
    void *memory = allocate(bytes);
    (void)flags;
    return memory && devm_add_action_or_reset(dev, free_memory, memory) == 0 ? memory : NULL;
}

void kernel_remove(struct platform_device *platform)
{
    while (platform->dev.actions) {
        struct devm_action *a = platform->dev.actions;
        platform->dev.actions = a->before;
        a->action(a->data);
        kfree(a);
    }
}

/* ---- Clock, registers, interrupt ---- */

struct clk *devm_clk_get_optional(struct device *dev, const char *name)
{
    static struct clk clock;
    (void)dev;
    (void)name;
    return kernel_fails() ? ERR_PTR(-ENOMEM) : &clock;
}

int clk_prepare_enable(struct clk *clock)
{
    (void)clock;
    if (kernel.clock_on) {
        kernel_broken("the clock is started twice");
    }
    if (kernel_fails()) {
        return -ENOMEM;
    }
    kernel.clock_on = true;
    return 0;
}

void clk_disable_unprepare(struct clk *clock)
{
    (void)clock;
    if (!kernel.clock_on) {
        kernel_broken("the clock is stopped twice");
    }
    kernel.clock_on = false;
}

void *devm_platform_get_and_ioremap_resource(struct platform_device *p, unsigned index, struct resource **resource)
{
    static struct resource registers = {0xa0000000, 0xa000ffff};
    (void)p;
    (void)index;
    *resource = &registers;
    return kernel_fails() ? ERR_PTR(-ENOMEM) : hardware.registers;
}

int platform_get_irq(struct platform_device *p, unsigned index)
{
    (void)p;
    (void)index;
    return kernel_fails() ? -ENXIO : 7;
}

static irqreturn_t (*handler)(int, void *);
static void *handler_data;

static void free_irq(void *data)
{
    (void)data;
    if (!kernel.interrupt_taken) {
        kernel_broken("the interrupt is given back that was not taken");
    }
    kernel.interrupt_taken = kernel.interrupt_enabled = false;
}

int devm_request_irq(struct device *dev, int irq, irqreturn_t (*function)(int, void *), unsigned long flags,
                     const char *name, void *data)
{
    (void)irq;
    (void)flags;
    (void)name;
    if (kernel_fails()) {
        return -ENOMEM;
    }
    kernel.interrupt_taken = kernel.interrupt_enabled = true;
    handler = function;
    handler_data = data;
    return devm_add_action_or_reset(dev, free_irq, NULL);
}

void disable_irq(int irq)
{
    (void)irq;
    if (!kernel.interrupt_enabled) {
        kernel_broken("the interrupt is disabled twice");
    }
    kernel.interrupt_enabled = false;
}

void enable_irq(int irq)
{
    (void)irq;
    if (kernel.interrupt_enabled) {
        kernel_broken("the interrupt is enabled twice");
    }
    kernel.interrupt_enabled = true;
}

void kernel_interrupt(void)
{
    if (kernel.interrupt_enabled) {
        handler(7, handler_data);
    }
}

/* ---- Device tree ---- */

static struct reserved_mem pool = {64 * PAGE_SIZE};

struct device_node *of_parse_phandle(struct device_node *node, const char *name, int index)
{
    (void)name;
    (void)index;
    kernel.node_references += node != NULL;
    return node; /* the accelerator's node is that of its pool too */
}

void of_node_put(struct device_node *node)
{
    kernel.node_references -= node != NULL;
}

bool of_property_read_bool(struct device_node *node, const char *name)
{
    return strcmp(name, "no-map") == 0 ? node->no_map : node->reusable;
}

bool of_device_is_compatible(struct device_node *node, const char *compatible)
{
    return strcmp(node->compatible, compatible) == 0;
}

bool of_dma_is_coherent(struct device_node *node)
{
    return node && node->coherent;
}

struct reserved_mem *of_reserved_mem_lookup(struct device_node *node)
{
    return node->reserved ? &pool : NULL;
}

int of_reserved_mem_device_init(struct device *dev)
{
    (void)dev;
    if (kernel_fails()) {
        return -ENOMEM;
    }
    kernel.live++;
    return 0;
}

void of_reserved_mem_device_release(struct device *dev)
{
    (void)dev;
    kernel.live--;
}

/* ---- Files ---- */

static struct miscdevice *nodes[4];

int misc_register(struct miscdevice *m)
{
    if (kernel_fails()) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
        if (!nodes[i]) {
            nodes[i] = m;
            kernel.live++;
            return 0;
        }
    }
    return -EBUSY;
}

void misc_deregister(struct miscdevice *m)
{
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
        if (nodes[i] == m) {
            nodes[i] = NULL;
            kernel.live--;
            return;
        }
    }
    kernel_broken("the node %s is not there", m->name);
}

struct miscdevice *kernel_node(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
        if (nodes[i] && strcmp(nodes[i]->name, name) == 0) {
            return nodes[i];
        }
    }
    return NULL;
}

int io_remap_pfn_range(struct vm_area_struct *vma, unsigned long at, unsigned long pfn, unsigned long bytes, pgprot_t p)
{
    (void)at;
    (void)bytes;
    (void)p;
    if (pfn != 0xa0000000 >> PAGE_SHIFT) {
        kernel_broken("a mapping of other registers");
    }
    vma->backing = (uint8_t *)hardware.registers;
    return kernel_fails() ? -ENOMEM : 0;
}

long compat_ptr_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
    (void)file;
    (void)command;
    (void)argument;
    return -ENOTTY;
}
