# SPDX-License-Identifier: BSD-2-Clause
"""The SystemVerilog package bdnn_hw_pkg: numbers of the interface, a board's sizes, and the register words as packed structs."""


def camel(name):
    return "".join(word.capitalize() for word in name.split("_"))


def parameter(name, value):
    return f"  localparam int unsigned {name:<19} = {value};"


def struct(name, registers):
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


def registers(kernel):
    lines = ["", "  // Registers: bytes, words, and the flags' bits"]
    lines += [parameter(f"{camel(r.name)}Offset", r.offset) for r in kernel.control]
    lines += [parameter("ArgumentsOffset", kernel.arguments[0].offset), parameter("ArgumentWords", kernel.argument_words),
              parameter("StatusOffset", kernel.status[0].offset), parameter("StatusWords", len(kernel.status)),
              parameter("RegisterAddressBits", kernel.address_bits)]
    return lines + [parameter(f"{camel(r.name)}{camel(f.name)}", f.low) for r in kernel.control for f in r.fields if f.is_flag]


def enumerations(kernel):
    lines = []
    for field in kernel.enumerations():
        lines += ["", f"  // A job's {field.name}, and bits of a result's value where it alone tells"]
        lines += [f"  localparam logic [{field.width - 1}:0] {camel(field.name + '_' + v.name):<12} = {field.width}'d{v.number};"
                  for v in field.values]
        lines += [parameter(camel(f"{field.name}_{v.name}_bits"), v.bits) for v in field.values if isinstance(v.bits, int)]
    return lines


def records(kernel):
    lines = []
    for one in kernel.records:
        name = camel(one.name)
        lines += ["", f"  // A {one.name}'s record: words, and an entry's word, lowest bit and bits",
                  parameter(f"{name}Words", one.words)]
        for word, f in one.entries:
            lines += [parameter(f"{name}{camel(f.name)}{what}", value)
                      for what, value in (("Word", word), ("Low", f.low), ("Bits", f.width))]
    return lines


def package(kernel, board):
    """bdnn_hw_pkg.sv."""
    bounded = [f for r in kernel.arguments for f in r.fields if f.most != f.mask and not f.values]
    lines = [f"// Written by bitstreams/describe.py from bitstreams/boards/{board['name']}.txt and bitstreams/kernel.txt: the "
             "kernel's interface, and the array's sizes.", "", "/* verilator lint_off UNUSEDPARAM */", "package bdnn_hw_pkg;", "",
             f"  localparam logic [31:0] Identity = 32'h{kernel.identity:08x};", "", f"  // {board['name']}"]
    lines += [parameter(camel(name), board[name]) for name in kernel.sizes]
    lines += ["", "  // Layouts and jobs"]
    lines += [parameter(camel(name), value) for name, value in kernel.constants.items()]
    lines += [parameter(camel(f.name) + "Max", f.most) for f in bounded]
    lines += registers(kernel) + enumerations(kernel) + records(kernel)
    lines += ["", "  // The argument words as they lie in the registers, the lowest address in the lowest bits: one job"]
    lines += struct("job_t", kernel.arguments)
    lines += ["", "  // The status words likewise"]
    lines += struct("status_t", kernel.status)
    return "\n".join(lines + ["", "endpackage", "/* verilator lint_on UNUSEDPARAM */", ""])
