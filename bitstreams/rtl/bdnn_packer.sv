// SPDX-License-Identifier: BSD-2-Clause
// Packs values, a unit's neighboring channels of a pixel, Lanes at a time, into 64-bit words:
//   planes  planes_i words, the lowest plane first, bit c of a word is channel c
//   int16   16 words of four values       int32   32 words of two values

module bdnn_packer #(
  parameter int unsigned Lanes = 1   // values a cycle: 1, 2 or 4
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic [1:0]          mode_i,
  input  logic [3:0]          planes_i,
  input  logic                valid_i,
  output logic                ready_o,
  input  logic [32*Lanes-1:0] values_i,  // the lowest channel in the lowest bits
  output logic                valid_o,
  input  logic                ready_i,
  output logic [63:0]         data_o,
  output logic                idle_o     // no complete word waits
);

  localparam int unsigned StepBits = $clog2(bdnn_hw_pkg::Unit) - $clog2(Lanes);

  logic [StepBits-1:0] step_q;   // of the unit's channels
  logic                take, is_planes, is_int16;

  assign is_planes = mode_i == bdnn_hw_pkg::ModePlanes;
  assign is_int16  = mode_i == bdnn_hw_pkg::ModeInt16;

  always_ff @(posedge clk_i) begin
    if (!rst_ni)   step_q <= '0;
    else if (take) step_q <= step_q + 1'b1;
  end

  ////////////////
  // Bit planes //
  ////////////////

  // Each plane is a shift register that fills from the top. Full, they move to a second set, whose words leave from the first one while the others
  // move down, so that the next pixel fills the first set meanwhile.
  localparam int unsigned Planes = bdnn_hw_pkg::OutPlanesMax;

  logic [64*Planes-1:0] planes_q, leaving_q;
  logic                 filled_q, move;
  logic [3:0]           left_q;  // words still to leave

  assign move = filled_q && (left_q == '0 || (left_q == 4'd1 && ready_i));

  for (genvar p = 0; p < Planes; p++) begin : g_plane
    logic [Lanes-1:0] bits;
    logic [63:0]      shifted;

    for (genvar l = 0; l < Lanes; l++) begin : g_lane
      assign bits[l] = values_i[32*l+p];
    end
    assign shifted = 64'({bits, planes_q[64*p +: 64]} >> Lanes);

    always_ff @(posedge clk_i) begin
      if (take) planes_q[64*p +: 64] <= shifted;
    end
    always_ff @(posedge clk_i) begin
      if (move)         leaving_q[64*p +: 64] <= planes_q[64*p +: 64];
      else if (ready_i) leaving_q[64*p +: 64] <= (p == Planes - 1) ? 64'h0 : leaving_q[64*((p+1)%Planes) +: 64];
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) filled_q <= 1'b0;
    else         filled_q <= (take && is_planes && &step_q) || (filled_q && !move);
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni)                      left_q <= '0;
    else if (move)                    left_q <= planes_i;
    else if (left_q != '0 && ready_i) left_q <= left_q - 1'b1;
  end

  ////////////////////
  // Whole integers //
  ////////////////////

  // Words fill from the top; four values of int32 are two words at once.
  logic [16*Lanes-1:0] halves;
  logic [63:0]         words16, words32, word_q, next_q;
  logic [1:0]          full_q;
  logic                word_done;

  for (genvar l = 0; l < Lanes; l++) begin : g_half
    assign halves[16*l +: 16] = values_i[32*l +: 16];
  end
  assign words16 = 64'({halves, word_q} >> (16 * Lanes));

  if (Lanes == 4) begin : g_two_words
    assign words32   = values_i[63:0];
    assign word_done = 1'b1;
    always_ff @(posedge clk_i) begin
      if (take) next_q <= values_i[127:64];
    end
  end else begin : g_one_word
    assign words32   = 64'({values_i, word_q} >> (32 * Lanes));
    assign word_done = is_int16 ? (4'(step_q) % 4'(4 / Lanes)) == 4'(4 / Lanes - 1) : (2'(step_q) % 2'(2 / Lanes)) == 2'(2 / Lanes - 1);
    assign next_q    = '0;
  end

  always_ff @(posedge clk_i) begin
    if (take)                            word_q <= is_int16 ? words16 : words32;
    else if (ready_i && full_q == 2'd2)  word_q <= next_q;
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni)                      full_q <= '0;
    else if (take)                    full_q <= (is_planes || !word_done) ? 2'd0 : (Lanes == 4 && !is_int16) ? 2'd2 : 2'd1;
    else if (ready_i && full_q != '0) full_q <= full_q - 1'b1;
  end

  //////////////
  // Handshake //
  //////////////

  assign valid_o = is_planes ? (left_q != '0) : (full_q != '0);
  assign data_o  = is_planes ? leaving_q[63:0] : word_q;
  assign ready_o = is_planes ? !filled_q || move : full_q == 2'd0 || (ready_i && full_q == 2'd1);
  assign idle_o  = full_q == 2'd0 && left_q == '0 && !filled_q;
  assign take    = valid_i && ready_o;

`ifndef SYNTHESIS
  initial assert (Lanes == 1 || Lanes == 2 || Lanes == 4) else $fatal(1, "bdnn_packer: %0d values a cycle", Lanes);
  always_ff @(posedge clk_i) begin
    if (rst_ni && valid_i) assert (mode_i != bdnn_hw_pkg::ModeMaximum && (!is_planes || (planes_i >= 4'd1 && planes_i <= 4'(Planes))))
      else $error("bdnn_packer: mode %0d, %0d planes", mode_i, planes_i);
  end
`endif

endmodule
