// SPDX-License-Identifier: BSD-2-Clause
// Two functions of the same five inputs in one six-input look-up table: the primitive of AMD devices where there is one, its definition in simulation.

module bdnn_lut6_2 #(
  parameter logic [31:0] O5 = 32'h0,  // truth table of o5_o, indexed by in_i
  parameter logic [31:0] O6 = 32'h0   // truth table of o6_o
) (
  input  logic [4:0] in_i,
  output logic       o5_o,
  output logic       o6_o
);

`ifdef SYNTHESIS
  LUT6_2 #(.INIT({O6, O5})) u_lut (
    .I0(in_i[0]), .I1(in_i[1]), .I2(in_i[2]), .I3(in_i[3]), .I4(in_i[4]), .I5(1'b1),
    .O5(o5_o), .O6(o6_o)
  );
`else
  assign o5_o = O5[in_i];
  assign o6_o = O6[in_i];
`endif

endmodule
