# SPDX-License-Identifier: BSD-2-Clause
# Synthesizes the kernel for a board with Vitis HLS 2022.1 or later and exports it as a Vitis kernel (.xo):
#
#   cmake -S . -B build -DBDNN_BOARD=kv260 && cmake --build build
#   vitis_hls hls/run_hls.tcl build kv260 [csim] [csynth] [export]
#
# Without steps: all three. csim compiles the test bench of tests/cosim/hls_kernel.c with the build's libbdnn.a.
set arguments $argv
while {[llength $arguments] > 0 && [string match "*run_hls.tcl" [lindex $arguments 0]]} {
    set arguments [lrange $arguments 1 end]
}
if {[llength $arguments] < 2} {
    puts stderr "usage: vitis_hls run_hls.tcl BUILD BOARD \[csim\] \[csynth\] \[export\]"
    exit 2
}
lassign $arguments build board
set steps [lrange $arguments 2 end]
if {[llength $steps] == 0} {
    set steps {csim csynth export}
}
set root [file dirname [file dirname [file normalize [info script]]]]
set build [file normalize $build]
set described $build/bitstreams/$board
if {![file exists $described/bdnn_board.h]} {
    puts stderr "run_hls.tcl: there is no $described/bdnn_board.h; configure the build with -DBDNN_BOARD=$board and build it"
    exit 1
}

# The board's part and clock are in its description.
set file [open $root/bitstreams/boards/$board.txt]
foreach line [split [read $file] "\n"] {
    if {[regexp {^(part|clock_mhz)\s+(\S+)} $line whole name value]} {
        set $name $value
    }
}
close $file

open_project -reset $build/hls_$board
set_top bdnn_kernel
set flags "-std=c11 -I$described -I$root/hls/kernel"
foreach source [lsort [glob $root/hls/kernel/*.c]] {
    add_files $source -cflags $flags
}
set bench_flags "-std=c11 -I$described -I$root/hls -I$root/host -I$root/tests/cosim -Wno-unknown-pragmas"
foreach source {hls/run_job.c tests/cosim/hls_kernel.c tests/cosim/device_case.c tests/cosim/pool_case.c tests/kernels/problem.c tests/kernels/shapes.c} {
    add_files -tb $root/$source -cflags $bench_flags
}
open_solution -reset solution -flow_target vitis
set_part $part
create_clock -period [format %.3f [expr {1000.0 / $clock_mhz}]]

foreach step $steps {
    switch $step {
        csim { csim_design -ldflags "$build/host/libbdnn.a -lxxhash -lpthread -lz -lm -lstdc++" }
        csynth { csynth_design }
        export { export_design -format xo -output $build/bdnn_kernel_$board.xo }
        default {
            puts stderr "run_hls.tcl: no step '$step'; there are csim, csynth and export"
            exit 2
        }
    }
}
exit
