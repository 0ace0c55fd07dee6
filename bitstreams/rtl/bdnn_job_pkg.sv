// What one run of the kernel computes: one convolution (a fully connected layer is one of a single pixel) of one group of one image.

/* verilator lint_off UNUSEDPARAM */
package bdnn_job_pkg;

  typedef struct packed {
    // Byte addresses, multiples of 8
    logic [63:0] weights;
    logic [63:0] activations;
    logic [63:0] filters;
    logic [63:0] results;
    // Steps in bytes through the activations: from one output pixel to the next in its row, from one output row to the next, from one tap to the
    // next, from one row of taps to the next; origin leads from activations to the first tap of the first output pixel (<= 0 with padding)
    logic [31:0] origin;
    logic [31:0] pixel_step;
    logic [31:0] row_step;
    logic [31:0] tap_step;
    logic [31:0] tap_row_step;
    logic [31:0] result_step;    // from one output pixel to the next in the results
    // Geometry
    logic [15:0] in_width;
    logic [15:0] in_height;
    logic [15:0] out_width;
    logic [31:0] pixels;         // output width x height
    logic [7:0]  kernel_width;
    logic [7:0]  kernel_height;
    logic [7:0]  stride_x;
    logic [7:0]  stride_y;
    logic [7:0]  dilation_x;
    logic [7:0]  dilation_y;
    logic [7:0]  pad_left;
    logic [7:0]  pad_top;
    logic [15:0] units;          // of 64 channels a tap
    logic [6:0]  last_channels;  // channels of a tap's last unit, 1..64
    logic [15:0] words;          // of WordBits a filter basis or a plane of a pixel's taps
    logic [7:0]  pad_units;      // units that fill the last word up
    // Numbers
    logic [3:0]  bases;
    logic [3:0]  planes;
    logic [7:0]  zero_point;     // what padding taps hold
    logic [15:0] filter_count;
    logic [1:0]  mode;
    logic [3:0]  out_planes;
    logic [31:0] low;
    logic [31:0] high;
    // Blocking
    logic [7:0]  tiles;          // of Columns pixels that share a load of weights
  } job_t;

  // Modes: bit planes, int16 and int32 of an inner product's results; maximum of the taps
  localparam logic [1:0] ModePlanes  = 2'd0;
  localparam logic [1:0] ModeInt16   = 2'd1;
  localparam logic [1:0] ModeInt32   = 2'd2;
  localparam logic [1:0] ModeMaximum = 2'd3;

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
