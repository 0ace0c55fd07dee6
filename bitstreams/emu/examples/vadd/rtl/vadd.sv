// SPDX-License-Identifier: BSD-2-Clause
// sum[i] = a[i] + b[i] modulo 2^32, as an RTL kernel: ap_ctrl_hs registers, a read master for each operand, a write master for the sums.
// The ports may be 32 to 512 bits wide; the addresses are multiples of a beat's bytes, the count is any.

module vadd #(
  parameter int unsigned DataBits = 32
) (
  input  logic                  ap_clk,
  input  logic                  ap_rst_n,

  input  logic                  s_axi_control_awvalid,
  output logic                  s_axi_control_awready,
  input  logic [5:0]            s_axi_control_awaddr,
  input  logic                  s_axi_control_wvalid,
  output logic                  s_axi_control_wready,
  input  logic [31:0]           s_axi_control_wdata,
  input  logic [3:0]            s_axi_control_wstrb,
  output logic                  s_axi_control_bvalid,
  input  logic                  s_axi_control_bready,
  output logic [1:0]            s_axi_control_bresp,
  input  logic                  s_axi_control_arvalid,
  output logic                  s_axi_control_arready,
  input  logic [5:0]            s_axi_control_araddr,
  output logic                  s_axi_control_rvalid,
  input  logic                  s_axi_control_rready,
  output logic [31:0]           s_axi_control_rdata,
  output logic [1:0]            s_axi_control_rresp,

  output logic                  m_axi_gmem0_arvalid,
  input  logic                  m_axi_gmem0_arready,
  output logic [63:0]           m_axi_gmem0_araddr,
  output logic [7:0]            m_axi_gmem0_arlen,
  output logic [2:0]            m_axi_gmem0_arsize,
  output logic [1:0]            m_axi_gmem0_arburst,
  input  logic                  m_axi_gmem0_rvalid,
  output logic                  m_axi_gmem0_rready,
  input  logic [DataBits-1:0]   m_axi_gmem0_rdata,
  input  logic [1:0]            m_axi_gmem0_rresp,
  input  logic                  m_axi_gmem0_rlast,

  output logic                  m_axi_gmem1_arvalid,
  input  logic                  m_axi_gmem1_arready,
  output logic [63:0]           m_axi_gmem1_araddr,
  output logic [7:0]            m_axi_gmem1_arlen,
  output logic [2:0]            m_axi_gmem1_arsize,
  output logic [1:0]            m_axi_gmem1_arburst,
  input  logic                  m_axi_gmem1_rvalid,
  output logic                  m_axi_gmem1_rready,
  input  logic [DataBits-1:0]   m_axi_gmem1_rdata,
  input  logic [1:0]            m_axi_gmem1_rresp,
  input  logic                  m_axi_gmem1_rlast,

  output logic                  m_axi_gmem2_awvalid,
  input  logic                  m_axi_gmem2_awready,
  output logic [63:0]           m_axi_gmem2_awaddr,
  output logic [7:0]            m_axi_gmem2_awlen,
  output logic [2:0]            m_axi_gmem2_awsize,
  output logic [1:0]            m_axi_gmem2_awburst,
  output logic                  m_axi_gmem2_wvalid,
  input  logic                  m_axi_gmem2_wready,
  output logic [DataBits-1:0]   m_axi_gmem2_wdata,
  output logic [DataBits/8-1:0] m_axi_gmem2_wstrb,
  output logic                  m_axi_gmem2_wlast,
  input  logic                  m_axi_gmem2_bvalid,
  output logic                  m_axi_gmem2_bready,
  input  logic [1:0]            m_axi_gmem2_bresp
);

  localparam int unsigned Lanes = DataBits / 32;

  logic        start, running_q, error;
  logic [63:0] a, b, sum;
  logic [31:0] count, beats, beat_q;

  vadd_control u_control (
    .clk_i(ap_clk), .rst_ni(ap_rst_n),
    .awvalid_i(s_axi_control_awvalid), .awready_o(s_axi_control_awready), .awaddr_i(s_axi_control_awaddr),
    .wvalid_i(s_axi_control_wvalid), .wready_o(s_axi_control_wready), .wdata_i(s_axi_control_wdata), .wstrb_i(s_axi_control_wstrb),
    .bvalid_o(s_axi_control_bvalid), .bready_i(s_axi_control_bready), .bresp_o(s_axi_control_bresp),
    .arvalid_i(s_axi_control_arvalid), .arready_o(s_axi_control_arready), .araddr_i(s_axi_control_araddr),
    .rvalid_o(s_axi_control_rvalid), .rready_i(s_axi_control_rready), .rdata_o(s_axi_control_rdata), .rresp_o(s_axi_control_rresp),
    .start_o(start), .done_i(done), .error_i(error), .a_o(a), .b_o(b), .sum_o(sum), .count_o(count)
  );

  // Rounded up without overflow
  assign beats = count / Lanes + 32'(count % Lanes != 0);

  logic a_valid, b_valid, sum_ready, pop, a_error, b_error, sum_error, write_idle, done;
  logic [DataBits-1:0]   a_data, b_data, sum_data;
  logic [DataBits/8-1:0] strobe;

  vadd_read #(.DataBits(DataBits)) u_read_a (
    .clk_i(ap_clk), .rst_ni(ap_rst_n), .start_i(start), .address_i(a), .beats_i(beats),
    .valid_o(a_valid), .pop_i(pop), .data_o(a_data), .error_o(a_error),
    .arvalid_o(m_axi_gmem0_arvalid), .arready_i(m_axi_gmem0_arready), .araddr_o(m_axi_gmem0_araddr), .arlen_o(m_axi_gmem0_arlen),
    .rvalid_i(m_axi_gmem0_rvalid), .rready_o(m_axi_gmem0_rready), .rdata_i(m_axi_gmem0_rdata), .rresp_i(m_axi_gmem0_rresp)
  );
  vadd_read #(.DataBits(DataBits)) u_read_b (
    .clk_i(ap_clk), .rst_ni(ap_rst_n), .start_i(start), .address_i(b), .beats_i(beats),
    .valid_o(b_valid), .pop_i(pop), .data_o(b_data), .error_o(b_error),
    .arvalid_o(m_axi_gmem1_arvalid), .arready_i(m_axi_gmem1_arready), .araddr_o(m_axi_gmem1_araddr), .arlen_o(m_axi_gmem1_arlen),
    .rvalid_i(m_axi_gmem1_rvalid), .rready_o(m_axi_gmem1_rready), .rdata_i(m_axi_gmem1_rdata), .rresp_i(m_axi_gmem1_rresp)
  );

  // The last beat's lanes behind the count are not written.
  for (genvar i = 0; i < Lanes; i++) begin : g_lane
    assign sum_data[32*i +: 32] = a_data[32*i +: 32] + b_data[32*i +: 32];
    assign strobe[4*i +: 4]     = {4{beat_q != beats - 1'b1 || count % Lanes == 0 || count % Lanes > 32'(i)}};
  end
  assign pop = a_valid && b_valid && sum_ready;

  vadd_write #(.DataBits(DataBits)) u_write (
    .clk_i(ap_clk), .rst_ni(ap_rst_n), .start_i(start), .address_i(sum), .beats_i(beats),
    .valid_i(a_valid && b_valid), .ready_o(sum_ready), .data_i(sum_data), .strobe_i(strobe),
    .idle_o(write_idle), .error_o(sum_error),
    .awvalid_o(m_axi_gmem2_awvalid), .awready_i(m_axi_gmem2_awready), .awaddr_o(m_axi_gmem2_awaddr), .awlen_o(m_axi_gmem2_awlen),
    .wvalid_o(m_axi_gmem2_wvalid), .wready_i(m_axi_gmem2_wready), .wdata_o(m_axi_gmem2_wdata), .wstrb_o(m_axi_gmem2_wstrb),
    .wlast_o(m_axi_gmem2_wlast),
    .bvalid_i(m_axi_gmem2_bvalid), .bready_o(m_axi_gmem2_bready), .bresp_i(m_axi_gmem2_bresp)
  );

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n)  running_q <= 1'b0;
    else if (start) running_q <= 1'b1;
    else if (done)  running_q <= 1'b0;
  end
  always_ff @(posedge ap_clk) begin
    if (start)    beat_q <= '0;
    else if (pop) beat_q <= beat_q + 1'b1;
  end
  assign done  = running_q && write_idle;
  assign error = a_error || b_error || sum_error;

  assign m_axi_gmem0_arsize  = 3'($clog2(DataBits / 8));
  assign m_axi_gmem0_arburst = 2'b01;
  assign m_axi_gmem1_arsize  = 3'($clog2(DataBits / 8));
  assign m_axi_gmem1_arburst = 2'b01;
  assign m_axi_gmem2_awsize  = 3'($clog2(DataBits / 8));
  assign m_axi_gmem2_awburst = 2'b01;

  logic unused_last;
  assign unused_last = m_axi_gmem0_rlast ^ m_axi_gmem1_rlast;

endmodule
