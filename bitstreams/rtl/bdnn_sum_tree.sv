// SPDX-License-Identifier: BSD-2-Clause
// Adds Count numbers in layers of ternary adders with a register behind each; bits_i are two free single bits for every adder of the first layer.

module bdnn_sum_tree #(
  parameter int unsigned Count    = 9,
  parameter int unsigned Max      = 6,  // largest value of a number
  parameter int unsigned OutWidth = 6,
  // Derived, not to be set.
  parameter int unsigned Width  = $clog2(Max + 1),
  parameter int unsigned Adders = (Count + 1) / 3
) (
  input  logic                                        clk_i,
  input  logic [Count*Width-1:0]                      numbers_i,
  input  logic [(Adders == 0 ? 1 : 2*Adders)-1:0]     bits_i,
  output logic [OutWidth-1:0]                         sum_o
);

  if (Count == 1) begin : g_one
    assign sum_o = OutWidth'(numbers_i);

    logic unused_last;
    assign unused_last = ^{clk_i, bits_i};
  end else begin : g_layer
    localparam int unsigned Groups     = (Count + 2) / 3;
    localparam int unsigned NextMax    = 3 * Max + 2;
    localparam int unsigned NextWidth  = $clog2(NextMax + 1);
    localparam int unsigned NextAdders = (Groups + 1) / 3;

    logic [Groups*NextWidth-1:0] sums_d, sums_q;

    for (genvar g = 0; g < Groups; g++) begin : g_group
      if (g < Adders) begin : g_add
        logic [Width-1:0] third;
        if (3*g + 2 < Count) begin : g_third
          assign third = numbers_i[(3*g+2)*Width +: Width];
        end else begin : g_no_third
          assign third = '0;
        end
        bdnn_ternary_add #(.Width(Width), .OutWidth(NextWidth)) u_add (
          .a_i   (numbers_i[3*g*Width +: Width]),
          .b_i   (numbers_i[(3*g+1)*Width +: Width]),
          .c_i   (third),
          .bits_i(bits_i[2*g +: 2]),
          .sum_o (sums_d[g*NextWidth +: NextWidth])
        );
      end else begin : g_pass
        assign sums_d[g*NextWidth +: NextWidth] = NextWidth'(numbers_i[3*g*Width +: Width]);
      end
    end

    always_ff @(posedge clk_i) sums_q <= sums_d;

    bdnn_sum_tree #(.Count(Groups), .Max(NextMax), .OutWidth(OutWidth)) u_next (
      .clk_i,
      .numbers_i(sums_q),
      .bits_i   ('0),
      .sum_o
    );

    logic unused_next;
    assign unused_next = (NextAdders == 0);
  end

endmodule
