/* SPDX-License-Identifier: BSD-2-Clause */
/* The Verilated kernel with its memory and its host: registers, jobs, counters. */
#ifndef BDNN_COSIM_KERNEL_DEVICE_H
#define BDNN_COSIM_KERNEL_DEVICE_H

#include "axi_lite.h"
#include "axi_memory.h"
#include "kernel_problem.h"

#include "bdnn_hw.h"

template <class Model> class KernelDevice
{
  public:
    static constexpr uint64_t base = 0x40000000;
    /* In the upper half of a beat of 128 bits. */
    static constexpr uint64_t weights = base + 8, filters = base + 0x200008, activations = base + 0x280008,
                              results = base + 0x400008;
    static constexpr size_t size = 0x600000;
    static constexpr uint32_t result_origin = 8 * 37; /* the results lie behind what their argument says */

    Bench<Model> bench;
    AxiMemory memory;
    AxiLiteHost host;
    KernelShape shape;

    explicit KernelDevice(uint64_t seed)
        : bench(seed), memory(base, size, sizeof(Model::m_axi_gmem_rdata), seed + 1),
          host([this] { cycle(); }, seed + 2)
    {
        Model &dut = *bench.dut;
        dut.s_axi_control_awvalid = dut.s_axi_control_wvalid = dut.s_axi_control_bready = 0;
        dut.s_axi_control_arvalid = dut.s_axi_control_rready = 0;
        dut.m_axi_gmem_arready = dut.m_axi_gmem_rvalid = dut.m_axi_gmem_awready = dut.m_axi_gmem_wready = 0;
        dut.m_axi_gmem_bvalid = 0;
        dut.ap_rst_n = 0;
        for (int i = 0; i < 4; i++)
            edge();
        dut.ap_rst_n = 1;
        const uint32_t array = host.read(BDNN_HW_REG_ARRAY), word = host.read(BDNN_HW_REG_WORD);
        const uint32_t buffers = host.read(BDNN_HW_REG_BUFFERS);
        shape = {BDNN_HW_ROWS(array),
                 BDNN_HW_COLUMNS(array),
                 BDNN_HW_WORD_BITS(word),
                 BDNN_HW_WEIGHT_DEPTH(buffers),
                 BDNN_HW_ACTIVATION_DEPTH(buffers),
                 BDNN_HW_MAX_TILES(word)};
    }
    void cycle();
    /* Places a problem in memory and writes its arguments. */
    void load(const Problem &problem);
    void start()
    {
        host.write(BDNN_HW_REG_CONTROL, BDNN_HW_CONTROL_START);
    }
    /* Polls until done; ends the program after a bound. */
    void wait(uint64_t bound)
    {
        const uint64_t begin = bench.cycle;
        while (!(host.read(BDNN_HW_REG_CONTROL) & BDNN_HW_CONTROL_DONE)) {
            if (bench.cycle - begin > bound)
                check_equal(0, 1, "whether the job is done", bench.cycle);
            for (int i = 0; i < 50; i++)
                cycle();
        }
        check_equal(memory.quiet(), true, "whether the bus is quiet when done", bench.cycle);
    }
    /* The number of result words that differ; says where the first is. */
    unsigned compare(const Problem &problem);

  private:
    void edge()
    {
        bench.dut->ap_clk = 0;
        bench.dut->eval();
        bench.dut->ap_clk = 1;
        bench.dut->eval();
        bench.dut->ap_clk = 0;
        bench.dut->eval();
        bench.cycle++;
    }
};

template <class Model> void KernelDevice<Model>::cycle()
{
    Model &dut = *bench.dut;
    open_emu_axi_pins &port = memory.port;
    open_emu_lite_pins &lite = host.port;

    memory.drive();
    dut.m_axi_gmem_arready = port.arready;
    dut.m_axi_gmem_rvalid = port.rvalid;
    std::memcpy(&dut.m_axi_gmem_rdata, port.rdata, sizeof dut.m_axi_gmem_rdata);
    dut.m_axi_gmem_rresp = (uint8_t)port.rresp;
    dut.m_axi_gmem_rlast = port.rlast;
    dut.m_axi_gmem_awready = port.awready;
    dut.m_axi_gmem_wready = port.wready;
    dut.m_axi_gmem_bvalid = port.bvalid;
    dut.m_axi_gmem_bresp = (uint8_t)port.bresp;
    dut.s_axi_control_awvalid = lite.awvalid;
    dut.s_axi_control_awaddr = (uint16_t)lite.awaddr;
    dut.s_axi_control_wvalid = lite.wvalid;
    dut.s_axi_control_wdata = lite.wdata;
    dut.s_axi_control_wstrb = (uint8_t)lite.wstrb;
    dut.s_axi_control_bready = lite.bready;
    dut.s_axi_control_arvalid = lite.arvalid;
    dut.s_axi_control_araddr = (uint16_t)lite.araddr;
    dut.s_axi_control_rready = lite.rready;
    dut.eval();
    port.arvalid = dut.m_axi_gmem_arvalid;
    port.araddr = dut.m_axi_gmem_araddr;
    port.arlen = dut.m_axi_gmem_arlen;
    port.arsize = dut.m_axi_gmem_arsize;
    port.arburst = dut.m_axi_gmem_arburst;
    port.rready = dut.m_axi_gmem_rready;
    port.awvalid = dut.m_axi_gmem_awvalid;
    port.awaddr = dut.m_axi_gmem_awaddr;
    port.awlen = dut.m_axi_gmem_awlen;
    port.awsize = dut.m_axi_gmem_awsize;
    port.awburst = dut.m_axi_gmem_awburst;
    port.wvalid = dut.m_axi_gmem_wvalid;
    std::memcpy(port.wdata, &dut.m_axi_gmem_wdata, sizeof dut.m_axi_gmem_wdata);
    port.wstrb = dut.m_axi_gmem_wstrb;
    port.wlast = dut.m_axi_gmem_wlast;
    port.bready = dut.m_axi_gmem_bready;
    lite.awready = dut.s_axi_control_awready;
    lite.wready = dut.s_axi_control_wready;
    lite.bvalid = dut.s_axi_control_bvalid;
    lite.arready = dut.s_axi_control_arready;
    lite.rvalid = dut.s_axi_control_rvalid;
    lite.rdata = dut.s_axi_control_rdata;
    memory.sample();
    edge();
}

template <class Model> void KernelDevice<Model>::load(const Problem &p)
{
    const std::vector<uint64_t> parts[3] = {p.pack_weights(shape), p.pack_filters(shape), p.pack_input()};
    const uint64_t places[3] = {weights, filters, activations};

    memory.forget_regions();
    for (int i = 0; i < 3; i++) {
        std::memcpy(&memory.bytes[places[i] - base], parts[i].data(), parts[i].size() * 8);
        memory.allow_read(places[i], parts[i].size() * 8);
    }
    const uint64_t result_bytes = (uint64_t)p.pixels() * p.result_step();
    std::memset(&memory.bytes[results - base - 8], 0xA5, result_bytes + 8);
    memory.allow_write(results, result_bytes);

    const uint32_t pixel = 8 * p.in_units * p.planes, row = pixel * p.in_width;
    const unsigned block_words = p.words(shape) * p.planes;
    /* As many tiles a block as fit, and blocks of about the same size: a short last block would wait for its weights.
     */
    const unsigned most = std::min(shape.tiles, shape.activation_depth / BDNN_HW_BANKS / block_words);
    const unsigned all = (p.pixels() + shape.columns - 1) / shape.columns, blocks = (all + most - 1) / most;
    const unsigned tiles = (all + blocks - 1) / blocks;
    bdnn_hw_job job = {};
    uint32_t words[BDNN_HW_ARGUMENT_WORDS];
    job.weights = weights;
    job.activations = activations + 8 * p.unit_offset * p.planes;
    job.filters = filters;
    job.results = results - result_origin;
    job.origin = (uint32_t) - (int32_t)(p.pad_top * row + p.pad_left * pixel);
    job.pixel_step = p.stride_x * pixel;
    job.row_step = p.stride_y * row;
    job.tap_step = p.dilation_x * pixel;
    job.tap_row_step = p.dilation_y * row;
    job.result_step = p.result_step();
    job.in_width = p.in_width;
    job.in_height = p.in_height;
    job.out_width = p.out_width;
    job.pixels = p.pixels();
    job.kernel_width = p.kernel_width;
    job.kernel_height = p.kernel_height;
    job.stride_x = p.stride_x;
    job.stride_y = p.stride_y;
    job.dilation_x = p.dilation_x;
    job.dilation_y = p.dilation_y;
    job.pad_left = p.pad_left;
    job.pad_top = p.pad_top;
    job.units = p.units();
    job.last_channels = p.channels - BDNN_HW_UNIT * (p.units() - 1);
    job.words = p.words(shape);
    job.pad_units = p.words(shape) * (shape.word_bits / BDNN_HW_UNIT) - p.taps() * p.units();
    job.bases = p.bases;
    job.planes = p.planes;
    job.zero_point = p.zero_point;
    job.filter_count = p.filters;
    job.mode = p.mode;
    job.out_planes = p.out_planes;
    job.low = (uint32_t)p.low;
    job.high = (uint32_t)p.high;
    job.tiles = tiles;
    job.result_origin = result_origin;
    bdnn_hw_pack_job(&job, words);
    for (unsigned i = 0; i < BDNN_HW_ARGUMENT_WORDS; i++)
        host.write(BDNN_HW_REG_ARGUMENTS + 4 * i, words[i]);
}

template <class Model> unsigned KernelDevice<Model>::compare(const Problem &problem)
{
    const std::vector<uint64_t> expected = problem.expected();
    uint64_t before;
    unsigned differing = 0;

    std::memcpy(&before, &memory.bytes[results - base - 8], 8);
    check_equal((int64_t)before, (int64_t)0xA5A5A5A5A5A5A5A5, "the word before the results", bench.cycle);
    for (size_t i = 0; i < expected.size(); i++) {
        uint64_t got;
        std::memcpy(&got, &memory.bytes[results - base + 8 * i], 8);
        if (got != expected[i] && differing++ == 0)
            std::fprintf(stderr, "result word %zu of %zu (%u a pixel): 0x%016" PRIx64 ", expected 0x%016" PRIx64 "\n",
                         i, expected.size(), problem.result_step() / 8, got, expected[i]);
    }
    return differing;
}

#endif
