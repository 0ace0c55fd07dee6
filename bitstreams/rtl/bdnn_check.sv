// SPDX-License-Identifier: BSD-2-Clause
// Says before a job's first access to memory whether it is one (docs/reference/accelerator.md): its numbers are within their bounds, and nothing that the
// kernel adds up later leaves the bits that it has for it.
//
// What a job adds up is linear in its output row, output column, tap row, tap column and pixel. The last one of each enters bit by bit, the highest
// first, and each sum doubles from one bit to the next (Horner's scheme): 32 cycles, adders alone. The output row comes, likewise bit by bit, of
// dividing the last pixel by out_width. Terms are not negative, so that a sum never falls: what is beyond its bits once is remembered.

module bdnn_check #(
  parameter int unsigned WordBits        = 128,
  parameter int unsigned WeightDepth     = 512,
  parameter int unsigned ActivationDepth = 2048,
  parameter int unsigned Tiles           = 8
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               start_i,          // one cycle; from the next one on the job holds
  input  bdnn_hw_pkg::job_t  job_i,
  output logic               done_o,           // one cycle
  output logic               refused_o         // with done_o
);

  localparam int unsigned CoordinateBits = bdnn_hw_pkg::CoordinateBits;
  localparam int unsigned OffsetBits     = bdnn_hw_pkg::OffsetBits;
  localparam int unsigned Drain          = 5;  // cycles from the last bit to the verdict

  ////////////////////
  // Single numbers //
  ////////////////////

  // Addresses and steps must be those of beats.
  logic [31:0] tap_units, block_words;
  logic        bad_geometry, bad_steps, bad_sums, pooling;

  // Bits that no address, step or origin has
  localparam int unsigned Odd = $clog2(bdnn_hw_pkg::Alignment);
  logic [Odd-1:0] uneven, uneven_filters;

  assign uneven         = job_i.activations[Odd-1:0] | job_i.results[Odd-1:0] | job_i.origin[Odd-1:0] | job_i.pixel_step[Odd-1:0]
                          | job_i.row_step[Odd-1:0] | job_i.tap_step[Odd-1:0] | job_i.tap_row_step[Odd-1:0]
                          | job_i.result_step[Odd-1:0] | job_i.result_origin[Odd-1:0];
  assign uneven_filters = job_i.weights[Odd-1:0] | job_i.filters[Odd-1:0];

  assign pooling      = job_i.mode == bdnn_hw_pkg::ModeMaximum;
  assign tap_units    = 32'(job_i.kernel_width) * 32'(job_i.kernel_height) * 32'(job_i.units) + 32'(job_i.pad_units);
  assign block_words  = 32'(job_i.words) * 32'(job_i.planes) * 32'(job_i.tiles);
  assign bad_geometry = job_i.planes == '0 || job_i.planes > 4'(bdnn_hw_pkg::PlanesMax) || job_i.units == '0
                        || job_i.kernel_width == '0 || job_i.kernel_height == '0 || job_i.pixels == '0 || job_i.out_width == '0
                        || job_i.in_width == '0 || job_i.in_height == '0 || job_i.stride_x == '0 || job_i.stride_y == '0
                        || job_i.dilation_x == '0 || job_i.dilation_y == '0;
  assign bad_steps    = uneven != '0
                        || (job_i.pixel_step | job_i.row_step | job_i.tap_step | job_i.tap_row_step | job_i.result_step
                            | job_i.result_origin) >> OffsetBits != '0;
  assign bad_sums     = job_i.bases == '0 || job_i.bases > 4'(bdnn_hw_pkg::BasesMax)
                        || job_i.words == '0 || 32'(job_i.words) > 32'(WeightDepth / bdnn_hw_pkg::Banks)
                        || job_i.tiles == '0 || 32'(job_i.tiles) > 32'(Tiles) || block_words > 32'(ActivationDepth / bdnn_hw_pkg::Banks)
                        || tap_units != 32'(job_i.words) * 32'(WordBits / bdnn_hw_pkg::Unit)
                        || job_i.last_channels == '0 || job_i.last_channels > 7'(bdnn_hw_pkg::LastChannelsMax) || job_i.filter_count == '0
                        || (job_i.mode == bdnn_hw_pkg::ModePlanes
                            && (job_i.out_planes == '0 || job_i.out_planes > 4'(bdnn_hw_pkg::OutPlanesMax)))
                        || uneven_filters != '0;

  //////////
  // Bits //
  //////////

  logic        bits_q;      // one is taken
  logic [4:0]  bit_q;       // which one
  logic [31:0] last_pixel;
  logic [15:0] last_x;
  logic [7:0]  last_tap_x, last_tap_y;
  logic [15:0] remainder_q;
  logic [16:0] partial;
  logic        fits;

  assign last_pixel = job_i.pixels - 1'b1;
  assign last_x     = job_i.out_width - 1'b1;
  assign last_tap_x = job_i.kernel_width - 1'b1;
  assign last_tap_y = job_i.kernel_height - 1'b1;
  assign partial    = {remainder_q, last_pixel[bit_q]};
  assign fits       = partial >= {1'b0, job_i.out_width};

  always_ff @(posedge clk_i) begin
    if (!rst_ni)                      bits_q <= 1'b0;
    else if (start_i)                 bits_q <= 1'b1;
    else if (bits_q && bit_q == '0)   bits_q <= 1'b0;
  end
  always_ff @(posedge clk_i) begin
    if (start_i) begin
      bit_q       <= '1;
      remainder_q <= '0;
    end else if (bits_q) begin
      bit_q       <= bit_q - 1'b1;
      remainder_q <= 16'(fits ? partial - {1'b0, job_i.out_width} : partial);
    end
  end

  logic row_q, column_q, tap_row_q, tap_column_q, pixel_q;
  always_ff @(posedge clk_i) begin
    row_q        <= bits_q && fits;
    column_q     <= bits_q && bit_q < 5'd16 && last_x[bit_q[3:0]];
    tap_row_q    <= bits_q && bit_q < 5'd8 && last_tap_y[bit_q[2:0]];
    tap_column_q <= bits_q && bit_q < 5'd8 && last_tap_x[bit_q[2:0]];
    pixel_q      <= bits_q && last_pixel[bit_q];
  end

  //////////
  // Sums //
  //////////

  // Bits from where they overflow on; a sum that has none of them set gets no further than twice that and a term.
  localparam int unsigned ReachBits  = OffsetBits + 2;   // origin leads back by half as much
  localparam int unsigned ReachSize  = ReachBits + 2;
  localparam int unsigned ResultSize = OffsetBits + 3;
  localparam int unsigned PlaceSize  = CoordinateBits + 2;

  logic [ReachSize-1:0]  reach_term_q, reach_q;    // bytes to the first of the furthest tap
  logic [ResultSize-1:0] result_term_q, result_q;  // bytes to the last pixel's results
  logic [PlaceSize-1:0]  x_term_q, y_term_q, x_q, y_q;
  logic [1:0]            valid_q;
  logic                  over_q;

  always_ff @(posedge clk_i) begin
    reach_term_q  <= ((row_q ? ReachSize'(job_i.row_step) : '0) + (column_q ? ReachSize'(job_i.pixel_step) : '0))
                     + ((tap_row_q ? ReachSize'(job_i.tap_row_step) : '0) + (tap_column_q ? ReachSize'(job_i.tap_step) : '0));
    result_term_q <= pixel_q ? ResultSize'(job_i.result_step) : '0;
    x_term_q      <= (column_q ? PlaceSize'(job_i.stride_x) : '0) + (tap_column_q ? PlaceSize'(job_i.dilation_x) : '0);
    y_term_q      <= (row_q ? PlaceSize'(job_i.stride_y) : '0) + (tap_row_q ? PlaceSize'(job_i.dilation_y) : '0);
  end
  always_ff @(posedge clk_i) begin
    valid_q <= {valid_q[0], bits_q};
    if (start_i) begin
      reach_q  <= '0;
      result_q <= '0;
      x_q      <= '0;
      y_q      <= '0;
      over_q   <= 1'b0;
      valid_q  <= '0;
    end else begin
      if (valid_q[1]) begin
        reach_q  <= (reach_q << 1) + reach_term_q;
        result_q <= (result_q << 1) + result_term_q;
        x_q      <= (x_q << 1) + x_term_q;
        y_q      <= (y_q << 1) + y_term_q;
      end
      over_q <= over_q || reach_q >> ReachBits != '0 || result_q >> OffsetBits != '0
                || x_q >> CoordinateBits != '0 || y_q >> CoordinateBits != '0;
    end
  end

  /////////////
  // Verdict //
  /////////////

  logic [Drain-1:0]    drain_q;
  logic [ReachBits:0]  furthest;        // signed
  logic [OffsetBits:0] furthest_result;

  assign furthest        = {1'b0, reach_q[ReachBits-1:0]} + {{(ReachBits-31){job_i.origin[31]}}, job_i.origin};
  assign furthest_result = {1'b0, result_q[OffsetBits-1:0]} + {1'b0, job_i.result_origin[OffsetBits-1:0]};

  always_ff @(posedge clk_i) begin
    if (!rst_ni || start_i) drain_q <= '0;
    else                    drain_q <= {drain_q[Drain-2:0], bits_q && bit_q == '0};
  end
  always_ff @(posedge clk_i) begin
    refused_o <= bad_geometry || bad_steps || (!pooling && bad_sums) || over_q || remainder_q != last_x
                 || (!furthest[ReachBits] && furthest[ReachBits-1:OffsetBits] != '0) || furthest_result[OffsetBits];
  end
  assign done_o = drain_q[Drain-1];

`ifndef SYNTHESIS
  initial assert (OffsetBits == 31 && CoordinateBits >= 9) else $fatal(1, "bdnn_check: offsets of %0d bits", OffsetBits);
`endif

endmodule
