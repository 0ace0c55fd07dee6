// SPDX-License-Identifier: BSD-2-Clause
// Adds three numbers and two single bits, one look-up table a bit: each holds the full adder of its column (sum and majority) and, with the
// majority of the column below, the propagate term of the carry chain.

module bdnn_ternary_add #(
  parameter int unsigned Width = 3,       // of each operand
  parameter int unsigned OutWidth = 5     // at most Width + 2
) (
  input  logic [Width-1:0]    a_i,
  input  logic [Width-1:0]    b_i,
  input  logic [Width-1:0]    c_i,
  input  logic [1:0]          bits_i,
  output logic [OutWidth-1:0] sum_o
);

  // One column more than the operands takes their highest majority; the carry out of it is the highest bit of the sum.
  localparam int unsigned Columns = Width + 1;
  localparam logic [31:0] Majority = 32'hE8E8E8E8;  // of in_i[2:0]
  localparam logic [31:0] Parity   = 32'h69966996;  // of in_i[3:0]

  logic [Columns-1:0] propagate, below;
  logic [Columns-1:0] sum;
  logic               carry;

  assign below[0] = bits_i[0];
  for (genvar i = 0; i < Width; i++) begin : g_column
    bdnn_lut6_2 #(.O5(Majority), .O6(Parity)) u_lut (
      .in_i({1'b0, below[i], c_i[i], b_i[i], a_i[i]}),
      .o5_o(below[i+1]),
      .o6_o(propagate[i])
    );
  end
  assign propagate[Width] = below[Width];

  bdnn_carry #(.Width(Columns)) u_carry (
    .carry_i (bits_i[1]),
    .data_i  (below),
    .select_i(propagate),
    .sum_o   (sum),
    .carry_o (carry)
  );

  logic [Width+1:0] full;
  assign full  = {carry, sum};
  assign sum_o = full[OutWidth-1:0];

`ifndef SYNTHESIS
  logic unused_high;
  assign unused_high = ^full;
  initial assert (OutWidth <= Width + 2) else $fatal(1, "bdnn_ternary_add: OutWidth %0d of Width %0d", OutWidth, Width);
`endif

endmodule
