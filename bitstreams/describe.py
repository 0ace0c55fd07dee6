#!/usr/bin/env python3
"""Writes what follows from the kernel's interface (kernel.txt) and a board's sizes (boards/NAME.txt):

    bdnn_hw.h                 registers, arguments and their fields, for host programs and the HLS kernel
    bdnn_board.h              the sizes of this board's array, for the HLS kernel
    bdnn_kernel_prototype.h   the HLS kernel's declaration
    bdnn_kernel_interface.h   its interface directives, included at the head of its body
    bdnn_hw_pkg.sv            the same registers and sizes for the SystemVerilog kernel
    kernel.xml                what Vitis' package_xo must know of the SystemVerilog kernel
    bdnn_kernel-c.json, bdnn_kernel-rtl.json   descriptions for scripts/build-xclbin

    bitstreams/describe.py --board bitstreams/boards/emu.txt --output DIR
"""
import argparse
import glob
import json
import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
SIZES = ("rows", "columns", "word_bits", "weight_depth", "activation_depth", "tiles", "port_bits", "lanes")
FIRST_ARGUMENT = 0x10
REGISTER_SPAN = 0x1000


class DescriptionError(Exception):
    """Says what is wrong in which file."""


class Field:
    def __init__(self, name, bits):
        self.name = name
        self.high, self.low = (int(b) for b in bits.split(":"))

    @property
    def width(self):
        return self.high - self.low + 1


class Register:
    """An argument or a status word; without fields it is one field of its whole width."""

    def __init__(self, offset, name, ctype="uint32_t", port=None):
        self.offset, self.name, self.fields = int(offset, 0), name, []
        self.type, self.port = ctype.replace("_uint64", " uint64").replace("*", " *"), port
        self.pointer = ctype.endswith("*")
        self.width = 64 if self.pointer else 32

    def parts(self):
        return self.fields or [Field(self.name, f"{self.width - 1}:0")]


class Kernel:
    """The contents of kernel.txt."""

    def __init__(self, path):
        self.path, self.arguments, self.status, self.ports, self.limits = path, [], [], [], {}
        last = None
        for line in statements(path):
            keyword, rest = line[0], line[1:]
            if keyword == "kernel":
                self.name = rest[0]
            elif keyword == "identity":
                self.identity = int(rest[0], 0)
            elif keyword == "port":
                self.ports.append(rest[0])
            elif keyword == "limit":
                self.limits[rest[0]] = int(rest[1], 0)
            elif keyword == "argument":
                last = Register(*rest)
                self.arguments.append(last)
            elif keyword == "status":
                last = Register(*rest)
                self.status.append(last)
            elif keyword in ("field", "status_field") and last:
                last.fields.append(Field(*rest))
            else:
                raise DescriptionError(f"{path}: '{keyword}' is no statement here")
        self.check()

    def check(self):
        at = FIRST_ARGUMENT
        for register in self.arguments:
            if register.offset != at:
                raise DescriptionError(f"{self.path}: '{register.name}' is at {register.offset:#x}, not at {at:#x}")
            at += register.width // 8
        self.status_offset = at = self.status[0].offset
        for register in self.status:
            if register.offset != at:
                raise DescriptionError(f"{self.path}: '{register.name}' is at {register.offset:#x}, not at {at:#x}")
            at += 4
        if self.status_offset < FIRST_ARGUMENT + 4 * self.argument_words:
            raise DescriptionError(f"{self.path}: arguments reach into the status words")
        for register in self.arguments + self.status:
            next_bit = 0
            for field in register.fields:
                if field.low < next_bit or field.high < field.low or field.high >= register.width:
                    raise DescriptionError(f"{self.path}: field '{field.name}' overlaps or leaves '{register.name}'")
                next_bit = field.high + 1

    @property
    def argument_words(self):
        return sum(r.width // 32 for r in self.arguments)


def statements(path):
    with open(path) as file:
        for line in file:
            words = line.split("#")[0].split()
            if words:
                yield words


def read_board(path):
    board = {"name": os.path.splitext(os.path.basename(path))[0]}
    for line in statements(path):
        if len(line) != 2:
            raise DescriptionError(f"{path}: '{' '.join(line)}' is not a name and a value")
        try:
            board[line[0]] = line[1] if line[0] == "part" else int(line[1])
        except ValueError:
            raise DescriptionError(f"{path}: {line[0]} is '{line[1]}', which is no number") from None
    for name in ("part", "clock_mhz", "memory_ports", *SIZES):
        if name not in board:
            raise DescriptionError(f"{path}: has no '{name}'")
    for name in SIZES:
        if board[name] < 1 or board[name] & (board[name] - 1):
            raise DescriptionError(f"{path}: {name} is {board[name]}; it must be a power of two")
    for name, low, high in (("rows", 2, 64), ("columns", 2, 64), ("word_bits", 128, 512), ("tiles", 2, 32),
                            ("weight_depth", 64, 32768), ("activation_depth", 64, 32768), ("port_bits", 64, 128),
                            ("lanes", 1, 4)):
        if not low <= board[name] <= high:
            raise DescriptionError(f"{path}: {name} is {board[name]}; it must be {low} to {high}")
    if 2 * board["lanes"] > board["rows"]:
        raise DescriptionError(f"{path}: lanes is {board['lanes']}; it must be at most half of the {board['rows']} rows")
    burst = board["weight_depth"] // 2 * board["rows"] * board["word_bits"] // 64
    if burst > 0xffff:
        raise DescriptionError(f"{path}: a filter basis of {board['rows']} rows has {burst} words of 64 bits; the most are 65535")
    return board


def note(kernel, board=None):
    source = f"bitstreams/boards/{board['name']}.txt" if board else "bitstreams/kernel.txt"
    return f"Written by bitstreams/describe.py from {source}"


def c_header(kernel):
    lines = [f"/* {note(kernel)}: the registers of the kernel {kernel.name}. docs/reference/accelerator.md explains them. */",
             "#ifndef BDNN_HW_H", "#define BDNN_HW_H", "",
             "#ifdef __KERNEL__", "#include <linux/types.h>", "#else", "#include <stdint.h>", "#endif", "",
             f'#define BDNN_HW_KERNEL "{kernel.name}"', f"#define BDNN_HW_IDENTITY 0x{kernel.identity:08x}u", "",
             "/* ap_ctrl_hs */",
             "enum {", "    BDNN_HW_REG_CONTROL = 0x00,", "    BDNN_HW_REG_GLOBAL_INTERRUPT = 0x04,",
             "    BDNN_HW_REG_INTERRUPT_ENABLE = 0x08,", "    BDNN_HW_REG_INTERRUPT_STATUS = 0x0c", "};",
             "enum {", "    BDNN_HW_CONTROL_START = 0x01,", "    BDNN_HW_CONTROL_DONE = 0x02,",
             "    BDNN_HW_CONTROL_IDLE = 0x04,", "    BDNN_HW_CONTROL_READY = 0x08,",
             "    BDNN_HW_CONTROL_CANCEL = 0x20", "};", "",
             "/* Byte offsets of the registers */", "enum {"]
    lines += [f"    BDNN_HW_REG_{r.name.upper()} = 0x{r.offset:02x}," for r in kernel.arguments + kernel.status]
    lines += [f"    BDNN_HW_REGISTER_SPAN = 0x{REGISTER_SPAN:x}", "};", "",
              "/* Indices of the arguments, as XRT counts them */", "enum {"]
    lines += [f"    BDNN_HW_ARG_{r.name.upper()} = {i}," for i, r in enumerate(kernel.arguments)]
    lines += [f"    BDNN_HW_ARGUMENTS = {len(kernel.arguments)},",
              f"    BDNN_HW_ARGUMENT_WORDS = {kernel.argument_words} /* from 0x10 on */", "};", "",
              "/* Fields of a register's word */"]
    for register in kernel.arguments + kernel.status:
        for f in register.fields:
            lines.append(f"#define BDNN_HW_{f.name.upper()}(word) (((uint32_t)(word) >> {f.low}) & 0x{(1 << f.width) - 1:x}u)")
    lines += ["", "/* What a job's numbers may come to */"]
    lines += [f"#define BDNN_HW_{name.upper()} {value}" for name, value in kernel.limits.items()]
    lines += ["", "/* All arguments, by field */", "typedef struct bdnn_hw_job {"]
    for register in kernel.arguments:
        for f in register.parts():
            lines.append(f"    uint{register.width}_t {f.name};")
    lines += ["} bdnn_hw_job;", "",
              "/* The words of a job from register 0x10 on. Fields must fit: what does not is cut off. */",
              "static inline void bdnn_hw_pack_job(const bdnn_hw_job *job, uint32_t words[BDNN_HW_ARGUMENT_WORDS])", "{"]
    for register in kernel.arguments:
        at = (register.offset - FIRST_ARGUMENT) // 4
        if register.width == 64:
            lines += [f"    words[{at}] = (uint32_t)job->{register.name};",
                      f"    words[{at + 1}] = (uint32_t)(job->{register.name} >> 32);"]
        elif not register.fields:
            lines.append(f"    words[{at}] = job->{register.name};")
        else:
            terms = [f"(job->{f.name} & 0x{(1 << f.width) - 1:x}u)" + (f" << {f.low}" if f.low else "")
                     for f in register.fields]
            lines.append(f"    words[{at}] = {' | '.join(terms)};")
    lines += ["}", "", "#endif", ""]
    return "\n".join(lines)


def board_header(kernel, board):
    lines = [f"/* {note(kernel, board)}. */", "#ifndef BDNN_BOARD_H", "#define BDNN_BOARD_H", "",
             f'#define BDNN_BOARD_NAME "{board["name"]}"', f'#define BDNN_BOARD_PART "{board["part"]}"',
             f"#define BDNN_BOARD_CLOCK_MHZ {board['clock_mhz']}"]
    lines += [f"#define BDNN_BOARD_{name.upper()} {board[name]}" for name in SIZES]
    return "\n".join(lines + ["", "#endif", ""])


def prototype(kernel):
    parameters = [f"{r.type if r.pointer else r.type + ' '}{r.name}" for r in kernel.arguments]
    parameters += [f"uint32_t *{r.name}" for r in kernel.status]
    return "\n".join([
        f"/* {note(kernel)}: one run of the kernel. */", "#ifndef BDNN_KERNEL_PROTOTYPE_H",
        "#define BDNN_KERNEL_PROTOTYPE_H", "", "#include <stdint.h>", "",
        "/* The parameters, for the declaration and the definition */",
        "#define BDNN_KERNEL_PARAMETERS \\", ", \\\n".join("    " + p for p in parameters), "",
        f"void {kernel.name}(BDNN_KERNEL_PARAMETERS);", "", "#endif", ""])


def hls_interface(kernel):
    lines = [f"/* {note(kernel)}: interface directives, included at the head of the kernel's body. */"]
    for r in kernel.arguments:
        if r.pointer:
            lines.append(f"#pragma HLS INTERFACE mode=m_axi port={r.name} bundle={r.port} offset=slave depth=65536 "
                         "latency=64 num_read_outstanding=16 max_read_burst_length=64 num_write_outstanding=16 "
                         "max_write_burst_length=64")
        lines.append(f"#pragma HLS INTERFACE mode=s_axilite port={r.name} bundle=control offset={r.offset:#x}")
    for r in kernel.status:
        lines += [f"#pragma HLS INTERFACE mode=ap_none port={r.name}",
                  f"#pragma HLS INTERFACE mode=s_axilite port={r.name} bundle=control offset={r.offset:#x}"]
    return "\n".join(lines + ["#pragma HLS INTERFACE mode=s_axilite port=return bundle=control", ""])


def camel(name):
    return "".join(word.capitalize() for word in name.split("_"))


def sv_struct(name, registers):
    """A packed struct that lies on the concatenated words, the first register lowest."""
    members, unused = [], 0
    for register in registers:
        at = 0
        for f in register.parts():
            if f.low > at:
                members.append((f.low - at, f"unused_{unused}"))
                unused += 1
            members.append((f.width, f.name))
            at = f.high + 1
        if at < register.width:
            members.append((register.width - at, f"unused_{unused}"))
            unused += 1
    lines = [f"    logic {f'[{width - 1}:0]' if width > 1 else '':<6} {member};" for width, member in reversed(members)]
    return ["  typedef struct packed {", *lines, f"  }} {name};"]


def sv_package(kernel, board):
    lines = [f"// {note(kernel, board)} and bitstreams/kernel.txt: registers, and the array's sizes.", "",
             "/* verilator lint_off UNUSEDPARAM */",
             "package bdnn_hw_pkg;", "",
             f"  localparam logic [31:0] Identity      = 32'h{kernel.identity:08x};",
             f"  localparam int unsigned ArgumentWords = {kernel.argument_words};   // from 0x10 on",
             f"  localparam int unsigned StatusOffset  = {kernel.status_offset};  // bytes",
             f"  localparam int unsigned StatusWords   = {len(kernel.status)};", "",
             f"  // {board['name']}"]
    lines += [f"  localparam int unsigned {camel(name):<15} = {board[name]};" for name in SIZES]
    lines += ["", "  // What a job's numbers may come to"]
    lines += [f"  localparam int unsigned {camel(name):<15} = {value};" for name, value in kernel.limits.items()]
    lines += ["", "  // The argument words as they lie in the registers, the lowest address in the lowest bits"]
    lines += sv_struct("arguments_t", kernel.arguments)
    lines += ["", "  // The status words likewise"]
    lines += sv_struct("status_t", kernel.status)
    return "\n".join(lines + ["", "endpackage", "/* verilator lint_on UNUSEDPARAM */", ""])


def kernel_xml(kernel, board):
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<root versionMajor="1" versionMinor="6">',
             f'  <kernel name="{kernel.name}" language="ip_c" vlnv="bdnn:kernel:{kernel.name}:1.0" attributes="" '
             'preferredWorkGroupSizeMultiple="0" workGroupSize="1" interrupt="true" hwControlProtocol="ap_ctrl_hs">',
             "    <ports>",
             f'      <port name="s_axi_control" mode="slave" range="{REGISTER_SPAN:#x}" dataWidth="32" '
             'portType="addressable" base="0x0"/>']
    lines += [f'      <port name="m_axi_{name}" mode="master" range="0xFFFFFFFFFFFFFFFF" dataWidth="{board["port_bits"]}" '
              'portType="addressable" base="0x0"/>' for name in kernel.ports]
    lines += ["    </ports>", "    <args>"]
    for i, r in enumerate(kernel.arguments):
        port = f"m_axi_{kernel.ports[0]}" if r.pointer else "s_axi_control"
        lines.append(f'      <arg name="{r.name}" addressQualifier="{int(r.pointer)}" id="{i}" port="{port}" '
                     f'size="{r.width // 8:#x}" offset="{r.offset:#x}" type="{r.type}" hostOffset="0x0" '
                     f'hostSize="{r.width // 8:#x}"/>')
    return "\n".join(lines + ["    </args>", "  </kernel>", "</root>", ""])


def emulation(kernel, board, model, folder):
    """A kernel description for scripts/build-xclbin; paths are absolute."""
    hls = os.path.join(os.path.dirname(HERE), "hls")
    ports = {p.port: 64 for p in kernel.arguments if p.port} if model == "c" else dict.fromkeys(kernel.ports, board["port_bits"])
    arguments = []
    for r in kernel.arguments:
        entry = {"name": r.name, "type": r.type, "offset": f"{r.offset:#x}"}
        if r.pointer:
            entry["port"] = r.port if model == "c" else kernel.ports[0]
        arguments.append(entry)
    description = {"name": kernel.name, "ports": ports, "arguments": arguments}
    if model == "c":
        description["outputs"] = [{"name": r.name, "type": "uint32_t", "offset": f"{r.offset:#x}"} for r in kernel.status]
        description["c"] = {"sources": sorted(glob.glob(os.path.join(hls, "kernel", "*.c"))),
                            "includes": [folder, os.path.join(hls, "kernel")]}
    else:
        rtl = sorted(glob.glob(os.path.join(HERE, "rtl", "*.sv")))
        packages = [os.path.join(folder, "bdnn_hw_pkg.sv")] + [s for s in rtl if s.endswith("_pkg.sv")]
        names = (camel(name) for name in SIZES)
        description["rtl"] = {"top": kernel.name, "sources": packages + [s for s in rtl if not s.endswith("_pkg.sv")],
                              "flags": [f"-G{name}={board[size]}" for name, size in zip(names, SIZES)]
                              + ["-GStructural=0"]}
    return json.dumps(description, indent=2) + "\n"


def outputs(kernel, board, folder):
    return {
        "bdnn_hw.h": c_header(kernel),
        "bdnn_board.h": board_header(kernel, board),
        "bdnn_kernel_prototype.h": prototype(kernel),
        "bdnn_kernel_interface.h": hls_interface(kernel),
        "bdnn_hw_pkg.sv": sv_package(kernel, board),
        "kernel.xml": kernel_xml(kernel, board),
        "bdnn_kernel-c.json": emulation(kernel, board, "c", folder),
        "bdnn_kernel-rtl.json": emulation(kernel, board, "rtl", folder),
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
        kernel, board = Kernel(arguments.kernel), read_board(arguments.board)
        folder = os.path.abspath(arguments.output)
        os.makedirs(folder, exist_ok=True)
        for name, content in outputs(kernel, board, folder).items():
            write_changed(os.path.join(folder, name), content)
    except (DescriptionError, OSError, ValueError, TypeError, IndexError) as error:
        sys.exit(f"describe.py: {error}")


if __name__ == "__main__":
    main()
