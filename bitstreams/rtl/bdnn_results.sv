// SPDX-License-Identifier: BSD-2-Clause
// From accumulators to values: keeps the finished accumulators of a filter chunk (two banks), requantizes Lanes of them a cycle and gathers the
// values of a unit's filters, of all pixels of a block (two banks) for bdnn_store.

module bdnn_results #(
  parameter int unsigned Rows    = 8,
  parameter int unsigned Columns = 8,
  parameter int unsigned Tiles   = 8,   // most tiles of a block, a power of two
  parameter int unsigned Lanes   = 1,   // 1, 2 or 4, at most Rows / 2
  // Derived, not to be set.
  parameter int unsigned GroupBits = $clog2(Rows / Lanes),
  parameter int unsigned PixelBits = $clog2(Tiles * Columns),
  parameter int unsigned StepBits  = $clog2(bdnn_hw_pkg::Unit) - $clog2(Lanes)
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  run_i,
  input  bdnn_hw_pkg::job_t     job_i,

  // Accumulators of one pixel, all rows
  input  logic                  acc_valid_i,
  input  logic                  acc_bank_i,
  input  logic [PixelBits-1:0]  acc_pixel_i,
  input  logic                  acc_last_i,       // of the chunk
  input  logic [Rows*32-1:0]    acc_i,

  // Requantization constants of a group of Lanes rows of the chunk at work, one cycle after group and bank
  output logic [GroupBits-1:0]  filter_group_o,
  output logic [1:0]            filter_bank_o,
  input  logic [32*Lanes-1:0]   multipliers_i,
  input  logic [64*Lanes-1:0]   offsets_i,

  output logic                  chunk_free_o,     // accumulators and constants of a chunk are given back

  // Values of a unit: read by bdnn_store
  output logic                  unit_ready_o,
  input  logic                  unit_free_i,
  input  logic                  value_read_i,
  input  logic                  value_bank_i,
  input  logic [PixelBits-1:0]  value_pixel_i,
  input  logic [StepBits-1:0]   value_step_i,      // Lanes channels
  output logic [32*Lanes-1:0]   values_o
);

  localparam int unsigned UnitBanks = 2;

  //////////////////
  // Accumulators //
  //////////////////

  logic                 acc_read_bank_q;
  logic [PixelBits-1:0] pixel_q;
  logic [Rows*32-1:0]   accs;

  for (genvar r = 0; r < Rows; r++) begin : g_row
    bdnn_ram #(.Width(32), .Depth(2 * Tiles * Columns)) u_accumulators (
      .clk_i,
      .write_i        (acc_valid_i),
      .write_address_i({acc_bank_i, acc_pixel_i}),
      .data_i         (acc_i[32*r +: 32]),
      .read_i         (1'b1),
      .read_address_i ({acc_read_bank_q, pixel_q}),
      .data_o         (accs[32*r +: 32])
    );
  end

  //////////
  // Walk //
  //////////

  // For every chunk: group of rows by group all pixels of the block. After the last chunk, rows without filters fill the unit up with zeros.
  logic [1:0]           chunks_ready_q, units_used_q;
  logic [StepBits-1:0]  step_q;            // of the unit
  logic [GroupBits-1:0] group_q;
  logic [1:0]           bank_q;
  logic [15:0]          filters_left_q;    // from this chunk on
  logic                 padding_q;         // no chunk: zeros up to the unit's end
  logic [31:0]          pixels_left_q;
  logic [15:0]          block_pixels, pixels;
  logic                 active, step, group_end, chunk_end, unit_end, filters_end, unit_start;
  logic                 walk_bank_q;       // unit bank written

  assign block_pixels = 16'(job_i.tiles) * 16'(Columns);
  assign pixels       = (pixels_left_q < 32'(block_pixels)) ? pixels_left_q[15:0] : block_pixels;

  assign unit_start  = step_q == '0 && pixel_q == '0;
  assign active      = padding_q || chunks_ready_q != '0;
  assign step        = run_i && active && (!unit_start || units_used_q != 2'(UnitBanks));
  assign group_end   = step && 16'(pixel_q) == pixels - 1'b1;
  assign chunk_end   = group_end && !padding_q && &group_q;
  assign unit_end    = group_end && &step_q;
  assign filters_end = filters_left_q <= 16'(Rows);    // at the end of a chunk: it was the last

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      chunks_ready_q <= '0;
      units_used_q   <= '0;
    end else begin
      chunks_ready_q <= chunks_ready_q + 2'(acc_valid_i && acc_last_i) - 2'(chunk_end);
      units_used_q   <= units_used_q + 2'(step && unit_start) - 2'(unit_free_i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      pixel_q         <= '0;
      group_q         <= '0;
      step_q          <= '0;
      bank_q          <= '0;
      acc_read_bank_q <= 1'b0;
      filters_left_q  <= job_i.filter_count;
      padding_q       <= 1'b0;
      pixels_left_q   <= job_i.pixels;
      walk_bank_q     <= 1'b0;
    end else if (step) begin
      pixel_q <= group_end ? '0 : pixel_q + 1'b1;
      if (group_end) begin
        group_q <= group_q + 1'b1;
        step_q  <= step_q + 1'b1;
      end
      if (unit_end) walk_bank_q <= !walk_bank_q;
      if (chunk_end) begin
        bank_q          <= bank_q + 1'b1;
        acc_read_bank_q <= !acc_read_bank_q;
        filters_left_q  <= filters_left_q - 16'(Rows);
        if (filters_end) padding_q <= !unit_end;
      end
      if ((chunk_end && filters_end && unit_end) || (padding_q && unit_end)) begin
        padding_q      <= 1'b0;
        group_q        <= '0;
        filters_left_q <= job_i.filter_count;
        pixels_left_q  <= pixels_left_q - 32'(block_pixels);
      end
    end
  end

  assign filter_group_o = group_q;
  assign filter_bank_o  = bank_q;

  ////////////////////
  // Requantization //
  ////////////////////

  // One cycle for the accumulator memories, then the group's accumulators and constants enter the pipelines.
  logic                 valid_q, padding1_q, last_q, bank1_q;
  logic [GroupBits-1:0] group1_q;
  logic [15:0]          left1_q;
  logic [PixelBits-1:0] pixel1_q;
  logic [StepBits-1:0]  step1_q;

  always_ff @(posedge clk_i) begin
    valid_q    <= rst_ni && step;
    padding1_q <= padding_q;
    left1_q    <= filters_left_q;
    last_q     <= unit_end;
    bank1_q    <= walk_bank_q;
    group1_q   <= group_q;
    pixel1_q   <= pixel_q;
    step1_q    <= step_q;
  end

  localparam int unsigned TagBits = 3 + PixelBits + StepBits;
  logic                 value_valid, value_last, value_write_bank;
  logic [PixelBits-1:0] value_write_pixel;
  logic [StepBits-1:0]  value_write_step;
  logic [32*Lanes-1:0]  values;
  logic [Lanes-1:0]     lane_valid;
  logic [TagBits-1:0]   lane_tag [Lanes];

  for (genvar l = 0; l < Lanes; l++) begin : g_lane
    logic               blank;
    logic [31:0]        acc;
    logic signed [31:0] value;

    // Rows without filters hold zeros, whatever their constants make of them.
    assign blank = padding1_q || 16'(group1_q) * 16'(Lanes) + 16'(l) >= left1_q;
    always_comb begin
      acc = '0;
      for (int unsigned g = 0; g < Rows / Lanes; g++) if (group1_q == GroupBits'(g)) acc = accs[32*(Lanes*g+l) +: 32];
    end

    bdnn_epilogue #(.TagBits(TagBits)) u_epilogue (
      .clk_i,
      .rst_ni,
      .valid_i     (valid_q),
      .tag_i       ({blank, last_q, bank1_q, pixel1_q, step1_q}),
      .acc_i       (acc),
      .multiplier_i(multipliers_i[32*l +: 32]),
      .offset_i    (offsets_i[64*l +: 64]),
      .low_i       (job_i.low),
      .high_i      (job_i.high),
      .raw_i       (job_i.mode == bdnn_hw_pkg::ModeInt32),
      .valid_o     (lane_valid[l]),
      .tag_o       (lane_tag[l]),
      .value_o     (value)
    );
    assign values[32*l +: 32] = lane_tag[l][TagBits-1] ? 32'h0 : value;
  end

  assign value_valid = lane_valid[0];
  assign {value_last, value_write_bank, value_write_pixel, value_write_step} = lane_tag[0][TagBits-2:0];

  bdnn_ram #(.Width(32 * Lanes), .Depth(UnitBanks * bdnn_hw_pkg::Unit / Lanes * Tiles * Columns)) u_values (
    .clk_i,
    .write_i        (value_valid),
    .write_address_i({value_write_bank, value_write_pixel, value_write_step}),
    .data_i         (values),
    .read_i         (value_read_i),
    .read_address_i ({value_bank_i, value_pixel_i, value_step_i}),
    .data_o         (values_o)
  );

  logic unit_ready_q;
  always_ff @(posedge clk_i) unit_ready_q <= rst_ni && value_valid && value_last;

  assign unit_ready_o = unit_ready_q;
  assign chunk_free_o = chunk_end;

`ifndef SYNTHESIS
  initial assert (Rows >= 2 * Lanes) else $fatal(1, "bdnn_results: %0d lanes, %0d rows", Lanes, Rows);
`endif

endmodule
