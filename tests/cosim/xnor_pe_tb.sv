// SPDX-License-Identifier: BSD-2-Clause
// The unit as it is built of look-up tables and as it is defined, side by side, at three widths; they must agree in every cycle once a sum began.

module xnor_pe_tb (
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic [255:0] weights_i,
  input  logic [255:0] activations_i,
  input  logic         flush_i,
  input  logic         sum_first_i,
  input  logic         sum_double_i,
  output logic [23:0]  sum64_o,
  output logic [23:0]  sum128_o,
  output logic [23:0]  sum256_o,
  output logic [3:0]   stages64_o,
  output logic [3:0]   stages128_o,
  output logic [3:0]   stages256_o
);

  assign stages64_o  = 4'(bdnn_popcount_pkg::unit_stages(64));
  assign stages128_o = 4'(bdnn_popcount_pkg::unit_stages(128));
  assign stages256_o = 4'(bdnn_popcount_pkg::unit_stages(256));

  // Controls of the accumulators, which come as many cycles later as the unit has stages
  logic [15:0] first_q, double_q;
  always_ff @(posedge clk_i) begin
    first_q  <= rst_ni ? {first_q[14:0], sum_first_i} : '0;
    double_q <= {double_q[14:0], sum_double_i};
  end

  for (genvar g = 0; g < 3; g++) begin : g_width
    localparam int unsigned Bits   = 64 << g;
    localparam int unsigned Stages = bdnn_popcount_pkg::unit_stages(Bits);
    logic [23:0] built, defined;

    bdnn_xnor_pe #(.WordBits(Bits), .Structural(1'b1)) u_built (
      .clk_i, .weights_i(weights_i[Bits-1:0]), .activations_i(activations_i[Bits-1:0]), .flush_i,
      .sum_first_i(first_q[Stages-1]), .sum_double_i(double_q[Stages-1]), .sum_o(built)
    );
    bdnn_xnor_pe #(.WordBits(Bits), .Structural(1'b0)) u_defined (
      .clk_i, .weights_i(weights_i[Bits-1:0]), .activations_i(activations_i[Bits-1:0]), .flush_i,
      .sum_first_i(first_q[Stages-1]), .sum_double_i(double_q[Stages-1]), .sum_o(defined)
    );

    logic seen_q;
    always_ff @(posedge clk_i) begin
      if (!rst_ni) seen_q <= 1'b0;
      else         seen_q <= seen_q | first_q[Stages-1];
      assert (!rst_ni || !seen_q || built == defined)
        else $error("unit of %0d bits: built %0d, defined %0d", Bits, built, defined);
    end
  end

  assign sum64_o  = g_width[0].built;
  assign sum128_o = g_width[1].built;
  assign sum256_o = g_width[2].built;

endmodule
