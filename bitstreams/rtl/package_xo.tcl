# SPDX-License-Identifier: BSD-2-Clause
# Packages the SystemVerilog kernel for Vitis as an RTL kernel (.xo), with Vivado of Vitis 2022.1 or later:
#
#   cmake -S . -B build -DBDNN_BOARD=kv260 && cmake --build build
#   vivado -mode batch -source bitstreams/rtl/package_xo.tcl -tclargs build kv260
#   v++ --link --target hw --platform FILE.xpfm --output kernel.xclbin build/bdnn_kernel_kv260_rtl.xo
#
# Written from the tools' documentation and NOT RUN in them: none were at hand. Ports, arguments and their offsets are those of the kernel.xml that
# bitstreams/describe.py writes.
if {[llength $argv] != 2} {
    puts stderr "usage: vivado -mode batch -source package_xo.tcl -tclargs BUILD BOARD"
    exit 2
}
lassign $argv build board
set root [file dirname [file dirname [file dirname [file normalize [info script]]]]]
set build [file normalize $build]
set described $build/bitstreams/$board
if {![file exists $described/kernel.xml]} {
    puts stderr "package_xo.tcl: there is no $described/kernel.xml; configure the build with -DBDNN_BOARD=$board and build it"
    exit 1
}

proc read_text {path} {
    set file [open $path]
    set text [read $file]
    close $file
    return $text
}

# The value of an attribute of an XML element; each element of kernel.xml is one line.
proc attribute {element name} {
    if {![regexp "\\m$name=\"(\[^\"\]*)\"" $element whole value]} {
        error "kernel.xml: no '$name' in $element"
    }
    return $value
}

if {![regexp -line {^part\s+(\S+)} [read_text $root/bitstreams/boards/$board.txt] whole part]} {
    puts stderr "package_xo.tcl: $root/bitstreams/boards/$board.txt names no part"
    exit 1
}
if {$part eq "none"} {
    puts stderr "package_xo.tcl: '$board' is not a device"
    exit 1
}
set ports {}
set arguments {}
foreach line [split [read_text $described/kernel.xml] "\n"] {
    switch -glob -- [string trim $line] {
        "<kernel *" { set kernel [attribute $line name] }
        "<port *" { lappend ports [attribute $line name] }
        "<arg *" { lappend arguments $line }
    }
}

# Packages before the modules that use them.
set packages [concat $described/bdnn_hw_pkg.sv [lsort [glob $root/bitstreams/rtl/*_pkg.sv]]]
set modules {}
foreach source [lsort [glob $root/bitstreams/rtl/*.sv]] {
    if {$source ni $packages} {
        lappend modules $source
    }
}
set project $build/package_rtl_$board
create_project -force package $project -part $part
add_files -norecurse [concat $packages $modules]
# The carry primitive of UltraScale+ is the wider one.
if {![string match "xc7*" $part]} {
    set_property verilog_define BDNN_CARRY8 [current_fileset]
}
set_property top $kernel [current_fileset]
update_compile_order -fileset sources_1

ipx::package_project -root_dir $project/ip -vendor bdnn -library kernel -taxonomy /KernelIP -import_files -set_current true
set core [ipx::current_core]
set_property version 1.0 $core
set_property sdx_kernel true $core
set_property sdx_kernel_type rtl $core
set_property auto_family_support_level level_2 $core
foreach port $ports {
    ipx::associate_bus_interfaces -busif $port -clock ap_clk $core
}

# Registers of the arguments; a pointer names the port that it is for.
set map [ipx::add_memory_map -quiet s_axi_control $core]
set_property slave_memory_map_ref s_axi_control [ipx::get_bus_interfaces s_axi_control -of_objects $core]
set block [ipx::add_address_block -quiet reg0 $map]
foreach argument $arguments {
    set register [ipx::add_register [attribute $argument name] $block]
    set_property address_offset [attribute $argument offset] $register
    set_property size [expr {8 * [attribute $argument size]}] $register
    if {[attribute $argument addressQualifier] == 1} {
        set parameter [ipx::add_register_parameter ASSOCIATED_BUSIF $register]
        set_property value [attribute $argument port] $parameter
    }
}
ipx::create_xgui_files $core
ipx::update_checksums $core
ipx::check_integrity -kernel $core
ipx::save_core $core
close_project

package_xo -force -xo_path $build/${kernel}_${board}_rtl.xo -kernel_name $kernel -ip_directory $project/ip -kernel_xml $described/kernel.xml
