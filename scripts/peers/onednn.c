/* SPDX-License-Identifier: BSD-2-Clause */
/* oneDNN as a peer, layer by layer: onednn LAYERS fp32|int8. LAYERS holds a line for each convolution or fully
 * connected layer:
 *
 *   NAME groups  channels height width  filters height width  kernel h w  stride h w  pads top left bottom right  relu
 *
 * A run computes every layer once, in memory formats that oneDNN chose, on operands of its own: no reordering, no
 * pooling, nothing between layers. int8 is uint8 inputs, int8 weights, int8 outputs with one scale and a ReLU where the
 * network has one. There is no output to compare. OMP_NUM_THREADS tells the number of threads. Written for oneDNN 2. */
#define _POSIX_C_SOURCE 200809L
#include "peer.h"

#include <dnnl.h>
#include <stdbool.h>

#define MAX_LAYERS 512

struct layer {
    char name[128];
    long groups, channels, height, width, filters, out_height, out_width, kernel[2], stride[2], pads[4];
    int relu;
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t arguments[4];
};

static const char *path;
static bool int8;
static dnnl_engine_t engine;
static dnnl_stream_t stream;
static struct layer layers[MAX_LAYERS];
static int count;

static void check(dnnl_status_t status)
{
    if (status != dnnl_success) {
        char text[64];
        snprintf(text, sizeof text, "oneDNN status %d", (int)status);
        fail(text);
    }
}

static bool read_layer(FILE *file, struct layer *l)
{
    return fscanf(file, "%127s %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %d", l->name, &l->groups,
                  &l->channels, &l->height, &l->width, &l->filters, &l->out_height, &l->out_width, &l->kernel[0],
                  &l->kernel[1], &l->stride[0], &l->stride[1], &l->pads[0], &l->pads[1], &l->pads[2], &l->pads[3],
                  &l->relu) == 17;
}

static dnnl_memory_desc_t describe(int rank, const long *sizes, dnnl_data_type_t type)
{
    dnnl_memory_desc_t desc;
    dnnl_dims_t dims;
    for (int i = 0; i < rank; i++) {
        dims[i] = sizes[i];
    }
    check(dnnl_memory_desc_init_by_tag(&desc, rank, dims, type, dnnl_format_tag_any));
    return desc;
}

/* Memory of ordinary numbers (zeros for a 32-bit bias) in the format that a primitive wants. */
static dnnl_memory_t operand(const dnnl_memory_desc_t *desc)
{
    const size_t bytes = dnnl_memory_desc_get_size(desc);
    dnnl_memory_t memory;
    void *data;
    check(dnnl_memory_create(&memory, desc, engine, DNNL_MEMORY_ALLOCATE));
    check(dnnl_memory_get_data_handle(memory, &data));
    memset(data, 0, bytes);
    for (size_t i = 0; i < bytes && desc->data_type != dnnl_f32 && desc->data_type != dnnl_s32; i++) {
        ((unsigned char *)data)[i] = (unsigned char)(i * 2654435761u >> 16 & 63);
    }
    for (size_t i = 0; i < bytes / sizeof(float) && desc->data_type == dnnl_f32; i++) {
        ((float *)data)[i] = (float)(i * 2654435761u >> 16 & 255) / 128 - 1;
    }
    return memory;
}

static dnnl_primitive_attr_t attributes(const struct layer *l)
{
    dnnl_primitive_attr_t attr;
    dnnl_post_ops_t ops;
    const float scale = 0.001f;
    check(dnnl_primitive_attr_create(&attr));
    if (int8) {
        check(dnnl_primitive_attr_set_output_scales(attr, 1, 0, &scale));
    }
    if (l->relu) {
        check(dnnl_post_ops_create(&ops));
        check(dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f));
        check(dnnl_primitive_attr_set_post_ops(attr, ops));
        check(dnnl_post_ops_destroy(ops));
    }
    return attr;
}

static void prepare(struct layer *l)
{
    const dnnl_data_type_t in = int8 ? dnnl_u8 : dnnl_f32, weight = int8 ? dnnl_s8 : dnnl_f32;
    const dnnl_data_type_t out = !int8 ? dnnl_f32 : l->relu ? dnnl_u8 : dnnl_s8, sums = int8 ? dnnl_s32 : dnnl_f32;
    const bool dense = l->height == 1 && l->width == 1 && l->kernel[0] == 1 && l->kernel[1] == 1;
    const long g = l->groups, source[] = {1, l->channels, l->height, l->width}, bias[] = {l->filters};
    const long weights[] = {g, l->filters / g, l->channels / g, l->kernel[0], l->kernel[1]},
               whole[] = {l->filters, l->channels};
    const long target[] = {1, l->filters, l->out_height, l->out_width};
    const dnnl_memory_desc_t s = describe(dense ? 2 : 4, source, in), b = describe(1, bias, sums),
                             d = describe(dense ? 2 : 4, target, out);
    const dnnl_memory_desc_t w = dense   ? describe(2, whole, weight)
                                 : g > 1 ? describe(5, weights, weight)
                                         : describe(4, weights + 1, weight);
    const dnnl_dims_t strides = {l->stride[0], l->stride[1]}, first = {l->pads[0], l->pads[1]},
                      last = {l->pads[2], l->pads[3]};
    dnnl_primitive_attr_t attr = attributes(l);
    dnnl_primitive_desc_t pd;
    if (dense) {
        dnnl_inner_product_desc_t desc;
        check(dnnl_inner_product_forward_desc_init(&desc, dnnl_forward_inference, &s, &w, &b, &d));
        check(dnnl_primitive_desc_create(&pd, &desc, attr, engine, NULL));
    } else {
        dnnl_convolution_desc_t desc;
        check(dnnl_convolution_forward_desc_init(&desc, dnnl_forward_inference, dnnl_convolution_auto, &s, &w, &b, &d,
                                                 strides, first, last));
        check(dnnl_primitive_desc_create(&pd, &desc, attr, engine, NULL));
    }
    check(dnnl_primitive_create(&l->primitive, pd));
    l->arguments[0] = (dnnl_exec_arg_t){DNNL_ARG_SRC, operand(dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0))};
    l->arguments[1] =
        (dnnl_exec_arg_t){DNNL_ARG_WEIGHTS, operand(dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0))};
    l->arguments[2] =
        (dnnl_exec_arg_t){DNNL_ARG_BIAS, operand(dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 1))};
    l->arguments[3] = (dnnl_exec_arg_t){DNNL_ARG_DST, operand(dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0))};
    check(dnnl_primitive_desc_destroy(pd));
    check(dnnl_primitive_attr_destroy(attr));
}

static void load(void)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        fail("cannot read the layers");
    }
    check(dnnl_engine_create(&engine, dnnl_cpu, 0));
    check(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
    while (count < MAX_LAYERS && read_layer(file, &layers[count])) {
        prepare(&layers[count++]);
    }
    fclose(file);
}

static void run(void)
{
    for (int i = 0; i < count; i++) {
        check(dnnl_primitive_execute(layers[i].primitive, stream, 4, layers[i].arguments));
    }
    check(dnnl_stream_wait(stream));
}

static void output(const char *file)
{
    (void)file;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fail("usage: onednn LAYERS fp32|int8");
    }
    path = argv[1];
    int8 = strcmp(argv[2], "int8") == 0;
    serve(load, run, output);
    return 0;
}
