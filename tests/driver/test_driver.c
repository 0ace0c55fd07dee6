/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel module of driver/, compiled for this process (kernel.h): whose data a buffer shows, which way it is handed
 * over, what is refused, and that nothing is left behind when any allocation fails, across suspension, at shutdown. */
#define _DEFAULT_SOURCE
#define BDNN_TESTS_DRIVER_DOUBLE
#include "bdnn_device.h"
#include "bdnn_hw.h"
#include "hardware.h"
#include "job.h"
#include "kernel.h"
#include "memory.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- A machine, and processes that have the device ---- */

static struct device_node node;
static struct platform_device platform;

/* With nothing wrong: a pool that the kernel has mapped. */
static int set_up(void **state)
{
    (void)state;
    memory_reset(0x5e);
    memory_settings = (struct memory_settings){.weather = MEMORY_CALM};
    kernel = (struct kernel){.fail_at = 0};
    hardware = (struct hardware){.running = false};
    hardware_power_up();
    node = (struct device_node){.compatible = "shared-dma-pool", .reusable = true, .reserved = true};
    platform = (struct platform_device){.dev = {.of_node = &node}};
    *kernel_parameter_max_buffers = 1024;
    *kernel_parameter_max_mib = 0;
    return 0;
}

static void expect_nothing_left(void)
{
    assert_int_equal(kernel.live, 0);
    assert_int_equal(kernel.node_references, 0);
    assert_int_equal(kernel.unaccounted, 0);
    assert_int_equal(memory_counted.allocations, 0);
    assert_int_equal(memory_counted.bytes, 0);
    assert_false(kernel.clock_on);
    assert_false(kernel.interrupt_taken);
}

static int probe(void)
{
    const int ret = kernel_driver->probe(&platform);
    if (ret != 0) {
        kernel_remove(&platform); /* as the kernel does then */
    }
    return ret;
}

static void probe_well(void)
{
    if (probe() != 0) {
        fail_msg("%s", kernel.message);
    }
}

static void remove_and_look(void)
{
    kernel_remove(&platform);
    expect_nothing_left();
}

struct process {
    const struct file_operations *calls;
    struct file file;
    struct address_space space;
};

static int open_node(struct process *p, const char *name)
{
    struct miscdevice *device = kernel_node(name);
    assert_non_null(device);
    *p = (struct process){.calls = device->fops};
    p->file.private_data = device;
    p->file.f_mapping = &p->space;
    return p->calls->open(&p->file.inode, &p->file);
}

static void close_node(struct process *p)
{
    assert_int_equal(p->calls->release(&p->file.inode, &p->file), 0);
}

static long call(struct process *p, unsigned request, void *argument)
{
    return p->calls->unlocked_ioctl(&p->file, request, (unsigned long)(uintptr_t)argument);
}

static struct bdnn_ioc_state state_of(struct process *p)
{
    struct bdnn_ioc_state state;
    assert_int_equal(call(p, BDNN_IOC_INFO, &state), 0);
    return state;
}

static long allocate(struct process *p, size_t bytes, uint32_t flags, struct bdnn_ioc_buffer *buffer)
{
    *buffer = (struct bdnn_ioc_buffer){.bytes = bytes, .flags = flags};
    return call(p, BDNN_IOC_ALLOCATE, buffer);
}

static long sync(struct process *p, const struct bdnn_ioc_buffer *buffer, uint32_t direction, size_t offset,
                 size_t bytes)
{
    struct bdnn_ioc_sync request = {.handle = buffer->handle, .direction = direction, .offset = offset, .bytes = bytes};
    return call(p, BDNN_IOC_SYNC, &request);
}

static int map(struct process *p, const struct bdnn_ioc_buffer *buffer, size_t bytes, struct vm_area_struct *vma)
{
    *vma = (struct vm_area_struct){
        .vm_start = 0x10000, .vm_end = 0x10000 + bytes, .vm_pgoff = buffer->offset >> PAGE_SHIFT};
    return p->calls->mmap(&p->file, vma);
}

static void unmap(struct vm_area_struct *vma)
{
    kernel.live--;
    vma->vm_ops->close(vma);
}

/* ---- Whose data a buffer shows ---- */

enum { BYTES = 2 * 4096, STEP = 8 }; /* looked at: every eighth byte */

enum owner {
    OWNER_WROTE,       /* his data may be in the cache alone */
    OWNER_HANDED_OVER, /* and in memory */
    OWNER_GOT_RESULTS, /* in memory alone */
    OWNERS
};

enum order { DEVICE_READS, PROCESS_READS, TAKES_OVER, HANDS_OVER, TAKES_A_PART, ORDERS };

static void leave_data(enum owner owner)
{
    struct process p;
    struct bdnn_ioc_buffer buffer;
    struct vm_area_struct vma;
    assert_int_equal(open_node(&p, "bdnn0-direct"), 0);
    assert_int_equal(allocate(&p, BYTES, BDNN_BUFFER_CACHED, &buffer), 0);
    assert_int_equal(map(&p, &buffer, BYTES, &vma), 0);
    for (size_t i = 0; i < BYTES; i += STEP) {
        if (owner == OWNER_GOT_RESULTS) {
            memory_device_store(buffer.address + i, 0x5e);
        } else {
            memory_store(vma.backing + i, 0x5e);
        }
    }
    if (owner == OWNER_HANDED_OVER) {
        assert_int_equal(sync(&p, &buffer, BDNN_SYNC_TO_DEVICE, 0, BYTES), 0);
    }
    unmap(&vma);
    close_node(&p);
}

static size_t secrets_seen_by_device(const struct bdnn_ioc_buffer *buffer)
{
    size_t seen = 0;
    for (size_t i = 0; i < BYTES; i++) {
        seen += memory_device_load(buffer->address + i) != 0;
    }
    return seen;
}

static size_t secrets_seen_by_process(const struct vm_area_struct *vma)
{
    size_t seen = 0;
    for (size_t i = 0; i < BYTES; i++) {
        seen += memory_load(vma->backing + i) != 0;
    }
    return seen;
}

static size_t look(struct process *p, const struct bdnn_ioc_buffer *buffer, const struct vm_area_struct *vma,
                   enum order order)
{
    size_t seen;
    switch (order) {
    case DEVICE_READS:
        return secrets_seen_by_device(buffer);
    case PROCESS_READS:
        return secrets_seen_by_process(vma) + secrets_seen_by_device(buffer);
    case TAKES_OVER:
        assert_int_equal(sync(p, buffer, BDNN_SYNC_FROM_DEVICE, 0, BYTES), 0);
        return secrets_seen_by_process(vma);
    case HANDS_OVER:
        assert_int_equal(sync(p, buffer, BDNN_SYNC_TO_DEVICE, 0, BYTES), 0);
        return secrets_seen_by_device(buffer) + secrets_seen_by_process(vma);
    default:
        assert_int_equal(sync(p, buffer, BDNN_SYNC_FROM_DEVICE, 100, 5000), 0);
        seen = secrets_seen_by_process(vma);
        assert_int_equal(sync(p, buffer, BDNN_SYNC_FROM_DEVICE, 0, BYTES), 0);
        return seen + secrets_seen_by_process(vma) + secrets_seen_by_device(buffer);
    }
}

static void test_former_owners_data_is_never_seen(void **state)
{
    (void)state;
    for (unsigned c = 0; c < MEMORY_WEATHERS * 2 * OWNERS * 2 * ORDERS; c++) {
        const enum order order = c % ORDERS;
        const enum owner owner = c / ORDERS % OWNERS;
        const uint32_t flags = c / ORDERS / OWNERS % 2 ? BDNN_BUFFER_CACHED : 0;
        struct process p;
        struct bdnn_ioc_buffer buffer;
        struct vm_area_struct vma;
        set_up(NULL);
        memory_settings.clears = c / ORDERS / OWNERS / 2 % 2;
        memory_settings.weather = c / ORDERS / OWNERS / 2 / 2;
        probe_well();
        leave_data(owner);
        assert_int_equal(open_node(&p, "bdnn0-direct"), 0);
        assert_int_equal(allocate(&p, BYTES, flags, &buffer), 0);
        assert_int_equal(map(&p, &buffer, BYTES, &vma), 0);
        const size_t seen = look(&p, &buffer, &vma, order);
        if (seen) {
            fail_msg("%zu bytes of a former owner (%d) are seen: flags %u, order %d, weather %d, cleared by the "
                     "allocator: %d",
                     seen, owner, flags, order, memory_settings.weather, memory_settings.clears);
        }
        unmap(&vma);
        close_node(&p);
        remove_and_look();
    }
}

/* ---- Handing over ---- */

static void test_both_directions(void **state)
{
    struct process p;
    struct bdnn_ioc_buffer buffer;
    struct vm_area_struct vma;
    (void)state;
    for (enum memory_weather weather = MEMORY_CALM; weather < MEMORY_WEATHERS; weather++) {
        set_up(NULL);
        memory_settings.weather = weather;
        probe_well();
        assert_int_equal(open_node(&p, "bdnn0-direct"), 0);
        assert_int_equal(allocate(&p, BYTES, BDNN_BUFFER_CACHED, &buffer), 0);
        assert_int_equal(buffer.flags, BDNN_BUFFER_CACHED);
        assert_int_equal(map(&p, &buffer, BYTES, &vma), 0);
        for (size_t i = 0; i < BYTES; i++) {
            memory_store(vma.backing + i, (uint8_t)(i * 7));
        }
        assert_int_equal(sync(&p, &buffer, BDNN_SYNC_TO_DEVICE, 0, BYTES), 0);
        for (size_t i = 0; i < BYTES; i++) {
            assert_int_equal(memory_device_load(buffer.address + i), (uint8_t)(i * 7));
            memory_device_store(buffer.address + i, (uint8_t)(i * 11));
        }
        assert_int_equal(sync(&p, &buffer, BDNN_SYNC_FROM_DEVICE, 1000, 3000), 0);
        for (size_t i = 1000; i < 4000; i++) {
            assert_int_equal(memory_load(vma.backing + i), (uint8_t)(i * 11));
        }
        assert_int_equal(memory_counted.to_device, 2); /* the module's own, and this one */
        assert_int_equal(memory_counted.from_device, 1);
        unmap(&vma);
        close_node(&p);
        remove_and_look();
    }
}

static void test_sync_of_what_is_not_there(void **state)
{
    struct process p;
    struct bdnn_ioc_buffer buffer, plain, none = {.handle = 9};
    (void)state;
    probe_well();
    assert_int_equal(open_node(&p, "bdnn0"), 0);
    assert_int_equal(allocate(&p, BYTES, BDNN_BUFFER_CACHED, &buffer), 0);
    assert_int_equal(allocate(&p, BYTES, 0, &plain), 0);
    const unsigned before = memory_counted.to_device;
    assert_int_equal(sync(&p, &none, BDNN_SYNC_TO_DEVICE, 0, 8), -ENOENT);
    assert_int_equal(sync(&p, &buffer, 3, 0, 8), -EINVAL);
    assert_int_equal(sync(&p, &buffer, BDNN_SYNC_TO_DEVICE, 0, BYTES + 1), -EINVAL);
    assert_int_equal(sync(&p, &buffer, BDNN_SYNC_TO_DEVICE, BYTES + 1, 0), -EINVAL);
    assert_int_equal(sync(&p, &buffer, BDNN_SYNC_TO_DEVICE, 8, SIZE_MAX), -EINVAL);
    assert_int_equal(sync(&p, &buffer, BDNN_SYNC_TO_DEVICE, BYTES, 0), 0);
    assert_int_equal(sync(&p, &plain, BDNN_SYNC_TO_DEVICE, 0, BYTES), 0);
    assert_int_equal(memory_counted.to_device, before);
    close_node(&p);
    remove_and_look();
}

/* ---- Limits, addresses ---- */

static void test_limits(void **state)
{
    struct process p;
    struct bdnn_ioc_buffer buffer;
    struct vm_area_struct vma;
    uint32_t handle = 1;
    (void)state;
    probe_well();
    *kernel_parameter_max_buffers = 3;
    assert_int_equal(open_node(&p, "bdnn0"), 0);
    assert_int_equal(state_of(&p).pool_bytes, MEMORY_BYTES);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(allocate(&p, 4096, i % 2, &buffer), 0);
    }
    assert_int_equal(allocate(&p, 4096, 0, &buffer), -EMFILE);
    /* What is mapped counts, though it has no handle any more. */
    buffer.offset = PAGE_SIZE;
    assert_int_equal(map(&p, &buffer, 4096, &vma), 0);
    assert_int_equal(call(&p, BDNN_IOC_FREE, &handle), 0);
    assert_int_equal(allocate(&p, 4096, 0, &buffer), -EMFILE);
    unmap(&vma);
    assert_int_equal(allocate(&p, 4096, 0, &buffer), 0);
    close_node(&p);
    *kernel_parameter_max_buffers = 1000000;
    assert_int_equal(open_node(&p, "bdnn0"), 0);
    assert_int_equal(allocate(&p, MEMORY_BYTES, 0, &buffer), 0);
    assert_int_equal(allocate(&p, 1, 0, &buffer), -ENOSPC);
    assert_int_equal(allocate(&p, 0, 0, &buffer), -EINVAL);
    assert_int_equal(allocate(&p, 1, 2, &buffer), -EINVAL);
    assert_int_equal(allocate(&p, SIZE_MAX, 0, &buffer), -ENOSPC);
    close_node(&p);
    remove_and_look();
}

/* Without a pool there is no limit but the parameter; more than a pool has, it does not give. */
static void test_limit_of_bytes(void **state)
{
    struct process p;
    struct bdnn_ioc_buffer buffer;
    (void)state;
    *kernel_parameter_max_mib = 1;
    probe_well();
    assert_int_equal(open_node(&p, "bdnn0"), 0);
    assert_int_equal(state_of(&p).pool_bytes, MEMORY_BYTES);
    close_node(&p);
    remove_and_look();
    platform.dev.of_node = NULL;
    probe_well();
    assert_int_equal(open_node(&p, "bdnn0"), 0);
    assert_int_equal(state_of(&p).pool_bytes, 1 << 20);
    assert_int_equal(allocate(&p, (1 << 20) + 1, 0, &buffer), -ENOSPC);
    *kernel_parameter_max_mib = 0;
    assert_int_equal(state_of(&p).pool_bytes, 0);
    assert_int_equal(allocate(&p, MEMORY_BYTES + 1, 0, &buffer), -ENOMEM);
    assert_int_equal(state_of(&p).pool_used, 0);
    close_node(&p);
    remove_and_look();
}

static void test_addresses_are_for_the_direct_node(void **state)
{
    struct process p;
    struct bdnn_ioc_buffer buffer;
    (void)state;
    probe_well();
    for (uint32_t flags = 0; flags <= BDNN_BUFFER_CACHED; flags++) {
        assert_int_equal(open_node(&p, "bdnn0"), 0);
        assert_int_equal(allocate(&p, 4096, flags, &buffer), 0);
        assert_int_equal(buffer.address, 0);
        assert_int_equal(open_node(&(struct process){.calls = NULL}, "bdnn0-direct"), -EBUSY);
        close_node(&p);
        assert_int_equal(open_node(&p, "bdnn0-direct"), 0);
        assert_int_equal(allocate(&p, 4096, flags, &buffer), 0);
        assert_true(buffer.address != 0);
        close_node(&p);
    }
    remove_and_look();
}

/* ---- Pools ---- */

static void test_pool_without_a_mapping(void **state)
{
    struct process p;
    struct bdnn_ioc_buffer buffer;
    (void)state;
    node.reusable = false;
    node.no_map = memory_settings.no_map = true;
    probe_well();
    assert_int_equal(open_node(&p, "bdnn0"), 0);
    assert_int_equal(allocate(&p, 4096, BDNN_BUFFER_CACHED, &buffer), 0);
    assert_int_equal(buffer.flags, 0);
    assert_int_equal(sync(&p, &buffer, BDNN_SYNC_FROM_DEVICE, 0, 4096), 0);
    assert_int_equal(memory_counted.to_device + memory_counted.from_device, 0);
    close_node(&p);
    remove_and_look();
}

static void test_pools_that_are_refused(void **state)
{
    static const struct {
        struct device_node node;
        const char *message;
    } cases[] = {{{.compatible = "shared-dma-pool", .reusable = true}, "was not reserved at boot"},
                 {{.compatible = "shared-dma-pool", .reserved = true}, "is no shared-dma-pool, reusable or no-map"},
                 {{.compatible = "ramoops", .reserved = true, .no_map = true}, "is no shared-dma-pool"},
                 {{.compatible = "shared-dma-pool", .reserved = true, .no_map = true, .coherent = true},
                  "no-map, which dma-coherent rules out"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        node = cases[i].node;
        assert_int_equal(probe(), -EINVAL);
        assert_non_null(strstr(kernel.message, cases[i].message));
        expect_nothing_left();
    }
}

/* ---- Runs ---- */

/* Its buffers, and a launch of the smallest job in them. */
static void make_job(struct process *p, struct bdnn_ioc_launch *launch)
{
    size_t bytes[BDNN_HW_POINTERS];
    *launch = (struct bdnn_ioc_launch){.reserved = {0}};
    job_make(hardware.registers[BDNN_HW_REG_ARRAY / 4], hardware.registers[BDNN_HW_REG_WORD / 4],
             hardware.registers[BDNN_HW_REG_BUFFERS / 4], launch->arguments, bytes);
    for (int i = 0; i < BDNN_HW_POINTERS; i++) {
        struct bdnn_ioc_buffer buffer;
        assert_int_equal(allocate(p, bytes[i], BDNN_BUFFER_CACHED, &buffer), 0);
        launch->handle[i] = buffer.handle;
    }
}

static long launch_job(struct process *p, const struct bdnn_ioc_launch *launch)
{
    struct bdnn_ioc_launch copy = *launch;
    return call(p, BDNN_IOC_LAUNCH, &copy);
}

static struct process somebody;
static struct bdnn_ioc_launch job;

static void open_with_job(const char *name)
{
    probe_well();
    assert_int_equal(open_node(&somebody, name), 0);
    make_job(&somebody, &job);
}

static void expect_wait(long result, unsigned cycles)
{
    struct bdnn_ioc_wait wait = {.timeout_ms = 1};
    assert_int_equal(call(&somebody, BDNN_IOC_WAIT, &wait), result);
    if (result == 0) {
        assert_int_equal(wait.counters[0], cycles);
    }
}

static void test_runs(void **state)
{
    uint32_t count;
    loff_t position = 0;
    (void)state;
    open_with_job("bdnn0");
    expect_wait(-ENODATA, 0);
    assert_int_equal(launch_job(&somebody, &job), 0);
    assert_int_equal(launch_job(&somebody, &job), -EBUSY);
    expect_wait(0, 1);
    expect_wait(0, 1); /* a second thread's, which comes late */
    assert_int_equal(somebody.calls->read(&somebody.file, (char *)&count, sizeof count, &position), sizeof count);
    assert_int_equal(count, 1);
    somebody.file.f_flags = O_NONBLOCK;
    assert_int_equal(somebody.calls->read(&somebody.file, (char *)&count, sizeof count, &position), -EAGAIN);
    hardware.stuck = true;
    assert_int_equal(launch_job(&somebody, &job), 0);
    expect_wait(-ETIME, 0);
    kernel.signal = true;
    expect_wait(-EINTR, 0);
    kernel.signal = false;
    assert_int_equal(call(&somebody, BDNN_IOC_FREE, &job.handle[0]), -EBUSY);
    assert_int_equal(call(&somebody, BDNN_IOC_RESET, NULL), 0);
    struct bdnn_ioc_wait wait = {.timeout_ms = 1};
    assert_int_equal(call(&somebody, BDNN_IOC_WAIT, &wait), 0);
    assert_int_equal(wait.ending, 4);
    close_node(&somebody);
    remove_and_look();
}

/* While one thread sleeps, another one sees the end, and launches again; or twice. */
static void launch_again(void)
{
    hardware_end();
    assert_int_equal(launch_job(&somebody, &job), 0);
    hardware.stuck = true; /* which does not end when time passes */
}

static void launch_twice(void)
{
    launch_again();
    hardware_end();
    launch_again();
}

static void test_two_waiters(void **state)
{
    (void)state;
    open_with_job("bdnn0");
    assert_int_equal(launch_job(&somebody, &job), 0);
    kernel.sleeping = launch_again;
    expect_wait(0, 1); /* of the run that it waited for */
    hardware.stuck = false;
    expect_wait(0, 2);
    assert_int_equal(launch_job(&somebody, &job), 0);
    kernel.sleeping = launch_twice;
    expect_wait(-ENODATA, 0); /* too late */
    hardware.stuck = false;
    expect_wait(0, 5);
    close_node(&somebody);
    remove_and_look();
}

/* Buffers that the accelerator may still write are nobody's until it is idle. */
static void test_orphans(void **state)
{
    struct process other;
    (void)state;
    open_with_job("bdnn0");
    hardware.stuck = hardware.deaf = true;
    assert_int_equal(launch_job(&somebody, &job), 0);
    close_node(&somebody);
    assert_int_equal(memory_counted.allocations, BDNN_HW_POINTERS);
    assert_int_equal(open_node(&other, "bdnn0"), -EIO);
    kernel_run_work();
    assert_int_equal(memory_counted.allocations, BDNN_HW_POINTERS);
    hardware_end();
    assert_int_equal(open_node(&other, "bdnn0"), -EIO);
    kernel_run_work();
    assert_int_equal(memory_counted.allocations, 0);
    assert_int_equal(open_node(&other, "bdnn0"), 0);
    close_node(&other);
    remove_and_look();
}

/* ---- Suspension, shutdown ---- */

static int suspend(void)
{
    return kernel_driver->driver.pm->suspend(&platform.dev);
}

static int resume(void)
{
    return kernel_driver->driver.pm->resume(&platform.dev);
}

/* The logic has lost its registers, and nothing that a process sees has changed. */
static void test_suspend(void **state)
{
    uint32_t arguments[BDNN_HW_ARGUMENT_WORDS];
    (void)state;
    open_with_job("bdnn0-direct");
    assert_int_equal(launch_job(&somebody, &job), 0);
    memcpy(arguments, &hardware.registers[BDNN_HW_REG_ARGUMENTS / 4], sizeof arguments);
    assert_int_equal(suspend(), 0); /* waits for the run */
    assert_false(hardware.running);
    assert_false(kernel.clock_on);
    assert_false(kernel.interrupt_enabled);
    hardware_power_up();
    assert_int_equal(resume(), 0);
    expect_wait(0, 1);
    assert_memory_equal(&hardware.registers[BDNN_HW_REG_ARGUMENTS / 4], arguments, sizeof arguments);
    assert_int_equal(state_of(&somebody).interrupts, 1);
    assert_int_equal(launch_job(&somebody, &job), 0);
    expect_wait(0, 2);
    assert_int_equal(state_of(&somebody).interrupts, 2);
    close_node(&somebody);
    assert_int_equal(suspend(), 0);
    assert_int_equal(resume(), 0);
    assert_int_equal(hardware.registers[BDNN_HW_REG_GLOBAL_INTERRUPT / 4], 0);
    remove_and_look();
}

static void test_suspend_refused(void **state)
{
    (void)state;
    open_with_job("bdnn0");
    hardware.stuck = true;
    assert_int_equal(launch_job(&somebody, &job), 0);
    assert_int_equal(suspend(), -EBUSY);
    assert_true(kernel.interrupt_enabled && kernel.clock_on);
    hardware.stuck = false;
    expect_wait(0, 1);
    assert_int_equal(state_of(&somebody).interrupts, 1);
    close_node(&somebody);
    remove_and_look();
}

static void test_resume_without_the_accelerator(void **state)
{
    struct process other;
    (void)state;
    for (int clock = 0; clock < 2; clock++) {
        const int error = clock ? -ENOMEM : -ENODEV;
        set_up(NULL);
        open_with_job("bdnn0-direct");
        assert_int_equal(suspend(), 0);
        hardware.registers[BDNN_HW_REG_IDENTITY / 4] = 0;
        kernel.fail_at = clock ? kernel.allocations + 1 : 0;
        assert_int_equal(resume(), error);
        assert_true(kernel.zapped_bytes >= BDNN_HW_REGISTER_SPAN);
        assert_int_equal(kernel.clock_on, !clock);
        assert_false(kernel.interrupt_enabled);
        assert_int_equal(launch_job(&somebody, &job), error);
        close_node(&somebody);
        assert_int_equal(open_node(&other, "bdnn0"), error);
        remove_and_look();
    }
}

static void test_shutdown(void **state)
{
    struct vm_area_struct registers = {.vm_start = 0x10000, .vm_end = 0x11000};
    (void)state;
    open_with_job("bdnn0-direct");
    assert_int_equal(somebody.calls->mmap(&somebody.file, &registers), 0);
    hardware.stuck = true;
    assert_int_equal(launch_job(&somebody, &job), 0);
    kernel_driver->shutdown(&platform);
    assert_false(hardware.running);
    assert_int_equal(hardware.cancels, 1);
    assert_int_equal(hardware.registers[BDNN_HW_REG_GLOBAL_INTERRUPT / 4], 0);
    assert_true(kernel.zapped_bytes >= BDNN_HW_REGISTER_SPAN);
    assert_int_equal(launch_job(&somebody, &job), -ESHUTDOWN);
    assert_int_equal(somebody.calls->mmap(&somebody.file, &registers), -ESHUTDOWN);
    assert_int_equal(hardware.runs, 1);
    close_node(&somebody);
    assert_int_equal(open_node(&somebody, "bdnn0"), -ESHUTDOWN);
    remove_and_look();
}

/* ---- Allocations that fail ---- */

static bool tolerable(long result)
{
    return result == 0 || result == -ENOMEM;
}

/* All that a process does; each step works, or fails for want of memory. */
static bool use_node(const char *name)
{
    struct process p;
    struct bdnn_ioc_buffer buffers[BDNN_HW_POINTERS];
    struct bdnn_ioc_launch launch = {.reserved = {0}};
    struct bdnn_ioc_wait wait = {.timeout_ms = 1};
    struct vm_area_struct vma;
    size_t bytes[BDNN_HW_POINTERS];
    bool good = tolerable(open_node(&p, name));
    if (!p.file.private_data || p.file.private_data == kernel_node(name)) {
        return good; /* not opened */
    }
    job_make(hardware.registers[BDNN_HW_REG_ARRAY / 4], hardware.registers[BDNN_HW_REG_WORD / 4],
             hardware.registers[BDNN_HW_REG_BUFFERS / 4], launch.arguments, bytes);
    bool all = true;
    for (uint32_t i = 0; i < BDNN_HW_POINTERS; i++) {
        const long result = allocate(&p, bytes[i], i % 2, &buffers[i]);
        all = all && result == 0;
        launch.handle[i] = buffers[i].handle;
        good = good && tolerable(result);
    }
    if (all) {
        const int mapped = map(&p, &buffers[1], 4096, &vma);
        good = good && tolerable(mapped);
        good = good && launch_job(&p, &launch) == 0 && call(&p, BDNN_IOC_WAIT, &wait) == 0;
        good = good && call(&p, BDNN_IOC_FREE, &buffers[1].handle) == 0;
        if (mapped == 0) {
            unmap(&vma);
        }
    }
    good = good && (state_of(&p).pool_used == 0) == (memory_counted.allocations == 0);
    close_node(&p);
    return good;
}

static void test_every_allocation_fails_once(void **state)
{
    unsigned long n = 0;
    (void)state;
    do {
        set_up(NULL);
        kernel.fail_at = ++n;
        const int ret = probe();
        if (ret == 0) {
            assert_true(use_node("bdnn0"));
            assert_int_equal(memory_counted.allocations, 0);
            assert_true(use_node("bdnn0-direct"));
            kernel_remove(&platform);
        } else {
            assert_true(ret == -ENOMEM || ret == -ENXIO);
        }
        expect_nothing_left();
    } while (kernel.allocations >= n);
    assert_true(n > 30); /* probing, and both nodes */
}

/* Pointers that a process may not use */
static void test_bad_pointers(void **state)
{
    struct process p;
    (void)state;
    probe_well();
    assert_int_equal(open_node(&p, "bdnn0"), 0);
    assert_int_equal(call(&p, BDNN_IOC_INFO, NULL), -EFAULT);
    assert_int_equal(call(&p, BDNN_IOC_ALLOCATE, NULL), -EFAULT);
    assert_int_equal(call(&p, BDNN_IOC_LAUNCH, NULL), -EFAULT);
    assert_int_equal(call(&p, _IOWR('b', 0x61, char[4096]), NULL), -ENOTTY);
    assert_int_equal(call(&p, _IO('c', 0x60), NULL), -ENOTTY);
    close_node(&p);
    remove_and_look();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_former_owners_data_is_never_seen, set_up),
        cmocka_unit_test_setup(test_both_directions, set_up),
        cmocka_unit_test_setup(test_sync_of_what_is_not_there, set_up),
        cmocka_unit_test_setup(test_limits, set_up),
        cmocka_unit_test_setup(test_limit_of_bytes, set_up),
        cmocka_unit_test_setup(test_addresses_are_for_the_direct_node, set_up),
        cmocka_unit_test_setup(test_pool_without_a_mapping, set_up),
        cmocka_unit_test_setup(test_pools_that_are_refused, set_up),
        cmocka_unit_test_setup(test_runs, set_up),
        cmocka_unit_test_setup(test_two_waiters, set_up),
        cmocka_unit_test_setup(test_orphans, set_up),
        cmocka_unit_test_setup(test_suspend, set_up),
        cmocka_unit_test_setup(test_suspend_refused, set_up),
        cmocka_unit_test_setup(test_resume_without_the_accelerator, set_up),
        cmocka_unit_test_setup(test_shutdown, set_up),
        cmocka_unit_test_setup(test_every_allocation_fails_once, set_up),
        cmocka_unit_test_setup(test_bad_pointers, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
