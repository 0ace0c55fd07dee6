// SPDX-License-Identifier: BSD-2-Clause
// The array: Rows x Columns XNOR-popcount units. A row shares its weight word, a column its activation word.
//
// A sum is a burst without gaps: for every bit plane, highest first, its words and then one flush. When a sum is complete every unit's result is
// held, and the columns leave one a cycle, all rows of a column together, while the next sum is computed. Sums must therefore
// end at least Columns cycles apart; an assertion checks it.

module bdnn_array #(
  parameter int unsigned Rows       = 8,
  parameter int unsigned Columns    = 8,
  parameter int unsigned WordBits   = 128,
  parameter int unsigned SumBits    = 24,
  parameter bit          Structural = 1'b1
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,

  // Operands
  input  logic                        word_i,         // this cycle's operands are words
  input  logic                        flush_i,        // end of a bit plane; the operands are ignored
  input  logic                        first_i,        // first word of a sum
  input  logic                        last_i,         // last flush of a sum
  input  logic [Rows*WordBits-1:0]    weights_i,
  input  logic [Columns*WordBits-1:0] activations_i,

  // Results, one column a cycle
  output logic                        valid_o,
  output logic [$clog2(Columns)-1:0]  column_o,
  output logic [Rows*SumBits-1:0]     sums_o
);

  localparam int unsigned Stages      = bdnn_popcount_pkg::unit_stages(WordBits);
  localparam int unsigned ColumnWidth = $clog2(Columns);

  //////////////
  // Operands //
  //////////////

  // What is not a word is the flush pattern: weights (0, 1), activations (0, 0), products (1, 0). It costs set and reset inputs only.
  logic [Rows*WordBits-1:0]    weights_q;
  logic [Columns*WordBits-1:0] activations_q;
  logic                        word_q;

  always_ff @(posedge clk_i) begin
    if (!word_i) weights_q <= {(Rows*WordBits/2){2'b10}};
    else         weights_q <= weights_i;
  end
  always_ff @(posedge clk_i) begin
    if (!word_i) activations_q <= '0;
    else         activations_q <= activations_i;
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) word_q <= 1'b0;
    else         word_q <= word_i;
  end

  // Controls travel with their operands: one stage for the registers above, Stages in the units, one more for the finished sum.
  logic [Stages:0] first_q, double_q;
  logic [Stages+1:0] last_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      first_q  <= '0;
      double_q <= '0;
      last_q   <= '0;
    end else begin
      first_q  <= {first_q[Stages-1:0], word_i & first_i};
      double_q <= {double_q[Stages-1:0], flush_i};
      last_q   <= {last_q[Stages:0], flush_i & last_i};
    end
  end

  ///////////
  // Units //
  ///////////

  logic [Rows*Columns*SumBits-1:0] held_q;

  for (genvar r = 0; r < Rows; r++) begin : g_row
    for (genvar c = 0; c < Columns; c++) begin : g_column
      logic [SumBits-1:0] sum;

      bdnn_xnor_pe #(.WordBits(WordBits), .SumBits(SumBits), .Structural(Structural)) u_unit (
        .clk_i,
        .weights_i    (weights_q[r*WordBits +: WordBits]),
        .activations_i(activations_q[c*WordBits +: WordBits]),
        .flush_i      (~word_q),
        .sum_first_i  (first_q[Stages]),
        .sum_double_i (double_q[Stages]),
        .sum_o        (sum)
      );

      always_ff @(posedge clk_i) begin
        if (last_q[Stages+1]) held_q[(r*Columns+c)*SumBits +: SumBits] <= sum;
      end
    end
  end

  /////////////
  // Results //
  /////////////

  logic                   busy_q;
  logic [ColumnWidth-1:0] column_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      busy_q   <= 1'b0;
      column_q <= '0;
    end else if (last_q[Stages+1]) begin
      busy_q   <= 1'b1;
      column_q <= '0;
    end else if (busy_q) begin
      busy_q   <= (column_q != ColumnWidth'(Columns-1));
      column_q <= column_q + 1'b1;
    end
  end

  logic [Rows*SumBits-1:0] sums_d, sums_q;
  logic                    valid_q;
  logic [ColumnWidth-1:0]  column_out_q;

  // A tree of two-to-one multiplexers, of which two levels fit one look-up table.
  for (genvar r = 0; r < Rows; r++) begin : g_select
    for (genvar level = 0; level <= ColumnWidth; level++) begin : g_level
      logic [(Columns >> level)*SumBits-1:0] left;
      if (level == 0) begin : g_all
        assign left = held_q[r*Columns*SumBits +: Columns*SumBits];
      end else begin : g_half
        for (genvar c = 0; c < (Columns >> level); c++) begin : g_column
          assign left[c*SumBits +: SumBits] = column_q[level-1] ? g_level[level-1].left[(2*c+1)*SumBits +: SumBits]
                                                                : g_level[level-1].left[2*c*SumBits +: SumBits];
        end
      end
    end
    assign sums_d[r*SumBits +: SumBits] = g_level[ColumnWidth].left;
  end

  always_ff @(posedge clk_i) begin
    sums_q       <= sums_d;
    column_out_q <= column_q;
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= 1'b0;
    else         valid_q <= busy_q;
  end

  assign valid_o  = valid_q;
  assign column_o = column_out_q;
  assign sums_o   = sums_q;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!(word_i && flush_i)) else $error("bdnn_array: a word and a flush in one cycle");
      assert (!(last_q[Stages+1] && busy_q && column_q != ColumnWidth'(Columns-1)))
        else $error("bdnn_array: a sum ended before the last one was read, at column %0d", column_q);
    end
  end
`endif

endmodule
