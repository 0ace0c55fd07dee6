/* SPDX-License-Identifier: BSD-2-Clause */
/* One job of the hardware kernel: a convolution with random parameters, its packing into the kernel's memory layouts,
 * and its results by the definition of docs/reference/numerics.md. */
#ifndef BDNN_COSIM_KERNEL_PROBLEM_H
#define BDNN_COSIM_KERNEL_PROBLEM_H

#include <vector>

#include "bdnn_hw.h"
#include "bench.h"

/* Sizes of the array and its buffers, as the kernel's read-only registers tell them. */
struct KernelShape {
    unsigned rows, columns, word_bits, weight_depth, activation_depth, tiles;
};

struct Problem {
    /* the layer */
    unsigned in_width, in_height, channels, filters;
    unsigned kernel_width, kernel_height, stride_x, stride_y, dilation_x, dilation_y, pad_left, pad_top;
    unsigned out_width, out_height;
    unsigned bases, planes, zero_point;
    bdnn_hw_mode mode;
    unsigned out_planes;
    int32_t low, high;
    /* which channels of a wider input: `channels` from the first of unit unit_offset of in_units units */
    unsigned in_units, unit_offset;

    std::vector<uint8_t> signs;       /* [filter][basis][tap][channel], 1 is +1 */
    std::vector<int8_t> scales;       /* [filter][basis] */
    std::vector<int32_t> multipliers; /* [filter] */
    std::vector<int64_t> offsets;     /* [filter] */
    std::vector<uint8_t> input;       /* [y][x][channel] */

    unsigned units() const
    {
        return (channels + BDNN_HW_UNIT - 1) / BDNN_HW_UNIT;
    }
    unsigned taps() const
    {
        return kernel_width * kernel_height;
    }
    unsigned words(const KernelShape &shape) const
    {
        const unsigned parts = shape.word_bits / BDNN_HW_UNIT;
        return (taps() * units() + parts - 1) / parts;
    }
    unsigned pixels() const
    {
        return out_width * out_height;
    }
    unsigned result_units() const
    {
        return (filters + BDNN_HW_UNIT - 1) / BDNN_HW_UNIT;
    }
    unsigned unit_beats() const
    {
        return mode == BDNN_HW_MODE_PLANES  ? out_planes
               : mode == BDNN_HW_MODE_INT16 ? BDNN_HW_MODE_INT16_BITS
                                            : BDNN_HW_MODE_INT32_BITS;
    }
    /* Bytes of one pixel's results. */
    unsigned result_step() const
    {
        return 8 * unit_beats() * result_units();
    }
    bool fits(const KernelShape &shape) const
    {
        return words(shape) <= shape.weight_depth / BDNN_HW_BANKS &&
               words(shape) * planes <= shape.activation_depth / BDNN_HW_BANKS;
    }

    void fill(Random &random);
    int32_t accumulator(unsigned filter, unsigned oy, unsigned ox) const;
    int32_t value(unsigned filter, int32_t acc) const;
    std::vector<uint64_t> pack_weights(const KernelShape &shape) const;
    std::vector<uint64_t> pack_filters(const KernelShape &shape) const;
    std::vector<uint64_t> pack_input() const;
    std::vector<uint64_t> expected() const;
};

inline unsigned output_size(unsigned in, unsigned kernel, unsigned stride, unsigned dilation, unsigned pad)
{
    return (in + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1;
}

inline void Problem::fill(Random &random)
{
    out_width = output_size(in_width, kernel_width, stride_x, dilation_x, pad_left);
    out_height = output_size(in_height, kernel_height, stride_y, dilation_y, pad_top);
    signs.resize((size_t)filters * bases * taps() * channels);
    scales.resize((size_t)filters * bases);
    multipliers.resize(filters);
    offsets.resize(filters);
    input.resize((size_t)in_width * in_height * channels);
    const bool extreme = random.percent(10);
    for (uint8_t &sign : signs)
        sign = extreme || random.percent(50);
    for (unsigned f = 0; f < filters; f++) {
        int room = 127;
        for (unsigned i = 0; i < bases; i++) {
            const int scale = extreme && i == 0 ? 127 : (int)random.between(0, room);
            scales[f * bases + i] = (int8_t)(random.percent(50) ? -scale : scale);
            room -= scale;
        }
        multipliers[f] = (int32_t)random.between(-(1 << 22), 1 << 22);
        offsets[f] = random.between(-((int64_t)1 << 38), (int64_t)1 << 38);
    }
    for (uint8_t &x : input)
        x = (uint8_t)(extreme ? (1u << planes) - 1 : random.below(1u << planes));
}

inline int32_t Problem::accumulator(unsigned filter, unsigned oy, unsigned ox) const
{
    int32_t acc = 0;

    for (unsigned tap = 0; tap < taps(); tap++) {
        const int iy = (int)(oy * stride_y + tap / kernel_width * dilation_y) - (int)pad_top;
        const int ix = (int)(ox * stride_x + tap % kernel_width * dilation_x) - (int)pad_left;
        const bool inside = iy >= 0 && ix >= 0 && iy < (int)in_height && ix < (int)in_width;
        for (unsigned c = 0; c < channels; c++) {
            int weight = 0;
            for (unsigned i = 0; i < bases; i++) {
                const bool plus = signs[((size_t)(filter * bases + i) * taps() + tap) * channels + c];
                weight += plus ? scales[filter * bases + i] : -scales[filter * bases + i];
            }
            acc += weight * (int)(inside ? input[((size_t)iy * in_width + ix) * channels + c] : zero_point);
        }
    }
    return acc;
}

inline int32_t Problem::value(unsigned filter, int32_t acc) const
{
    if (mode == BDNN_HW_MODE_INT32)
        return acc;
    const int64_t v = ((int64_t)acc * multipliers[filter] + offsets[filter]) >> 32;
    return v < low ? low : v > high ? high : (int32_t)v;
}

/* [chunk of rows filters][basis][word][row][part]; what fills up is ones. */
inline std::vector<uint64_t> Problem::pack_weights(const KernelShape &shape) const
{
    const unsigned parts = shape.word_bits / BDNN_HW_UNIT, chunks = (filters + shape.rows - 1) / shape.rows;
    std::vector<uint64_t> packed((size_t)chunks * bases * words(shape) * shape.rows * parts, UINT64_MAX);

    for (unsigned f = 0; f < filters; f++)
        for (unsigned i = 0; i < bases; i++)
            for (unsigned tap = 0; tap < taps(); tap++)
                for (unsigned c = 0; c < channels; c++) {
                    const unsigned unit = tap * units() + c / BDNN_HW_UNIT;
                    const size_t word = ((size_t)(f / shape.rows) * bases + i) * words(shape) + unit / parts;
                    if (!signs[((size_t)(f * bases + i) * taps() + tap) * channels + c])
                        packed[(word * shape.rows + f % shape.rows) * parts + unit % parts] &=
                            ~((uint64_t)1 << c % BDNN_HW_UNIT);
                }
    return packed;
}

/* [filter, a multiple of rows][BDNN_HW_FILTER_WORDS] */
inline std::vector<uint64_t> Problem::pack_filters(const KernelShape &shape) const
{
    const unsigned chunks = (filters + shape.rows - 1) / shape.rows;
    std::vector<uint64_t> packed((size_t)chunks * shape.rows * BDNN_HW_FILTER_WORDS);

    for (unsigned f = 0; f < filters; f++) {
        bdnn_hw_filter filter = {};
        int32_t constant = 0;
        for (unsigned i = 0; i < bases; i++) {
            int32_t minus = 0;
            for (unsigned d = 0; d < taps() * channels; d++)
                minus += !signs[(size_t)(f * bases + i) * taps() * channels + d];
            constant -= ((1 << planes) - 1) * scales[f * bases + i] * minus;
            filter.scales |= (uint64_t)(uint8_t)scales[f * bases + i] << BDNN_HW_SCALE_BITS * i;
        }
        filter.multiplier = (uint32_t)multipliers[f];
        filter.constant = (uint32_t)constant;
        filter.offset = (uint64_t)offsets[f];
        bdnn_hw_pack_filter(&filter, &packed[BDNN_HW_FILTER_WORDS * f]);
    }
    return packed;
}

/* [y][x][unit][plane]; the units of other groups hold anything. */
inline std::vector<uint64_t> Problem::pack_input() const
{
    std::vector<uint64_t> packed((size_t)in_width * in_height * in_units * planes, 0x5A5A5A5A5A5A5A5Au);

    for (unsigned pixel = 0; pixel < in_width * in_height; pixel++)
        for (unsigned unit = 0; unit < units(); unit++)
            for (unsigned q = 0; q < planes; q++) {
                uint64_t bits = 0;
                for (unsigned c = BDNN_HW_UNIT * unit; c < BDNN_HW_UNIT * (unit + 1) && c < channels; c++)
                    bits |= (uint64_t)(input[(size_t)pixel * channels + c] >> q & 1) << c % BDNN_HW_UNIT;
                packed[((size_t)pixel * in_units + unit_offset + unit) * planes + q] = bits;
            }
    return packed;
}

/* [pixel][unit][plane], or [pixel][unit][channel] integers. */
inline std::vector<uint64_t> Problem::expected() const
{
    std::vector<uint64_t> packed((size_t)pixels() * result_step() / 8);

    for (unsigned pixel = 0; pixel < pixels(); pixel++)
        for (unsigned f = 0; f < filters; f++) {
            const uint32_t v = (uint32_t)value(f, accumulator(f, pixel / out_width, pixel % out_width));
            uint64_t *unit = &packed[(size_t)pixel * result_step() / 8 + f / BDNN_HW_UNIT * unit_beats()];
            const unsigned c = f % BDNN_HW_UNIT;
            for (unsigned q = 0; mode == BDNN_HW_MODE_PLANES && q < out_planes; q++)
                unit[q] |= (uint64_t)(v >> q & 1) << c;
            if (mode == BDNN_HW_MODE_INT16)
                unit[c * unit_beats() / BDNN_HW_UNIT] |= (uint64_t)(uint16_t)v << c * unit_beats() % BDNN_HW_UNIT;
            if (mode == BDNN_HW_MODE_INT32)
                unit[c * unit_beats() / BDNN_HW_UNIT] |= (uint64_t)v << c * unit_beats() % BDNN_HW_UNIT;
        }
    return packed;
}

#endif
