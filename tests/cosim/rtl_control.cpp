/* The control registers: arguments with byte strobes, start - done - idle - ready, interrupts, cancel, read-only words.
 */
#include "axi_lite.h"

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
        test.host.write(0x10 + 4 * i, words[i]);
    }
    for (int n = 0; n < 50; n++) {
        const unsigned i = random.below(16), strobe = random.below(16);
        const uint32_t value = (uint32_t)random.next();
        test.host.write(0x10 + 4 * i, value, strobe);
        for (unsigned b = 0; b < 4; b++)
            if (strobe >> b & 1)
                words[i] = (words[i] & ~(255u << 8 * b)) | (value & 255u << 8 * b);
    }
    for (unsigned i = 0; i < 16; i++) {
        test.expect(0x10 + 4 * i, words[i], "an argument");
        check_equal(test.bench.dut->arguments_o[i], words[i], "an argument at the kernel", test.bench.cycle);
    }
    for (unsigned i = 0; i < 4; i++) {
        test.bench.dut->status_i[i] = 0x1000 + i;
        test.host.write(0x100 + 4 * i, 77); /* read-only */
        test.expect(0x100 + 4 * i, 0x1000 + i, "a status word");
    }
    test.expect(0x80, 0, "a word that is not there");
    test.expect(0x1FC, 0, "the last word");
}

void test_handshake(Test &test)
{
    test.expect(0, 4, "idle control");
    test.host.write(0, 0x10); /* what XRT writes after a run */
    test.expect(0, 4, "control after a write without start");
    test.host.write(0, 1);
    test.expect(0, 1, "control while running");
    test.host.write(0, 1); /* a second start is no second run */
    check_equal(test.starts, 1, "the number of starts", test.bench.cycle);
    test.host.write(0, 0x20);
    check_equal(test.cancels, 1, "the number of cancels", test.bench.cycle);
    test.done();
    test.expect(0, 0xE, "control when done");
    test.expect(0, 4, "control read again");
    test.host.write(0, 0x20); /* nothing to cancel */
    check_equal(test.cancels, 1, "the number of cancels", test.bench.cycle);
    check_equal(test.bench.dut->interrupt_o, 0, "the interrupt without enable", test.bench.cycle);
}

void test_interrupt(Test &test)
{
    test.host.write(4, 1);
    test.host.write(8, 1);
    test.host.write(0, 1);
    check_equal(test.bench.dut->interrupt_o, 0, "the interrupt while running", test.bench.cycle);
    test.done();
    check_equal(test.bench.dut->interrupt_o, 1, "the interrupt", test.bench.cycle);
    test.expect(0xC, 1, "the interrupt status");
    test.host.write(4, 0);
    check_equal(test.bench.dut->interrupt_o, 0, "the interrupt without global enable", test.bench.cycle);
    test.host.write(4, 1);
    test.host.write(0xC, 1);
    check_equal(test.bench.dut->interrupt_o, 0, "the acknowledged interrupt", test.bench.cycle);
    test.expect(0xC, 0, "the interrupt status");
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
