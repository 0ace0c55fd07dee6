# SPDX-License-Identifier: BSD-2-Clause
"""C of the kernel's interface: bdnn_hw.h for hosts, the kernel module and the HLS kernel, and what only the HLS kernel includes."""


def note(board=None):
    source = f"bitstreams/boards/{board['name']}.txt" if board else "bitstreams/kernel.txt"
    return f"Written by bitstreams/describe.py from {source}"


def guarded(guard, first, lines):
    return "\n".join([first, f"#ifndef {guard}", f"#define {guard}", "", *lines, "", "#endif", ""])


def enum(comment, items, name=None):
    """An anonymous enumeration, or a type of that name."""
    return ["", f"/* {comment} */", f"typedef enum {name} {{" if name else "enum {", *(f"    {i}," for i in items),
            f"}} {name};" if name else "};"]


def number(value):
    """Numbers that need no sign's bit stay int, so that they compare with everything."""
    return f"{value}" if value < 1 << 31 else f"{value:#x}u"


# ---- Numbers

def registers(kernel):
    every = kernel.control + kernel.arguments + kernel.status
    lines = enum("Byte offsets of the registers", [f"BDNN_HW_REG_{r.name.upper()} = {r.offset:#04x}" for r in every]
                 + [f"BDNN_HW_REG_ARGUMENTS = {kernel.arguments[0].offset:#04x}",
                    f"BDNN_HW_REG_STATUS = {kernel.status[0].offset:#04x}",
                    f"BDNN_HW_REG_COUNTERS = {kernel.counters[0].offset:#04x}",
                    f"BDNN_HW_REGISTER_SPAN = {kernel.span:#x}"])
    lines += enum("32-bit words from BDNN_HW_REG_ARGUMENTS, _STATUS and _COUNTERS on",
                  [f"BDNN_HW_ARGUMENT_WORDS = {kernel.argument_words}", f"BDNN_HW_STATUS_WORDS = {len(kernel.status)}",
                   f"BDNN_HW_COUNTERS = {len(kernel.counters)}"])
    lines += enum("The arguments that are addresses, two words each, before all others",
                  [f"BDNN_HW_POINTER_{r.name.upper()} = {i}" for i, r in enumerate(kernel.pointers)]
                  + [f"BDNN_HW_POINTERS = {len(kernel.pointers)}"])
    return lines


def fields(kernel):
    lines = ["", "/* Bits of a register's word */"]
    for register in kernel.control + kernel.arguments + kernel.status:
        lines += [f"#define BDNN_HW_{register.name.upper()}_{f.name.upper()} {1 << f.low:#x}u" for f in register.fields if f.is_flag]
    lines += ["", "/* Fields of a register's word, out of it and into it */"]
    some = [f for r in kernel.arguments + kernel.status for f in r.fields if not f.is_flag and f.width < r.width]
    for f in some:
        shift = f" >> {f.low}" if f.low else ""
        lines += [f"#define BDNN_HW_{f.name.upper()}(word) (((uint32_t)(word){shift}) & {f.mask:#x}u)",
                  f"#define BDNN_HW_PUT_{f.name.upper()}(value) (((uint32_t)(value) & {f.mask:#x}u) << {f.low})"]
    lines += ["", "/* What a field may be, or at least can hold */"]
    for f in (f for r in kernel.arguments + kernel.status for f in r.fields if not f.is_flag and not f.values):
        if f.least > 0:
            lines.append(f"#define BDNN_HW_{f.name.upper()}_MIN {number(f.least)}")
        lines.append(f"#define BDNN_HW_{f.name.upper()}_MAX {number(f.most)}")
    return lines


def enumerations(kernel):
    lines = []
    for field in kernel.enumerations():
        name = f"bdnn_hw_{field.name}"
        lines += enum(f"A job's {field.name}", [f"{name.upper()}_{v.name.upper()} = {v.number}" for v in field.values], name)
        lines += ["", "/* Bits of a result's value, where the mode alone tells */"]
        lines += [f"#define {name.upper()}_{v.name.upper()}_BITS {v.bits}" for v in field.values if isinstance(v.bits, int)]
    return lines


# ---- Jobs

def job(kernel):
    lines = ["", "/* All arguments, by field */", "typedef struct bdnn_hw_job {"]
    for register in kernel.arguments:
        lines += [f"    uint{register.width}_t {f.name};" for f in register.parts()]
    return lines + ["} bdnn_hw_job;", *pack_job(kernel), *unpack_job(kernel)]


def pack_job(kernel):
    lines = ["", "/* The words of a job. Fields must fit: what does not is cut off. */",
             "static inline void bdnn_hw_pack_job(const bdnn_hw_job *job, uint32_t words[BDNN_HW_ARGUMENT_WORDS])", "{"]
    for register in kernel.arguments:
        at = word_of(kernel, register)
        if register.pointer:
            lines += [f"    words[{at}] = (uint32_t)job->{register.name};",
                      f"    words[{at + 1}] = (uint32_t)(job->{register.name} >> 32);"]
        else:
            terms = [f"BDNN_HW_PUT_{f.name.upper()}(job->{f.name})" if f.width < register.width else f"job->{f.name}"
                     for f in register.parts()]
            lines.append(f"    words[{at}] = {' | '.join(terms)};")
    return lines + ["}"]


def unpack_job(kernel):
    lines = ["", "/* The job of such words. */",
             "static inline void bdnn_hw_unpack_job(const uint32_t words[BDNN_HW_ARGUMENT_WORDS], bdnn_hw_job *job)", "{"]
    for register in kernel.arguments:
        at = word_of(kernel, register)
        if register.pointer:
            lines.append(f"    job->{register.name} = words[{at}] | (uint64_t)words[{at + 1}] << 32;")
        else:
            lines += [f"    job->{f.name} = {field_of(register, f, f'words[{at}]')};" for f in register.parts()]
    return lines + ["}"]


def word_of(kernel, register):
    return (register.offset - kernel.arguments[0].offset) // 4


def field_of(register, field, word):
    return f"BDNN_HW_{field.name.upper()}({word})" if field.width < register.width else word


def value_bits(kernel):
    lines = []
    for field in kernel.enumerations():
        lines += ["", f"/* Bits of a result's value, which are the words of a unit of them, as the job's {field.name} says. */",
                  "static inline uint32_t bdnn_hw_value_bits(const bdnn_hw_job *job)", "{", f"    switch (job->{field.name}) {{"]
        for value in field.values[:-1]:
            lines += [f"    case BDNN_HW_{field.name.upper()}_{value.name.upper()}:", f"        return {bits_of(field, value)};"]
        last = field.values[-1]
        lines += [f"    default: /* {last.name} */", f"        return {bits_of(field, last)};", "    }", "}"]
    return lines


def bits_of(field, value):
    return f"BDNN_HW_{field.name.upper()}_{value.name.upper()}_BITS" if isinstance(value.bits, int) else f"job->{value.bits}"


def status(kernel):
    return ["", "/* The status words, in their order */", "typedef struct bdnn_hw_status {",
            *(f"    uint32_t {r.name};" for r in kernel.status), "} bdnn_hw_status;"]


# ---- Records

def record(one):
    name, guard = f"bdnn_hw_{one.name}", f"BDNN_HW_{one.name.upper()}_WORDS"
    lines = ["", f"/* A {one.name}'s record of 64-bit words in memory */", f"enum {{ {guard} = {one.words} }};", "",
             f"typedef struct {name} {{", *(f"    uint{f.width}_t {f.name};" for _, f in one.entries), f"}} {name};", "",
             f"static inline void bdnn_hw_pack_{one.name}(const {name} *{one.name}, uint64_t words[{guard}])", "{"]
    for word in range(one.words):
        terms = [f"(uint64_t){one.name}->{f.name}" + (f" << {f.low}" if f.low else "") for w, f in one.entries if w == word]
        lines.append(f"    words[{word}] = {' | '.join(terms)};")
    lines += ["}", "", f"static inline void bdnn_hw_unpack_{one.name}(const uint64_t words[{guard}], {name} *{one.name})", "{"]
    lines += [f"    {one.name}->{f.name} = (uint{f.width}_t)" + (f"(words[{w}] >> {f.low})" if f.low else f"words[{w}]") + ";"
              for w, f in one.entries]
    return lines + ["}"]


# ---- Files

def header(kernel):
    lines = ["#ifdef __KERNEL__", "#include <linux/types.h>", "#else", "#include <stdint.h>", "#endif", "",
             f'#define BDNN_HW_KERNEL "{kernel.name}"', f"#define BDNN_HW_IDENTITY 0x{kernel.identity:08x}u", ""]
    lines += [f"#define BDNN_HW_{name.upper()} {value}" for name, value in kernel.constants.items()]
    lines += registers(kernel) + fields(kernel) + enumerations(kernel) + job(kernel) + value_bits(kernel) + status(kernel)
    for one in kernel.records:
        lines += record(one)
    return guarded("BDNN_HW_H", f"/* {note()}: the interface of the kernel {kernel.name}. docs/reference/accelerator.md explains it. */", lines)


def board_header(kernel, board):
    lines = [f'#define BDNN_BOARD_NAME "{board["name"]}"', f'#define BDNN_BOARD_PART "{board["part"]}"',
             f"#define BDNN_BOARD_CLOCK_MHZ {board['clock_mhz']}"]
    lines += [f"#define BDNN_BOARD_{name.upper()} {board[name]}" for name in kernel.sizes]
    return guarded("BDNN_BOARD_H", f"/* {note(board)}. */", lines)


def continued(lines, between):
    return [f"    {line}{between} \\" for line in lines[:-1]] + [f"    {lines[-1]}"]


def prototype(kernel):
    parameters = [f"{r.type if r.pointer else r.type + ' '}{r.name}" for r in kernel.arguments]
    parameters += [f"uint32_t *{r.name}" for r in kernel.status]
    lines = ['#include "bdnn_hw.h"', "", "/* The parameters, for the declaration and the definition */",
             "#define BDNN_KERNEL_PARAMETERS \\", *continued(parameters, ","), "",
             f"void {kernel.name}(BDNN_KERNEL_PARAMETERS);", "",
             "/* Inside of it, the job of its parameters. Of addresses only what aligns them: the pointers stand for the rest. */",
             "#define BDNN_KERNEL_JOB \\", "    { \\", *(f"    {line}, \\" for line in job_terms(kernel)), "    }", "",
             "/* Its arguments, for a call with a job's words and a bdnn_hw_status to fill */",
             "#define BDNN_KERNEL_POINTER(words, at) ((uint64_t *)(uintptr_t)((words)[at] | (uint64_t)(words)[(at) + 1] << 32))",
             "#define BDNN_KERNEL_ARGUMENTS(words, status) \\", *continued(call_terms(kernel), ",")]
    return guarded("BDNN_KERNEL_PROTOTYPE_H", f"/* {note()}: one run of the kernel. */", lines)


def job_terms(kernel):
    lines = []
    for register in kernel.arguments:
        if register.pointer:
            lines.append(f"    .{register.name} = (uintptr_t){register.name} % BDNN_HW_ALIGNMENT")
        else:
            lines += [f"    .{f.name} = {field_of(register, f, register.name)}" for f in register.parts()]
    return lines


def call_terms(kernel):
    lines = []
    for register in kernel.arguments:
        at = word_of(kernel, register)
        lines.append(f"BDNN_KERNEL_POINTER(words, {at})" if register.pointer else f"(words)[{at}]")
    return lines + [f"&(status)->{r.name}" for r in kernel.status]


def hls_interface(kernel):
    lines = [f"/* {note()}: interface directives, included at the head of the kernel's body. */"]
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
