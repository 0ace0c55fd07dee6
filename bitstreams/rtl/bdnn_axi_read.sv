// SPDX-License-Identifier: BSD-2-Clause
// AXI4 read master: a command of any number of beats becomes bursts (bdnn_axi_bursts), several of them outstanding; the data leave in order as one
// stream. A burst is asked for only when the queue has room for all of it, so rready_o never falls and the interconnect is never blocked.
//
// An error response is remembered in error_o until clear_i; its data are delivered like others, so that whoever waits for them goes on.

module bdnn_axi_read #(
  parameter int unsigned AddressBits = 64,
  parameter int unsigned DataBits    = 64,
  parameter int unsigned CountBits   = 24,   // of a command's beats
  parameter int unsigned MaxBurst    = 64,   // beats, a power of two
  parameter int unsigned QueueDepth  = 512   // beats, a power of two; bounds what is outstanding
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  input  logic                   clear_i,        // with idle_o: forget errors and queued data

  // Commands: beats >= 1, the address a multiple of a beat's bytes
  input  logic                   cmd_valid_i,
  output logic                   cmd_ready_o,
  input  logic [AddressBits-1:0] cmd_address_i,
  input  logic [CountBits-1:0]   cmd_beats_i,

  // Data
  output logic                   data_valid_o,
  input  logic                   data_pop_i,
  output logic [DataBits-1:0]    data_o,

  output logic                   idle_o,         // no command, nothing outstanding
  output logic                   error_o,

  // AXI4
  output logic                   arvalid_o,
  input  logic                   arready_i,
  output logic [AddressBits-1:0] araddr_o,
  output logic [7:0]             arlen_o,
  input  logic                   rvalid_i,
  output logic                   rready_o,
  input  logic [DataBits-1:0]    rdata_i,
  input  logic [1:0]             rresp_i,
  input  logic                   rlast_i
);

  localparam int unsigned BurstBits  = $clog2(MaxBurst);
  localparam int unsigned CreditBits = $clog2(QueueDepth) + 1;

  logic [CreditBits-1:0] credit_q;
  logic [BurstBits:0]    burst;
  logic                  issue, address_idle;

  bdnn_axi_bursts #(.AddressBits(AddressBits), .DataBits(DataBits), .CountBits(CountBits), .MaxBurst(MaxBurst)) u_bursts (
    .clk_i, .rst_ni,
    .cmd_valid_i, .cmd_ready_o, .cmd_address_i, .cmd_beats_i,
    .beats_o(burst), .allow_i(credit_q >= CreditBits'(burst)), .issue_o(issue), .idle_o(address_idle),
    .valid_o(arvalid_o), .ready_i(arready_i), .address_o(araddr_o), .len_o(arlen_o)
  );

  ///////////////////////
  // Data and responses //
  ///////////////////////

  // Credit: room of the queue that no outstanding burst will fill. Pending: beats asked for and not yet here.
  logic [CreditBits-1:0] pending_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      credit_q  <= CreditBits'(QueueDepth);
      pending_q <= '0;
    end else begin
      credit_q  <= credit_q + CreditBits'(data_pop_i) - (issue ? CreditBits'(burst) : '0);
      pending_q <= pending_q - CreditBits'(rvalid_i) + (issue ? CreditBits'(burst) : '0);
    end
  end

  logic error_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i)           error_q <= 1'b0;
    else if (rvalid_i && rresp_i[1])  error_q <= 1'b1;
  end

  // Room is counted here, bursts ahead of the data.
  logic [CreditBits-1:0] unused_space;

  bdnn_fifo #(.Width(DataBits), .Depth(QueueDepth)) u_queue (
    .clk_i,
    .rst_ni,
    .clear_i,
    .push_i (rvalid_i),
    .data_i (rdata_i),
    .valid_o(data_valid_o),
    .pop_i  (data_pop_i),
    .data_o,
    .space_o(unused_space)
  );

  assign rready_o = 1'b1;
  assign idle_o   = address_idle && (pending_q == '0);
  assign error_o  = error_q;

`ifndef SYNTHESIS
  initial assert (QueueDepth >= MaxBurst) else $fatal(1, "bdnn_axi_read: MaxBurst %0d, queue %0d", MaxBurst, QueueDepth);
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!rvalid_i || pending_q != '0) else $error("bdnn_axi_read: data that nobody asked for");
      assert (!clear_i || idle_o) else $error("bdnn_axi_read: cleared with bursts outstanding");
    end
  end
`endif
  logic unused_last;
  assign unused_last = rlast_i ^ rresp_i[0];

endmodule
