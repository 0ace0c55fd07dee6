// SPDX-License-Identifier: BSD-2-Clause
// Writes the values of finished channel units: for every pixel one write command and its channels, Lanes at a time, through the packer. After
// halt_i it completes what it asked for and starts nothing more.

module bdnn_store #(
  parameter int unsigned Columns   = 8,
  parameter int unsigned PixelBits = 6,
  parameter int unsigned Lanes     = 1,
  // Derived, not to be set.
  parameter int unsigned StepBits = $clog2(bdnn_hw_pkg::Unit) - $clog2(Lanes)
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  run_i,
  input  logic                  halt_i,
  input  bdnn_hw_pkg::job_t     job_i,

  // Values
  input  logic                  unit_ready_i,
  output logic                  unit_free_o,
  output logic                  value_read_o,
  output logic                  value_bank_o,
  output logic [PixelBits-1:0]  value_pixel_o,
  output logic [StepBits-1:0]   value_step_o,
  input  logic [32*Lanes-1:0]   values_i,

  // Write commands and data
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

  logic [1:0]  units_ready_q;
  logic        open_q, bank_q, done_q;
  logic [15:0] asked_q;            // pixels of this unit with a command
  logic [15:0] given_q;            // pixels of this unit whose values all left the memory
  logic [StepBits-1:0] step_q;
  logic [31:0] pixels_left_q;
  logic [15:0] filters_left_q;
  logic [15:0] block_pixels, pixels;
  logic [63:0] block_address_q, unit_address_q, address_q;
  logic [5:0]  beats;
  logic        ask, unit_end, units_end;

  assign block_pixels = 16'(job_i.tiles) * 16'(Columns);
  assign pixels       = (pixels_left_q < 32'(block_pixels)) ? pixels_left_q[15:0] : block_pixels;
  assign units_end    = filters_left_q <= 16'(bdnn_hw_pkg::Unit);
  // Words of a unit's results: as many as a value has bits
  assign beats        = (job_i.mode == bdnn_hw_pkg::ModePlanes) ? {2'b00, job_i.out_planes}
                        : (job_i.mode == bdnn_hw_pkg::ModeInt16) ? 6'(bdnn_hw_pkg::ModeInt16Bits) : 6'(bdnn_hw_pkg::ModeInt32Bits);
  assign unit_end     = open_q && given_q == pixels;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) units_ready_q <= '0;
    else         units_ready_q <= units_ready_q + 2'(unit_ready_i) - 2'(unit_end);
  end

  //////////////
  // Commands //
  //////////////

  assign cmd_valid_o   = open_q && run_i && !halt_i && asked_q != pixels;
  assign cmd_address_o = address_q;
  assign cmd_words_o   = {18'h0, beats};
  assign ask           = cmd_valid_o && cmd_ready_i;

  logic [63:0] next_unit, next_block;
  assign next_unit  = unit_address_q + {55'h0, beats, 3'h0};
  assign next_block = address_q - (unit_address_q - block_address_q);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      open_q          <= 1'b0;
      bank_q          <= 1'b0;
      done_q          <= 1'b0;
      asked_q         <= '0;
      pixels_left_q   <= job_i.pixels;
      filters_left_q  <= job_i.filter_count;
      block_address_q <= job_i.results;
      unit_address_q  <= job_i.results;
      address_q       <= job_i.results;
    end else if (!open_q) begin
      open_q  <= units_ready_q != '0 && !done_q;
      asked_q <= '0;
    end else if (unit_end) begin
      open_q         <= 1'b0;
      bank_q         <= !bank_q;
      filters_left_q <= filters_left_q - 16'(bdnn_hw_pkg::Unit);
      unit_address_q <= next_unit;
      address_q      <= next_unit;
      if (units_end) begin
        // The address has moved on by a block's pixels.
        filters_left_q  <= job_i.filter_count;
        pixels_left_q   <= pixels_left_q - 32'(block_pixels);
        done_q          <= pixels_left_q <= 32'(block_pixels);
        block_address_q <= next_block;
        unit_address_q  <= next_block;
        address_q       <= next_block;
      end
    end else if (ask) begin
      asked_q   <= asked_q + 1'b1;
      address_q <= address_q + {{32{job_i.result_step[31]}}, job_i.result_step};
    end
  end

  ////////////
  // Values //
  ////////////

  // The values of a pixel are read once its command was taken.
  logic value_valid_q, packer_ready, packer_idle;

  assign value_read_o    = open_q && given_q != asked_q && (!value_valid_q || packer_ready);
  assign value_bank_o    = bank_q;
  assign value_pixel_o   = given_q[PixelBits-1:0];
  assign value_step_o    = step_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || !open_q) begin
      given_q <= '0;
      step_q  <= '0;
    end else if (value_read_o) begin
      step_q <= step_q + 1'b1;
      if (&step_q) given_q <= given_q + 1'b1;
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni)            value_valid_q <= 1'b0;
    else if (value_read_o)  value_valid_q <= 1'b1;
    else if (packer_ready)  value_valid_q <= 1'b0;
  end

  bdnn_packer #(.Lanes(Lanes)) u_packer (
    .clk_i,
    .rst_ni,
    .mode_i  (job_i.mode),
    .planes_i(job_i.out_planes),
    .valid_i (value_valid_q),
    .ready_o (packer_ready),
    .values_i,
    .valid_o (data_valid_o),
    .ready_i (data_ready_i),
    .data_o,
    .idle_o  (packer_idle)
  );

  assign unit_free_o = unit_end;
  assign settled_o   = (!open_q || given_q == asked_q) && !value_valid_q && packer_idle;
  assign done_o      = done_q;

endmodule
