// The kernel as XRT and Vitis see it: ap_ctrl_hs registers on an AXI4-Lite slave and one AXI4 master. One start runs one job (bdnn_job_pkg).
//
// Registers: see bdnn_control for 0x00 to 0x0c; the job's arguments from 0x10 are decoded below, the read-only words from 0x100 as well.

module bdnn_kernel #(
  parameter int unsigned Rows            = 8,
  parameter int unsigned Columns         = 8,
  parameter int unsigned WordBits        = 128,
  parameter int unsigned WeightDepth     = 512,
  parameter int unsigned ActivationDepth = 2048,
  parameter int unsigned Tiles           = 8,
  parameter bit          Structural      = 1'b1
) (
  input  logic        ap_clk,
  input  logic        ap_rst_n,
  /* verilator lint_off SYMRSVDWORD */
  output logic        interrupt,
  /* verilator lint_on SYMRSVDWORD */

  input  logic        s_axi_control_awvalid,
  output logic        s_axi_control_awready,
  input  logic [8:0]  s_axi_control_awaddr,
  input  logic        s_axi_control_wvalid,
  output logic        s_axi_control_wready,
  input  logic [31:0] s_axi_control_wdata,
  input  logic [3:0]  s_axi_control_wstrb,
  output logic        s_axi_control_bvalid,
  input  logic        s_axi_control_bready,
  output logic [1:0]  s_axi_control_bresp,
  input  logic        s_axi_control_arvalid,
  output logic        s_axi_control_arready,
  input  logic [8:0]  s_axi_control_araddr,
  output logic        s_axi_control_rvalid,
  input  logic        s_axi_control_rready,
  output logic [31:0] s_axi_control_rdata,
  output logic [1:0]  s_axi_control_rresp,

  output logic        m_axi_gmem_awvalid,
  input  logic        m_axi_gmem_awready,
  output logic [63:0] m_axi_gmem_awaddr,
  output logic [7:0]  m_axi_gmem_awlen,
  output logic [2:0]  m_axi_gmem_awsize,
  output logic [1:0]  m_axi_gmem_awburst,
  output logic [3:0]  m_axi_gmem_awcache,
  output logic        m_axi_gmem_wvalid,
  input  logic        m_axi_gmem_wready,
  output logic [63:0] m_axi_gmem_wdata,
  output logic [7:0]  m_axi_gmem_wstrb,
  output logic        m_axi_gmem_wlast,
  input  logic        m_axi_gmem_bvalid,
  output logic        m_axi_gmem_bready,
  input  logic [1:0]  m_axi_gmem_bresp,
  output logic        m_axi_gmem_arvalid,
  input  logic        m_axi_gmem_arready,
  output logic [63:0] m_axi_gmem_araddr,
  output logic [7:0]  m_axi_gmem_arlen,
  output logic [2:0]  m_axi_gmem_arsize,
  output logic [1:0]  m_axi_gmem_arburst,
  output logic [3:0]  m_axi_gmem_arcache,
  input  logic        m_axi_gmem_rvalid,
  output logic        m_axi_gmem_rready,
  input  logic [63:0] m_axi_gmem_rdata,
  input  logic [1:0]  m_axi_gmem_rresp,
  input  logic        m_axi_gmem_rlast
);

  localparam int unsigned ArgumentWords = 33;
  localparam int unsigned StatusWords   = 11;
  localparam int unsigned StatusOffset  = 32'h100;
  localparam logic [31:0] Identity      = 32'h62_64_6E_01;  // "bdn", version of the registers and layouts

  logic                        start, cancel, done;
  logic [ArgumentWords*32-1:0] arguments;
  logic [StatusWords*32-1:0]   status;

  bdnn_control #(
    .AddressBits(9), .ArgumentWords(ArgumentWords), .StatusOffset(StatusOffset), .StatusWords(StatusWords)
  ) u_control (
    .clk_i(ap_clk), .rst_ni(ap_rst_n),
    .awvalid_i(s_axi_control_awvalid), .awready_o(s_axi_control_awready), .awaddr_i(s_axi_control_awaddr),
    .wvalid_i(s_axi_control_wvalid), .wready_o(s_axi_control_wready), .wdata_i(s_axi_control_wdata),
    .wstrb_i(s_axi_control_wstrb),
    .bvalid_o(s_axi_control_bvalid), .bready_i(s_axi_control_bready), .bresp_o(s_axi_control_bresp),
    .arvalid_i(s_axi_control_arvalid), .arready_o(s_axi_control_arready), .araddr_i(s_axi_control_araddr),
    .rvalid_o(s_axi_control_rvalid), .rready_i(s_axi_control_rready), .rdata_o(s_axi_control_rdata),
    .rresp_o(s_axi_control_rresp), .interrupt_o(interrupt),
    .start_o(start), .cancel_o(cancel), .done_i(done), .arguments_o(arguments), .status_i(status)
  );

  ///////////////
  // Arguments //
  ///////////////

  bdnn_job_pkg::job_t job;

  always_comb begin
    job.weights       = arguments[32*0 +: 64];                // 0x10
    job.activations   = arguments[32*2 +: 64];                // 0x18
    job.filters       = arguments[32*4 +: 64];                // 0x20
    job.results       = arguments[32*6 +: 64];                // 0x28
    job.origin        = arguments[32*8 +: 32];                // 0x30
    job.pixel_step    = arguments[32*9 +: 32];                // 0x34
    job.row_step      = arguments[32*10 +: 32];               // 0x38
    job.tap_step      = arguments[32*11 +: 32];               // 0x3c
    job.tap_row_step  = arguments[32*12 +: 32];               // 0x40
    job.result_step   = arguments[32*13 +: 32];               // 0x44
    job.in_width      = arguments[32*14 +: 16];               // 0x48
    job.in_height     = arguments[32*15 +: 16];               // 0x4c
    job.out_width     = arguments[32*16 +: 16];               // 0x50
    job.pixels        = arguments[32*17 +: 32];               // 0x54
    job.kernel_width  = arguments[32*18 +: 8];                // 0x58: width, height
    job.kernel_height = arguments[32*18+8 +: 8];
    job.stride_x      = arguments[32*19 +: 8];                // 0x5c: stride x, y, dilation x, y
    job.stride_y      = arguments[32*19+8 +: 8];
    job.dilation_x    = arguments[32*19+16 +: 8];
    job.dilation_y    = arguments[32*19+24 +: 8];
    job.pad_left      = arguments[32*20 +: 8];                // 0x60: padding left, top
    job.pad_top       = arguments[32*20+8 +: 8];
    job.units         = arguments[32*21 +: 16];               // 0x64
    job.last_channels = arguments[32*22 +: 7];                // 0x68
    job.words         = arguments[32*23 +: 16];               // 0x6c
    job.pad_units     = arguments[32*24 +: 8];                // 0x70
    job.bases         = arguments[32*25 +: 4];                // 0x74
    job.planes        = arguments[32*26 +: 4];                // 0x78
    job.zero_point    = arguments[32*27 +: 8];                // 0x7c
    job.filter_count  = arguments[32*28 +: 16];               // 0x80
    job.mode          = arguments[32*29 +: 2];                // 0x84: mode, output planes
    job.out_planes    = arguments[32*29+8 +: 4];
    job.low           = arguments[32*30 +: 32];               // 0x88
    job.high          = arguments[32*31 +: 32];               // 0x8c
    job.tiles         = arguments[32*32 +: 8];                // 0x90
  end

  // What no job can be. Addresses and steps must be those of beats.
  logic [31:0] tap_units;
  logic [31:0] block_words;
  logic        refused;

  assign tap_units   = 32'(job.kernel_width) * 32'(job.kernel_height) * 32'(job.units) + 32'(job.pad_units);
  assign block_words = 32'(job.words) * 32'(job.planes) * 32'(job.tiles);
  assign refused = job.bases == '0 || job.bases > 4'd8 || job.planes == '0 || job.planes > 4'd8
                   || job.words == '0 || 32'(job.words) > 32'(WeightDepth / 2)
                   || job.tiles == '0 || 32'(job.tiles) > 32'(Tiles) || block_words > 32'(ActivationDepth / 2)
                   || tap_units != 32'(job.words) * 32'(WordBits / 64) || job.units == '0
                   || job.kernel_width == '0 || job.kernel_height == '0
                   || job.last_channels == '0 || job.last_channels > 7'd64 || job.filter_count == '0
                   || job.pixels == '0 || job.out_width == '0 || job.mode == 2'd3
                   || (job.mode == 2'd0 && (job.out_planes == '0 || job.out_planes > 4'd8))
                   || job.weights[2:0] != '0 || job.activations[2:0] != '0 || job.filters[2:0] != '0
                   || job.results[2:0] != '0 || job.origin[2:0] != '0 || job.pixel_step[2:0] != '0
                   || job.row_step[2:0] != '0 || job.tap_step[2:0] != '0 || job.tap_row_step[2:0] != '0
                   || job.result_step[2:0] != '0;

  //////////
  // Runs //
  //////////

  // Reset of the core for one cycle, then the run; done once nothing is on its way on the bus.
  logic core_rst_n, prepare_q, run_q, halt_q, finish;
  logic core_done, core_settled, read_idle, write_idle, read_error, write_error;
  logic busy, wait_load, wait_results;

  assign core_rst_n = ap_rst_n && !prepare_q;
  assign finish     = run_q && read_idle && write_idle && (halt_q ? core_settled && !read_pending : core_done);
  assign done       = finish;

  // Data that a halted job has not yet taken from the read queue
  logic read_pending;

  logic cancelled_q, refused_q;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      prepare_q   <= 1'b0;
      run_q       <= 1'b0;
      halt_q      <= 1'b0;
      cancelled_q <= 1'b0;
      refused_q   <= 1'b0;
    end else begin
      prepare_q <= start;
      if (prepare_q) begin
        run_q       <= 1'b1;
        halt_q      <= refused || cancel;
        refused_q   <= refused;
        cancelled_q <= cancel;
      end else if (finish) begin
        run_q <= 1'b0;
      end else if (run_q) begin
        halt_q      <= halt_q || cancel || read_error || write_error;
        cancelled_q <= cancelled_q || cancel;
      end
    end
  end

  //////////////
  // Counters //
  //////////////

  logic [31:0] cycles_q, busy_q, wait_load_q, wait_results_q, read_beats_q, write_beats_q;
  always_ff @(posedge ap_clk) begin
    if (!core_rst_n) begin
      cycles_q       <= '0;
      busy_q         <= '0;
      wait_load_q    <= '0;
      wait_results_q <= '0;
      read_beats_q   <= '0;
      write_beats_q  <= '0;
    end else if (run_q) begin
      cycles_q       <= cycles_q + 1'b1;
      busy_q         <= busy_q + 32'(busy);
      wait_load_q    <= wait_load_q + 32'(wait_load);
      wait_results_q <= wait_results_q + 32'(wait_results);
      read_beats_q   <= read_beats_q + 32'(m_axi_gmem_rvalid);
      write_beats_q  <= write_beats_q + 32'(m_axi_gmem_wvalid && m_axi_gmem_wready);
    end
  end

  assign status = {
    {16'(ActivationDepth), 16'(WeightDepth)},                          // 0x128: words of a column, of a row
    {16'(Tiles), 16'(WordBits)},                                       // 0x124
    {16'(Columns), 16'(Rows)},                                         // 0x120
    Identity,                                                          // 0x11c
    write_beats_q, read_beats_q, wait_results_q, wait_load_q, busy_q, cycles_q,  // 0x118 .. 0x104
    {28'h0, refused_q, cancelled_q, write_error, read_error}           // 0x100: how the last run ended, 0 well
  };

  /////////////////////
  // Core and masters //
  /////////////////////

  logic        read_valid, read_ready, rdata_valid, rdata_pop, write_valid, write_ready, wdata_valid, wdata_ready;
  logic [63:0] read_address, write_address, rdata, wdata;
  logic [23:0] read_beats, write_beats;

  assign read_pending = rdata_valid;

  bdnn_core #(
    .Rows(Rows), .Columns(Columns), .WordBits(WordBits), .WeightDepth(WeightDepth), .ActivationDepth(ActivationDepth),
    .Tiles(Tiles), .Structural(Structural)
  ) u_core (
    .clk_i(ap_clk), .rst_ni(core_rst_n), .job_i(job), .run_i(run_q), .halt_i(halt_q),
    .read_valid_o(read_valid), .read_ready_i(read_ready), .read_address_o(read_address), .read_beats_o(read_beats),
    .data_valid_i(rdata_valid), .data_pop_o(rdata_pop), .data_i(rdata),
    .write_valid_o(write_valid), .write_ready_i(write_ready), .write_address_o(write_address), .write_beats_o(write_beats),
    .data_valid_o(wdata_valid), .data_ready_i(wdata_ready), .data_o(wdata),
    .settled_o(core_settled), .done_o(core_done),
    .busy_o(busy), .wait_load_o(wait_load), .wait_results_o(wait_results)
  );

  bdnn_axi_read u_read (
    .clk_i(ap_clk), .rst_ni(ap_rst_n), .clear_i(prepare_q),
    .cmd_valid_i(read_valid), .cmd_ready_o(read_ready), .cmd_address_i(read_address), .cmd_beats_i(read_beats),
    .data_valid_o(rdata_valid), .data_pop_i(rdata_pop), .data_o(rdata),
    .idle_o(read_idle), .error_o(read_error),
    .arvalid_o(m_axi_gmem_arvalid), .arready_i(m_axi_gmem_arready), .araddr_o(m_axi_gmem_araddr),
    .arlen_o(m_axi_gmem_arlen),
    .rvalid_i(m_axi_gmem_rvalid), .rready_o(m_axi_gmem_rready), .rdata_i(m_axi_gmem_rdata), .rresp_i(m_axi_gmem_rresp),
    .rlast_i(m_axi_gmem_rlast)
  );

  bdnn_axi_write u_write (
    .clk_i(ap_clk), .rst_ni(ap_rst_n), .clear_i(prepare_q),
    .cmd_valid_i(write_valid), .cmd_ready_o(write_ready), .cmd_address_i(write_address), .cmd_beats_i(write_beats),
    .data_valid_i(wdata_valid), .data_ready_o(wdata_ready), .data_i(wdata),
    .idle_o(write_idle), .error_o(write_error),
    .awvalid_o(m_axi_gmem_awvalid), .awready_i(m_axi_gmem_awready), .awaddr_o(m_axi_gmem_awaddr),
    .awlen_o(m_axi_gmem_awlen),
    .wvalid_o(m_axi_gmem_wvalid), .wready_i(m_axi_gmem_wready), .wdata_o(m_axi_gmem_wdata), .wstrb_o(m_axi_gmem_wstrb),
    .wlast_o(m_axi_gmem_wlast),
    .bvalid_i(m_axi_gmem_bvalid), .bready_o(m_axi_gmem_bready), .bresp_i(m_axi_gmem_bresp)
  );

  assign m_axi_gmem_awsize  = 3'd3;
  assign m_axi_gmem_awburst = 2'b01;
  assign m_axi_gmem_awcache = 4'b0011;
  assign m_axi_gmem_arsize  = 3'd3;
  assign m_axi_gmem_arburst = 2'b01;
  assign m_axi_gmem_arcache = 4'b0011;

endmodule
