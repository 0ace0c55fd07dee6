/* SPDX-License-Identifier: BSD-2-Clause */
/* The control registers: arguments with byte strobes, start - done - idle - ready, interrupts, cancel, read-only words.
 */
#include "axi_lite.h"
#include "bdnn_hw.h"

#include "Vcontrol.h"

namespace
{

struct Test {
    Bench<Vcontrol> bench;
    AxiLiteHost host;
    unsigned starts = 0, cancels = 0;

    explicit Test(uint64_t seed) : bench(seed), host([this] { cycle(); }, seed)
    {
        bench.dut->done_i = 0;
        bench.dut->awvalid_i = bench.dut->wvalid_i = bench.dut->bready_i = bench.dut->arvalid_i = bench.dut->rready_i =
            0;
        bench.reset();
        starts = cancels = 0;
    }
    void cycle()
    {
        Vcontrol &dut = *bench.dut;
        open_emu_lite_pins &port = host.port;
        dut.awvalid_i = port.awvalid;
        dut.awaddr_i = (uint16_t)port.awaddr;
        dut.wvalid_i = port.wvalid;
        dut.wdata_i = port.wdata;
        dut.wstrb_i = (uint8_t)port.wstrb;
        dut.bready_i = port.bready;
        dut.arvalid_i = port.arvalid;
        dut.araddr_i = (uint16_t)port.araddr;
        dut.rready_i = port.rready;
        dut.eval();
        port.awready = dut.awready_o;
        port.wready = dut.wready_o;
        port.bvalid = dut.bvalid_o;
        port.arready = dut.arready_o;
        port.rvalid = dut.rvalid_o;
        port.rdata = dut.rdata_o;
        starts += dut.start_o;
        cancels += dut.cancel_o;
        bench.tick();
    }
    void done()
    {
        bench.dut->done_i = 1;
        cycle();
        bench.dut->done_i = 0;
        cycle();
    }
    void expect(uint32_t address, uint32_t value, const char *what)
    {
        check_equal(host.read(address), value, what, bench.cycle);
    }
};

void test_arguments(Test &test, Random &random)
{
    uint32_t words[16];

    for (unsigned i = 0; i < 16; i++) {
        words[i] = (uint32_t)random.next();
        test.host.write(BDNN_HW_REG_ARGUMENTS + 4 * i, words[i]);
    }
    for (int n = 0; n < 50; n++) {
        const unsigned i = random.below(16), strobe = random.below(16);
        const uint32_t value = (uint32_t)random.next();
        test.host.write(BDNN_HW_REG_ARGUMENTS + 4 * i, value, strobe);
        for (unsigned b = 0; b < 4; b++)
            if (strobe >> b & 1)
                words[i] = (words[i] & ~(255u << 8 * b)) | (value & 255u << 8 * b);
    }
    for (unsigned i = 0; i < 16; i++) {
        test.expect(BDNN_HW_REG_ARGUMENTS + 4 * i, words[i], "an argument");
        check_equal(test.bench.dut->arguments_o[i], words[i], "an argument at the kernel", test.bench.cycle);
    }
    for (unsigned i = 0; i < 4; i++) {
        test.bench.dut->status_i[i] = 0x1000 + i;
        test.host.write(BDNN_HW_REG_STATUS + 4 * i, 77); /* read-only */
        test.expect(BDNN_HW_REG_STATUS + 4 * i, 0x1000 + i, "a status word");
    }
    test.expect(BDNN_HW_REG_ARGUMENTS + 4 * 28, 0, "a word that is not there");
    test.expect(0x1FC, 0, "the last word");
}

void test_handshake(Test &test)
{
    const uint32_t control = BDNN_HW_REG_CONTROL;
    const uint32_t ended = BDNN_HW_CONTROL_DONE | BDNN_HW_CONTROL_IDLE | BDNN_HW_CONTROL_READY;

    test.expect(control, BDNN_HW_CONTROL_IDLE, "idle control");
    test.host.write(control, 1u << 4); /* what XRT writes after a run */
    test.expect(control, BDNN_HW_CONTROL_IDLE, "control after a write without start");
    test.host.write(control, BDNN_HW_CONTROL_START);
    test.expect(control, BDNN_HW_CONTROL_START, "control while running");
    test.host.write(control, BDNN_HW_CONTROL_START); /* a second start is no second run */
    check_equal(test.starts, 1, "the number of starts", test.bench.cycle);
    test.host.write(control, BDNN_HW_CONTROL_CANCEL);
    check_equal(test.cancels, 1, "the number of cancels", test.bench.cycle);
    test.done();
    test.expect(control, ended, "control when done");
    test.expect(control, BDNN_HW_CONTROL_IDLE, "control read again");
    test.host.write(control, BDNN_HW_CONTROL_CANCEL); /* nothing to cancel */
    check_equal(test.cancels, 1, "the number of cancels", test.bench.cycle);
    check_equal(test.bench.dut->interrupt_o, 0, "the interrupt without enable", test.bench.cycle);
}

void test_interrupt(Test &test)
{
    const uint32_t global = BDNN_HW_REG_GLOBAL_INTERRUPT, status = BDNN_HW_REG_INTERRUPT_STATUS;

    test.host.write(global, BDNN_HW_GLOBAL_INTERRUPT_ENABLE);
    test.host.write(BDNN_HW_REG_INTERRUPT_ENABLE, BDNN_HW_INTERRUPT_ENABLE_DONE);
    test.host.write(BDNN_HW_REG_CONTROL, BDNN_HW_CONTROL_START);
    check_equal(test.bench.dut->interrupt_o, 0, "the interrupt while running", test.bench.cycle);
    test.done();
    check_equal(test.bench.dut->interrupt_o, 1, "the interrupt", test.bench.cycle);
    test.expect(status, BDNN_HW_INTERRUPT_STATUS_DONE, "the interrupt status");
    test.host.write(global, 0);
    check_equal(test.bench.dut->interrupt_o, 0, "the interrupt without global enable", test.bench.cycle);
    test.host.write(global, BDNN_HW_GLOBAL_INTERRUPT_ENABLE);
    test.host.write(status, BDNN_HW_INTERRUPT_STATUS_DONE);
    check_equal(test.bench.dut->interrupt_o, 0, "the acknowledged interrupt", test.bench.cycle);
    test.expect(status, 0, "the interrupt status");
    check_equal(test.starts, 2, "the number of starts", test.bench.cycle);
}

} // namespace

int main(int argc, char **argv)
{
    const uint64_t seed = seed_argument(argc, argv);
    Test test(seed);
    Random random(seed);

    test_arguments(test, random);
    test_handshake(test);
    test_interrupt(test);
    std::printf("control registers as documented, seed %" PRIu64 "\n", seed);
    return 0;
}
