// SPDX-License-Identifier: BSD-2-Clause
// Scale accumulator of one array row: for every column, acc <- acc + scale x sum over the bases of a filter, starting from the filter's constant.
// Shaped for one DSP block: 25 x 18 signed multiplier, adder behind it. Partial sums of the columns live in a small memory. Latency 3 cycles.
// The same column must not return within 4 cycles.

module bdnn_scale #(
  parameter int unsigned Columns = 8,
  parameter int unsigned SumBits = 24
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic                       valid_i,
  input  logic [$clog2(Columns)-1:0] column_i,
  input  logic                       first_i,     // first basis: start from the constant
  input  logic                       last_i,      // last basis: the accumulator leaves
  input  logic [SumBits-1:0]         sum_i,
  input  logic signed [7:0]          scale_i,
  input  logic signed [31:0]         constant_i,
  output logic                       valid_o,
  output logic [$clog2(Columns)-1:0] column_o,
  output logic signed [31:0]         acc_o
);

  localparam int unsigned ColumnWidth = $clog2(Columns);

  // Stage 1: operands and what was accumulated so far
  logic signed [24:0]     sum_q;
  logic signed [7:0]      scale_q;
  logic signed [31:0]     base_q;
  logic signed [31:0]     partial [Columns];
  // Stage 2: product
  logic signed [32:0]     product_q;
  logic signed [31:0]     base2_q;
  // Stage 3: sum
  logic signed [31:0]     acc_q;

  always_ff @(posedge clk_i) begin
    sum_q     <= 25'({1'b0, sum_i});
    scale_q   <= scale_i;
    base_q    <= first_i ? constant_i : partial[column_i];
    product_q <= 33'(sum_q) * 33'(scale_q);
    base2_q   <= base_q;
    acc_q     <= base2_q + product_q[31:0];
  end

  // Controls beside them
  logic [2:0]             valid_q, last_q;
  logic [ColumnWidth-1:0] column1_q, column2_q, column3_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else         valid_q <= {valid_q[1:0], valid_i};
  end
  always_ff @(posedge clk_i) begin
    last_q    <= {last_q[1:0], last_i};
    column1_q <= column_i;
    column2_q <= column1_q;
    column3_q <= column2_q;
  end
  always_ff @(posedge clk_i) begin
    if (valid_q[2]) partial[column3_q] <= acc_q;
  end

  assign valid_o  = valid_q[2] & last_q[2];
  assign column_o = column3_q;
  assign acc_o    = acc_q;

`ifndef SYNTHESIS
  initial assert (SumBits <= 24) else $fatal(1, "bdnn_scale: SumBits %0d do not fit the multiplier", SumBits);
  always_ff @(posedge clk_i) begin
    if (rst_ni && valid_i) begin
      assert (!(valid_q[0] && column1_q == column_i) && !(valid_q[1] && column2_q == column_i)
              && !(valid_q[2] && column3_q == column_i))
        else $error("bdnn_scale: column %0d returned too early", column_i);
    end
  end
`endif

endmodule
