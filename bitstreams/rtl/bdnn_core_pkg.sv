// SPDX-License-Identifier: BSD-2-Clause
// What the parts of the core tell one another of the job that runs (bdnn_hw_pkg::job_t).

/* verilator lint_off UNUSEDPARAM */
package bdnn_core_pkg;

  // A piece of what the buffers are filled with, in order
  localparam logic [1:0] KindWeights = 2'd0;
  localparam logic [1:0] KindFilters = 2'd1;
  localparam logic [1:0] KindTap     = 2'd2;  // from memory
  localparam logic [1:0] KindPadding = 2'd3;  // no data

  typedef struct packed {
    logic [1:0]  kind;
    logic        zero;        // padding: zeros that fill a word up, not the zero point
    logic        skip;        // its words begin in the upper half of a beat
    logic [15:0] count;       // steps of weights, words of filters, units of a tap
    logic        pixel_last;  // of the pixel; max pooling: of the unit
    logic        block_last;
  } piece_t;

  localparam int unsigned PieceBits = 22;  // of piece_t: Yosys knows no $bits of a type

  // What the scale accumulators must know of a sum on its way through the array
  typedef struct packed {
    logic       first;        // basis of the filters
    logic       last;
    logic [2:0] basis;
    logic [1:0] filter_bank;
    logic [4:0] tile;
    logic       bank;         // of the results
    logic       chunk_last;   // last sum of a filter chunk
  } sum_t;

  localparam int unsigned SumBits = 14;    // of sum_t

endpackage
/* verilator lint_on UNUSEDPARAM */
