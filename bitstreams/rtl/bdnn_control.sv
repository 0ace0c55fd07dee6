// SPDX-License-Identifier: BSD-2-Clause
// AXI4-Lite slave with the registers of an ap_ctrl_hs kernel, at the offsets of bdnn_hw_pkg: control and interrupts, ArgumentWords read-write words,
// from StatusOffset on StatusWords read-only words. What lies elsewhere reads as zero.
//
//   control           start: set by the host, cleared when the kernel is ready    done, ready: cleared by reading
//                     idle    cancel: writing 1 stops a run in good order
//   interrupt status  done, ready: writing 1 toggles

module bdnn_control #(
  parameter int unsigned AddressBits   = bdnn_hw_pkg::RegisterAddressBits,
  parameter int unsigned ArgumentWords = 16,
  parameter int unsigned StatusOffset  = bdnn_hw_pkg::StatusOffset,  // bytes, behind the arguments
  parameter int unsigned StatusWords   = 4
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,

  // AXI4-Lite
  input  logic                        awvalid_i,
  output logic                        awready_o,
  input  logic [AddressBits-1:0]      awaddr_i,
  input  logic                        wvalid_i,
  output logic                        wready_o,
  input  logic [31:0]                 wdata_i,
  input  logic [3:0]                  wstrb_i,
  output logic                        bvalid_o,
  input  logic                        bready_i,
  output logic [1:0]                  bresp_o,
  input  logic                        arvalid_i,
  output logic                        arready_o,
  input  logic [AddressBits-1:0]      araddr_i,
  output logic                        rvalid_o,
  input  logic                        rready_i,
  output logic [31:0]                 rdata_o,
  output logic [1:0]                  rresp_o,
  output logic                        interrupt_o,

  // Kernel
  output logic                        start_o,      // one cycle; the arguments hold until done
  output logic                        cancel_o,     // one cycle
  input  logic                        done_i,       // one cycle
  output logic [ArgumentWords*32-1:0] arguments_o,
  input  logic [StatusWords*32-1:0]   status_i
);

  localparam int unsigned WordBits = AddressBits - 2;

  // Words of the registers
  localparam logic [WordBits-1:0] Control         = WordBits'(bdnn_hw_pkg::ControlOffset / 4);
  localparam logic [WordBits-1:0] GlobalInterrupt = WordBits'(bdnn_hw_pkg::GlobalInterruptOffset / 4);
  localparam logic [WordBits-1:0] InterruptEnable = WordBits'(bdnn_hw_pkg::InterruptEnableOffset / 4);
  localparam logic [WordBits-1:0] InterruptStatus = WordBits'(bdnn_hw_pkg::InterruptStatusOffset / 4);
  localparam int unsigned         FirstArgument   = bdnn_hw_pkg::ArgumentsOffset / 4;

  ////////////
  // Writes //
  ////////////

  logic                write;
  logic                bvalid_q;
  logic [WordBits-1:0] write_word;

  // Address and data are taken together, once the last response is gone.
  assign write      = awvalid_i && wvalid_i && !bvalid_q;
  assign awready_o  = write;
  assign wready_o   = write;
  assign bvalid_o   = bvalid_q;
  assign bresp_o    = 2'b00;
  assign write_word = awaddr_i[AddressBits-1:2];

  always_ff @(posedge clk_i) begin
    if (!rst_ni)       bvalid_q <= 1'b0;
    else if (write)    bvalid_q <= 1'b1;
    else if (bready_i) bvalid_q <= 1'b0;
  end

  logic [ArgumentWords*32-1:0] arguments_q;

  for (genvar i = 0; i < ArgumentWords; i++) begin : g_argument
    for (genvar b = 0; b < 4; b++) begin : g_byte
      always_ff @(posedge clk_i) begin
        if (!rst_ni) arguments_q[32*i+8*b +: 8] <= '0;
        else if (write && wstrb_i[b] && write_word == WordBits'(FirstArgument + i)) arguments_q[32*i+8*b +: 8] <= wdata_i[8*b +: 8];
      end
    end
  end

  assign arguments_o = arguments_q;

  ///////////
  // Reads //
  ///////////

  logic                read, rvalid_q;
  logic [WordBits-1:0] read_word;
  logic [31:0]         rdata_d, rdata_q;
  logic                busy_q, start_q, done_q, ready_q, gie_q;
  logic [1:0]          ier_q, isr_q;

  assign read      = arvalid_i && !rvalid_q;
  assign arready_o = read;
  assign rvalid_o  = rvalid_q;
  assign rdata_o   = rdata_q;
  assign rresp_o   = 2'b00;
  assign read_word = araddr_i[AddressBits-1:2];

  always_comb begin
    rdata_d = '0;
    unique case (read_word)
      Control: begin
        rdata_d[bdnn_hw_pkg::ControlReady] = ready_q;
        rdata_d[bdnn_hw_pkg::ControlIdle]  = ~busy_q;
        rdata_d[bdnn_hw_pkg::ControlDone]  = done_q;
        rdata_d[bdnn_hw_pkg::ControlStart] = start_q;
      end
      GlobalInterrupt: rdata_d[bdnn_hw_pkg::GlobalInterruptEnable] = gie_q;
      InterruptEnable: rdata_d[1:0] = ier_q;
      InterruptStatus: rdata_d[1:0] = isr_q;
      default: begin
        for (int unsigned i = 0; i < ArgumentWords; i++)
          if (read_word == WordBits'(FirstArgument + i)) rdata_d = arguments_q[32*i +: 32];
        for (int unsigned i = 0; i < StatusWords; i++)
          if (read_word == WordBits'(StatusOffset / 4 + i)) rdata_d = status_i[32*i +: 32];
      end
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni)       rvalid_q <= 1'b0;
    else if (read)     rvalid_q <= 1'b1;
    else if (rready_i) rvalid_q <= 1'b0;
  end
  always_ff @(posedge clk_i) begin
    if (read) rdata_q <= rdata_d;
  end

  ////////////////////
  // ap_ctrl_hs, interrupts //
  ////////////////////

  logic write_control, read_control;
  assign write_control = write && write_word == Control && wstrb_i[0];
  assign read_control  = read && read_word == Control;

  // The kernel takes its next start only after done: ready and done come together.
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      busy_q  <= 1'b0;
      start_q <= 1'b0;
      done_q  <= 1'b0;
      ready_q <= 1'b0;
    end else begin
      if (done_i) begin
        busy_q  <= 1'b0;
        start_q <= 1'b0;
        done_q  <= 1'b1;
        ready_q <= 1'b1;
      end else begin
        if (read_control) begin
          done_q  <= 1'b0;
          ready_q <= 1'b0;
        end
        if (write_control && wdata_i[bdnn_hw_pkg::ControlStart] && !busy_q) begin
          busy_q  <= 1'b1;
          start_q <= 1'b1;
        end
      end
    end
  end

  logic start_pulse_q, cancel_pulse_q;
  always_ff @(posedge clk_i) begin
    start_pulse_q  <= rst_ni && write_control && wdata_i[bdnn_hw_pkg::ControlStart] && !busy_q && !done_i;
    cancel_pulse_q <= rst_ni && write_control && wdata_i[bdnn_hw_pkg::ControlCancel];
  end
  assign start_o  = start_pulse_q;
  assign cancel_o = cancel_pulse_q && busy_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      gie_q <= 1'b0;
      ier_q <= '0;
      isr_q <= '0;
    end else begin
      if (write && write_word == GlobalInterrupt && wstrb_i[0]) gie_q <= wdata_i[bdnn_hw_pkg::GlobalInterruptEnable];
      if (write && write_word == InterruptEnable && wstrb_i[0]) ier_q <= wdata_i[1:0];
      if (done_i)                                                 isr_q <= isr_q | ier_q;
      else if (write && write_word == InterruptStatus && wstrb_i[0]) isr_q <= isr_q ^ wdata_i[1:0];
    end
  end
  assign interrupt_o = gie_q && (isr_q != '0);

`ifndef SYNTHESIS
  initial assert (StatusOffset >= bdnn_hw_pkg::ArgumentsOffset + 4 * ArgumentWords && StatusOffset + 4 * StatusWords <= (1 << AddressBits))
    else $fatal(1, "bdnn_control: registers do not fit");
  always_ff @(posedge clk_i) begin
    if (rst_ni) assert (!done_i || busy_q) else $error("bdnn_control: done without a run");
  end
`endif

endmodule
