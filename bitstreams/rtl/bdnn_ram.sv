// SPDX-License-Identifier: BSD-2-Clause
// Memory with one write and one read port; a read takes one cycle.

module bdnn_ram #(
  parameter int unsigned Width = 64,
  parameter int unsigned Depth = 512,
  parameter int unsigned AddressBits = $clog2(Depth)
) (
  input  logic                   clk_i,
  input  logic                   write_i,
  input  logic [AddressBits-1:0] write_address_i,
  input  logic [Width-1:0]       data_i,
  input  logic                   read_i,
  input  logic [AddressBits-1:0] read_address_i,
  output logic [Width-1:0]       data_o
);

  logic [Width-1:0] memory [Depth];
  logic [Width-1:0] data_q;

  always_ff @(posedge clk_i) begin
    if (write_i) memory[write_address_i] <= data_i;
  end
  always_ff @(posedge clk_i) begin
    if (read_i) data_q <= memory[read_address_i];
  end

  assign data_o = data_q;

endmodule
