#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The accelerator's interface is written once: looks for numbers of bitstreams/kernel.txt that somebody wrote by hand.

    hardware_once.py SOURCE [FILE...]     SOURCE is the repository's folder; FILE: these alone

Comments do not count. Each rule first has to find its own examples, so that none of them is blind. What docs/reference/accelerator.md says of registers
has to be what kernel.txt says.
"""
import os
import re
import sys

# Rooms that have to do with the hardware alone, and such where a number may well be another's.
NARROW = ("hls", "bitstreams/rtl", "driver", "host/backends/device", "host/backends/uio", "host/backends/xrt", "tests/cosim", "tests/driver",
          "tests/system/zynq", "tests/uio")
WIDE = ("host", "scripts", "tests/emu", "tests/fuzz", "tests/system", "tests/unit")
SUFFIXES = (".c", ".h", ".cpp", ".sv", ".py", ".sh", ".tcl", "")
# This file, and kernels of open_emu's own, which runs any: what it knows of control is ap_ctrl_hs.
SKIPPED = ("tests/system/hardware_once.py", "tests/emu/emulation.sh")
COMMENTS = {True: re.compile(r"/\*.*?\*/|//[^\n]*", re.S), False: re.compile(r"(?m)(?:^|\s)#(?!define|include|if|el|end|pragma).*$")}


class Rule:
    """A pattern, on lines without `unless`; `wide`: for all rooms, not only the narrow ones. Code without one of the `hints`, in small letters,
    has nothing for it."""

    def __init__(self, name, pattern, examples, wide=False, unless=None, hints=("",)):
        self.name, self.pattern, self.examples, self.wide = name, re.compile(pattern), examples, wide
        self.unless, self.hints = re.compile(unless) if unless else None, hints

    def find(self, code, small=None):
        """Where: indices of lines. small: the code in small letters."""
        small = code.lower() if small is None else small
        if not any(hint in small for hint in self.hints):
            return
        lines = code.splitlines()
        for match in self.pattern.finditer(code):
            line = code.count("\n", 0, match.start())
            if not self.unless or not self.unless.search(lines[line]):
                yield line


def any_of(names):
    return "(?:" + "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) + ")"


def styles(name):
    """A name as C's macros, C's variables and SystemVerilog's parameters have it."""
    return {name.upper(), name, "".join(word.capitalize() for word in name.split("_"))}


def literal(number):
    """How a number may be written."""
    return rf"(?:\d+'[dh])?(?:0x0*{number:x}|{number})(?:[uUlL]*)(?![\w.])"


def identity_rule(kernel):
    digits = f"{kernel.identity:08x}"
    return Rule("the identity", rf"(?i){digits[:4]}_?{digits[4:]}|\b{kernel.identity}\b",
                [f"if (identity != 0x{digits.upper()})", f"32'h{digits[:4]}_{digits[4:]}"], wide=True, hints=(digits[:4], str(kernel.identity)))


def offset_rules(kernel):
    registers = kernel.arguments + kernel.status
    offsets = any_of(f"{r.offset:x}" for r in registers if r.offset > 9)
    number = rf"(?<![\w'])(?:0x|\d*'h)0*{offsets}(?:[uUlL]*)(?!\w)"
    example = registers[5].offset
    others = r"\b_IO[RW]*\(|#define EPOLL"  # calls of the module, a double of Linux
    return [Rule("a register's offset", rf"(?i){number}", [f"host.write(0x{example:x}, 1);", f"9'h{registers[-1].offset:x}: read = 1;"],
                 unless=others),
            Rule("a register's offset", rf"(?i)\b(?:reg|register|registers|argument|offset)\b[^;\n]*{number}",
                 [f"read(register, 0x{example:x})"], wide=True, unless=others, hints=("0x", "'h"))]


def constant_rules(kernel):
    rules = []
    for name, value in kernel.constants.items():
        names = any_of(styles(name))
        rules.append(Rule(f"the constant {name}", rf"(?<![\w.>])(?:BDNN_)?(?:HW_)?{names}\s*(?:=\s*|\s){literal(value)}",
                          [f"#define {name.upper()} {value}", f"enum {{ {name.upper()} = {value:#x} }};",
                           f"localparam int unsigned {''.join(w.capitalize() for w in name.split('_'))} = {value};"], wide=True,
                          hints={style.lower() for style in styles(name)}))
    return rules


def enumeration_rules(kernel):
    """Second enumerations and literal numbers of the modes, and second enumerations of the pointers."""
    rules = []
    for field in kernel.enumerations():
        values = any_of(v.name for v in field.values)
        both = "".join(rf"(?=[^}}]*(?:_|\b){v.name}\b)" for v in field.values[:3])
        rules.append(Rule(f"a second enumeration of {field.name}", rf"(?i)\benum\b[^{{;()]*\{{{both}",
                          ["typedef enum bdnn_output_mode {\n    BDNN_OUTPUT_PLANES,\n    BDNN_OUTPUT_INT16,\n    BDNN_OUTPUT_INT32,\n}",
                           "enum { MODE_PLANES, MODE_INT16, MODE_INT32 };"], wide=True, hints=(field.values[1].name,)))
        rules.append(Rule(f"a number of {field.name}",
                          rf"(?i)\b\w*{field.name}_?{values}\b\s*(?:=\s*|\s)(?:\d+'d)?\d|"
                          rf"(?<!\w){field.name}(?:_[iq])?\b\s*(?:==|!=|=)\s*(?:\d+'[bd]|\()?(?:[1-9]\d*|0)\b(?![\dx])|"
                          rf"\(bdnn_hw_{field.name}\)\s*\(?\s*(?:\d|random_in\(\d|\w+\s*[/%])|"
                          rf"\bswitch\s*\([^;{{]*\b{field.name}\)\s*\{{[^}}]*\bcase\s+\d",
                          [f"#define {field.name.upper()}_INT16 1", f"if (job->{field.name} == 3) {{", f".{field.name} = 2,",
                           f"{field.name}_i == 2'd1", f"(bdnn_hw_{field.name})random_in(0, 2)",
                           f"switch (job->{field.name}) {{\n    case 0:"]))
    names = any_of(r.name for r in kernel.pointers)
    rules.append(Rule("a second enumeration of the pointers",
                      rf"(?i)\benum\b[^{{;()]*\{{[^}}]*_{names}\b[^}}]*_{names}\b|#define\s+\w*(?:DEVICE|POINTER|ARG)\w*_{names}\s+\d",
                      ["enum {\n    BDNN_POINTER_WEIGHTS,\n    BDNN_POINTER_ACTIVATIONS,\n", "#define BDNN_POINTER_FILTERS 2"], wide=True,
                      hints=["_" + r.name for r in kernel.pointers]))
    return rules


def register_word_rules(kernel):
    """Flags and fields of a word put together or taken apart by hand."""
    flagged = any_of(r.name for r in kernel.control + kernel.status if any(f.is_flag for f in r.fields))
    upper = any_of(r.name.upper() for r in kernel.control)
    fields = [f for r in kernel.arguments + kernel.status for f in r.fields if len(r.fields) > 1]
    shifted = any_of(f.name for f in fields if f.low)
    words = any_of(r.name for r in kernel.status if len(r.fields) > 1)
    number = r"(?:0x0*[1-9a-f][0-9a-f]*|[1-9]\d*)[uU]?\b"
    return [
        Rule("a flag", rf"(?i)(?<![\w>]){flagged}\s*(?:==|!=|&)\s*{number}|\.ending\s*(?:==|!=|&)\s*{number}|"
                       rf"\(ENDING\)\s*=\s*{number}|REG_{upper}\b[^;\n]*[,&]\s*{number}",
             ["if (status.ending != 8) {", "REGISTER(ENDING) = 4;", "host.write(BDNN_HW_REG_CONTROL, 0x20);", "if (control & 4)",
              "writel(1, x); store(registers + BDNN_HW_REG_INTERRUPT_ENABLE / 4, 1);", "page[BDNN_HW_REG_GLOBAL_INTERRUPT / 4] & 1"]),
        Rule("a field's place", rf"\b{shifted}\b\)?\s*<<\s*(?:8|16|24)\b|\b\d+\s*\|\s*\(?\d+u?\)?\s*<<\s*\d+|\|\s*\(uint32_t\)\w+\s*<<\s*16\b|"
                                rf"(?<![\w>])(?:{words}|REG_{words.upper()}\))\s*(?:>>|&)\s*(?:0x[fF]+|\d+)\b",
             ["p.kernel_width | p.kernel_height << 8", "REGISTER(ARRAY) = 8 | 8 << 16;", "*array = ROWS | (uint32_t)COLUMNS << 16;",
              "shape = {array & 0xFFFF, array >> 16};"]),
        Rule("a number of words", rf"\b(?:counters|arguments|words)\[(?:{len(kernel.counters)}|{kernel.argument_words})\]\s*[;,)]|"
                                  rf"#define\s+\w*ARGUMENT(?:S|_WORDS)\s+\d",
             [f"uint32_t ending, counters[{len(kernel.counters)}];", f"__u32 arguments[{kernel.argument_words}];",
              "#define BDNN_ARGUMENT_WORDS 34", "#define BDNN_DEVICE_ARGUMENTS 34"], wide=True, hints=("counters[", "argument", "words[")),
    ]


def bound_rules(kernel):
    rules = []
    limited = [f for r in kernel.arguments for f in r.fields if f.most != f.mask and not f.values]
    for most in {f.most for f in limited}:
        planes = any(f.most == most and f.name == "planes" for f in limited)
        names = any_of([f.name for f in limited if f.most == most] + ["bits"] * planes)  # the host's word for planes
        rules.append(Rule("a field's bound", rf"(?<![\w]){names}\b\s*(?:<=?|>=?|==)\s*{literal(most)}",
                          [example for f in limited if f.most == most for example in (f"{f.name} > {most}", f"job_i.{f.name} > 7'd{most}")]))
    return rules


def layout_rules(kernel):
    unit, banks, words = (kernel.constants["unit"], kernel.constants["banks"], kernel.records[0].words)
    channels = r"\b(?:channels|filters|filter_count|filters_left_q|last_channels|word_bits|WordBits|WORD_BITS)\b"
    coordinate, offset = kernel.constants["coordinate_bits"], kernel.constants["offset_bits"]
    return [
        Rule("a unit's channels", rf"{channels}\)?(?:\s*\+\s*{unit - 1}\)?)?\s*[-/%]\s*{literal(unit)}|"
                                     rf"\bfilters_left_q\s*<=\s*{literal(unit)}|(?i:UNIT)\s*(?:/|\*)\s*{literal(unit)}",
             [f"(channels + {unit - 1}) / {unit}", f"array->word_bits / {unit}", f"WordBits / {unit}", f"left = filters % {unit};",
              f"filters_left_q <= 16'd{unit};"]),
        Rule("the banks", rf"(?i)(?:weight|activation)_?depth\b\)?\s*/\s*{literal(banks)}",
             [f"array->weight_depth / {banks}", f"32'(ActivationDepth / {banks})", f"(BDNN_BOARD_WEIGHT_DEPTH / {banks})"]),
        Rule("a filter record's words", rf"(?i)\b(?:rows|filters|filled|chunks)\b\s*\*\s*{literal(words)}|\b{words}\s*\*\s*(?:rows|at|f|r|filters|filled)\b|"
                                        rf"\b{8 * words}ull\b|filter_beat\w*\s*==\s*2'd\d",
             [f"chunks * array->rows * {words}", f"to + {words} * at", f"packed[{words} * f]", f"FilterWords = {words} * Rows;",
              "filter_beat == 2'd1"]),
        Rule("a limit's bits", rf"\b1(?:u|ull|LL)?\)?\s*<<\s*{offset}\b|0x{1 << offset:x}\b|width\s*<<\s*{coordinate}\b|"
                               rf"(?:step|origin|offset|reach|coordinate)\w*\)?\s*>>\s*(?:{coordinate}|{offset})\b",
             [f"BAD(pixel_step, 1u << {offset});", f"{{9, 0x{1 << offset:x}}}", f"job.row_step >> {offset}", f"good.out_width << {coordinate}"]),
    ]


def rules_of(kernel):
    return [identity_rule(kernel), *offset_rules(kernel), *constant_rules(kernel), *enumeration_rules(kernel), *register_word_rules(kernel),
            *bound_rules(kernel), *layout_rules(kernel)]


def blind(rules):
    """Examples that a rule does not find."""
    return [f"the rule for {rule.name} does not find '{example}'" for rule in rules for example in rule.examples
            if not list(rule.find(example))]


def without_comments(path, text):
    """Blanks in their place, so that lines stay."""
    slashes = path.endswith((".c", ".h", ".cpp", ".sv"))
    return COMMENTS[slashes].sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def sources(root):
    for room in NARROW + WIDE:
        for folder, _, names in os.walk(os.path.join(root, room)):
            for name in sorted(names):
                path = os.path.relpath(os.path.join(folder, name), root)
                if os.path.splitext(name)[1] in SUFFIXES and path not in SKIPPED and "__pycache__" not in path:
                    yield path


def look(root, path, rules):
    """What is wrong in a file."""
    with open(os.path.join(root, path), errors="replace") as file:
        text = file.read()
    code, found = without_comments(path, text), []
    small = code.lower()
    narrow = path.startswith(tuple(room + "/" for room in NARROW))
    for rule in rules:
        for line in rule.find(code, small) if narrow or rule.wide else ():
            found.append(f"{path}:{line + 1}: {rule.name} by hand: {text.splitlines()[line].strip()}")
    return found


def documented(kernel, root):
    """What docs/reference/accelerator.md does not say of a register: at its offset its name, and its fields with their bits."""
    with open(os.path.join(root, "docs", "reference", "accelerator.md")) as file:
        rows = [line for line in file if re.match(r"\| 0x[0-9a-f]", line)]
    missing = []
    for register in kernel.arguments + kernel.status:
        at = [row for row in rows if covers(row, register.offset)]
        words = re.findall(r"\w+", at[0]) if at else []
        missing += [f"docs/reference/accelerator.md: at {register.offset:#x} there is no '{name}'"
                    for name in [register.name, *(f.name for f in register.fields)] if name not in words]
        missing += [f"docs/reference/accelerator.md: '{f.name}' is not at {f.high}:{f.low}" for f in register.fields
                    if len(register.fields) > 1 and not f.is_flag and f"{f.name} {f.high}:{f.low}" not in "".join(at)]
    return missing


def covers(row, offset):
    first = row.split("|")[1]
    numbers = [int(n, 16) for n in re.findall(r"0x[0-9a-f]+", first)]
    return numbers[0] <= offset <= numbers[-1] if ".." in first else offset in numbers


def main():
    root, files = sys.argv[1], sys.argv[2:]
    sys.path.insert(0, os.path.join(root, "bitstreams"))
    sys.dont_write_bytecode = True
    from description.interface import Kernel
    kernel = Kernel(os.path.join(root, "bitstreams", "kernel.txt"))
    rules = rules_of(kernel)
    problems = blind(rules) + documented(kernel, root)
    count = 0
    for path in files or sorted(set(sources(root))):
        problems += look(root, path, rules)
        count += 1
    if problems:
        print("\n".join(dict.fromkeys(problems)))
        sys.exit(1)
    print(f"{count} files, {len(rules)} rules: nothing by hand")


if __name__ == "__main__":
    main()
