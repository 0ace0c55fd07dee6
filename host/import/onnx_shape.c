/* SPDX-License-Identifier: BSD-2-Clause */
/* Operators that move elements: Concat, Pad, Slice, Flatten, Reshape, Squeeze, Unsqueeze, Transpose. */
#include "import/onnx_operators.h"

#include "core/memory.h"

#include <string.h>

/* Elements of a constant, which lie `strides` apart from the first on; where nothing of the shape is, `first` does not
 * matter. */
static onnx_operand *strided(onnx_importer *im, const onnx_operand *x, const bdnn_shape *shape, int64_t first,
                             const int64_t *strides)
{
    int64_t index[BDNN_MAX_RANK] = {0}, count;
    size_t size = bdnn_type_size(x->type);
    void *data = NULL;
    onnx_operand *y = bdnn_onnx_constant(im, x->type, shape, &data);
    count = y ? bdnn_shape_elements(shape) : 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t at = first;
        for (int32_t a = 0; a < shape->rank; a++) {
            at += index[a] * strides[a];
        }
        memcpy((char *)data + (size_t)i * size, (const char *)x->data + (size_t)at * size, size);
        for (int32_t a = shape->rank - 1; a >= 0 && ++index[a] == shape->dim[a]; a--) {
            index[a] = 0;
        }
    }
    return y;
}

/* ---- Concat ---- */

/* Constant integers, which layers do not join. All inputs have the same rank and agree off the axis. */
static onnx_operand *join_integers(onnx_importer *im, onnx_operand *const *inputs, size_t count, int32_t axis)
{
    bdnn_shape shape = inputs[0]->shape;
    int64_t outer = 1, run, at = 0;
    onnx_operand *y;
    void *data = NULL;
    shape.dim[axis] = 0;
    for (size_t i = 0; i < count; i++) {
        bdnn_shape same = inputs[i]->shape;
        if (same.rank == shape.rank && !__builtin_add_overflow(shape.dim[axis], same.dim[axis], &shape.dim[axis])) {
            same.dim[axis] = shape.dim[axis];
        }
        if (inputs[i]->type != BDNN_INT64 || !inputs[i]->data || !bdnn_shape_equal(&same, &shape)) {
            bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "input %zu is no constant of integers, or of another shape", i);
            return NULL;
        }
    }
    y = bdnn_onnx_constant(im, BDNN_INT64, &shape, &data);
    for (int32_t a = 0; a < axis; a++) {
        outer *= shape.dim[a];
    }
    run = y && outer ? bdnn_shape_elements(&shape) / outer : 0;
    for (size_t i = 0; y && outer && i < count; i++) {
        int64_t own = bdnn_shape_elements(&inputs[i]->shape) / outer;
        for (int64_t o = 0; o < outer && own; o++) {
            memcpy((int64_t *)data + o * run + at, (const int64_t *)inputs[i]->data + o * own,
                   (size_t)own * sizeof(int64_t));
        }
        at += own;
    }
    return y;
}

void bdnn_onnx_concat(onnx_importer *im)
{
    bdnn_layer spec = {.op = BDNN_OP_CONCAT};
    size_t count = im->node->n_input;
    onnx_operand **inputs = bdnn_zalloc(count, sizeof(*inputs)), *y = NULL;
    if (!inputs) {
        bdnn_onnx_short_of_memory(im);
    }
    if (!count) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "no inputs");
    }
    for (size_t i = 0; inputs && i < count; i++) {
        inputs[i] = bdnn_onnx_need(im, i, "part");
    }
    if (im->status == BDNN_OK) {
        int64_t axis = bdnn_onnx_int(im, "axis", 1); /* 1 where operator set 1 leaves it out; required since */
        spec.attr.axis.axis = bdnn_onnx_axis(im, axis, inputs[0]->shape.rank);
    }
    if (im->status == BDNN_OK && count == 1) {
        y = inputs[0];
    } else if (im->status == BDNN_OK && inputs[0]->type == BDNN_INT64) {
        y = join_integers(im, inputs, count, spec.attr.axis.axis);
    } else if (im->status == BDNN_OK) {
        bdnn_onnx_add(im, &spec, NULL, inputs, (int)count, &y, 1);
    }
    bdnn_onnx_define(im, 0, y);
    bdnn_free(inputs);
}

/* ---- Pad ---- */

void bdnn_onnx_pad(onnx_importer *im)
{
    static const char *const modes[] = {"constant", "reflect", "edge", NULL};
    bdnn_layer spec = {.op = BDNN_OP_PAD};
    onnx_operand *x = bdnn_onnx_need(im, 0, "data"), *value;
    int64_t pads[2 * BDNN_MAX_RANK];
    int count =
        bdnn_onnx_ints_or_input(im, bdnn_onnx_has(im, "paddings") ? "paddings" : "pads", 1, pads, 2 * BDNN_MAX_RANK);
    if (!x) {
        return;
    }
    if (count != 2 * x->shape.rank) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "%d pads for an input of rank %d", (int)bdnn_max(count, 0),
                       (int)x->shape.rank);
        return;
    }
    for (int32_t i = 0; i < x->shape.rank; i++) {
        spec.attr.pad.begin[i] = pads[i];
        spec.attr.pad.end[i] = pads[x->shape.rank + i];
    }
    spec.attr.pad.mode = (bdnn_pad_mode)bdnn_onnx_choice(im, "mode", modes, BDNN_PAD_CONSTANT);
    spec.attr.pad.value = bdnn_onnx_float(im, "value", 0.0f);
    value = bdnn_onnx_input(im, 2);
    if (value) {
        value = bdnn_onnx_need_constant(im, 2, x->type, "the padding value");
        if (value && value->type == BDNN_FLOAT32 && bdnn_shape_elements(&value->shape) == 1) {
            spec.attr.pad.value = *(const float *)value->data;
        }
    }
    bdnn_onnx_define(im, 0, bdnn_onnx_add1(im, &spec, NULL, x));
}

/* ---- Slice ---- */

typedef struct slice {
    int64_t start[BDNN_MAX_RANK], step[BDNN_MAX_RANK];
    bdnn_shape shape; /* of the result */
} slice;

/* Start, end and step of one axis, as the operator clamps them. */
static void slice_axis(slice *s, int32_t axis, int64_t dim, int64_t start, int64_t end, int64_t step)
{
    int64_t low = step > 0 ? 0 : -1, high = step > 0 ? dim : dim - 1, count;
    start = start < -dim ? low : start < 0 ? start + dim : start;
    end = end < -dim ? low : end < 0 ? end + dim : end;
    start = bdnn_clamp(start, 0, high);
    end = bdnn_clamp(end, low, high);
    count = step > 0 ? (end - start + step - 1) / step : (start - end - step - 1) / -step;
    s->start[axis] = start;
    s->step[axis] = count > 1 ? step : 1; /* one that is never taken may be of any size */
    s->shape.dim[axis] = count > 0 && dim > 0 ? count : 0;
}

static bool read_slice(onnx_importer *im, const onnx_operand *x, slice *s)
{
    int64_t starts[BDNN_MAX_RANK], ends[BDNN_MAX_RANK], axes[BDNN_MAX_RANK], steps[BDNN_MAX_RANK];
    int count = bdnn_onnx_ints_or_input(im, "starts", 1, starts, BDNN_MAX_RANK);
    int end_count = bdnn_onnx_ints_or_input(im, "ends", 2, ends, BDNN_MAX_RANK);
    int axis_count = bdnn_onnx_ints_or_input(im, "axes", 3, axes, BDNN_MAX_RANK);
    int step_count = bdnn_onnx_list(im, bdnn_onnx_input(im, 4), "steps", steps, BDNN_MAX_RANK);
    bool seen[BDNN_MAX_RANK] = {false};
    if (im->status != BDNN_OK) {
        return false;
    }
    if (count < 0 || count > x->shape.rank || end_count != count || (axis_count >= 0 && axis_count != count) ||
        (step_count >= 0 && step_count != count)) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "starts, ends, axes and steps differ in number, or are more than %d",
                       (int)x->shape.rank);
        return false;
    }
    s->shape = x->shape;
    for (int32_t i = 0; i < x->shape.rank; i++) {
        s->start[i] = 0;
        s->step[i] = 1;
    }
    for (int i = 0; i < count; i++) {
        int32_t axis = bdnn_onnx_axis(im, axis_count < 0 ? i : axes[i], x->shape.rank);
        int64_t step = step_count < 0 ? 1 : steps[i];
        if (im->status == BDNN_OK &&
            (seen[axis] || step == 0 || step < -BDNN_MAX_ELEMENTS || step > BDNN_MAX_ELEMENTS)) {
            bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "step %lld on axis %d, or the axis is named twice", (long long)step,
                           (int)axis);
        }
        if (im->status != BDNN_OK) {
            return false;
        }
        seen[axis] = true;
        slice_axis(s, axis, x->shape.dim[axis], starts[i], ends[i], step);
    }
    return true;
}

static onnx_operand *slice_constant(onnx_importer *im, const onnx_operand *x, const slice *s)
{
    int64_t strides[BDNN_MAX_RANK], first = 0;
    bdnn_shape_row_major_strides(&x->shape, strides);
    for (int32_t a = 0; a < x->shape.rank; a++) {
        first += s->start[a] * strides[a];
        strides[a] *= s->step[a];
    }
    return strided(im, x, &s->shape, first, strides);
}

/* Of what the network computes, a slice without steps is a crop. */
static onnx_operand *slice_value(onnx_importer *im, onnx_operand *x, const slice *s)
{
    bdnn_layer spec = {.op = BDNN_OP_PAD};
    for (int32_t a = 0; a < x->shape.rank; a++) {
        if (s->step[a] != 1 || s->shape.dim[a] < 1) {
            bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "step %lld on axis %d, or nothing left of it",
                           (long long)s->step[a], (int)a);
            return NULL;
        }
        spec.attr.pad.begin[a] = -s->start[a];
        spec.attr.pad.end[a] = s->start[a] + s->shape.dim[a] - x->shape.dim[a];
    }
    return bdnn_onnx_add1(im, &spec, NULL, x);
}

void bdnn_onnx_slice(onnx_importer *im)
{
    onnx_operand *x = bdnn_onnx_need(im, 0, "data");
    slice s;
    if (x && read_slice(im, x, &s)) {
        bdnn_onnx_define(im, 0, x->data ? slice_constant(im, x, &s) : slice_value(im, x, &s));
    }
}

/* ---- Shapes ---- */

void bdnn_onnx_flatten(onnx_importer *im)
{
    onnx_operand *x = bdnn_onnx_need(im, 0, "data");
    bdnn_shape shape = {2, {1, 1}};
    int64_t axis = bdnn_onnx_int(im, "axis", 1);
    if (!x) {
        return;
    }
    if (axis < -x->shape.rank || axis > x->shape.rank) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "axis %lld of an input of rank %d", (long long)axis, (int)x->shape.rank);
        return;
    }
    axis += axis < 0 ? x->shape.rank : 0;
    for (int32_t a = 0; a < x->shape.rank; a++) {
        shape.dim[a < axis ? 0 : 1] *= x->shape.dim[a];
    }
    bdnn_onnx_define(im, 0, bdnn_onnx_reshape(im, x, &shape, NULL));
}

void bdnn_onnx_reshape_op(onnx_importer *im)
{
    onnx_operand *x = bdnn_onnx_need(im, 0, "data");
    bdnn_shape shape = {0};
    bool allow_zero = bdnn_onnx_int(im, "allowzero", 0) != 0;
    int64_t known = 1, all;
    int open = -1, rank;
    rank = bdnn_onnx_ints_or_input(im, "shape", 1, shape.dim, BDNN_MAX_RANK);
    if (!x || im->status != BDNN_OK) {
        return;
    }
    if (rank < 0) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "input 1 (shape) is missing");
        return;
    }
    shape.rank = rank;
    all = bdnn_shape_elements(&x->shape);
    for (int i = 0; i < rank; i++) {
        if (shape.dim[i] == 0 && !allow_zero && i < x->shape.rank) {
            shape.dim[i] = x->shape.dim[i];
        }
        if (shape.dim[i] == -1 && open < 0) {
            open = i;
        } else if (shape.dim[i] < 0 || __builtin_mul_overflow(known, shape.dim[i], &known)) {
            char text[128];
            bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "a new shape of %s", bdnn_shape_text(&shape, text, sizeof text));
            return;
        }
    }
    if (open >= 0) {
        shape.dim[open] = known ? all / known : 0;
    }
    bdnn_onnx_define(im, 0, bdnn_onnx_reshape(im, x, &shape, NULL));
}

void bdnn_onnx_squeeze(onnx_importer *im)
{
    onnx_operand *x = bdnn_onnx_need(im, 0, "data");
    int64_t axes[BDNN_MAX_RANK];
    int count = bdnn_onnx_ints_or_input(im, "axes", 1, axes, BDNN_MAX_RANK);
    bool gone[BDNN_MAX_RANK] = {false};
    bdnn_shape shape = {0};
    if (!x) {
        return;
    }
    for (int i = 0; i < count && im->status == BDNN_OK; i++) {
        int32_t axis = bdnn_onnx_axis(im, axes[i], x->shape.rank);
        gone[axis] = true;
        if (im->status == BDNN_OK && x->shape.dim[axis] != 1) {
            bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "axis %d has size %lld", (int)axis, (long long)x->shape.dim[axis]);
        }
    }
    for (int32_t a = 0; a < x->shape.rank; a++) {
        if (count < 0 ? x->shape.dim[a] != 1 : !gone[a]) {
            shape.dim[shape.rank++] = x->shape.dim[a];
        }
    }
    bdnn_onnx_define(im, 0, bdnn_onnx_reshape(im, x, &shape, NULL));
}

void bdnn_onnx_unsqueeze(onnx_importer *im)
{
    onnx_operand *x = bdnn_onnx_need(im, 0, "data");
    int64_t axes[BDNN_MAX_RANK];
    int count = bdnn_onnx_ints_or_input(im, "axes", 1, axes, BDNN_MAX_RANK);
    bool made[BDNN_MAX_RANK] = {false};
    bdnn_shape shape = {0};
    int32_t from = 0;
    if (!x || im->status != BDNN_OK) {
        return;
    }
    shape.rank = x->shape.rank + count;
    if (count < 0 || shape.rank > BDNN_MAX_RANK) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "%d axes to insert into rank %d", count, (int)x->shape.rank);
        return;
    }
    for (int i = 0; i < count; i++) {
        int32_t axis = bdnn_onnx_axis(im, axes[i], shape.rank);
        if (made[axis]) {
            bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "axis %d is inserted twice", (int)axis);
        }
        made[axis] = true;
    }
    for (int32_t a = 0; im->status == BDNN_OK && a < shape.rank; a++) {
        shape.dim[a] = made[a] ? 1 : x->shape.dim[from++];
    }
    bdnn_onnx_define(im, 0, bdnn_onnx_reshape(im, x, &shape, NULL));
}

static onnx_operand *transpose_constant(onnx_importer *im, const onnx_operand *x, const int32_t *permutation)
{
    int64_t from[BDNN_MAX_RANK], strides[BDNN_MAX_RANK] = {0};
    bdnn_shape shape = x->shape;
    unsigned seen = 0;
    bdnn_shape_row_major_strides(&x->shape, from);
    for (int32_t a = 0; a < shape.rank; a++) {
        seen |= 1u << permutation[a];
        shape.dim[a] = x->shape.dim[permutation[a]];
        strides[a] = from[permutation[a]];
    }
    if (seen != (1u << shape.rank) - 1) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "attribute 'perm' names an axis twice");
        return NULL;
    }
    return strided(im, x, &shape, 0, strides);
}

void bdnn_onnx_transpose_op(onnx_importer *im)
{
    onnx_operand *x = bdnn_onnx_need(im, 0, "data");
    int64_t wanted[BDNN_MAX_RANK];
    int32_t permutation[BDNN_MAX_RANK];
    int count = bdnn_onnx_ints(im, "perm", wanted, BDNN_MAX_RANK);
    if (!x || im->status != BDNN_OK) {
        return;
    }
    if (count >= 0 && count != x->shape.rank) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "attribute 'perm' has %d numbers for rank %d", count, (int)x->shape.rank);
        return;
    }
    for (int32_t a = 0; a < x->shape.rank; a++) {
        int64_t from = count < 0 ? x->shape.rank - 1 - a : wanted[a];
        bdnn_onnx_int32(im, "axis in 'perm'", from, 0, x->shape.rank - 1, &permutation[a]);
    }
    if (im->status == BDNN_OK) {
        bdnn_onnx_define(
            im, 0, x->data ? transpose_constant(im, x, permutation) : bdnn_onnx_transpose(im, x, permutation, NULL));
    }
}
