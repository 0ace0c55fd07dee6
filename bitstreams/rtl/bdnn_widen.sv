// SPDX-License-Identifier: BSD-2-Clause
// From commands and data in 64-bit words to those in beats of the port, with a strobe for each byte: the way back from bdnn_align.
// On a port of 128 bits a command's first and last beat may be half empty. One word a cycle.

module bdnn_widen #(
  parameter int unsigned PortWords = 1   // of 64 bits a beat: 1 or 2
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,

  // Words
  input  logic                    cmd_valid_i,
  output logic                    cmd_ready_o,
  input  logic [63:0]             cmd_address_i,
  input  logic [23:0]             cmd_words_i,
  input  logic                    data_valid_i,
  output logic                    data_ready_o,
  input  logic [63:0]             data_i,

  // Beats
  output logic                    cmd_valid_o,
  input  logic                    cmd_ready_i,
  output logic [63:0]             cmd_address_o,
  output logic [23:0]             cmd_beats_o,
  output logic                    data_valid_o,
  input  logic                    data_ready_i,
  output logic [64*PortWords-1:0] data_o,
  output logic [8*PortWords-1:0]  strobe_o
);

  if (PortWords == 1) begin : g_same
    assign cmd_valid_o   = cmd_valid_i;
    assign cmd_ready_o   = cmd_ready_i;
    assign cmd_address_o = cmd_address_i;
    assign cmd_beats_o   = cmd_words_i;
    assign data_valid_o  = data_valid_i;
    assign data_ready_o  = data_ready_i;
    assign data_o        = data_i;
    assign strobe_o      = '1;

    logic unused_clock;
    assign unused_clock = clk_i ^ rst_ni;
  end else begin : g_wide
    logic         open_q, begun_q, upper_q, full_q, take, last, ask, close, next_q, next_upper_q;
    logic [23:0]  left_q, next_left_q;
    logic [127:0] data_q;
    logic [1:0]   halves_q;

    // While the words of a command come, one more command may wait for its own.
    assign cmd_valid_o   = cmd_valid_i && !next_q;
    assign cmd_ready_o   = cmd_ready_i && !next_q;
    assign ask           = cmd_valid_o && cmd_ready_i;
    assign close         = take && last;
    assign cmd_address_o = {cmd_address_i[63:4], 4'h0};
    assign cmd_beats_o   = 24'((25'(cmd_words_i) + 25'(cmd_address_i[3]) + 25'd1) >> 1);

    assign data_ready_o = open_q && (!full_q || data_ready_i);
    assign take         = data_valid_i && data_ready_o;
    assign last         = left_q == 24'd1;

    always_ff @(posedge clk_i) begin
      if (!rst_ni)                open_q <= 1'b0;
      else if (!open_q || close)  open_q <= next_q || ask;
    end
    always_ff @(posedge clk_i) begin
      if (!rst_ni)    next_q <= 1'b0;
      else if (close) next_q <= 1'b0;
      else            next_q <= next_q || (ask && open_q);
    end
    always_ff @(posedge clk_i) begin
      if (ask) begin
        next_left_q  <= cmd_words_i;
        next_upper_q <= cmd_address_i[3];
      end
      if (!open_q || close) begin
        left_q  <= next_q ? next_left_q : cmd_words_i;
        upper_q <= next_q ? next_upper_q : cmd_address_i[3];
        begun_q <= 1'b0;
      end else if (take) begin
        left_q  <= left_q - 1'b1;
        upper_q <= !upper_q;
        begun_q <= 1'b1;
      end
    end
    always_ff @(posedge clk_i) begin
      if (!rst_ni)           full_q <= 1'b0;
      else if (take)         full_q <= upper_q || last;
      else if (data_ready_i) full_q <= 1'b0;
    end
    always_ff @(posedge clk_i) begin
      if (take && !upper_q) data_q[63:0] <= data_i;
      if (take && upper_q) data_q[127:64] <= data_i;
      if (take) halves_q <= upper_q ? {1'b1, begun_q} : 2'b01;
    end

    assign data_valid_o = full_q;
    assign data_o       = data_q;
    assign strobe_o     = {{8{halves_q[1]}}, {8{halves_q[0]}}};
  end

`ifndef SYNTHESIS
  initial assert (PortWords == 1 || PortWords == 2) else $fatal(1, "bdnn_widen: %0d words a beat", PortWords);
`endif

endmodule
