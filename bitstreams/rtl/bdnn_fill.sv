// Writes what was read to where it belongs, in the order in which bdnn_fetch asked for it: one 64-bit beat a cycle.
//
//   weights  [word][row][part]       a word is WordBits / 64 parts       -> row memories, two banks
//   filters  [row][3]                scales, multiplier and constant, offset  -> four banks
//   taps     [unit][plane]           units of 64 channels                -> column memories at plane x words + word, two banks

module bdnn_fill #(
  parameter int unsigned Rows            = 8,
  parameter int unsigned Columns         = 8,
  parameter int unsigned WordBits        = 128,
  parameter int unsigned WeightDepth     = 512,   // words of a row, both banks
  parameter int unsigned ActivationDepth = 2048,  // words of a column, both banks
  // Derived, not to be set.
  parameter int unsigned RowBits    = $clog2(Rows),
  parameter int unsigned ColumnBits = $clog2(Columns),
  parameter int unsigned PartBits   = $clog2(WordBits / 64),
  parameter int unsigned WeightBits = $clog2(WeightDepth),
  parameter int unsigned ActBits    = $clog2(ActivationDepth)
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  bdnn_job_pkg::job_t    job_i,

  input  logic                  piece_valid_i,
  output logic                  piece_pop_o,
  input  bdnn_job_pkg::piece_t  piece_i,
  input  logic                  data_valid_i,
  output logic                  data_pop_o,
  input  logic [63:0]           data_i,

  // Memories
  output logic                  weight_write_o,
  output logic [RowBits-1:0]    weight_row_o,
  output logic [WeightBits-1:0] weight_address_o,
  output logic                  filter_write_o,
  output logic [RowBits-1:0]    filter_row_o,
  output logic [1:0]            filter_beat_o,
  output logic [1:0]            filter_bank_o,
  output logic                  act_write_o,
  output logic [ColumnBits-1:0] act_column_o,
  output logic [ActBits-1:0]    act_address_o,
  output logic [PartBits-1:0]   part_o,          // of weights and activations
  output logic [63:0]           data_o,

  // A bank is complete and may be read from the next cycle on
  output logic                  weights_loaded_o,
  output logic                  block_loaded_o
);

  logic is_weights, is_filters, is_act, step, piece_end;

  assign is_weights = piece_i.kind == bdnn_job_pkg::KindWeights;
  assign is_filters = piece_i.kind == bdnn_job_pkg::KindFilters;
  assign is_act     = !is_weights && !is_filters;

  assign step        = piece_valid_i && (data_valid_i || piece_i.kind == bdnn_job_pkg::KindPadding);
  assign data_pop_o  = step && piece_i.kind != bdnn_job_pkg::KindPadding;
  assign piece_pop_o = step && piece_end;

  // Beats of weights and filters, units of taps
  logic [15:0] done_q;
  logic [3:0]  plane_q;
  logic        plane_last, last_of_count;

  assign plane_last    = plane_q == job_i.planes - 1'b1;
  assign last_of_count = done_q == piece_i.count - 1'b1;
  assign piece_end     = last_of_count && (!is_act || plane_last);

  always_ff @(posedge clk_i) begin
    if (!rst_ni)                                done_q <= '0;
    else if (step && piece_end)                 done_q <= '0;
    else if (step && (!is_act || plane_last))   done_q <= done_q + 1'b1;
  end

  /////////////
  // Weights //
  /////////////

  logic [PartBits-1:0]   weight_part_q;
  logic [RowBits-1:0]    weight_row_q;
  logic [WeightBits-2:0] weight_word_q;
  logic                  weight_bank_q;
  logic                  weight_part_last, weight_row_last;

  assign weight_part_last = weight_part_q == PartBits'(WordBits / 64 - 1);
  assign weight_row_last  = weight_row_q == RowBits'(Rows - 1);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      weight_part_q <= '0;
      weight_row_q  <= '0;
      weight_word_q <= '0;
      weight_bank_q <= 1'b0;
    end else if (step && is_weights) begin
      weight_part_q <= weight_part_last ? '0 : weight_part_q + 1'b1;
      if (weight_part_last) weight_row_q <= weight_row_last ? '0 : weight_row_q + 1'b1;
      if (weight_part_last && weight_row_last) weight_word_q <= weight_word_q + 1'b1;
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

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      filter_beat_q <= '0;
      filter_row_q  <= '0;
      filter_bank_q <= '0;
    end else if (step && is_filters) begin
      filter_beat_q <= (filter_beat_q == 2'd2) ? '0 : filter_beat_q + 1'b1;
      if (filter_beat_q == 2'd2) filter_row_q <= filter_row_q + 1'b1;
      if (piece_end) begin
        filter_row_q  <= '0;
        filter_bank_q <= filter_bank_q + 1'b1;
      end
    end
  end

  /////////////////
  // Activations //
  /////////////////

  logic                  act_bank_q;
  logic [ActBits-2:0]    tile_base_q, word_q, plane_base_q;
  logic [PartBits-1:0]   act_part_q;
  logic [ColumnBits-1:0] column_q;
  logic [ActBits-2:0]    area;
  logic                  column_last, unit_end, word_end, pixel_end;

  assign area        = (ActBits-1)'(job_i.words * job_i.planes);
  assign column_last = column_q == ColumnBits'(Columns - 1);
  assign unit_end    = step && is_act && plane_last;
  assign word_end    = act_part_q == PartBits'(WordBits / 64 - 1);
  assign pixel_end   = unit_end && last_of_count && piece_i.pixel_last;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || unit_end) begin
      plane_q      <= '0;
      plane_base_q <= '0;
    end else if (step && is_act) begin
      plane_q      <= plane_q + 1'b1;
      plane_base_q <= plane_base_q + (ActBits-1)'(job_i.words);
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni || pixel_end) begin
      act_part_q <= '0;
      word_q     <= '0;
    end else if (unit_end) begin
      act_part_q <= word_end ? '0 : act_part_q + 1'b1;
      if (word_end) word_q <= word_q + 1'b1;
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      column_q    <= '0;
      tile_base_q <= '0;
      act_bank_q  <= 1'b0;
    end else if (pixel_end) begin
      column_q <= column_last ? '0 : column_q + 1'b1;
      if (column_last) tile_base_q <= tile_base_q + area;
      if (piece_i.block_last) begin
        column_q    <= '0;
        tile_base_q <= '0;
        act_bank_q  <= !act_bank_q;
      end
    end
  end

  // What padding holds: the zero point's bit of this plane in every channel there is
  logic [63:0] channels, padding;
  logic        zero_bit;

  assign channels = last_of_count ? (64'hFFFF_FFFF_FFFF_FFFF >> (7'd64 - job_i.last_channels)) : 64'hFFFF_FFFF_FFFF_FFFF;
  assign zero_bit = job_i.zero_point[plane_q[2:0]];
  assign padding  = (!piece_i.zero && zero_bit) ? channels : 64'h0;

  ////////////
  // Writes //
  ////////////

  always_ff @(posedge clk_i) begin
    weight_write_o   <= rst_ni && step && is_weights;
    filter_write_o   <= rst_ni && step && is_filters;
    act_write_o      <= rst_ni && step && is_act;
    weight_row_o     <= weight_row_q;
    weight_address_o <= {weight_bank_q, weight_word_q};
    filter_row_o     <= filter_row_q;
    filter_beat_o    <= filter_beat_q;
    filter_bank_o    <= filter_bank_q;
    act_column_o     <= column_q;
    act_address_o    <= {act_bank_q, tile_base_q + plane_base_q + word_q};
    part_o           <= is_weights ? weight_part_q : act_part_q;
    data_o           <= (piece_i.kind == bdnn_job_pkg::KindPadding) ? padding : data_i;
  end

  logic weights_end_q, block_end_q;
  always_ff @(posedge clk_i) begin
    weights_end_q    <= rst_ni && step && is_weights && piece_end;
    block_end_q      <= rst_ni && pixel_end && piece_i.block_last;
    weights_loaded_o <= rst_ni && weights_end_q;
    block_loaded_o   <= rst_ni && block_end_q;
  end

endmodule
