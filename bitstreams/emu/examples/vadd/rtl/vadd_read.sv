// SPDX-License-Identifier: BSD-2-Clause
// Reads beats from an address on, in bursts of at most 16 that end where a multiple of 16 beats does, so that none crosses 4 KiB. The queue
// holds what is asked for: several bursts are under way, and the bus is never held up.

module vadd_read #(
  parameter int unsigned DataBits = 32
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                start_i,    // one cycle; the beats before were all taken
  input  logic [63:0]         address_i,
  input  logic [31:0]         beats_i,

  output logic                valid_o,
  input  logic                pop_i,
  output logic [DataBits-1:0] data_o,
  output logic                error_o,    // since the start

  output logic                arvalid_o,
  input  logic                arready_i,
  output logic [63:0]         araddr_o,
  output logic [7:0]          arlen_o,
  input  logic                rvalid_i,
  output logic                rready_o,
  input  logic [DataBits-1:0] rdata_i,
  input  logic [1:0]          rresp_i
);

  localparam int unsigned Burst    = 16;
  localparam int unsigned Depth    = 64;
  localparam int unsigned ByteBits = $clog2(DataBits / 8);

  logic [63:0] address_q;
  logic [31:0] left_q;              // not yet asked for
  logic [6:0]  room_q;              // of the queue, less what was asked for
  logic        arvalid_q, error_q;
  logic [4:0]  to_border, burst;
  logic        taken;

  assign to_border = 5'(Burst) - {1'b0, address_q[ByteBits +: 4]};
  assign burst     = left_q < 32'(to_border) ? left_q[4:0] : to_border;
  assign arvalid_o = arvalid_q;
  assign araddr_o  = address_q;
  assign arlen_o   = 8'(burst) - 8'd1;
  assign taken     = arvalid_q && arready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      left_q    <= '0;
      arvalid_q <= 1'b0;
      room_q    <= 7'(Depth);
    end else begin
      if (start_i)    left_q <= beats_i;
      else if (taken) left_q <= left_q - 32'(burst);
      arvalid_q <= arvalid_q ? !arready_i : left_q != '0 && room_q >= 7'(burst);
      room_q    <= room_q - (taken ? 7'(burst) : '0) + 7'(pop_i);
    end
  end
  always_ff @(posedge clk_i) begin
    if (start_i)    address_q <= address_i;
    else if (taken) address_q <= address_q + (64'(burst) << ByteBits);
  end
  always_ff @(posedge clk_i) begin
    if (start_i)                     error_q <= 1'b0;
    else if (rvalid_i && rresp_i[1]) error_q <= 1'b1;
  end
  assign error_o = error_q;

  // The queue
  logic [DataBits-1:0] queue [Depth];
  logic [6:0]          head_q, tail_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      head_q <= '0;
      tail_q <= '0;
    end else begin
      head_q <= head_q + 7'(pop_i);
      tail_q <= tail_q + 7'(rvalid_i);
    end
  end
  always_ff @(posedge clk_i) begin
    if (rvalid_i) queue[tail_q[5:0]] <= rdata_i;
  end
  assign rready_o = 1'b1;
  assign valid_o  = head_q != tail_q;
  assign data_o   = queue[head_q[5:0]];

  logic unused_response;
  assign unused_response = rresp_i[0];

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!pop_i || valid_o) else $error("vadd_read: a beat that is not there is taken");
      assert (!start_i || address_i[ByteBits-1:0] == '0) else $error("vadd_read: address %h is not that of a beat", address_i);
    end
  end
`endif

endmodule
