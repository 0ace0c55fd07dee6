// AXI4 write master: a command of any number of beats becomes bursts (borders as in bdnn_axi_read) that take their data from one stream.
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

  localparam int unsigned ByteBits        = $clog2(DataBits / 8);
  localparam int unsigned BurstBits       = $clog2(MaxBurst);
  localparam int unsigned OutstandingBits = $clog2(MaxOutstanding + 1);

  logic                       busy_q;
  logic [AddressBits-1:0]     address_q;
  logic [CountBits-1:0]       left_q;
  logic                       awvalid_q;
  logic [AddressBits-1:0]     awaddr_q;
  logic [BurstBits-1:0]       awlen_q;
  logic                       burst_q;      // data of a burst are due
  logic [BurstBits-1:0]       beats_q;      // that follow the next one
  logic [OutstandingBits-1:0] outstanding_q;

  logic [BurstBits:0] to_border, burst;
  logic               issue, beat, last_beat;

  ///////////////////////
  // Command to bursts //
  ///////////////////////

  assign to_border = (BurstBits+1)'(MaxBurst) - {1'b0, address_q[ByteBits +: BurstBits]};
  assign burst     = (left_q < CountBits'(to_border)) ? left_q[BurstBits:0] : to_border;
  assign issue     = busy_q && (!awvalid_q || awready_i) && (!burst_q || last_beat)
                     && (outstanding_q != OutstandingBits'(MaxOutstanding));

  assign cmd_ready_o = !busy_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      busy_q <= 1'b0;
    end else if (!busy_q) begin
      busy_q <= cmd_valid_i;
    end else if (issue) begin
      busy_q <= (left_q != CountBits'(burst));
    end
  end
  always_ff @(posedge clk_i) begin
    if (!busy_q) begin
      address_q <= cmd_address_i;
      left_q    <= cmd_beats_i;
    end else if (issue) begin
      address_q <= address_q + (AddressBits'(burst) << ByteBits);
      left_q    <= left_q - CountBits'(burst);
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni)        awvalid_q <= 1'b0;
    else if (issue)     awvalid_q <= 1'b1;
    else if (awready_i) awvalid_q <= 1'b0;
  end
  always_ff @(posedge clk_i) begin
    if (issue) begin
      awaddr_q <= address_q;
      awlen_q  <= BurstBits'(burst - 1'b1);
    end
  end

  assign awvalid_o = awvalid_q;
  assign awaddr_o  = awaddr_q;
  assign awlen_o   = 8'(awlen_q);

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
  assign idle_o   = !busy_q && !awvalid_q && !burst_q && (outstanding_q == '0);
  assign error_o  = error_q;

`ifndef SYNTHESIS
  initial assert (MaxBurst * DataBits / 8 <= 4096) else $fatal(1, "bdnn_axi_write: MaxBurst %0d of %0d bits", MaxBurst, DataBits);
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!(cmd_valid_i && cmd_ready_o) || cmd_beats_i != '0) else $error("bdnn_axi_write: command of no beats");
      assert (!(cmd_valid_i && cmd_ready_o) || cmd_address_i[ByteBits-1:0] == '0)
        else $error("bdnn_axi_write: address %h is not that of a beat", cmd_address_i);
      assert (!bvalid_i || outstanding_q != '0) else $error("bdnn_axi_write: response that nobody waits for");
      assert (!clear_i || idle_o) else $error("bdnn_axi_write: cleared with bursts outstanding");
    end
  end
`endif
  logic unused_response;
  assign unused_response = bresp_i[0];

endmodule
