// SPDX-License-Identifier: BSD-2-Clause
// Drives the array: for every pixel block, filter chunk, basis and tile of Columns pixels one sum, its bit planes from the highest down, as soon as
// the operands are loaded and there is room for the results. Sums follow one another without a gap where nothing is missing.

module bdnn_sequencer #(
  parameter int unsigned Rows            = 8,
  parameter int unsigned Columns         = 8,
  parameter int unsigned WeightDepth     = 512,
  parameter int unsigned ActivationDepth = 2048,
  // Derived, not to be set.
  parameter int unsigned WeightBits = $clog2(WeightDepth),
  parameter int unsigned ActBits    = $clog2(ActivationDepth)
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  run_i,
  input  bdnn_hw_pkg::job_t     job_i,

  // Banks that became ready, banks given back
  input  logic                  weights_loaded_i,
  input  logic                  block_loaded_i,
  input  logic                  results_free_i,
  output logic                  weights_free_o,
  output logic                  block_free_o,

  // Operands: addresses now, the array's controls with the data one cycle later
  output logic                  read_o,
  output logic [WeightBits-1:0] weight_address_o,
  output logic [ActBits-1:0]    act_address_o,
  output logic                  word_o,
  output logic                  flush_o,
  output logic                  first_o,
  output logic                  last_o,

  // Sums started, in order
  output logic                  sum_valid_o,
  output bdnn_core_pkg::sum_t    sum_o,

  // What it waits for: counters
  output logic                  wait_load_o,
  output logic                  wait_results_o,
  output logic                  busy_o
);

  localparam int unsigned ResultBanks = 2;

  ///////////
  // Loops //
  ///////////

  logic        done_q, in_sum_q, flush_q;
  logic [3:0]  plane_q;           // counts down
  logic [15:0] word_q;
  logic [7:0]  tile_q;
  logic [3:0]  basis_q;
  logic [15:0] filters_left_q;
  logic [31:0] pixels_left_q, tile_pixels_left_q;
  logic [1:0]  filter_bank_q;
  logic        result_bank_q, weight_bank_q, act_bank_q;
  logic [7:0]  gap_q;

  logic [15:0] block_pixels;
  logic        word_last, plane_last, tile_last, basis_last, chunk_last, block_last;
  logic        ready, step, sum_end, basis_end, chunk_end, block_end;

  assign block_pixels = 16'(job_i.tiles) * 16'(Columns);
  assign word_last    = word_q == job_i.words - 1'b1;
  assign plane_last   = plane_q == '0;
  assign tile_last    = tile_q == job_i.tiles - 1'b1 || tile_pixels_left_q <= 32'(Columns);
  assign basis_last   = basis_q == job_i.bases - 1'b1;
  assign chunk_last   = filters_left_q <= 16'(Rows);
  assign block_last   = pixels_left_q <= 32'(block_pixels);

  // Banks: loaded and not yet given back; results: started and not yet given back
  logic [1:0] weights_ready_q, blocks_ready_q, results_used_q;
  logic       loaded, room;

  assign loaded = weights_ready_q != '0 && blocks_ready_q != '0;
  assign room   = !(basis_last && tile_q == '0) || results_used_q != 2'(ResultBanks);
  assign ready  = in_sum_q || (loaded && room && gap_q == '0);
  assign step   = run_i && !done_q && ready;

  assign sum_end   = step && flush_q && plane_last;
  assign basis_end = sum_end && tile_last;
  assign chunk_end = basis_end && basis_last;
  assign block_end = chunk_end && chunk_last;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      weights_ready_q <= '0;
      blocks_ready_q  <= '0;
      results_used_q  <= '0;
    end else begin
      weights_ready_q <= weights_ready_q + 2'(weights_loaded_i) - 2'(basis_end);
      blocks_ready_q  <= blocks_ready_q + 2'(block_loaded_i) - 2'(block_end);
      results_used_q  <= results_used_q + 2'(step && !in_sum_q && basis_last && tile_q == '0) - 2'(results_free_i);
    end
  end

  // Words and planes of a sum
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      in_sum_q <= 1'b0;
      flush_q  <= 1'b0;
      word_q   <= '0;
      plane_q  <= job_i.planes - 1'b1;
    end else if (step) begin
      in_sum_q <= !sum_end;
      if (flush_q) begin
        flush_q <= 1'b0;
        plane_q <= plane_last ? job_i.planes - 1'b1 : plane_q - 1'b1;
      end else begin
        flush_q <= word_last;
        word_q  <= word_last ? '0 : word_q + 1'b1;
      end
    end
  end

  // Tiles, bases, chunks, blocks
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      done_q             <= 1'b0;
      tile_q             <= '0;
      basis_q            <= '0;
      filters_left_q     <= job_i.filter_count;
      pixels_left_q      <= job_i.pixels;
      tile_pixels_left_q <= job_i.pixels;
      filter_bank_q      <= '0;
      result_bank_q      <= 1'b0;
      weight_bank_q      <= 1'b0;
      act_bank_q         <= 1'b0;
    end else if (sum_end) begin
      tile_q             <= tile_q + 1'b1;
      tile_pixels_left_q <= tile_pixels_left_q - 32'(Columns);
      if (basis_end) begin
        tile_q             <= '0;
        tile_pixels_left_q <= pixels_left_q;
        basis_q            <= basis_q + 1'b1;
        weight_bank_q      <= !weight_bank_q;
      end
      if (chunk_end) begin
        basis_q        <= '0;
        filter_bank_q  <= filter_bank_q + 1'b1;
        result_bank_q  <= !result_bank_q;
        filters_left_q <= filters_left_q - 16'(Rows);
      end
      if (block_end) begin
        filters_left_q     <= job_i.filter_count;
        pixels_left_q      <= pixels_left_q - 32'(block_pixels);
        tile_pixels_left_q <= pixels_left_q - 32'(block_pixels);
        act_bank_q         <= !act_bank_q;
        done_q             <= block_last;
      end
    end
  end

  // Very short sums are spaced so that they end Columns cycles apart.
  logic [7:0] gap;
  logic [15:0] sum_cycles;
  assign sum_cycles = (job_i.words >= 16'(Columns)) ? 16'(Columns) : (job_i.words + 16'd1) * 16'(job_i.planes);
  assign gap        = (sum_cycles >= 16'(Columns)) ? 8'd0 : 8'(16'(Columns) - sum_cycles);
  always_ff @(posedge clk_i) begin
    if (!rst_ni)           gap_q <= '0;
    else if (sum_end)      gap_q <= gap;
    else if (gap_q != '0)  gap_q <= gap_q - 1'b1;
  end

  ///////////////
  // Addresses //
  ///////////////

  // A tile's planes lie one after the other, the lowest first; top is where its highest begins.
  logic [ActBits-2:0] area, top_first, top_q, plane_base_q;
  logic [ActBits-2:0] words;

  assign words     = (ActBits-1)'(job_i.words);
  assign area      = (ActBits-1)'(job_i.words * job_i.planes);
  assign top_first = area - words;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      top_q        <= top_first;
      plane_base_q <= top_first;
    end else if (step && flush_q) begin
      if (!plane_last) begin
        plane_base_q <= plane_base_q - words;
      end else begin
        top_q        <= basis_end ? top_first : top_q + area;
        plane_base_q <= basis_end ? top_first : top_q + area;
      end
    end
  end

  assign read_o           = step && !flush_q;
  assign weight_address_o = {weight_bank_q, (WeightBits-1)'(word_q)};
  assign act_address_o    = {act_bank_q, plane_base_q + (ActBits-1)'(word_q)};

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      word_o  <= 1'b0;
      flush_o <= 1'b0;
    end else begin
      word_o  <= step && !flush_q;
      flush_o <= step && flush_q;
    end
  end
  always_ff @(posedge clk_i) begin
    first_o <= !in_sum_q;
    last_o  <= plane_last;
  end

  assign weights_free_o = basis_end;
  assign block_free_o   = block_end;

  assign sum_valid_o = sum_end;
  always_comb begin
    sum_o.first       = basis_q == '0;
    sum_o.last        = basis_last;
    sum_o.basis       = basis_q[2:0];
    sum_o.filter_bank = filter_bank_q;
    sum_o.tile        = tile_q[4:0];
    sum_o.bank        = result_bank_q;
    sum_o.chunk_last  = basis_last && tile_last;
  end

  assign busy_o         = step;
  assign wait_load_o    = run_i && !done_q && !in_sum_q && !loaded;
  assign wait_results_o = run_i && !done_q && !in_sum_q && loaded && !room;

endmodule
