// SPDX-License-Identifier: BSD-2-Clause
// Max pooling of quantized values as they lie in memory: channel by channel the greatest of a unit's taps, a unit at a time.
//
// Planes come lowest first, so a channel's tap is greater than the best so far if in the highest plane in which they differ it has the 1: each plane
// decides anew where the two differ and keeps the verdict of the planes below where they agree. Which of the two is the new best
// is known with the last plane only; until the next tap passes, both are kept together with the verdict.
//
// Taps outside of the image are pieces without data, which do not count; a unit without any tap is 0. After halt_i it completes what it asked
// for and starts nothing more.

module bdnn_pool (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  run_i,
  input  logic                  halt_i,
  input  bdnn_hw_pkg::job_t     job_i,

  // Taps, from bdnn_fetch
  input  logic                  piece_valid_i,
  output logic                  piece_pop_o,
  input  bdnn_core_pkg::piece_t  piece_i,
  input  logic                  data_valid_i,
  output logic                  data_pop_o,
  input  logic [63:0]           data_i,

  // Write commands and data, one command a unit
  output logic                  cmd_valid_o,
  input  logic                  cmd_ready_i,
  output logic [63:0]           cmd_address_o,
  output logic [23:0]           cmd_words_o,
  output logic                  data_valid_o,
  input  logic                  data_ready_i,
  output logic [63:0]           data_o,

  output logic                  settled_o,   // nothing of what was asked for is due
  output logic                  done_o       // all results were handed over
);

  // Gather the taps of a unit, ask for room for its results, give them.
  localparam logic [1:0] Gather = 2'd0;
  localparam logic [1:0] Ask    = 2'd1;
  localparam logic [1:0] Give   = 2'd2;

  logic [1:0] phase_q;
  logic [2:0] plane_q;
  logic       done_q, is_padding, tap_step, give_step, plane_last, tap_end, unit_end;

  assign is_padding = piece_i.kind == bdnn_core_pkg::KindPadding;
  assign plane_last = 4'(plane_q) == job_i.planes - 1'b1;
  assign tap_step   = phase_q == Gather && run_i && !halt_i && piece_valid_i && !is_padding && data_valid_i;
  assign give_step  = phase_q == Give && data_ready_i;
  assign tap_end    = phase_q == Gather && run_i && !halt_i && piece_valid_i && (is_padding || (tap_step && plane_last));
  assign unit_end   = give_step && plane_last;

  assign piece_pop_o = tap_end;
  assign data_pop_o  = tap_step;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      phase_q <= Gather;
    end else begin
      unique case (phase_q)
        Gather:  if (tap_end && piece_i.pixel_last) phase_q <= Ask;
        Ask:     if (cmd_valid_o && cmd_ready_i) phase_q <= Give;
        default: if (unit_end) phase_q <= Gather;
      endcase
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni)                     plane_q <= '0;
    else if (tap_step || give_step)  plane_q <= plane_last ? '0 : plane_q + 1'b1;
  end

  /////////////
  // Maximum //
  /////////////

  logic [63:0] tap_memory [bdnn_hw_pkg::PlanesMax];
  logic [63:0] best_memory [bdnn_hw_pkg::PlanesMax];
  logic [63:0] best, below, greater_d, greater_q, newer_q;
  logic        seen_q;

  assign best      = seen_q ? (newer_q & tap_memory[plane_q]) | (~newer_q & best_memory[plane_q]) : '0;
  assign below     = plane_q == '0 ? '0 : greater_q;
  assign greater_d = (data_i & ~best) | (~(data_i ^ best) & below);

  always_ff @(posedge clk_i) begin
    if (tap_step) tap_memory[plane_q] <= data_i;
  end
  always_ff @(posedge clk_i) begin
    if (tap_step) best_memory[plane_q] <= best;
  end
  always_ff @(posedge clk_i) begin
    if (tap_step) greater_q <= greater_d;
    if (tap_step && plane_last) newer_q <= greater_d;
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni || unit_end)          seen_q <= 1'b0;
    else if (tap_step && plane_last)  seen_q <= 1'b1;
  end

  assign data_valid_o = phase_q == Give;
  assign data_o       = best;

  //////////////
  // Commands //
  //////////////

  logic [63:0] address_q, pixel_step;
  logic [31:0] pixels_left_q;
  logic [19:0] units_back;
  logic [15:0] unit_q;
  logic        unit_last;

  // The address has moved on by all units but the last when a pixel ends.
  assign unit_last  = unit_q == job_i.units - 1'b1;
  assign units_back = (20'(job_i.units) - 1'b1) * 20'(job_i.planes);
  assign pixel_step = {{32{job_i.result_step[31]}}, job_i.result_step}
                      - {41'h0, units_back, 3'h0};

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      address_q     <= job_i.results;
      pixels_left_q <= job_i.pixels;
      unit_q        <= '0;
      done_q        <= 1'b0;
    end else if (unit_end) begin
      address_q <= address_q + (unit_last ? pixel_step : {57'h0, job_i.planes, 3'h0});
      unit_q    <= unit_last ? '0 : unit_q + 1'b1;
      if (unit_last) begin
        pixels_left_q <= pixels_left_q - 1'b1;
        done_q        <= pixels_left_q == 32'd1;
      end
    end
  end

  assign cmd_valid_o   = phase_q == Ask && run_i && !halt_i;
  assign cmd_address_o = address_q;
  assign cmd_words_o   = 24'(job_i.planes);

  assign settled_o = phase_q != Give;
  assign done_o    = done_q;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    // Before a run there may be pieces that a halted one left.
    if (rst_ni && run_i && piece_valid_i) assert (is_padding || (piece_i.kind == bdnn_core_pkg::KindTap && piece_i.count == 16'd1))
      else $error("bdnn_pool: piece of kind %0d with %0d units", piece_i.kind, piece_i.count);
    if (rst_ni && run_i && done_q) assert (!piece_valid_i) else $error("bdnn_pool: a tap behind the last unit");
  end
`endif

endmodule
