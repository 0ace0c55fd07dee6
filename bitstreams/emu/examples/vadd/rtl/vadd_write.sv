// SPDX-License-Identifier: BSD-2-Clause
// Writes beats from an address on, in bursts like those of vadd_read. Idle when all responses have come: the data lie in the memory then.

module vadd_write #(
  parameter int unsigned DataBits = 32
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  start_i,    // one cycle, when idle
  input  logic [63:0]           address_i,
  input  logic [31:0]           beats_i,

  input  logic                  valid_i,
  output logic                  ready_o,
  input  logic [DataBits-1:0]   data_i,
  input  logic [DataBits/8-1:0] strobe_i,
  output logic                  idle_o,
  output logic                  error_o,    // since the start

  output logic                  awvalid_o,
  input  logic                  awready_i,
  output logic [63:0]           awaddr_o,
  output logic [7:0]            awlen_o,
  output logic                  wvalid_o,
  input  logic                  wready_i,
  output logic [DataBits-1:0]   wdata_o,
  output logic [DataBits/8-1:0] wstrb_o,
  output logic                  wlast_o,
  input  logic                  bvalid_i,
  output logic                  bready_o,
  input  logic [1:0]            bresp_i
);

  localparam int unsigned Burst    = 16;
  localparam int unsigned ByteBits = $clog2(DataBits / 8);

  logic [63:0] address_q;
  logic [31:0] left_q;          // not yet asked for
  logic [31:0] responses_q;     // due
  logic        awvalid_q, burst_q, error_q;
  logic [3:0]  beats_q;         // of the burst, behind the next one
  logic [4:0]  to_border, burst;
  logic        taken, beat;

  assign to_border = 5'(Burst) - {1'b0, address_q[ByteBits +: 4]};
  assign burst     = left_q < 32'(to_border) ? left_q[4:0] : to_border;
  assign awvalid_o = awvalid_q;
  assign awaddr_o  = address_q;
  assign awlen_o   = 8'(burst) - 8'd1;
  assign taken     = awvalid_q && awready_i;

  // The data follow their address; the next address follows the data.
  assign wvalid_o = burst_q && valid_i;
  assign ready_o  = burst_q && wready_i;
  assign wdata_o  = data_i;
  assign wstrb_o  = strobe_i;
  assign wlast_o  = beats_q == '0;
  assign beat     = wvalid_o && wready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      left_q      <= '0;
      responses_q <= '0;
      awvalid_q   <= 1'b0;
      burst_q     <= 1'b0;
    end else begin
      if (start_i)    left_q <= beats_i;
      else if (taken) left_q <= left_q - 32'(burst);
      responses_q <= responses_q + 32'(taken) - 32'(bvalid_i);
      awvalid_q   <= awvalid_q ? !awready_i : left_q != '0 && (!burst_q || (beat && wlast_o));
      burst_q     <= taken || (burst_q && !(beat && wlast_o));
    end
  end
  always_ff @(posedge clk_i) begin
    if (start_i)    address_q <= address_i;
    else if (taken) address_q <= address_q + (64'(burst) << ByteBits);
    if (taken)      beats_q <= 4'(burst - 5'd1);
    else if (beat)  beats_q <= beats_q - 1'b1;
  end
  always_ff @(posedge clk_i) begin
    if (start_i)                     error_q <= 1'b0;
    else if (bvalid_i && bresp_i[1]) error_q <= 1'b1;
  end

  assign bready_o = 1'b1;
  assign idle_o   = left_q == '0 && !awvalid_q && !burst_q && responses_q == '0;
  assign error_o  = error_q;

  logic unused_response;
  assign unused_response = bresp_i[0];

endmodule
