// Packs values, 64 neighbouring channels of a pixel at a time, into 64-bit beats:
//   mode 0  bit planes: planes_i beats, the lowest plane first, bit c of a beat is channel c
//   mode 1  int16: 16 beats of four values       mode 2  int32: 32 beats of two values

module bdnn_packer (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic [1:0]  mode_i,
  input  logic [3:0]  planes_i,  // 1..8
  input  logic        valid_i,
  output logic        ready_o,
  input  logic [31:0] value_i,
  output logic        valid_o,
  input  logic        ready_i,
  output logic [63:0] data_o
);

  logic [5:0]   channel_q;
  logic         take, beat_done;

  ////////////////
  // Bit planes //
  ////////////////

  // Each plane is a shift register that fills from the top; the beats leave from the first one while the others move down.
  logic [511:0] planes_q;
  logic [3:0]   left_q;  // beats of the planes still to leave

  for (genvar p = 0; p < 8; p++) begin : g_plane
    always_ff @(posedge clk_i) begin
      if (take) planes_q[64*p +: 64] <= {value_i[p], planes_q[64*p+1 +: 63]};
      else if (left_q != '0 && ready_i) planes_q[64*p +: 64] <= (p == 7) ? 64'h0 : planes_q[64*((p+1)%8) +: 64];
    end
  end

  ////////////////////
  // Whole integers //
  ////////////////////

  logic [63:0] beat_q;
  logic        full_q;

  assign beat_done = (mode_i == bdnn_job_pkg::ModeInt16) ? (channel_q[1:0] == 2'd3) : channel_q[0];

  always_ff @(posedge clk_i) begin
    if (take) beat_q <= (mode_i == bdnn_job_pkg::ModeInt16) ? {value_i[15:0], beat_q[63:16]} : {value_i, beat_q[63:32]};
  end

  //////////////
  // Handshake //
  //////////////

  assign valid_o = (mode_i == bdnn_job_pkg::ModePlanes) ? (left_q != '0) : full_q;
  assign data_o  = (mode_i == bdnn_job_pkg::ModePlanes) ? planes_q[63:0] : beat_q;
  assign ready_o = !valid_o || (mode_i != bdnn_job_pkg::ModePlanes && ready_i);
  assign take    = valid_i && ready_o;

  always_ff @(posedge clk_i) begin
    if (!rst_ni)   channel_q <= '0;
    else if (take) channel_q <= channel_q + 1'b1;
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni)                                                left_q <= '0;
    else if (take && mode_i == bdnn_job_pkg::ModePlanes && channel_q == 6'd63)      left_q <= planes_i;
    else if (left_q != '0 && ready_i)                           left_q <= left_q - 1'b1;
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni)      full_q <= 1'b0;
    else if (take)    full_q <= (mode_i != bdnn_job_pkg::ModePlanes) && beat_done;
    else if (ready_i) full_q <= 1'b0;
  end

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (rst_ni && valid_i) assert (mode_i != bdnn_job_pkg::ModeMaximum && (mode_i != bdnn_job_pkg::ModePlanes || (planes_i >= 4'd1 && planes_i <= 4'd8)))
      else $error("bdnn_packer: mode %0d, %0d planes", mode_i, planes_i);
  end
`endif

endmodule
