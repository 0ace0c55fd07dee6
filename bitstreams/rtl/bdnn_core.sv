// SPDX-License-Identifier: BSD-2-Clause
// The kernel without its bus protocols: fetch -> fill -> buffers -> array -> scale accumulators -> requantization -> store, each part running as
// soon as the one before it has filled a bank and the one behind it has freed one. Max pooling goes from fetch through bdnn_pool alone.

module bdnn_core #(
  parameter int unsigned Rows            = 8,
  parameter int unsigned Columns         = 8,
  parameter int unsigned WordBits        = 128,
  parameter int unsigned WeightDepth     = 512,
  parameter int unsigned ActivationDepth = 2048,
  parameter int unsigned Tiles           = 8,
  parameter int unsigned PortWords       = 1,     // of 64 bits a beat of the port: 1 or 2
  parameter int unsigned Lanes           = 1,     // accumulators requantized a cycle: 1, 2 or 4
  parameter bit          Structural      = 1'b1
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  input  bdnn_hw_pkg::job_t         job_i,
  input  logic                      run_i,          // from the cycle after reset until the job is done
  input  logic                      halt_i,         // stop in good order

  // Reads
  output logic                      read_valid_o,
  input  logic                      read_ready_i,
  output logic [63:0]               read_address_o,
  output logic [23:0]               read_beats_o,
  input  logic                      data_valid_i,
  output logic                      data_pop_o,
  input  logic [64*PortWords-1:0]   data_i,

  // Writes
  output logic                      write_valid_o,
  input  logic                      write_ready_i,
  output logic [63:0]               write_address_o,
  output logic [23:0]               write_beats_o,
  output logic                      data_valid_o,
  input  logic                      data_ready_i,
  output logic [64*PortWords-1:0]   data_o,
  output logic [8*PortWords-1:0]    strobe_o,

  output logic                      settled_o,      // halted: no write data are due
  output logic                      done_o,
  output logic                      busy_o,
  output logic                      wait_load_o,
  output logic                      wait_results_o
);

  localparam int unsigned RowBits    = $clog2(Rows);
  localparam int unsigned ColumnBits = $clog2(Columns);
  localparam int unsigned LaneBits   = $clog2(Lanes);
  localparam int unsigned Parts      = WordBits / bdnn_hw_pkg::Unit;
  localparam int unsigned WeightBits = $clog2(WeightDepth);
  localparam int unsigned ActBits    = $clog2(ActivationDepth);
  localparam int unsigned PixelBits  = $clog2(Tiles * Columns);
  localparam int unsigned SumBits    = 24;
  localparam int unsigned PieceDepth = 32;

  logic run, pooling;
  assign run     = run_i && !halt_i;
  assign pooling = job_i.mode == bdnn_hw_pkg::ModeMaximum;

  /////////////
  // Loading //
  /////////////

  logic weights_free, filters_free, block_free, weights_loaded, block_loaded;
  logic piece_push, piece_ready, piece_valid, piece_pop, fill_piece_pop, pool_piece_pop, pool_pop, align_pop;
  logic [1:0] words, take, fill_take;
  logic [63:0] word_first, word_second;
  logic [$clog2(PieceDepth):0] piece_space;
  bdnn_core_pkg::piece_t piece_in, piece_out;

  assign piece_ready = piece_space >= 2;

  bdnn_fetch #(.Rows(Rows), .Columns(Columns), .WordBits(WordBits), .PortWords(PortWords)) u_fetch (
    .clk_i, .rst_ni, .run_i(run), .job_i,
    .weights_free_i(weights_free), .filters_free_i(filters_free), .block_free_i(block_free),
    .cmd_valid_o(read_valid_o), .cmd_ready_i(read_ready_i), .cmd_address_o(read_address_o), .cmd_beats_o(read_beats_o),
    .piece_valid_o(piece_push), .piece_ready_i(piece_ready), .piece_o(piece_in)
  );

  bdnn_fifo #(.Width(bdnn_core_pkg::PieceBits), .Depth(PieceDepth)) u_pieces (
    .clk_i, .rst_ni, .clear_i(1'b0),
    .push_i(piece_push), .data_i(piece_in), .valid_o(piece_valid), .pop_i(piece_pop), .data_o(piece_out),
    .space_o(piece_space)
  );

  bdnn_align #(.PortWords(PortWords)) u_align (
    .clk_i, .rst_ni,
    .data_valid_i, .data_pop_o(align_pop), .data_i,
    .active_i(piece_valid && run && piece_out.kind != bdnn_core_pkg::KindPadding), .skip_i(piece_out.skip),
    .count_o(words), .first_o(word_first), .second_o(word_second), .take_i(take), .last_i(piece_pop)
  );

  logic                  filter_write, act_write;
  logic [Parts-1:0]      weight_write;
  logic [RowBits-1:0]    weight_row, filter_row;
  logic [WeightBits-1:0] weight_write_address;
  logic [1:0]            filter_beat, filter_bank;
  logic [ColumnBits-1:0] act_column;
  logic [ActBits-1:0]    act_write_address;
  logic [WordBits-1:0]   act_data;
  logic [64*PortWords-1:0] fill_data;

  bdnn_fill #(
    .Rows(Rows), .Columns(Columns), .WordBits(WordBits), .WeightDepth(WeightDepth), .ActivationDepth(ActivationDepth),
    .PortWords(PortWords)
  ) u_fill (
    .clk_i, .rst_ni, .job_i,
    .piece_valid_i(piece_valid && run && !pooling), .piece_pop_o(fill_piece_pop), .piece_i(piece_out),
    .words_i(words), .first_i(word_first), .second_i(word_second), .take_o(fill_take),
    .weight_write_o(weight_write), .weight_row_o(weight_row), .weight_address_o(weight_write_address),
    .filter_write_o(filter_write), .filter_row_o(filter_row), .filter_beat_o(filter_beat), .filter_bank_o(filter_bank),
    .data_o(fill_data),
    .act_write_o(act_write), .act_column_o(act_column), .act_address_o(act_write_address), .act_data_o(act_data),
    .weights_loaded_o(weights_loaded), .block_loaded_o(block_loaded)
  );

  // A halted job takes what is still on its way and forgets it.
  assign piece_pop  = pooling ? pool_piece_pop : fill_piece_pop;
  assign take       = pooling ? {1'b0, pool_pop} : fill_take;
  assign data_pop_o = halt_i ? data_valid_i : align_pop;

  /////////////
  // Buffers //
  /////////////

  logic                        read;
  logic [WeightBits-1:0]       weight_address;
  logic [ActBits-1:0]          act_address;
  logic [Rows*WordBits-1:0]    weights;
  logic [Columns*WordBits-1:0] activations;

  for (genvar r = 0; r < Rows; r++) begin : g_weights
    for (genvar p = 0; p < Parts; p++) begin : g_part
      bdnn_ram #(.Width(64), .Depth(WeightDepth)) u_ram (
        .clk_i,
        .write_i(weight_write[p] && weight_row == RowBits'(r)),
        .write_address_i(weight_write_address), .data_i(fill_data[64*(p%PortWords) +: 64]),
        .read_i(read), .read_address_i(weight_address), .data_o(weights[r*WordBits+64*p +: 64])
      );
    end
  end

  for (genvar c = 0; c < Columns; c++) begin : g_activations
    for (genvar p = 0; p < Parts; p++) begin : g_part
      bdnn_ram #(.Width(64), .Depth(ActivationDepth)) u_ram (
        .clk_i,
        .write_i(act_write && act_column == ColumnBits'(c)),
        .write_address_i(act_write_address), .data_i(act_data[64*p +: 64]),
        .read_i(read), .read_address_i(act_address), .data_o(activations[c*WordBits+64*p +: 64])
      );
    end
  end

  ///////////
  // Array //
  ///////////

  logic                    word, flush, first, last, sum_push, sum_valid, sums_valid;
  logic [ColumnBits-1:0]   sums_column;
  logic [Rows*SumBits-1:0] sums;
  bdnn_core_pkg::sum_t      sum_in, sum;

  bdnn_sequencer #(.Rows(Rows), .Columns(Columns), .WeightDepth(WeightDepth), .ActivationDepth(ActivationDepth)) u_sequencer (
    .clk_i, .rst_ni, .run_i(run && !pooling), .job_i,
    .weights_loaded_i(weights_loaded), .block_loaded_i(block_loaded), .results_free_i(filters_free),
    .weights_free_o(weights_free), .block_free_o(block_free),
    .read_o(read), .weight_address_o(weight_address), .act_address_o(act_address),
    .word_o(word), .flush_o(flush), .first_o(first), .last_o(last),
    .sum_valid_o(sum_push), .sum_o(sum_in),
    .wait_load_o, .wait_results_o, .busy_o
  );

  bdnn_array #(.Rows(Rows), .Columns(Columns), .WordBits(WordBits), .SumBits(SumBits), .Structural(Structural)) u_array (
    .clk_i, .rst_ni,
    .word_i(word), .flush_i(flush), .first_i(first), .last_i(last), .weights_i(weights), .activations_i(activations),
    .valid_o(sums_valid), .column_o(sums_column), .sums_o(sums)
  );

  // Sums wait here until the array has them: as many as it can hold.
  logic [4:0] unused_sum_space;
  bdnn_fifo #(.Width(bdnn_core_pkg::SumBits), .Depth(16)) u_sums (
    .clk_i, .rst_ni, .clear_i(1'b0),
    .push_i(sum_push), .data_i(sum_in), .valid_o(sum_valid), .pop_i(sums_valid && sums_column == ColumnBits'(Columns - 1)),
    .data_o(sum), .space_o(unused_sum_space)
  );

  ////////////////////////
  // Scale accumulators //
  ////////////////////////

  logic [Rows-1:0]      acc_valid;
  logic [Rows*32-1:0]   accs;
  logic [PixelBits-1:0] acc_pixel [Rows];

  localparam int unsigned ScaleBits = bdnn_hw_pkg::ScaleBits;

  for (genvar r = 0; r < Rows; r++) begin : g_row
    logic [63:0] scale_memory [4];
    logic [31:0] constant_memory [4];
    logic [63:0] scales;
    logic [ScaleBits-1:0] scale;

    always_ff @(posedge clk_i) begin
      if (filter_write && filter_row == RowBits'(r) && filter_beat == 2'(bdnn_hw_pkg::FilterScalesWord))
        scale_memory[filter_bank] <= fill_data[bdnn_hw_pkg::FilterScalesLow +: bdnn_hw_pkg::FilterScalesBits];
    end
    always_ff @(posedge clk_i) begin
      if (filter_write && filter_row == RowBits'(r) && filter_beat == 2'(bdnn_hw_pkg::FilterConstantWord))
        constant_memory[filter_bank] <= fill_data[bdnn_hw_pkg::FilterConstantLow +: bdnn_hw_pkg::FilterConstantBits];
    end

    assign scales = scale_memory[sum.filter_bank];
    always_comb begin
      unique case (sum.basis)
        3'd0: scale = scales[0*ScaleBits +: ScaleBits];
        3'd1: scale = scales[1*ScaleBits +: ScaleBits];
        3'd2: scale = scales[2*ScaleBits +: ScaleBits];
        3'd3: scale = scales[3*ScaleBits +: ScaleBits];
        3'd4: scale = scales[4*ScaleBits +: ScaleBits];
        3'd5: scale = scales[5*ScaleBits +: ScaleBits];
        3'd6: scale = scales[6*ScaleBits +: ScaleBits];
        default: scale = scales[7*ScaleBits +: ScaleBits];
      endcase
    end

    bdnn_scale #(.Columns(Tiles * Columns), .SumBits(SumBits)) u_scale (
      .clk_i, .rst_ni,
      .valid_i(sums_valid), .column_i({sum.tile[PixelBits-ColumnBits-1:0], sums_column}),
      .first_i(sum.first), .last_i(sum.last),
      .sum_i(sums[r*SumBits +: SumBits]), .scale_i(scale), .constant_i(constant_memory[sum.filter_bank]),
      .valid_o(acc_valid[r]), .column_o(acc_pixel[r]), .acc_o(accs[32*r +: 32])
    );
  end

  logic [2:0] bank_q, chunk_last_q;
  always_ff @(posedge clk_i) begin
    bank_q       <= {bank_q[1:0], sum.bank};
    chunk_last_q <= {chunk_last_q[1:0], sum.chunk_last && sums_column == ColumnBits'(Columns - 1)};
  end

  /////////////
  // Results //
  /////////////

  logic [RowBits-LaneBits-1:0] constants_group;
  logic [1:0]           constants_bank;
  logic [32*Lanes-1:0]  multipliers;
  logic [64*Lanes-1:0]  offsets;
  logic                 unit_ready, unit_free, value_read, value_bank;
  logic [PixelBits-1:0] value_pixel;
  logic [$clog2(bdnn_hw_pkg::Unit)-LaneBits-1:0] value_step;
  logic [32*Lanes-1:0]  values;

  // Row r belongs to lane r % Lanes.
  for (genvar l = 0; l < Lanes; l++) begin : g_constants
    logic                        mine;
    logic [RowBits-LaneBits+1:0] write_address;

    assign mine          = filter_write && (filter_row & RowBits'(Lanes - 1)) == RowBits'(l);
    assign write_address = {filter_bank, filter_row[RowBits-1:LaneBits]};

    bdnn_ram #(.Width(32), .Depth(4 * Rows / Lanes)) u_multipliers (
      .clk_i, .write_i(mine && filter_beat == 2'(bdnn_hw_pkg::FilterMultiplierWord)), .write_address_i(write_address),
      .data_i(fill_data[bdnn_hw_pkg::FilterMultiplierLow +: bdnn_hw_pkg::FilterMultiplierBits]),
      .read_i(1'b1), .read_address_i({constants_bank, constants_group}), .data_o(multipliers[32*l +: 32])
    );
    bdnn_ram #(.Width(64), .Depth(4 * Rows / Lanes)) u_offsets (
      .clk_i, .write_i(mine && filter_beat == 2'(bdnn_hw_pkg::FilterOffsetWord)), .write_address_i(write_address),
      .data_i(fill_data[bdnn_hw_pkg::FilterOffsetLow +: bdnn_hw_pkg::FilterOffsetBits]),
      .read_i(1'b1), .read_address_i({constants_bank, constants_group}), .data_o(offsets[64*l +: 64])
    );
  end

  bdnn_results #(.Rows(Rows), .Columns(Columns), .Tiles(Tiles), .Lanes(Lanes)) u_results (
    .clk_i, .rst_ni, .run_i(run), .job_i,
    .acc_valid_i(acc_valid[0]), .acc_bank_i(bank_q[2]), .acc_pixel_i(acc_pixel[0]), .acc_last_i(chunk_last_q[2]), .acc_i(accs),
    .filter_group_o(constants_group), .filter_bank_o(constants_bank), .multipliers_i(multipliers), .offsets_i(offsets),
    .chunk_free_o(filters_free),
    .unit_ready_o(unit_ready), .unit_free_i(unit_free),
    .value_read_i(value_read), .value_bank_i(value_bank), .value_pixel_i(value_pixel), .value_step_i(value_step),
    .values_o(values)
  );

  logic        out_ready, out_take, store_ask, store_give, store_settled, store_done;
  logic [63:0] store_address, store_data;
  logic [23:0] store_words;

  bdnn_store #(.Columns(Columns), .PixelBits(PixelBits), .Lanes(Lanes)) u_store (
    .clk_i, .rst_ni, .run_i, .halt_i, .job_i,
    .unit_ready_i(unit_ready), .unit_free_o(unit_free),
    .value_read_o(value_read), .value_bank_o(value_bank), .value_pixel_o(value_pixel), .value_step_o(value_step),
    .values_i(values),
    .cmd_valid_o(store_ask), .cmd_ready_i(out_ready), .cmd_address_o(store_address), .cmd_words_o(store_words),
    .data_valid_o(store_give), .data_ready_i(out_take), .data_o(store_data),
    .settled_o(store_settled), .done_o(store_done)
  );

  /////////////////
  // Max pooling //
  /////////////////

  logic        pool_ask, pool_give, pool_settled, pool_done;
  logic [63:0] pool_address, pool_data;
  logic [23:0] pool_words;

  bdnn_pool u_pool (
    .clk_i, .rst_ni, .run_i, .halt_i, .job_i,
    .piece_valid_i(piece_valid && pooling), .piece_pop_o(pool_piece_pop), .piece_i(piece_out),
    .data_valid_i(words != 2'd0), .data_pop_o(pool_pop), .data_i(word_first),
    .cmd_valid_o(pool_ask), .cmd_ready_i(out_ready), .cmd_address_o(pool_address), .cmd_words_o(pool_words),
    .data_valid_o(pool_give), .data_ready_i(out_take), .data_o(pool_data),
    .settled_o(pool_settled), .done_o(pool_done)
  );

  assign settled_o = store_settled && pool_settled;
  assign done_o    = pooling ? pool_done : store_done;

  bdnn_widen #(.PortWords(PortWords)) u_widen (
    .clk_i, .rst_ni,
    .cmd_valid_i(pooling ? pool_ask : store_ask), .cmd_ready_o(out_ready),
    .cmd_address_i(pooling ? pool_address : store_address), .cmd_words_i(pooling ? pool_words : store_words),
    .data_valid_i(pooling ? pool_give : store_give), .data_ready_o(out_take), .data_i(pooling ? pool_data : store_data),
    .cmd_valid_o(write_valid_o), .cmd_ready_i(write_ready_i), .cmd_address_o(write_address_o), .cmd_beats_o(write_beats_o),
    .data_valid_o, .data_ready_i, .data_o, .strobe_o
  );

`ifndef SYNTHESIS
  initial assert ($bits(bdnn_core_pkg::piece_t) == bdnn_core_pkg::PieceBits && $bits(bdnn_core_pkg::sum_t) == bdnn_core_pkg::SumBits)
    else $fatal(1, "bdnn_core: the widths in bdnn_core_pkg are not those of its types");
  initial assert (WeightDepth / bdnn_hw_pkg::Banks * Rows * Parts < 65536 && Tiles * Columns < 65536)
    else $fatal(1, "bdnn_core: a filter basis of %0d words, a block of %0d pixels", WeightDepth / bdnn_hw_pkg::Banks * Rows * Parts, Tiles * Columns);
  always_ff @(posedge clk_i) begin
    if (rst_ni) assert (!sums_valid || sum_valid) else $error("bdnn_core: a sum that nobody started");
  end
`endif

endmodule
