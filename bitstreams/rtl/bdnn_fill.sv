// SPDX-License-Identifier: BSD-2-Clause
// Writes what was read to where it belongs, in the order in which bdnn_fetch asked for it, as fast as the port delivers.
//
//   weights  [word][row][part]       a word is so many parts of a unit each -> row memories, two banks
//   filters  [row][word]             scales, multiplier and constant, offset  -> four banks
//   taps     [unit][plane]                                              -> column memories at plane x words + word, two banks
//
// Taps come unit by unit with all their planes, and the column memories take words of several units plane by plane: bdnn_turn collects the units of
// a word.

module bdnn_fill #(
  parameter int unsigned Rows            = 8,
  parameter int unsigned Columns         = 8,
  parameter int unsigned WordBits        = 128,
  parameter int unsigned WeightDepth     = 512,   // words of a row, both banks
  parameter int unsigned ActivationDepth = 2048,  // words of a column, both banks
  parameter int unsigned PortWords       = 1,     // 64-bit words a cycle: 1 or 2
  // Derived, not to be set.
  parameter int unsigned RowBits    = $clog2(Rows),
  parameter int unsigned ColumnBits = $clog2(Columns),
  parameter int unsigned Parts      = WordBits / bdnn_hw_pkg::Unit,
  parameter int unsigned WeightBits = $clog2(WeightDepth),
  parameter int unsigned ActBits    = $clog2(ActivationDepth)
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,
  input  bdnn_hw_pkg::job_t       job_i,

  input  logic                    piece_valid_i,
  output logic                    piece_pop_o,
  input  bdnn_core_pkg::piece_t    piece_i,

  // Words of the piece, from bdnn_align
  input  logic [1:0]              words_i,
  input  logic [63:0]             first_i,
  input  logic [63:0]             second_i,
  output logic [1:0]              take_o,

  // Memories
  output logic [Parts-1:0]        weight_write_o,    // a bit a part
  output logic [RowBits-1:0]      weight_row_o,
  output logic [WeightBits-1:0]   weight_address_o,
  output logic                    filter_write_o,
  output logic [RowBits-1:0]      filter_row_o,
  output logic [1:0]              filter_beat_o,
  output logic [1:0]              filter_bank_o,
  output logic [64*PortWords-1:0] data_o,            // of weights; of filters the lowest 64 bits
  output logic                    act_write_o,
  output logic [ColumnBits-1:0]   act_column_o,
  output logic [ActBits-1:0]      act_address_o,
  output logic [WordBits-1:0]     act_data_o,

  // A bank is complete and may be read from the next cycle on
  output logic                    weights_loaded_o,
  output logic                    block_loaded_o
);

  localparam int unsigned Groups    = Parts / PortWords;   // of parts that come together
  localparam int unsigned GroupBits = (Groups > 1) ? $clog2(Groups) : 1;

  logic       is_weights, is_filters, is_act, is_padding, two_planes, step, piece_end;
  logic [1:0] needed;

  assign is_weights = piece_i.kind == bdnn_core_pkg::KindWeights;
  assign is_filters = piece_i.kind == bdnn_core_pkg::KindFilters;
  assign is_padding = piece_i.kind == bdnn_core_pkg::KindPadding;
  assign is_act     = !is_weights && !is_filters;

  always_comb begin
    needed = 2'd1;
    if (is_padding)                                    needed = 2'd0;
    else if (is_weights || (!is_filters && two_planes)) needed = 2'(PortWords);
  end

  assign step        = piece_valid_i && words_i >= needed;
  assign take_o      = step ? needed : 2'd0;
  assign piece_pop_o = step && piece_end;

  // Steps of weights, words of filters, units of taps
  logic [15:0] done_q;
  logic [2:0]  plane_q;
  logic        plane_last, last_of_count;

  assign two_planes    = PortWords == 2 && 4'(plane_q) + 4'd1 < job_i.planes;
  assign plane_last    = 4'(plane_q) + 4'(PortWords) >= job_i.planes;
  assign last_of_count = done_q == piece_i.count - 1'b1;
  assign piece_end     = last_of_count && (!is_act || plane_last);

  always_ff @(posedge clk_i) begin
    if (!rst_ni)                                done_q <= '0;
    else if (step && piece_end)                 done_q <= '0;
    else if (step && (!is_act || plane_last))   done_q <= done_q + 1'b1;
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni)             plane_q <= '0;
    else if (step && is_act) plane_q <= plane_last ? '0 : plane_q + 3'(PortWords);
  end

  /////////////
  // Weights //
  /////////////

  logic [GroupBits-1:0]  weight_group_q;
  logic [RowBits-1:0]    weight_row_q;
  logic [WeightBits-2:0] weight_word_q;
  logic                  weight_bank_q;
  logic                  weight_group_last, weight_row_last;

  assign weight_group_last = weight_group_q == GroupBits'(Groups - 1);
  assign weight_row_last   = weight_row_q == RowBits'(Rows - 1);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      weight_group_q <= '0;
      weight_row_q   <= '0;
      weight_word_q  <= '0;
      weight_bank_q  <= 1'b0;
    end else if (step && is_weights) begin
      weight_group_q <= weight_group_last ? '0 : weight_group_q + 1'b1;
      if (weight_group_last) weight_row_q <= weight_row_last ? '0 : weight_row_q + 1'b1;
      if (weight_group_last && weight_row_last) weight_word_q <= weight_word_q + 1'b1;
      if (piece_end) begin
        weight_word_q <= '0;
        weight_bank_q <= !weight_bank_q;
      end
    end
  end

  /////////////
  // Filters //
  /////////////

  logic [1:0]         filter_beat_q, filter_bank_q;
  logic [RowBits-1:0] filter_row_q;
  logic               filter_last;

  assign filter_last = filter_beat_q == 2'(bdnn_hw_pkg::FilterWords - 1);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      filter_beat_q <= '0;
      filter_row_q  <= '0;
      filter_bank_q <= '0;
    end else if (step && is_filters) begin
      filter_beat_q <= filter_last ? '0 : filter_beat_q + 1'b1;
      if (filter_last) filter_row_q <= filter_row_q + 1'b1;
      if (piece_end) begin
        filter_row_q  <= '0;
        filter_bank_q <= filter_bank_q + 1'b1;
      end
    end
  end

  ///////////////////////////
  // Writes of the weights //
  ///////////////////////////

  always_ff @(posedge clk_i) begin
    for (int unsigned p = 0; p < Parts; p++)
      weight_write_o[p] <= rst_ni && step && is_weights && weight_group_q == GroupBits'(p / PortWords);
    filter_write_o   <= rst_ni && step && is_filters;
    weight_row_o     <= weight_row_q;
    weight_address_o <= {weight_bank_q, weight_word_q};
    filter_row_o     <= filter_row_q;
    filter_beat_o    <= filter_beat_q;
    filter_bank_o    <= filter_bank_q;
  end
  if (PortWords == 2) begin : g_two
    always_ff @(posedge clk_i) data_o <= {second_i, first_i};
  end else begin : g_one
    always_ff @(posedge clk_i) data_o <= first_i;
  end

  logic weights_end_q;
  always_ff @(posedge clk_i) begin
    weights_end_q    <= rst_ni && step && is_weights && piece_end;
    weights_loaded_o <= rst_ni && weights_end_q;
  end

  /////////////////
  // Activations //
  /////////////////

  // What padding holds: the zero point's bit of this plane in every channel there is
  logic [63:0] channels, padding_first, padding_second;
  logic        zero_first, zero_second;

  assign channels       = last_of_count ? (64'hFFFF_FFFF_FFFF_FFFF >> (7'(bdnn_hw_pkg::Unit) - job_i.last_channels)) : 64'hFFFF_FFFF_FFFF_FFFF;
  assign zero_first     = job_i.zero_point[plane_q];
  assign zero_second    = job_i.zero_point[plane_q | 3'd1];
  assign padding_first  = (!piece_i.zero && zero_first) ? channels : 64'h0;
  assign padding_second = (!piece_i.zero && zero_second) ? channels : 64'h0;

  logic                word_valid, word_last, word_pixel_last, word_block_last;
  logic [WordBits-1:0] word;

  bdnn_turn #(.Parts(Parts), .PortWords(PortWords)) u_turn (
    .clk_i, .rst_ni, .planes_i(job_i.planes),
    .valid_i(step && is_act), .plane_i(plane_q), .plane_last_i(plane_last),
    .first_i(is_padding ? padding_first : first_i), .second_i(is_padding ? padding_second : second_i),
    .pixel_last_i(piece_end && piece_i.pixel_last), .block_last_i(piece_end && piece_i.block_last),
    .valid_o(word_valid), .word_o(word), .last_o(word_last),
    .pixel_last_o(word_pixel_last), .block_last_o(word_block_last)
  );

  // Where the word at work goes, plane by plane
  logic                  act_bank_q;
  logic [ActBits-2:0]    tile_base_q, word_q, plane_base_q, area;
  logic [ColumnBits-1:0] column_q;
  logic                  column_last, pixel_end, block_end;

  assign area        = (ActBits-1)'(job_i.words * job_i.planes);
  assign column_last = column_q == ColumnBits'(Columns - 1);
  assign pixel_end   = word_valid && word_last && word_pixel_last;
  assign block_end   = pixel_end && word_block_last;

  always_ff @(posedge clk_i) begin
    if (!rst_ni)         plane_base_q <= '0;
    else if (word_valid) plane_base_q <= word_last ? '0 : plane_base_q + (ActBits-1)'(job_i.words);
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni || pixel_end)         word_q <= '0;
    else if (word_valid && word_last) word_q <= word_q + 1'b1;
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      column_q    <= '0;
      tile_base_q <= '0;
      act_bank_q  <= 1'b0;
    end else if (pixel_end) begin
      column_q <= column_last ? '0 : column_q + 1'b1;
      if (column_last) tile_base_q <= tile_base_q + area;
      if (block_end) begin
        column_q    <= '0;
        tile_base_q <= '0;
        act_bank_q  <= !act_bank_q;
      end
    end
  end

  logic block_end_q;
  always_ff @(posedge clk_i) begin
    act_write_o    <= rst_ni && word_valid;
    act_column_o   <= column_q;
    act_address_o  <= {act_bank_q, tile_base_q + plane_base_q + word_q};
    act_data_o     <= word;
    block_end_q    <= rst_ni && block_end;
    block_loaded_o <= rst_ni && block_end_q;
  end

endmodule
