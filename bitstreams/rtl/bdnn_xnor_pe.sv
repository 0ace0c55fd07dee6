// SPDX-License-Identifier: BSD-2-Clause
// One element of the array: XNOR and popcount of a weight word and an activation word a cycle, with carry-save over time.
//
// The bits of one word position that arrive in successive cycles form a column of full adders in time: a pair of products and the
// residue of the cycles before give a new residue and a carry, all in one look-up table with two outputs. Only the WordBits / 2
// carries, which count two each, are then compressed and accumulated. What the residues hold at the end of a bit plane leaves
// with a flush: an operand whose product pairs are (1, 0) turns each residue into its carry. As the planes come highest first
// and the sum doubles between them, the flushed residues have the right weight in the doubled sum:
//
//   word:   sum <- sum + popcount(carries)         flush:  sum <- 2 sum + popcount(residues), residues <- 0
//
// and after the last flush sum = sum_q 2^q popcount(xnor(weights, activations of plane q)). The words of a sum follow one another without
// gaps; between sums the operands are the flush pattern, which keeps the residues clear and of which the accumulator takes no notice.
//
// The two controls of the accumulator belong to the operands of bdnn_popcount_pkg::unit_stages cycles before; sum_o follows them by one cycle.

module bdnn_xnor_pe #(
  parameter int unsigned WordBits   = 128,
  parameter int unsigned SumBits    = 24,
  parameter bit          Structural = 1'b1  // 0: the definition, for fast simulation; cycle by cycle the same
) (
  input  logic                clk_i,
  input  logic [WordBits-1:0] weights_i,
  input  logic [WordBits-1:0] activations_i,
  input  logic                flush_i,       // the operands are the flush pattern: pairs of products (1, 0)
  input  logic                sum_first_i,   // at the accumulator: this count starts a sum
  input  logic                sum_double_i,  // at the accumulator: this count comes from a flush
  output logic [SumBits-1:0]  sum_o
);

  localparam int unsigned Pairs     = WordBits / 2;
  localparam int unsigned CountBits = $clog2(Pairs + 1);

  ///////////////////////////////////
  // Products, carry-save over time //
  ///////////////////////////////////

  logic [Pairs-1:0] residue_d, residue_q, carry_d, carry_q;

  if (Structural) begin : g_structural
    for (genvar i = 0; i < Pairs; i++) begin : g_pair
      bdnn_lut6_2 #(
        .O5(32'hF99F9009),  // majority of the two products and the residue
        .O6(32'h96696996)   // their parity
      ) u_lut (
        .in_i({residue_q[i], activations_i[2*i+1], weights_i[2*i+1], activations_i[2*i], weights_i[2*i]}),
        .o5_o(carry_d[i]),
        .o6_o(residue_d[i])
      );
    end
  end else begin : g_definition
    logic [WordBits-1:0] product;
    logic [Pairs-1:0]    even, odd;
    assign product = ~(weights_i ^ activations_i);
    for (genvar i = 0; i < Pairs; i++) begin : g_pair
      assign even[i] = product[2*i];
      assign odd[i]  = product[2*i+1];
    end
    assign residue_d = even ^ odd ^ residue_q;
    assign carry_d   = (even & odd) | (residue_q & (even | odd));
  end

  always_ff @(posedge clk_i) begin
    if (flush_i) residue_q <= '0;
    else         residue_q <= residue_d;
  end
  always_ff @(posedge clk_i) carry_q <= carry_d;

  ///////////////////////////////
  // Compressor and accumulator //
  ///////////////////////////////

  logic [CountBits-1:0] count;
  logic [SumBits-1:0]   sum_q, base;

  bdnn_popcount #(.Bits(Pairs), .Structural(Structural)) u_popcount (
    .clk_i,
    .bits_i (carry_q),
    .count_o(count)
  );

  always_comb begin
    base = sum_double_i ? {sum_q[SumBits-2:0], 1'b0} : sum_q;
    if (sum_first_i) base = '0;
  end
  always_ff @(posedge clk_i) sum_q <= SumBits'(count) + base;

  assign sum_o = sum_q;

endmodule
