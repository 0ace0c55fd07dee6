// SPDX-License-Identifier: BSD-2-Clause
// From the beats of a port to the 64-bit words that were asked for. On a port of 64 bits the two are the same. On one of 128 bits a command reads
// all beats that its words touch; here the halves around them fall away, and one or two words leave a cycle, wherever the command began.

module bdnn_align #(
  parameter int unsigned PortWords = 1   // of 64 bits a beat: 1 or 2
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,

  // Beats
  input  logic                    data_valid_i,
  output logic                    data_pop_o,
  input  logic [64*PortWords-1:0] data_i,

  // The command at the head, as long as its words are due
  input  logic                    active_i,
  input  logic                    skip_i,      // it begins in the upper half of its first beat

  // Its next words
  output logic [1:0]              count_o,     // that are here
  output logic [63:0]             first_o,
  output logic [63:0]             second_o,
  input  logic [1:0]              take_i,      // at most count_o
  input  logic                    last_i       // with these the command ends
);

  if (PortWords == 1) begin : g_same
    assign count_o    = {1'b0, data_valid_i && active_i};
    assign first_o    = data_i;
    assign second_o   = '0;
    assign data_pop_o = take_i != '0;

    logic unused_command;
    assign unused_command = ^{clk_i, rst_ni, skip_i, last_i};
  end else begin : g_wide
    logic        begun_q, held_valid_q, drop;
    logic [63:0] held_q;

    // What the beat before left over comes first.
    assign drop     = active_i && !begun_q && skip_i;
    assign count_o  = !active_i || drop ? 2'd0 : {data_valid_i, held_valid_q && !data_valid_i};
    assign first_o  = held_valid_q ? held_q : data_i[63:0];
    assign second_o = held_valid_q ? data_i[63:0] : data_i[127:64];

    // One word of a beat leaves the other one behind, two words leave things as they were.
    assign data_pop_o = drop ? data_valid_i : take_i == 2'd2 || (take_i == 2'd1 && !held_valid_q);

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        begun_q      <= 1'b0;
        held_valid_q <= 1'b0;
      end else if (drop) begin
        begun_q      <= data_valid_i;
        held_valid_q <= data_valid_i;
      end else if (take_i != '0) begin
        begun_q      <= !last_i;
        held_valid_q <= !last_i && (held_valid_q ^ take_i[0]);
      end
    end
    always_ff @(posedge clk_i) begin
      if (data_pop_o) held_q <= data_i[127:64];
    end
  end

`ifndef SYNTHESIS
  initial assert (PortWords == 1 || PortWords == 2) else $fatal(1, "bdnn_align: %0d words a beat", PortWords);
  always_ff @(posedge clk_i) begin
    if (rst_ni) assert (take_i <= count_o) else $error("bdnn_align: %0d words taken of %0d", take_i, count_o);
  end
`endif

endmodule
