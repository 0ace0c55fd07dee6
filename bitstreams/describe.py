#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes what follows from the kernel's interface (kernel.txt) and a board's sizes (boards/NAME.txt):

    bdnn_hw.h                 registers, fields, constants, packing and unpacking, for hosts, the kernel module and the HLS kernel
    bdnn_board.h              the sizes of this board's array, for the HLS kernel
    bdnn_kernel_prototype.h   the HLS kernel's declaration, its job and its call
    bdnn_kernel_interface.h   its interface directives, included at the head of its body
    bdnn_hw_pkg.sv            the same numbers and the sizes for the SystemVerilog kernel
    kernel.xml                what Vitis' package_xo must know of the SystemVerilog kernel
    bdnn_kernel-c.json, bdnn_kernel-rtl.json   descriptions for scripts/build-xclbin

    bitstreams/describe.py --board bitstreams/boards/emu.txt --output DIR
"""
import argparse
import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

from description import c_code, metadata, systemverilog  # noqa: E402
from description.interface import DescriptionError, Kernel, read_board  # noqa: E402


def outputs(kernel, board, folder):
    return {
        "bdnn_hw.h": c_code.header(kernel),
        "bdnn_board.h": c_code.board_header(kernel, board),
        "bdnn_kernel_prototype.h": c_code.prototype(kernel),
        "bdnn_kernel_interface.h": c_code.hls_interface(kernel),
        "bdnn_hw_pkg.sv": systemverilog.package(kernel, board),
        "kernel.xml": metadata.kernel_xml(kernel, board),
        "bdnn_kernel-c.json": metadata.emulation(kernel, board, "c", folder),
        "bdnn_kernel-rtl.json": metadata.emulation(kernel, board, "rtl", folder),
    }


def write_changed(path, content):
    """Leaves a file alone that has the content already, so that nothing is built anew for it."""
    try:
        with open(path) as file:
            if file.read() == content:
                return
    except FileNotFoundError:
        pass
    with open(path, "w") as file:
        file.write(content)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--board", required=True, metavar="FILE", help="sizes of the array, as bitstreams/boards/emu.txt")
    parser.add_argument("--kernel", default=os.path.join(HERE, "kernel.txt"), metavar="FILE", help="the interface")
    parser.add_argument("--output", required=True, metavar="DIR")
    arguments = parser.parse_args()
    try:
        kernel = Kernel(arguments.kernel)
        board = read_board(kernel, arguments.board)
        folder = os.path.abspath(arguments.output)
        os.makedirs(folder, exist_ok=True)
        for name, content in outputs(kernel, board, folder).items():
            write_changed(os.path.join(folder, name), content)
    except (DescriptionError, OSError, ValueError, TypeError, IndexError) as error:
        sys.exit(f"describe.py: {error}")


if __name__ == "__main__":
    main()
