// SPDX-License-Identifier: BSD-2-Clause
// The kernel as XRT and Vitis see it: ap_ctrl_hs registers on an AXI4-Lite slave and one AXI4 master. One start runs one job: one
// convolution (a fully connected layer is one of a single pixel) of one group of one image.
//
// Registers lie as bitstreams/kernel.txt has them, of which bdnn_hw_pkg is written; bdnn_control says what those of control do.

module bdnn_kernel #(
  parameter int unsigned Rows            = bdnn_hw_pkg::Rows,
  parameter int unsigned Columns         = bdnn_hw_pkg::Columns,
  parameter int unsigned WordBits        = bdnn_hw_pkg::WordBits,
  parameter int unsigned WeightDepth     = bdnn_hw_pkg::WeightDepth,
  parameter int unsigned ActivationDepth = bdnn_hw_pkg::ActivationDepth,
  parameter int unsigned Tiles           = bdnn_hw_pkg::Tiles,
  parameter int unsigned PortBits        = bdnn_hw_pkg::PortBits,
  parameter int unsigned Lanes           = bdnn_hw_pkg::Lanes,
  parameter bit          Structural      = 1'b1
) (
  input  logic        ap_clk,
  input  logic        ap_rst_n,
  /* verilator lint_off SYMRSVDWORD */
  output logic        interrupt,
  /* verilator lint_on SYMRSVDWORD */

  input  logic        s_axi_control_awvalid,
  output logic        s_axi_control_awready,
  input  logic [bdnn_hw_pkg::RegisterAddressBits-1:0] s_axi_control_awaddr,
  input  logic        s_axi_control_wvalid,
  output logic        s_axi_control_wready,
  input  logic [31:0] s_axi_control_wdata,
  input  logic [3:0]  s_axi_control_wstrb,
  output logic        s_axi_control_bvalid,
  input  logic        s_axi_control_bready,
  output logic [1:0]  s_axi_control_bresp,
  input  logic        s_axi_control_arvalid,
  output logic        s_axi_control_arready,
  input  logic [bdnn_hw_pkg::RegisterAddressBits-1:0] s_axi_control_araddr,
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
  output logic [PortBits-1:0] m_axi_gmem_wdata,
  output logic [PortBits/8-1:0] m_axi_gmem_wstrb,
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
  input  logic [PortBits-1:0] m_axi_gmem_rdata,
  input  logic [1:0]  m_axi_gmem_rresp,
  input  logic        m_axi_gmem_rlast
);

  localparam int unsigned PortWords = PortBits / bdnn_hw_pkg::Unit;

  logic                    start, cancel, done;
  bdnn_hw_pkg::job_t       words, job;
  bdnn_hw_pkg::status_t    status;

  bdnn_control #(
    .ArgumentWords(bdnn_hw_pkg::ArgumentWords), .StatusWords(bdnn_hw_pkg::StatusWords)
  ) u_control (
    .clk_i(ap_clk), .rst_ni(ap_rst_n),
    .awvalid_i(s_axi_control_awvalid), .awready_o(s_axi_control_awready), .awaddr_i(s_axi_control_awaddr),
    .wvalid_i(s_axi_control_wvalid), .wready_o(s_axi_control_wready), .wdata_i(s_axi_control_wdata),
    .wstrb_i(s_axi_control_wstrb),
    .bvalid_o(s_axi_control_bvalid), .bready_i(s_axi_control_bready), .bresp_o(s_axi_control_bresp),
    .arvalid_i(s_axi_control_arvalid), .arready_o(s_axi_control_arready), .araddr_i(s_axi_control_araddr),
    .rvalid_o(s_axi_control_rvalid), .rready_i(s_axi_control_rready), .rdata_o(s_axi_control_rdata),
    .rresp_o(s_axi_control_rresp), .interrupt_o(interrupt),
    .start_o(start), .cancel_o(cancel), .done_i(done), .arguments_o(words), .status_i(status)
  );

  always_comb begin
    job         = words;
    job.results = words.results + {{32{words.result_origin[31]}}, words.result_origin};
  end

  //////////
  // Runs //
  //////////

  // Reset of the core for one cycle, the check, then the run; done once nothing is on its way on the bus.
  logic core_rst_n, prepare_q, run_q, checked_q, halt_q, finish, check_done, refused;
  logic core_done, core_settled, read_idle, write_idle, read_error, write_error;
  logic busy, wait_load, wait_results;

  assign core_rst_n = ap_rst_n && !prepare_q;
  assign finish     = run_q && read_idle && write_idle && (halt_q ? core_settled && !read_pending : core_done);
  assign done       = finish;

  // Data that a halted job has not yet taken from the read queue
  logic read_pending;

  bdnn_check #(.WordBits(WordBits), .WeightDepth(WeightDepth), .ActivationDepth(ActivationDepth), .Tiles(Tiles)) u_check (
    .clk_i(ap_clk), .rst_ni(ap_rst_n), .start_i(prepare_q), .job_i(job),
    .done_o(check_done), .refused_o(refused)
  );

  logic cancelled_q, refused_q;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      prepare_q   <= 1'b0;
      run_q       <= 1'b0;
      checked_q   <= 1'b0;
      halt_q      <= 1'b0;
      cancelled_q <= 1'b0;
      refused_q   <= 1'b0;
    end else begin
      prepare_q <= start;
      if (prepare_q) begin
        run_q       <= 1'b1;
        checked_q   <= 1'b0;
        halt_q      <= cancel;
        refused_q   <= 1'b0;
        cancelled_q <= cancel;
      end else if (finish) begin
        run_q <= 1'b0;
      end else if (run_q) begin
        checked_q   <= checked_q || (check_done && !refused);
        refused_q   <= refused_q || (check_done && refused);
        halt_q      <= halt_q || cancel || (check_done && refused) || read_error || write_error;
        cancelled_q <= cancelled_q || cancel;
      end
    end
  end

  //////////////
  // Counters //
  //////////////

  logic [31:0] cycles_q, busy_q, wait_load_q, wait_results_q, read_words_q, write_words_q;
  always_ff @(posedge ap_clk) begin
    if (!core_rst_n) begin
      cycles_q       <= '0;
      busy_q         <= '0;
      wait_load_q    <= '0;
      wait_results_q <= '0;
      read_words_q   <= '0;
      write_words_q  <= '0;
    end else if (run_q) begin
      cycles_q       <= cycles_q + 1'b1;
      busy_q         <= busy_q + 32'(busy);
      wait_load_q    <= wait_load_q + 32'(wait_load);
      wait_results_q <= wait_results_q + 32'(wait_results);
      read_words_q   <= read_words_q + (m_axi_gmem_rvalid ? 32'(PortWords) : 32'd0);
      write_words_q  <= write_words_q + (m_axi_gmem_wvalid && m_axi_gmem_wready ? 32'(PortWords) : 32'd0);
    end
  end

  // Everything that is not counted or built in reads as zero.
  always_comb begin
    status                  = '0;
    status.read_error       = read_error;
    status.write_error      = write_error;
    status.cancelled        = cancelled_q;
    status.refused          = refused_q;
    status.cycles           = cycles_q;
    status.busy             = busy_q;
    status.wait_load        = wait_load_q;
    status.wait_results     = wait_results_q;
    status.read_beats       = read_words_q;
    status.write_beats      = write_words_q;
    status.identity         = bdnn_hw_pkg::Identity;
    status.rows             = 16'(Rows);
    status.columns          = 16'(Columns);
    status.word_bits        = 16'(WordBits);
    status.max_tiles        = 16'(Tiles);
    status.weight_depth     = 16'(WeightDepth);
    status.activation_depth = 16'(ActivationDepth);
    status.max_pooling      = 1'b1;
  end

  /////////////////////
  // Core and masters //
  /////////////////////

  logic        read_valid, read_ready, rdata_valid, rdata_pop, write_valid, write_ready, wdata_valid, wdata_ready;
  logic [63:0] read_address, write_address;
  logic [23:0] read_beats, write_beats;
  logic [PortBits-1:0]   rdata, wdata;
  logic [PortBits/8-1:0] wstrobe;

  assign read_pending = rdata_valid;

  bdnn_core #(
    .Rows(Rows), .Columns(Columns), .WordBits(WordBits), .WeightDepth(WeightDepth), .ActivationDepth(ActivationDepth),
    .Tiles(Tiles), .PortWords(PortWords), .Lanes(Lanes), .Structural(Structural)
  ) u_core (
    .clk_i(ap_clk), .rst_ni(core_rst_n), .job_i(job), .run_i(run_q && checked_q), .halt_i(halt_q),
    .read_valid_o(read_valid), .read_ready_i(read_ready), .read_address_o(read_address), .read_beats_o(read_beats),
    .data_valid_i(rdata_valid), .data_pop_o(rdata_pop), .data_i(rdata),
    .write_valid_o(write_valid), .write_ready_i(write_ready), .write_address_o(write_address), .write_beats_o(write_beats),
    .data_valid_o(wdata_valid), .data_ready_i(wdata_ready), .data_o(wdata), .strobe_o(wstrobe),
    .settled_o(core_settled), .done_o(core_done),
    .busy_o(busy), .wait_load_o(wait_load), .wait_results_o(wait_results)
  );

  bdnn_axi_read #(.DataBits(PortBits)) u_read (
    .clk_i(ap_clk), .rst_ni(ap_rst_n), .clear_i(prepare_q),
    .cmd_valid_i(read_valid), .cmd_ready_o(read_ready), .cmd_address_i(read_address), .cmd_beats_i(read_beats),
    .data_valid_o(rdata_valid), .data_pop_i(rdata_pop), .data_o(rdata),
    .idle_o(read_idle), .error_o(read_error),
    .arvalid_o(m_axi_gmem_arvalid), .arready_i(m_axi_gmem_arready), .araddr_o(m_axi_gmem_araddr),
    .arlen_o(m_axi_gmem_arlen),
    .rvalid_i(m_axi_gmem_rvalid), .rready_o(m_axi_gmem_rready), .rdata_i(m_axi_gmem_rdata), .rresp_i(m_axi_gmem_rresp),
    .rlast_i(m_axi_gmem_rlast)
  );

  bdnn_axi_write #(.DataBits(PortBits)) u_write (
    .clk_i(ap_clk), .rst_ni(ap_rst_n), .clear_i(prepare_q),
    .cmd_valid_i(write_valid), .cmd_ready_o(write_ready), .cmd_address_i(write_address), .cmd_beats_i(write_beats),
    .data_valid_i(wdata_valid), .data_ready_o(wdata_ready), .data_i(wdata), .strobe_i(wstrobe),
    .idle_o(write_idle), .error_o(write_error),
    .awvalid_o(m_axi_gmem_awvalid), .awready_i(m_axi_gmem_awready), .awaddr_o(m_axi_gmem_awaddr),
    .awlen_o(m_axi_gmem_awlen),
    .wvalid_o(m_axi_gmem_wvalid), .wready_i(m_axi_gmem_wready), .wdata_o(m_axi_gmem_wdata), .wstrb_o(m_axi_gmem_wstrb),
    .wlast_o(m_axi_gmem_wlast),
    .bvalid_i(m_axi_gmem_bvalid), .bready_o(m_axi_gmem_bready), .bresp_i(m_axi_gmem_bresp)
  );

  assign m_axi_gmem_awsize  = 3'($clog2(PortBits / 8));
  assign m_axi_gmem_awburst = 2'b01;
  assign m_axi_gmem_awcache = 4'b0011;
  assign m_axi_gmem_arsize  = 3'($clog2(PortBits / 8));
  assign m_axi_gmem_arburst = 2'b01;
  assign m_axi_gmem_arcache = 4'b0011;

endmodule
