// SPDX-License-Identifier: BSD-2-Clause
// Number of ones of a word: 6:3 counters (three look-up tables for six bits), then layers of ternary adders.
// Latency 1 + bdnn_popcount_pkg::layers(bdnn_popcount_pkg::counters(Bits)) cycles, one word a cycle.

module bdnn_popcount #(
  parameter int unsigned Bits       = 64,
  parameter bit          Structural = 1'b1,  // 0: the definition, with the same latency
  parameter int unsigned OutWidth   = $clog2(Bits + 1)
) (
  input  logic                clk_i,
  input  logic [Bits-1:0]     bits_i,
  output logic [OutWidth-1:0] count_o
);

  localparam int unsigned Counters = bdnn_popcount_pkg::counters(Bits);
  localparam int unsigned Adders   = (Counters + 1) / 3;
  localparam int unsigned Free     = (Adders == 0) ? 1 : 2 * Adders;
  localparam int unsigned Stages   = 1 + bdnn_popcount_pkg::layers(Counters);

  if (Structural) begin : g_structural
    logic [6*Counters+Free-1:0] padded;
    logic [3*Counters-1:0]      counts_q;
    logic [Free-1:0]            free_q;

    assign padded = {{(6*Counters+Free-Bits){1'b0}}, bits_i};

    for (genvar c = 0; c < Counters; c++) begin : g_counter
      // Two full adders and the sum of their results, written as logic: a synthesizer would make carry chains of additions.
      logic [5:0] six;
      logic       one_a, one_b, two_a, two_b, two_c;
      assign six   = padded[6*c +: 6];
      assign one_a = six[0] ^ six[1] ^ six[2];
      assign one_b = six[3] ^ six[4] ^ six[5];
      assign two_a = (six[0] & six[1]) | (six[2] & (six[0] | six[1]));
      assign two_b = (six[3] & six[4]) | (six[5] & (six[3] | six[4]));
      assign two_c = one_a & one_b;
      always_ff @(posedge clk_i) begin
        counts_q[3*c +: 3] <= {(two_a & two_b) | (two_c & (two_a | two_b)), two_a ^ two_b ^ two_c, one_a ^ one_b};
      end
    end
    always_ff @(posedge clk_i) free_q <= padded[6*Counters +: Free];

    bdnn_sum_tree #(.Count(Counters), .Max(6), .OutWidth(OutWidth)) u_tree (
      .clk_i,
      .numbers_i(counts_q),
      .bits_i   (free_q),
      .sum_o    (count_o)
    );
  end else begin : g_definition
    logic [OutWidth*Stages-1:0] count_q;
    always_ff @(posedge clk_i) count_q <= (OutWidth*Stages)'({count_q, OutWidth'($countones(bits_i))});
    assign count_o = count_q[OutWidth*Stages-1 -: OutWidth];
  end

endmodule
