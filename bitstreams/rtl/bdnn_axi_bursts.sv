// SPDX-License-Identifier: BSD-2-Clause
// An AXI4 address channel, for reads or writes: a command of any number of beats becomes bursts.
//
// Bursts end where an address is a multiple of MaxBurst beats, and MaxBurst beats divide 4 KiB: none crosses a 4-KiB border. Each is held back until
// allow_i; issue_o tells the cycle in which it is decided, one before its address appears.

module bdnn_axi_bursts #(
  parameter int unsigned AddressBits = 64,
  parameter int unsigned DataBits    = 64,
  parameter int unsigned CountBits   = 24,   // of a command's beats
  parameter int unsigned MaxBurst    = 64,   // beats, a power of two
  // Derived, not to be set.
  parameter int unsigned BurstBits = $clog2(MaxBurst)
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,

  // Commands: beats >= 1, the address a multiple of a beat's bytes
  input  logic                   cmd_valid_i,
  output logic                   cmd_ready_o,
  input  logic [AddressBits-1:0] cmd_address_i,
  input  logic [CountBits-1:0]   cmd_beats_i,

  // The next burst
  output logic [BurstBits:0]     beats_o,
  input  logic                   allow_i,
  output logic                   issue_o,
  output logic                   idle_o,         // no command, no address waiting

  // AXI4
  output logic                   valid_o,
  input  logic                   ready_i,
  output logic [AddressBits-1:0] address_o,
  output logic [7:0]             len_o
);

  localparam int unsigned ByteBits = $clog2(DataBits / 8);

  logic                   busy_q, valid_q;
  logic [AddressBits-1:0] next_q, address_q;
  logic [CountBits-1:0]   left_q;
  logic [BurstBits-1:0]   len_q;
  logic [BurstBits:0]     to_border, beats;
  logic                   issue;

  assign to_border = (BurstBits+1)'(MaxBurst) - {1'b0, next_q[ByteBits +: BurstBits]};
  assign beats     = (left_q < CountBits'(to_border)) ? left_q[BurstBits:0] : to_border;
  assign issue     = busy_q && (!valid_q || ready_i) && allow_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni)      busy_q <= 1'b0;
    else if (!busy_q) busy_q <= cmd_valid_i;
    else if (issue)   busy_q <= (left_q != CountBits'(beats));
  end
  always_ff @(posedge clk_i) begin
    if (!busy_q) begin
      next_q <= cmd_address_i;
      left_q <= cmd_beats_i;
    end else if (issue) begin
      next_q <= next_q + (AddressBits'(beats) << ByteBits);
      left_q <= left_q - CountBits'(beats);
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni)      valid_q <= 1'b0;
    else if (issue)   valid_q <= 1'b1;
    else if (ready_i) valid_q <= 1'b0;
  end
  always_ff @(posedge clk_i) begin
    if (issue) begin
      address_q <= next_q;
      len_q     <= BurstBits'(beats - 1'b1);
    end
  end

  assign cmd_ready_o = !busy_q;
  assign beats_o     = beats;
  assign issue_o     = issue;
  assign idle_o      = !busy_q && !valid_q;
  assign valid_o     = valid_q;
  assign address_o   = address_q;
  assign len_o       = 8'(len_q);

`ifndef SYNTHESIS
  initial assert (MaxBurst * DataBits / 8 <= 4096) else $fatal(1, "bdnn_axi_bursts: MaxBurst %0d of %0d bits", MaxBurst, DataBits);
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!(cmd_valid_i && cmd_ready_o) || cmd_beats_i != '0) else $error("bdnn_axi_bursts: command of no beats");
      assert (!(cmd_valid_i && cmd_ready_o) || cmd_address_i[ByteBits-1:0] == '0)
        else $error("bdnn_axi_bursts: address %h is not that of a beat", cmd_address_i);
    end
  end
`endif

endmodule
