/* SPDX-License-Identifier: BSD-2-Clause */
/* What the module of driver/ needs of Linux, for a process of the test's own: its sources are compiled against this
 * header, which CMake puts in the place of each <linux/...> that they name. Functions are those of the kernel's, with
 * what matters here of their behavior: allocations can fail and are counted, what the kernel would warn of ends the
 * process. One thread: whoever sleeps lets time pass (kernel_sleep), and whoever locks twice is found. */
#ifndef BDNN_TESTS_DRIVER_KERNEL_H
#define BDNN_TESTS_DRIVER_KERNEL_H

#include <errno.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

typedef __u32 u32;
typedef __u64 u64;
typedef uint64_t phys_addr_t, resource_size_t, dma_addr_t;
typedef unsigned int gfp_t, __poll_t;
typedef unsigned short umode_t;
typedef int irqreturn_t;

#define __iomem
#define __user
#define __maybe_unused                      __attribute__((unused))
#define ERESTARTSYS                         512
#define HZ                                  100
#define USEC_PER_MSEC                       1000L
#define USEC_PER_SEC                        1000000L
#define SZ_1G                               0x40000000
#define PAGE_SHIFT                          12
#define PAGE_SIZE                           4096ul
#define PAGE_ALIGN(x)                       (((x) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))
#define offset_in_page(x)                   ((x) & (PAGE_SIZE - 1))
#define ARRAY_SIZE(a)                       (sizeof(a) / sizeof *(a))
#define BUILD_BUG_ON(condition)             _Static_assert(!(condition), #condition)
#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))
#define min(a, b)                           ((a) < (b) ? (a) : (b))
#define min_t(type, a, b)                   ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define lower_32_bits(x)                    ((u32)(x))
#define upper_32_bits(x)                    ((u32)((u64)(x) >> 32))
#define READ_ONCE(x)                        (x)
#define WRITE_ONCE(x, value)                ((x) = (value))
#define DIV_ROUND_UP(a, b)                  (((a) + (b)-1) / (b))

/* ---- What the test sets and sees ---- */

struct vm_area_struct;

extern struct kernel {
    unsigned long fail_at;     /* which allocation fails, from 1 on; 0: none */
    unsigned long allocations; /* so far */
    long live;                 /* of them, not freed */
    unsigned unaccounted;      /* of a process, but not charged to it */
    int node_references;
    bool interrupt_enabled, interrupt_taken, clock_on, signal;
    unsigned long zapped_bytes; /* of mappings taken away */
    struct delayed_work *work;  /* queued */
    void (*sleeping)(void);     /* called when somebody sleeps, before time passes */
    char message[256];          /* the last one */
} kernel;

/* Ends the process: the kernel would not bear it. */
void kernel_broken(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
bool kernel_fails(void);
void kernel_sleep(void);
void kernel_run_work(void);

/* Memory of buffers is reached by the functions of memory.h alone; the module itself only clears it. */
void *kernel_memset(void *to, int value, size_t bytes);
#ifndef BDNN_TESTS_DRIVER_DOUBLE
#define memset(to, value, bytes) kernel_memset(to, value, bytes)
#endif

/* ---- Allocation ---- */

#define GFP_KERNEL         1u
#define __GFP_ACCOUNT      2u
#define GFP_KERNEL_ACCOUNT (GFP_KERNEL | __GFP_ACCOUNT)
#define __GFP_NOWARN       4u

void *kzalloc(size_t bytes, gfp_t flags);
void kfree(const void *memory);

/* ---- Counting, locks, sleep ---- */

typedef struct {
    int count;
} atomic_t;
typedef struct {
    long long count;
} atomic64_t;
#define atomic_read(a)            ((a)->count)
#define atomic_inc(a)             ((void)(a)->count++)
#define atomic_dec(a)             ((void)(a)->count--)
#define atomic_inc_return(a)      (++(a)->count)
#define atomic64_read(a)          ((u64)(a)->count)
#define atomic64_add_return(n, a) ((u64)((a)->count += (long long)(n)))
#define atomic64_sub(n, a)        ((void)((a)->count -= (long long)(n)))

struct kref {
    int count;
};
#define kref_init(k) ((void)((k)->count = 1))
#define kref_get(k)  ((void)(k)->count++)
static inline void kref_put(struct kref *k, void (*release)(struct kref *))
{
    if (--k->count == 0) {
        release(k);
    }
}

struct mutex {
    bool held;
};
#define mutex_init(m) ((void)((m)->held = false))
void mutex_lock(struct mutex *m);
void mutex_unlock(struct mutex *m);

struct semaphore {
    int count;
};
#define sema_init(s, n) ((void)((s)->count = (n)))
#define up(s)           ((void)(s)->count++)
int down_trylock(struct semaphore *s);
void down(struct semaphore *s);

typedef struct {
    int unused;
} wait_queue_head_t;
#define init_waitqueue_head(q) ((void)(q))
#define wake_up_all(q)         ((void)(q))
#define wait_event_interruptible(queue, condition)                                                                     \
    ({                                                                                                                 \
        int ret_ = 0;                                                                                                  \
        (void)&(queue);                                                                                                \
        if (!(condition)) {                                                                                            \
            kernel_sleep();                                                                                            \
            ret_ = kernel.signal || !(condition) ? -ERESTARTSYS : 0;                                                   \
        }                                                                                                              \
        ret_;                                                                                                          \
    })
/* Time is up after one sleep. */
#define wait_event_interruptible_timeout(queue, condition, timeout)                                                    \
    ({                                                                                                                 \
        long ret_ = 1;                                                                                                 \
        (void)&(queue);                                                                                                \
        (void)(timeout);                                                                                               \
        if (!(condition)) {                                                                                            \
            kernel_sleep();                                                                                            \
            ret_ = kernel.signal ? -ERESTARTSYS : (condition) ? 1 : 0;                                                 \
        }                                                                                                              \
        ret_;                                                                                                          \
    })
#define cpu_relax() ((void)0)

typedef long long ktime_t;
ktime_t ktime_get(void);
#define ktime_add_us(t, us)  ((t) + (us))
#define ktime_before(a, b)   ((a) < (b))
#define msecs_to_jiffies(ms) ((long)(ms))

struct work_struct {
    int unused;
};
struct delayed_work {
    struct work_struct work;
    void (*function)(struct work_struct *);
};
#define system_freezable_wq                 0
#define INIT_DELAYED_WORK(w, f)             ((void)((w)->function = (f)))
#define to_delayed_work(w)                  container_of(w, struct delayed_work, work)
#define queue_delayed_work(queue, w, delay) ((void)(kernel.work = (w)))
#define cancel_delayed_work_sync(w)         ((void)(kernel.work = NULL))

/* ---- Lists, arrays, numbers ---- */

struct list_head {
    struct list_head *next, *prev;
};
#define INIT_LIST_HEAD(l) ((void)((l)->next = (l)->prev = (l)))
#define list_empty(l)     ((l)->next == (l))
static inline void list_add(struct list_head *item, struct list_head *list)
{
    item->next = list->next;
    item->prev = list;
    list->next->prev = item;
    list->next = item;
}
static inline void list_del(struct list_head *item)
{
    item->next->prev = item->prev;
    item->prev->next = item->next;
}
#define list_for_each_entry_safe(item, following, list, member)                                                        \
    for (item = container_of((list)->next, __typeof__(*item), member),                                                 \
        following = container_of(item->member.next, __typeof__(*item), member);                                        \
         &item->member != (list);                                                                                      \
         item = following, following = container_of(item->member.next, __typeof__(*item), member))

struct xarray {
    void **slots;
    unsigned used, flags;
};
struct xa_limit {
    u32 first, last;
};
#define XA_FLAGS_ALLOC1     1u
#define XA_FLAGS_ACCOUNT    2u
#define XA_LIMIT(a, b)      ((struct xa_limit){a, b})
#define xa_init_flags(x, f) ((void)(*(x) = (struct xarray){NULL, 0, f}))
int xa_alloc(struct xarray *x, u32 *id, void *entry, struct xa_limit limit, gfp_t flags);
void *xa_load(struct xarray *x, unsigned long id);
void *xa_erase(struct xarray *x, unsigned long id);
void xa_destroy(struct xarray *x);
#define XA_MAX 65536ul
#define xa_for_each(x, id, entry)                                                                                      \
    for (id = 0; id < XA_MAX; id++)                                                                                    \
        if (((entry) = xa_load(x, id)) != NULL)

struct ida {
    int used;
};
#define DEFINE_IDA(name) struct ida name = {0}
int ida_alloc(struct ida *ida, gfp_t flags);
void ida_free(struct ida *ida, int id);

/* ---- Devices ---- */

struct device_node {
    const char *compatible;
    bool no_map, reusable, reserved, coherent;
};
struct device {
    struct device_node *of_node;
    void *driver_data;
    struct devm_action *actions;
};
struct resource {
    u64 start, end;
};
#define resource_size(r) ((r)->end - (r)->start + 1)
struct platform_device {
    struct device dev;
};
struct dev_pm_ops {
    int (*suspend)(struct device *), (*resume)(struct device *);
};
#define SIMPLE_DEV_PM_OPS(name, s, r) const struct dev_pm_ops name = {.suspend = (s), .resume = (r)}
struct of_device_id {
    const char *compatible;
};
struct platform_driver {
    int (*probe)(struct platform_device *);
    void (*shutdown)(struct platform_device *);
    struct {
        const char *name;
        const struct of_device_id *of_match_table;
        const struct dev_pm_ops *pm;
        bool suppress_bind_attrs;
    } driver;
};
#define module_platform_driver(d) struct platform_driver *const kernel_driver = &(d)
extern struct platform_driver *const kernel_driver;
#define module_param(name, type, mode) unsigned int *const kernel_parameter_##name = &(name)
extern unsigned int *const kernel_parameter_max_buffers, *const kernel_parameter_max_mib;
#define MODULE_PARM_DESC(name, text)     _Static_assert(sizeof(text) > 1, "")
#define MODULE_DEVICE_TABLE(kind, table) _Static_assert(sizeof(table) > 0, "")
#define MODULE_DESCRIPTION(text)         _Static_assert(sizeof(text) > 1, "")
#define MODULE_AUTHOR(text)              _Static_assert(sizeof(text) > 1, "")
#define MODULE_LICENSE(text)             _Static_assert(sizeof(text) > 1, "")
#define THIS_MODULE                      NULL

#define platform_set_drvdata(p, d) ((void)((p)->dev.driver_data = (d)))
#define platform_get_drvdata(p)    ((p)->dev.driver_data)
#define dev_get_drvdata(d)         ((d)->driver_data)
#define dev_name(d)                "accelerator"
void kernel_say(const char *format, ...);
int dev_err_probe(struct device *dev, int error, const char *format, ...);
#define dev_err(d, ...) ((void)(d), kernel_say(__VA_ARGS__))
#define dev_warn        dev_err
#define dev_info        dev_err

void *devm_kzalloc(struct device *dev, size_t bytes, gfp_t flags);
int devm_add_action_or_reset(struct device *dev, void (*action)(void *), void *data);
/* What a driver's removal does. */
void kernel_remove(struct platform_device *platform);

struct clk {
    int unused;
};
#define IS_ERR(p)  ((uintptr_t)(p) > (uintptr_t)-4096)
#define PTR_ERR(p) ((int)(intptr_t)(p))
#define ERR_PTR(e) ((void *)(intptr_t)(e))
struct clk *devm_clk_get_optional(struct device *dev, const char *name);
int clk_prepare_enable(struct clk *clock);
void clk_disable_unprepare(struct clk *clock);

void *devm_platform_get_and_ioremap_resource(struct platform_device *p, unsigned index, struct resource **resource);
int platform_get_irq(struct platform_device *p, unsigned index);
#define IRQ_NONE    0
#define IRQ_HANDLED 1
int devm_request_irq(struct device *dev, int irq, irqreturn_t (*handler)(int, void *), unsigned long flags,
                     const char *name, void *data);
void disable_irq(int irq);
void enable_irq(int irq);
/* The line is high: the handler runs, unless it is disabled. */
void kernel_interrupt(void);

struct reserved_mem {
    u64 size;
};
struct device_node *of_parse_phandle(struct device_node *node, const char *name, int index);
void of_node_put(struct device_node *node);
bool of_property_read_bool(struct device_node *node, const char *name);
bool of_device_is_compatible(struct device_node *node, const char *compatible);
bool of_dma_is_coherent(struct device_node *node);
struct reserved_mem *of_reserved_mem_lookup(struct device_node *node);
int of_reserved_mem_device_init(struct device *dev);
void of_reserved_mem_device_release(struct device *dev);

/* Registers: the hardware's (hardware.h). Reading in a loop lets time pass. */
u32 readl(const void *address);
void writel(u32 value, void *address);
#define writel_relaxed writel
#define readl_poll_timeout(address, value, condition, sleep, timeout)                                                  \
    ({                                                                                                                 \
        int looks_ = 0;                                                                                                \
        while ((value) = readl(address), !(condition) && looks_++ < 10) {                                              \
            kernel_sleep();                                                                                            \
        }                                                                                                              \
        (condition) ? 0 : -ETIMEDOUT;                                                                                  \
    })

/* ---- Files ---- */

struct address_space {
    int unused;
};
struct inode {
    int unused;
};
struct file {
    void *private_data;
    unsigned f_flags;
    struct address_space *f_mapping;
    struct inode inode;
};
typedef unsigned long pgprot_t;
struct vm_operations_struct {
    void (*open)(struct vm_area_struct *), (*close)(struct vm_area_struct *);
};
struct vm_area_struct {
    unsigned long vm_start, vm_end, vm_pgoff;
    pgprot_t vm_page_prot;
    void *vm_private_data;
    const struct vm_operations_struct *vm_ops;
    uint8_t *backing; /* the double's: where it leads to */
};
#define pgprot_noncached(p) (p)
int io_remap_pfn_range(struct vm_area_struct *vma, unsigned long at, unsigned long pfn, unsigned long bytes,
                       pgprot_t p);
#define unmap_mapping_range(mapping, first, bytes, cow) ((void)(mapping), (void)(kernel.zapped_bytes += (bytes)))
struct poll_table_struct;
#define poll_wait(file, queue, table) ((void)(file), (void)(queue), (void)(table))
#define EPOLLIN                       1u
#define EPOLLRDNORM                   0x40u
#define O_NONBLOCK                    04000
struct file_operations {
    void *owner;
    int (*open)(struct inode *, struct file *), (*release)(struct inode *, struct file *);
    long (*unlocked_ioctl)(struct file *, unsigned int, unsigned long);
    long (*compat_ioctl)(struct file *, unsigned int, unsigned long);
    int (*mmap)(struct file *, struct vm_area_struct *);
    __poll_t (*poll)(struct file *, struct poll_table_struct *);
    ssize_t (*read)(struct file *, char *, size_t, loff_t *);
};
#define file_inode(f)          (&(f)->inode)
#define nonseekable_open(i, f) ((void)(i), 0)
long compat_ptr_ioctl(struct file *file, unsigned int command, unsigned long argument);
/* A null pointer stands for one that the process may not use. */
#define copy_from_user(to, from, bytes) ((from) ? (memcpy(to, from, bytes), 0ul) : (bytes))
#define copy_to_user(to, from, bytes)   ((to) ? (memcpy(to, from, bytes), 0ul) : (bytes))
#define put_user(value, to)             ((to) ? (*(to) = (value), 0) : -EFAULT)

#define MISC_DYNAMIC_MINOR 255
struct miscdevice {
    int minor;
    const char *name;
    const struct file_operations *fops;
    struct device *parent;
    umode_t mode;
};
int misc_register(struct miscdevice *m);
void misc_deregister(struct miscdevice *m);
/* The registered node of a name, or NULL. */
struct miscdevice *kernel_node(const char *name);

/* ---- DMA (memory.c) ---- */

enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE };
#define DMA_BIT_MASK(n)                 ((n) == 64 ? ~0ull : (1ull << (n)) - 1)
#define dma_set_mask_and_coherent(d, m) ((void)(d), (void)(m), 0)
#define dma_mapping_error(d, a)         ((a) == ~(dma_addr_t)0)
struct page;
#define virt_to_page(p) ((struct page *)(p))
void *dma_alloc_coherent(struct device *dev, size_t bytes, dma_addr_t *address, gfp_t flags);
void dma_free_coherent(struct device *dev, size_t bytes, void *memory, dma_addr_t address);
void *dma_alloc_noncoherent(struct device *dev, size_t bytes, dma_addr_t *address, enum dma_data_direction direction,
                            gfp_t flags);
void dma_free_noncoherent(struct device *dev, size_t bytes, void *memory, dma_addr_t address,
                          enum dma_data_direction direction);
void dma_sync_single_for_device(struct device *dev, dma_addr_t address, size_t bytes,
                                enum dma_data_direction direction);
void dma_sync_single_for_cpu(struct device *dev, dma_addr_t address, size_t bytes, enum dma_data_direction direction);
int dma_mmap_pages(struct device *dev, struct vm_area_struct *vma, size_t bytes, struct page *page);
int dma_mmap_coherent(struct device *dev, struct vm_area_struct *vma, void *memory, dma_addr_t address, size_t bytes);

#endif
