// SPDX-License-Identifier: BSD-2-Clause
// Decides what is read next: walks the weights (and filter records) of every pixel block and, beside them, the taps of the next block's pixels.
// Weights go first whenever a bank for them is free, as the array waits for them soonest; taps take what remains of the port.
// For each piece a read command is issued (taps outside of the input need none) and a note of it is left for bdnn_fill.
//
// Max pooling has no weights and walks the taps of every unit of a pixel by itself, one unit a piece, for bdnn_pool.

module bdnn_fetch #(
  parameter int unsigned Rows      = 8,
  parameter int unsigned Columns   = 8,
  parameter int unsigned WordBits  = 128,
  parameter int unsigned PortWords = 1    // of 64 bits a beat: 1 or 2
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  run_i,
  input  bdnn_hw_pkg::job_t     job_i,

  // Banks given back
  input  logic                  weights_free_i,
  input  logic                  filters_free_i,
  input  logic                  block_free_i,

  // Read commands
  output logic                  cmd_valid_o,
  input  logic                  cmd_ready_i,
  output logic [63:0]           cmd_address_o,
  output logic [23:0]           cmd_beats_o,

  // Pieces
  output logic                  piece_valid_o,
  input  logic                  piece_ready_i,
  output bdnn_core_pkg::piece_t  piece_o
);

  localparam int unsigned Parts        = WordBits / bdnn_hw_pkg::Unit;
  localparam int unsigned FilterWords  = bdnn_hw_pkg::FilterWords * Rows;
  localparam int unsigned WeightBanks  = bdnn_hw_pkg::Banks;
  localparam int unsigned FilterBanks  = 4;
  localparam int unsigned BlockBanks   = bdnn_hw_pkg::Banks;

  logic weights_valid, weights_grant, tap_valid, tap_inside, tap_grant;
  logic pooling;

  assign pooling = job_i.mode == bdnn_hw_pkg::ModeMaximum;

  //////////////////////////////
  // Weights, filter records //
  //////////////////////////////

  logic        weights_done_q, filters_due_q;
  logic [1:0]  weights_used_q;
  logic [2:0]  filters_used_q;
  logic [3:0]  basis_q;
  logic [15:0] filters_left_q;  // from this chunk on
  logic [31:0] pixels_left_q;   // from this block on
  logic [63:0] weights_address_q, filters_address_q;
  logic [15:0] weights_words;
  logic [15:0] block_pixels;
  logic        basis_last, chunk_last, block_last;

  assign weights_words = job_i.words * 16'(Rows * Parts);
  assign block_pixels  = 16'(job_i.tiles) * 16'(Columns);
  assign basis_last    = basis_q == job_i.bases - 1'b1;
  assign chunk_last    = filters_left_q <= 16'(Rows);
  assign block_last    = pixels_left_q <= 32'(block_pixels);
  assign weights_valid = run_i && !weights_done_q
                         && (filters_due_q ? filters_used_q != 3'(FilterBanks) : weights_used_q != 2'(WeightBanks));

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      weights_used_q <= '0;
      filters_used_q <= '0;
    end else begin
      weights_used_q <= weights_used_q + 2'(weights_grant && !filters_due_q) - 2'(weights_free_i);
      filters_used_q <= filters_used_q + 3'(weights_grant && filters_due_q) - 3'(filters_free_i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      weights_done_q    <= pooling;
      filters_due_q     <= 1'b1;
      basis_q           <= '0;
      filters_left_q    <= job_i.filter_count;
      pixels_left_q     <= job_i.pixels;
      weights_address_q <= job_i.weights;
      filters_address_q <= job_i.filters;
    end else if (weights_grant && filters_due_q) begin
      filters_due_q     <= 1'b0;
      filters_address_q <= filters_address_q + 64'(FilterWords * bdnn_hw_pkg::Alignment);
    end else if (weights_grant) begin
      weights_address_q <= weights_address_q + {45'h0, weights_words, 3'h0};
      basis_q           <= basis_q + 1'b1;
      if (basis_last) begin
        basis_q        <= '0;
        filters_due_q  <= 1'b1;
        filters_left_q <= filters_left_q - 16'(Rows);
        if (chunk_last) begin
          filters_left_q    <= job_i.filter_count;
          weights_address_q <= job_i.weights;
          filters_address_q <= job_i.filters;
          pixels_left_q     <= pixels_left_q - 32'(block_pixels);
          weights_done_q    <= block_last;
        end
      end
    end
  end

  //////////
  // Taps //
  //////////

  // bdnn_check has seen that the furthest tap's coordinates fit, and those less the padding with a sign.
  localparam int unsigned CoordinateSize = bdnn_hw_pkg::CoordinateBits + 1;

  logic               taps_done_q, block_open_q, padding_due_q;
  logic [1:0]         blocks_used_q;
  logic [31:0]        tap_pixels_left_q;
  logic [15:0]        in_block_q, x_q, unit_q;
  logic [7:0]         tap_x_q, tap_y_q;
  logic signed [CoordinateSize-1:0] row_iy_q, first_iy, pixel_ix_q, first_ix, iy_q, ix_q;
  logic [63:0]        row_address_q, pixel_address_q, tap_row_address_q, tap_address_q;
  logic [63:0]        origin;
  logic [31:0]        pixel_step;
  logic               tap_x_last, tap_last, walk_last, pixel_last, tap_block_last, row_last;
  logic [19:0]        tap_words;
  logic [31:0]        unit_step, units_back;

  assign origin       = job_i.activations + {{32{job_i.origin[31]}}, job_i.origin};
  assign pixel_step   = job_i.pixel_step - units_back;
  assign first_iy     = -$signed(CoordinateSize'(job_i.pad_top));
  assign first_ix     = -$signed(CoordinateSize'(job_i.pad_left));

  assign tap_inside = !padding_due_q && iy_q >= 0 && ix_q >= 0 && iy_q < $signed(CoordinateSize'(job_i.in_height))
                      && ix_q < $signed(CoordinateSize'(job_i.in_width));
  assign tap_valid  = run_i && !taps_done_q && (pooling || block_open_q || blocks_used_q != 2'(BlockBanks));

  assign tap_x_last     = tap_x_q == job_i.kernel_width - 1'b1;
  assign tap_last       = tap_x_last && tap_y_q == job_i.kernel_height - 1'b1;
  assign walk_last      = padding_due_q || (tap_last && (pooling || job_i.pad_units == '0));
  assign pixel_last     = walk_last && (!pooling || unit_q == job_i.units - 1'b1);
  assign tap_block_last = in_block_q == block_pixels - 1'b1 || tap_pixels_left_q == 32'd1;
  assign row_last       = x_q == job_i.out_width - 1'b1;
  assign tap_words      = pooling ? 20'(job_i.planes) : 20'(job_i.units) * 20'(job_i.planes);

  // Pooling: from a unit to the next, and from the last one back to the first
  assign unit_step  = {25'h0, job_i.planes, 3'h0};
  assign units_back = pooling ? (32'(job_i.units) - 32'd1) * unit_step : '0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) blocks_used_q <= '0;
    else         blocks_used_q <= blocks_used_q + 2'(tap_grant && !block_open_q && !pooling) - 2'(block_free_i);
  end

  // Output pixels
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      taps_done_q       <= 1'b0;
      block_open_q      <= 1'b0;
      tap_pixels_left_q <= job_i.pixels;
      in_block_q        <= '0;
      x_q               <= '0;
    end else if (tap_grant) begin
      block_open_q <= 1'b1;
      if (pixel_last) begin
        tap_pixels_left_q <= tap_pixels_left_q - 1'b1;
        taps_done_q       <= tap_pixels_left_q == 32'd1;
        in_block_q        <= tap_block_last ? '0 : in_block_q + 1'b1;
        block_open_q      <= !tap_block_last;
        x_q               <= row_last ? '0 : x_q + 1'b1;
      end
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni)                       unit_q <= '0;
    else if (tap_grant && pixel_last)  unit_q <= '0;
    else if (tap_grant && walk_last)   unit_q <= unit_q + 1'b1;
  end

  // Taps of a pixel
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      padding_due_q <= 1'b0;
      tap_x_q       <= '0;
      tap_y_q       <= '0;
    end else if (tap_grant) begin
      padding_due_q <= !walk_last && tap_last;
      if (!padding_due_q) begin
        tap_x_q <= tap_x_last ? '0 : tap_x_q + 1'b1;
        if (tap_x_last) tap_y_q <= tap_last ? '0 : tap_y_q + 1'b1;
      end
    end
  end

  // Where the tap is: coordinates in the input and address. One adder leads to the next pixel, in its row or in the next one, or to the same pixel's
  // next unit; one to the next tap, in its row or in the next one.
  logic signed [CoordinateSize-1:0] next_row_iy, next_pixel_ix;
  logic               row_end;
  logic [63:0]        next_pixel_address, next_tap_address;
  logic [31:0]        next_pixel_step, next_tap_step;

  assign row_end            = pixel_last && row_last;
  assign next_row_iy        = row_end ? row_iy_q + $signed(CoordinateSize'(job_i.stride_y)) : row_iy_q;
  assign next_pixel_ix      = row_end ? first_ix : pixel_last ? pixel_ix_q + $signed(CoordinateSize'(job_i.stride_x)) : pixel_ix_q;
  assign next_pixel_step    = row_end ? job_i.row_step : pixel_last ? pixel_step : unit_step;
  assign next_pixel_address = (row_end ? row_address_q : pixel_address_q) + {{32{next_pixel_step[31]}}, next_pixel_step};
  assign next_tap_step      = tap_x_last ? job_i.tap_row_step : job_i.tap_step;
  assign next_tap_address   = (tap_x_last ? tap_row_address_q : tap_address_q) + {{32{next_tap_step[31]}}, next_tap_step};

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      row_iy_q          <= first_iy;
      pixel_ix_q        <= first_ix;
      iy_q              <= first_iy;
      ix_q              <= first_ix;
      row_address_q     <= origin;
      pixel_address_q   <= origin;
      tap_row_address_q <= origin;
      tap_address_q     <= origin;
    end else if (tap_grant) begin
      if (walk_last) begin
        row_iy_q          <= next_row_iy;
        pixel_ix_q        <= next_pixel_ix;
        iy_q              <= next_row_iy;
        ix_q              <= next_pixel_ix;
        pixel_address_q   <= next_pixel_address;
        tap_row_address_q <= next_pixel_address;
        tap_address_q     <= next_pixel_address;
        if (row_end) row_address_q <= next_pixel_address;
      end else begin
        tap_address_q <= next_tap_address;
        if (tap_x_last) begin
          iy_q              <= iy_q + $signed(CoordinateSize'(job_i.dilation_y));
          ix_q              <= pixel_ix_q;
          tap_row_address_q <= next_tap_address;
        end else begin
          ix_q              <= ix_q + $signed(CoordinateSize'(job_i.dilation_x));
        end
      end
    end
  end

  /////////////////
  // Arbitration //
  /////////////////

  assign weights_grant = weights_valid && cmd_ready_i && piece_ready_i;
  assign tap_grant     = !weights_grant && tap_valid && piece_ready_i && (!tap_inside || (cmd_ready_i && !weights_valid));

  assign cmd_valid_o   = weights_grant || (tap_grant && tap_inside);

  // The beats that the words touch
  logic [63:0] address;
  logic [23:0] words;

  assign address = !weights_grant ? tap_address_q : filters_due_q ? filters_address_q : weights_address_q;
  assign words   = !weights_grant ? 24'(tap_words) : filters_due_q ? 24'(FilterWords) : 24'(weights_words);
  if (PortWords == 2) begin : g_wide
    assign cmd_address_o = {address[63:4], 4'h0};
    assign cmd_beats_o   = 24'((words + 24'(address[3]) + 24'd1) >> 1);
  end else begin : g_narrow
    assign cmd_address_o = address;
    assign cmd_beats_o   = words;
  end

  assign piece_valid_o = weights_grant || tap_grant;
  always_comb begin
    piece_o      = '0;
    piece_o.skip = (PortWords == 2) && address[3];
    if (weights_grant) begin
      piece_o.kind  = filters_due_q ? bdnn_core_pkg::KindFilters : bdnn_core_pkg::KindWeights;
      piece_o.count = filters_due_q ? 16'(FilterWords) : 16'(weights_words / 16'(PortWords));
    end else begin
      piece_o.kind       = tap_inside ? bdnn_core_pkg::KindTap : bdnn_core_pkg::KindPadding;
      piece_o.zero       = padding_due_q;
      piece_o.count      = padding_due_q ? {8'h0, job_i.pad_units} : pooling ? 16'd1 : job_i.units;
      piece_o.pixel_last = walk_last;
      piece_o.block_last = pixel_last && tap_block_last;
    end
  end

endmodule
