// SPDX-License-Identifier: BSD-2-Clause
// A carry chain: sum_o = select ^ carry, the carry of a position being its own input where select is 0 and the one from below where it is 1.
// BDNN_CARRY8 (UltraScale+) chooses the wider primitive.

module bdnn_carry #(
  parameter int unsigned Width = 4
) (
  input  logic             carry_i,
  input  logic [Width-1:0] data_i,
  input  logic [Width-1:0] select_i,
  output logic [Width-1:0] sum_o,
  output logic             carry_o
);

`ifdef SYNTHESIS
  localparam int unsigned Step   = `ifdef BDNN_CARRY8 8 `else 4 `endif;
  localparam int unsigned Blocks = (Width + Step - 1) / Step;

  logic [Blocks*Step-1:0] data, select, sum, carry;
  assign data    = {{(Blocks*Step-Width){1'b0}}, data_i};
  assign select  = {{(Blocks*Step-Width){1'b0}}, select_i};
  assign sum_o   = sum[Width-1:0];
  assign carry_o = carry[Width-1];

  for (genvar b = 0; b < Blocks; b++) begin : g_block
    logic carry_in;
    if (b == 0) begin : g_first
      assign carry_in = carry_i;
    end else begin : g_next
      assign carry_in = carry[b*Step-1];
    end
`ifdef BDNN_CARRY8
    CARRY8 u_carry (
      .CI(carry_in), .CI_TOP(1'b0), .DI(data[b*Step +: Step]), .S(select[b*Step +: Step]),
      .O(sum[b*Step +: Step]), .CO(carry[b*Step +: Step])
    );
`else
    CARRY4 u_carry (
      .CI(b == 0 ? 1'b0 : carry_in), .CYINIT(b == 0 ? carry_in : 1'b0), .DI(data[b*Step +: Step]),
      .S(select[b*Step +: Step]), .O(sum[b*Step +: Step]), .CO(carry[b*Step +: Step])
    );
`endif
  end
`else
  // Where select is 1 the two terms of the addition differ, where it is 0 both are the data: the chain is one addition.
  assign {carry_o, sum_o} = (Width+1)'(data_i) + {1'b0, data_i ^ select_i} + (Width+1)'(carry_i);
`endif

endmodule
