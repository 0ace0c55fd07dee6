// SPDX-License-Identifier: BSD-2-Clause
// Turns units of channels, which come with one plane after the other, into words of several units, which leave with one plane after the
// other: two small memories a part, for even and for odd planes. One word is collected while the one before leaves.

module bdnn_turn #(
  parameter int unsigned Parts     = 2,   // units of a word, a power of two
  parameter int unsigned PortWords = 1    // planes a cycle: 1 or 2
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic [3:0]          planes_i,

  // Planes plane_i and, of two, plane_i + 1 of a unit
  input  logic                valid_i,
  input  logic [2:0]          plane_i,
  input  logic                plane_last_i,   // the unit is complete with these
  input  logic [63:0]         first_i,
  input  logic [63:0]         second_i,
  input  logic                pixel_last_i,   // with the unit's last plane: it ends a pixel, a block
  input  logic                block_last_i,

  // A word of a plane, the lowest plane first
  output logic                valid_o,
  output logic [64*Parts-1:0] word_o,
  output logic                last_o,         // plane
  output logic                pixel_last_o,
  output logic                block_last_o
);

  localparam int unsigned PartBits = $clog2(Parts);

  logic [PartBits-1:0] part_q;
  logic                bank_q;        // collected; the other one leaves
  logic                unit_end, word_end;

  assign unit_end = valid_i && plane_last_i;
  assign word_end = unit_end && part_q == PartBits'(Parts - 1);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      part_q <= '0;
      bank_q <= 1'b0;
    end else if (unit_end) begin
      part_q <= part_q + 1'b1;
      if (word_end) bank_q <= !bank_q;
    end
  end

  logic       leaving_q, pixel_last_q, block_last_q;
  logic [2:0] plane_q;

  assign last_o = 4'(plane_q) + 4'd1 == planes_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      leaving_q <= 1'b0;
      plane_q   <= '0;
    end else begin
      leaving_q <= word_end || (leaving_q && !last_o);
      if (leaving_q) plane_q <= last_o ? '0 : plane_q + 1'b1;
    end
  end
  always_ff @(posedge clk_i) begin
    if (word_end) begin
      pixel_last_q <= pixel_last_i;
      block_last_q <= block_last_i;
    end
  end

  for (genvar p = 0; p < Parts; p++) begin : g_part
    logic [63:0] even_memory [bdnn_hw_pkg::PlanesMax];
    logic [63:0] odd_memory [bdnn_hw_pkg::PlanesMax];
    logic        write_even, write_odd;

    assign write_even = valid_i && part_q == PartBits'(p) && !plane_i[0];
    assign write_odd  = valid_i && part_q == PartBits'(p) && (PortWords == 2 || plane_i[0]);

    always_ff @(posedge clk_i) begin
      if (write_even) even_memory[{bank_q, plane_i[2:1]}] <= first_i;
    end
    always_ff @(posedge clk_i) begin
      if (write_odd) odd_memory[{bank_q, plane_i[2:1]}] <= (PortWords == 2) ? second_i : first_i;
    end

    assign word_o[64*p +: 64] = plane_q[0] ? odd_memory[{!bank_q, plane_q[2:1]}] : even_memory[{!bank_q, plane_q[2:1]}];
  end

  assign valid_o      = leaving_q;
  assign pixel_last_o = pixel_last_q;
  assign block_last_o = block_last_q;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!(word_end && leaving_q && !last_o)) else $error("bdnn_turn: a word is complete before the last one has left");
      assert (!(unit_end && pixel_last_i && !word_end)) else $error("bdnn_turn: a pixel ends within a word, at unit %0d", part_q);
      assert (!valid_i || PortWords == 1 || !plane_i[0]) else $error("bdnn_turn: a pair begins at plane %0d", plane_i);
    end
  end
`endif

endmodule
