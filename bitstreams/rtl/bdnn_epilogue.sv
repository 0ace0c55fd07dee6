// SPDX-License-Identifier: BSD-2-Clause
// Requantization of one accumulator a cycle: clamp((acc x multiplier + offset) >> 32, low, high), or the accumulator itself when raw.
// Latency 5 cycles. The product is built of two 17 x 32 halves, each two DSP blocks of either family.

module bdnn_epilogue #(
  parameter int unsigned TagBits = 8  // travels with the value
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               valid_i,
  input  logic [TagBits-1:0] tag_i,
  input  logic signed [31:0] acc_i,
  input  logic signed [31:0] multiplier_i,
  input  logic signed [63:0] offset_i,
  input  logic signed [31:0] low_i,
  input  logic signed [31:0] high_i,
  input  logic               raw_i,
  output logic               valid_o,
  output logic [TagBits-1:0] tag_o,
  output logic signed [31:0] value_o
);

  // Stage 1: operands
  logic signed [31:0] acc1_q, multiplier1_q;
  logic signed [63:0] offset1_q;
  // Stage 2: halves of the product; the low half of the accumulator is unsigned
  logic signed [48:0] low2_q;
  logic signed [47:0] high2_q;
  logic signed [31:0] acc2_q;
  logic signed [63:0] offset2_q;
  // Stage 3: product
  logic signed [63:0] product3_q, offset3_q;
  logic signed [31:0] acc3_q;
  // Stage 4: shifted sum
  logic signed [63:0] sum4_d;
  logic signed [31:0] shifted4_q, acc4_q;
  // Stage 5: clamped
  logic signed [31:0] value5_q;

  assign sum4_d = product3_q + offset3_q;

  always_ff @(posedge clk_i) begin
    acc1_q        <= acc_i;
    multiplier1_q <= multiplier_i;
    offset1_q     <= offset_i;

    low2_q    <= 49'($signed({1'b0, acc1_q[15:0]})) * 49'(multiplier1_q);
    high2_q   <= 48'($signed(acc1_q[31:16])) * 48'(multiplier1_q);
    acc2_q    <= acc1_q;
    offset2_q <= offset1_q;

    product3_q <= 64'(low2_q) + {high2_q, 16'h0};
    offset3_q  <= offset2_q;
    acc3_q     <= acc2_q;

    shifted4_q <= sum4_d[63:32];
    acc4_q     <= acc3_q;

    if (raw_i)                    value5_q <= acc4_q;
    else if (shifted4_q < low_i)  value5_q <= low_i;
    else if (shifted4_q > high_i) value5_q <= high_i;
    else                          value5_q <= shifted4_q;
  end

  logic [4:0]           valid_q;
  logic [5*TagBits-1:0] tag_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else         valid_q <= {valid_q[3:0], valid_i};
  end
  always_ff @(posedge clk_i) tag_q <= {tag_q[4*TagBits-1:0], tag_i};

  assign valid_o = valid_q[4];
  assign tag_o   = tag_q[5*TagBits-1 -: TagBits];
  assign value_o = value5_q;

endmodule
