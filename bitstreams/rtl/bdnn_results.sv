// From accumulators to values: keeps the finished accumulators of a filter chunk (two banks), requantises them one a cycle and gathers the
// values of 64 filters, one channel unit, of all pixels of a block (two banks) for bdnn_store.

module bdnn_results #(
  parameter int unsigned Rows    = 8,
  parameter int unsigned Columns = 8,
  parameter int unsigned Tiles   = 8,   // most tiles of a block, a power of two
  // Derived, not to be set.
  parameter int unsigned RowBits   = $clog2(Rows),
  parameter int unsigned PixelBits = $clog2(Tiles * Columns)
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  run_i,
  input  bdnn_job_pkg::job_t    job_i,

  // Accumulators of one pixel, all rows
  input  logic                  acc_valid_i,
  input  logic                  acc_bank_i,
  input  logic [PixelBits-1:0]  acc_pixel_i,
  input  logic                  acc_last_i,       // of the chunk
  input  logic [Rows*32-1:0]    acc_i,

  // Requantisation constants of a row of the chunk at work, one cycle after row_o and bank_o
  output logic [RowBits-1:0]    filter_row_o,
  output logic [1:0]            filter_bank_o,
  input  logic [31:0]           multiplier_i,
  input  logic [63:0]           offset_i,

  output logic                  chunk_free_o,     // accumulators and constants of a chunk are given back

  // Values of a unit: read by bdnn_store
  output logic                  unit_ready_o,
  input  logic                  unit_free_i,
  input  logic                  value_read_i,
  input  logic                  value_bank_i,
  input  logic [PixelBits-1:0]  value_pixel_i,
  input  logic [5:0]            value_channel_i,
  output logic [31:0]           value_o
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

  // For every chunk: row by row all pixels of the block. After the last chunk, rows without filters fill the unit up with zeros.
  logic [1:0]           chunks_ready_q, units_used_q;
  logic [6:0]           channel_q;         // of the unit
  logic [RowBits-1:0]   row_q;
  logic [1:0]           bank_q;
  logic [15:0]          filters_left_q;    // from this row on
  logic                 padding_q;         // no chunk: zeros up to 64 channels
  logic [31:0]          pixels_left_q;
  logic [15:0]          block_pixels, pixels;
  logic                 active, step, row_end, chunk_end, unit_end, filters_end, unit_start;
  logic                 walk_bank_q;       // unit bank written

  assign block_pixels = 16'(job_i.tiles * 8'(Columns));
  assign pixels       = (pixels_left_q < 32'(block_pixels)) ? pixels_left_q[15:0] : block_pixels;

  assign unit_start  = channel_q == '0 && pixel_q == '0;
  assign active      = padding_q || chunks_ready_q != '0;
  assign step        = run_i && active && (!unit_start || units_used_q != 2'(UnitBanks));
  assign row_end     = step && 16'(pixel_q) == pixels - 1'b1;
  assign chunk_end   = row_end && !padding_q && row_q == RowBits'(Rows - 1);
  assign unit_end    = row_end && channel_q == 7'd63;
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
      row_q           <= '0;
      channel_q       <= '0;
      bank_q          <= '0;
      acc_read_bank_q <= 1'b0;
      filters_left_q  <= job_i.filter_count;
      padding_q       <= 1'b0;
      pixels_left_q   <= job_i.pixels;
      walk_bank_q     <= 1'b0;
    end else if (step) begin
      pixel_q <= row_end ? '0 : pixel_q + 1'b1;
      if (row_end) begin
        row_q     <= row_q + 1'b1;
        channel_q <= unit_end ? '0 : channel_q + 1'b1;
      end
      if (unit_end) walk_bank_q <= !walk_bank_q;
      if (chunk_end) begin
        row_q           <= '0;
        bank_q          <= bank_q + 1'b1;
        acc_read_bank_q <= !acc_read_bank_q;
        filters_left_q  <= filters_left_q - 16'(Rows);
        if (filters_end) padding_q <= !unit_end;
      end
      if ((chunk_end && filters_end && unit_end) || (padding_q && unit_end)) begin
        padding_q      <= 1'b0;
        row_q          <= '0;
        filters_left_q <= job_i.filter_count;
        pixels_left_q  <= pixels_left_q - 32'(block_pixels);
      end
    end
  end

  assign filter_row_o  = row_q;
  assign filter_bank_o = bank_q;

  ////////////////////
  // Requantisation //
  ////////////////////

  // One cycle for the accumulator memories, then the row's accumulator and constants enter the pipeline.
  logic                 valid_q, blank_q, last_q, bank1_q;
  logic [RowBits-1:0]   row1_q;
  logic [PixelBits-1:0] pixel1_q;
  logic [5:0]           channel1_q;
  logic [31:0]          acc;

  always_ff @(posedge clk_i) begin
    valid_q    <= rst_ni && step;
    blank_q    <= padding_q || 16'(row_q) >= filters_left_q;
    last_q     <= unit_end;
    bank1_q    <= walk_bank_q;
    row1_q     <= row_q;
    pixel1_q   <= pixel_q;
    channel1_q <= channel_q[5:0];
  end

  always_comb begin
    acc = '0;
    for (int unsigned r = 0; r < Rows; r++) if (row1_q == RowBits'(r)) acc = accs[32*r +: 32];
  end

  localparam int unsigned TagBits = 3 + PixelBits + 6;
  logic                 value_valid, value_blank, value_last, value_write_bank;
  logic [PixelBits-1:0] value_write_pixel;
  logic [5:0]           value_write_channel;
  logic signed [31:0]   value;

  bdnn_epilogue #(.TagBits(TagBits)) u_epilogue (
    .clk_i,
    .rst_ni,
    .valid_i     (valid_q),
    .tag_i       ({blank_q, last_q, bank1_q, pixel1_q, channel1_q}),
    .acc_i       (acc),
    .multiplier_i(multiplier_i),
    .offset_i    (offset_i),
    .low_i       (job_i.low),
    .high_i      (job_i.high),
    .raw_i       (job_i.mode == bdnn_job_pkg::ModeInt32),
    .valid_o     (value_valid),
    .tag_o       ({value_blank, value_last, value_write_bank, value_write_pixel, value_write_channel}),
    .value_o     (value)
  );

  bdnn_ram #(.Width(32), .Depth(2 * 64 * Tiles * Columns)) u_values (
    .clk_i,
    .write_i        (value_valid),
    .write_address_i({value_write_bank, value_write_pixel, value_write_channel}),
    .data_i         (value_blank ? 32'h0 : value),
    .read_i         (value_read_i),
    .read_address_i ({value_bank_i, value_pixel_i, value_channel_i}),
    .data_o         (value_o)
  );

  logic unit_ready_q;
  always_ff @(posedge clk_i) unit_ready_q <= rst_ni && value_valid && value_last;

  assign unit_ready_o = unit_ready_q;
  assign chunk_free_o = chunk_end;

endmodule
