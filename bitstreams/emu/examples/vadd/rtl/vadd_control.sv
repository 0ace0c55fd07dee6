// SPDX-License-Identifier: BSD-2-Clause
// AXI4-Lite slave of the vector addition: ap_ctrl_hs at 0x00, operands' and sums' addresses, the count, and whether the last run met an error
// on the bus. There is no interrupt.

module vadd_control (
  input  logic        clk_i,
  input  logic        rst_ni,

  input  logic        awvalid_i,
  output logic        awready_o,
  input  logic [5:0]  awaddr_i,
  input  logic        wvalid_i,
  output logic        wready_o,
  input  logic [31:0] wdata_i,
  input  logic [3:0]  wstrb_i,
  output logic        bvalid_o,
  input  logic        bready_i,
  output logic [1:0]  bresp_o,
  input  logic        arvalid_i,
  output logic        arready_o,
  input  logic [5:0]  araddr_i,
  output logic        rvalid_o,
  input  logic        rready_i,
  output logic [31:0] rdata_o,
  output logic [1:0]  rresp_o,

  output logic        start_o,  // one cycle
  input  logic        done_i,   // one cycle
  input  logic        error_i,
  output logic [63:0] a_o,
  output logic [63:0] b_o,
  output logic [63:0] sum_o,
  output logic [31:0] count_o
);

  localparam logic [3:0] Control = 4'h0, A = 4'h4, B = 4'h7, Sum = 4'ha, Count = 4'hd, Error = 4'hf;  // words: 0x10, 0x1c, 0x28, 0x34, 0x3c

  logic        write, read, bvalid_q, rvalid_q, start_q, done_q, ready_q, busy_q;
  logic [31:0] rdata_q;
  logic [63:0] a_q, b_q, sum_q;
  logic [31:0] count_q;

  assign write     = awvalid_i && wvalid_i && !bvalid_q;
  assign awready_o = write;
  assign wready_o  = write;
  assign bvalid_o  = bvalid_q;
  assign bresp_o   = 2'b00;
  assign read      = arvalid_i && !rvalid_q;
  assign arready_o = read;
  assign rvalid_o  = rvalid_q;
  assign rdata_o   = rdata_q;
  assign rresp_o   = 2'b00;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      bvalid_q <= 1'b0;
      rvalid_q <= 1'b0;
    end else begin
      bvalid_q <= write || (bvalid_q && !bready_i);
      rvalid_q <= read || (rvalid_q && !rready_i);
    end
  end

  // Arguments are written as whole words.
  always_ff @(posedge clk_i) begin
    if (write && wstrb_i == '1) begin
      unique case (awaddr_i[5:2])
        A:          a_q[31:0]    <= wdata_i;
        A + 4'd1:   a_q[63:32]   <= wdata_i;
        B:          b_q[31:0]    <= wdata_i;
        B + 4'd1:   b_q[63:32]   <= wdata_i;
        Sum:        sum_q[31:0]  <= wdata_i;
        Sum + 4'd1: sum_q[63:32] <= wdata_i;
        Count:      count_q      <= wdata_i;
        default: ;
      endcase
    end
  end
  assign a_o     = a_q;
  assign b_o     = b_q;
  assign sum_o   = sum_q;
  assign count_o = count_q;

  always_ff @(posedge clk_i) begin
    if (read) begin
      unique case (araddr_i[5:2])
        Control:    rdata_q <= {28'h0, ready_q, !busy_q, done_q, busy_q};
        A:          rdata_q <= a_q[31:0];
        A + 4'd1:   rdata_q <= a_q[63:32];
        B:          rdata_q <= b_q[31:0];
        B + 4'd1:   rdata_q <= b_q[63:32];
        Sum:        rdata_q <= sum_q[31:0];
        Sum + 4'd1: rdata_q <= sum_q[63:32];
        Count:      rdata_q <= count_q;
        Error:      rdata_q <= {31'h0, error_i};
        default:    rdata_q <= '0;
      endcase
    end
  end

  // Done and ready are cleared by reading.
  logic start, look;
  assign start = write && awaddr_i[5:2] == Control && wstrb_i[0] && wdata_i[0] && !busy_q;
  assign look  = read && araddr_i[5:2] == Control;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      start_q <= 1'b0;
      busy_q  <= 1'b0;
      done_q  <= 1'b0;
      ready_q <= 1'b0;
    end else begin
      start_q <= start;
      busy_q  <= start || (busy_q && !done_i);
      done_q  <= done_i || (done_q && !look);
      ready_q <= done_i || (ready_q && !look);
    end
  end
  assign start_o = start_q;

endmodule
