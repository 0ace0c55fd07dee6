// SPDX-License-Identifier: BSD-2-Clause
// First-in first-out queue whose head is always at data_o: a memory with a registered read port, which is also the output register.
// Holds Depth + 1 entries; space_o counts the free ones of the memory. An entry reaches the output two cycles after its write.

module bdnn_fifo #(
  parameter int unsigned Width = 64,
  parameter int unsigned Depth = 512,  // a power of two
  parameter int unsigned CountBits = $clog2(Depth) + 1
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  logic                 clear_i,
  input  logic                 push_i,
  input  logic [Width-1:0]     data_i,
  output logic                 valid_o,
  input  logic                 pop_i,
  output logic [Width-1:0]     data_o,
  output logic [CountBits-1:0] space_o
);

  localparam int unsigned AddressBits = $clog2(Depth);

  logic [Width-1:0]       memory [Depth];
  logic [Width-1:0]       head_q;
  logic [AddressBits-1:0] write_q, read_q;
  logic [CountBits-1:0]   count_q;
  logic                   valid_q, fetch;

  assign fetch = (count_q != '0) && (!valid_q || pop_i);

  always_ff @(posedge clk_i) begin
    if (push_i) memory[write_q] <= data_i;
  end
  always_ff @(posedge clk_i) begin
    if (fetch) head_q <= memory[read_q];
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      write_q <= '0;
      read_q  <= '0;
      count_q <= '0;
      valid_q <= 1'b0;
    end else begin
      if (push_i) write_q <= write_q + 1'b1;
      if (fetch) read_q <= read_q + 1'b1;
      count_q <= count_q + CountBits'(push_i) - CountBits'(fetch);
      valid_q <= fetch | (valid_q & ~pop_i);
    end
  end

  assign valid_o = valid_q;
  assign data_o  = head_q;
  assign space_o = CountBits'(Depth) - count_q;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (rst_ni && !clear_i) begin
      assert (!(push_i && count_q == CountBits'(Depth))) else $error("bdnn_fifo: push into a full queue");
      assert (!(pop_i && !valid_q)) else $error("bdnn_fifo: pop from an empty queue");
    end
  end
`endif

endmodule
