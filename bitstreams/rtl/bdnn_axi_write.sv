// SPDX-License-Identifier: BSD-2-Clause
// AXI4 write master: a command of any number of beats becomes bursts (bdnn_axi_bursts) that take their data from one stream.
// Up to MaxOutstanding bursts wait for their responses; an error response is remembered in error_o until clear_i.

module bdnn_axi_write #(
  parameter int unsigned AddressBits    = 64,
  parameter int unsigned DataBits       = 64,
  parameter int unsigned CountBits      = 24,
  parameter int unsigned MaxBurst       = 64,  // beats, a power of two
  parameter int unsigned MaxOutstanding = 15
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  input  logic                   clear_i,        // with idle_o: forget errors

  // Commands: beats >= 1, the address a multiple of a beat's bytes
  input  logic                   cmd_valid_i,
  output logic                   cmd_ready_o,
  input  logic [AddressBits-1:0] cmd_address_i,
  input  logic [CountBits-1:0]   cmd_beats_i,

  // Data
  input  logic                   data_valid_i,
  output logic                   data_ready_o,
  input  logic [DataBits-1:0]    data_i,
  input  logic [DataBits/8-1:0]  strobe_i,

  output logic                   idle_o,         // no command, all responses here
  output logic                   error_o,

  // AXI4
  output logic                   awvalid_o,
  input  logic                   awready_i,
  output logic [AddressBits-1:0] awaddr_o,
  output logic [7:0]             awlen_o,
  output logic                   wvalid_o,
  input  logic                   wready_i,
  output logic [DataBits-1:0]    wdata_o,
  output logic [DataBits/8-1:0]  wstrb_o,
  output logic                   wlast_o,
  input  logic                   bvalid_i,
  output logic                   bready_o,
  input  logic [1:0]             bresp_i
);

  localparam int unsigned BurstBits       = $clog2(MaxBurst);
  localparam int unsigned OutstandingBits = $clog2(MaxOutstanding + 1);

  logic                       burst_q;      // data of a burst are due
  logic [BurstBits-1:0]       beats_q;      // that follow the next one
  logic [OutstandingBits-1:0] outstanding_q;
  logic [BurstBits:0]         burst;
  logic                       issue, address_idle, beat, last_beat;

  bdnn_axi_bursts #(.AddressBits(AddressBits), .DataBits(DataBits), .CountBits(CountBits), .MaxBurst(MaxBurst)) u_bursts (
    .clk_i, .rst_ni,
    .cmd_valid_i, .cmd_ready_o, .cmd_address_i, .cmd_beats_i,
    .beats_o(burst), .allow_i((!burst_q || last_beat) && outstanding_q != OutstandingBits'(MaxOutstanding)), .issue_o(issue),
    .idle_o(address_idle), .valid_o(awvalid_o), .ready_i(awready_i), .address_o(awaddr_o), .len_o(awlen_o)
  );

  //////////
  // Data //
  //////////

  assign wvalid_o     = burst_q && data_valid_i;
  assign data_ready_o = burst_q && wready_i;
  assign wdata_o      = data_i;
  assign wstrb_o      = strobe_i;
  assign wlast_o      = (beats_q == '0);
  assign beat         = wvalid_o && wready_i;
  assign last_beat    = beat && wlast_o;

  always_ff @(posedge clk_i) begin
    if (!rst_ni)        burst_q <= 1'b0;
    else if (issue)     burst_q <= 1'b1;
    else if (last_beat) burst_q <= 1'b0;
  end
  always_ff @(posedge clk_i) begin
    if (issue)     beats_q <= BurstBits'(burst - 1'b1);
    else if (beat) beats_q <= beats_q - 1'b1;
  end

  ///////////////
  // Responses //
  ///////////////

  logic error_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) outstanding_q <= '0;
    else         outstanding_q <= outstanding_q + OutstandingBits'(issue) - OutstandingBits'(bvalid_i);
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i)          error_q <= 1'b0;
    else if (bvalid_i && bresp_i[1]) error_q <= 1'b1;
  end

  assign bready_o = 1'b1;
  assign idle_o   = address_idle && !burst_q && (outstanding_q == '0);
  assign error_o  = error_q;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!bvalid_i || outstanding_q != '0) else $error("bdnn_axi_write: response that nobody waits for");
      assert (!clear_i || idle_o) else $error("bdnn_axi_write: cleared with bursts outstanding");
    end
  end
`endif
  logic unused_response;
  assign unused_response = bresp_i[0];

endmodule
