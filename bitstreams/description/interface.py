# SPDX-License-Identifier: BSD-2-Clause
"""Reads the kernel's interface (kernel.txt, which says what its lines mean) and a board's sizes (boards/NAME.txt)."""
import os


class DescriptionError(Exception):
    """Says what is wrong in which file."""


class Field:
    """Some bits of a register, or of a word of a record."""

    def __init__(self, name, bits, least=0, most=None):
        self.name = name
        self.high, self.low = (int(b) for b in bits.split(":"))
        self.is_flag = False
        self.values = []
        self.mask = (1 << self.width) - 1
        self.least, self.most = least, self.mask if most is None else most

    @property
    def width(self):
        return self.high - self.low + 1


class Value:
    """One of an enumeration; `bits` of a result are a number, or the name of the field that tells."""

    def __init__(self, name, number, bits):
        self.name, self.number = name, int(number, 0)
        self.bits = int(bits) if bits.isdigit() else bits


class Register:
    """An argument, a status word or one of control; without fields it is one field of its whole width."""

    def __init__(self, offset, name, ctype="uint32_t", port=None):
        self.offset, self.name, self.fields = int(offset, 0), name, []
        self.type, self.port = ctype.replace("_uint64", " uint64").replace("*", " *"), port
        self.pointer = ctype.endswith("*")
        self.width = 64 if self.pointer else 32
        self.is_field = self.is_counter = False

    def parts(self):
        return self.fields or [Field(self.name, f"{self.width - 1}:0")]


class Record:
    """Words in memory; an entry is a field with the index of its word."""

    def __init__(self, name):
        self.name, self.entries = name, []

    @property
    def words(self):
        return 1 + max(word for word, _ in self.entries)


def statements(path):
    with open(path) as file:
        for line in file:
            words = line.split("#")[0].split()
            if words:
                yield words


class Kernel:
    """The contents of kernel.txt."""

    def __init__(self, path):
        self.path, self.ports, self.constants, self.sizes, self.records = path, [], {}, {}, []
        self.control, self.arguments, self.status = [], [], []
        self.register = None
        for keyword, *rest in statements(path):
            read = getattr(self, "read_" + keyword, None)
            if not read:
                raise DescriptionError(f"{path}: '{keyword}' is no statement here")
            read(*rest)
        self.check()

    def read_range(self, text):
        """LEAST..MOST as two numbers, of which the second may be missing; each may be a constant's name."""
        least, dots, most = text.partition("..")
        if not dots:
            raise DescriptionError(f"{self.path}: '{text}' is no range")
        return tuple(self.constants[end] if end in self.constants else int(end) if end else None for end in (least, most))

    def read_kernel(self, name):
        self.name = name

    def read_identity(self, number):
        self.identity = int(number, 0)

    def read_registers(self, number):
        self.span = int(number, 0)

    def read_port(self, name):
        self.ports.append(name)

    def read_constant(self, name, number):
        self.constants[name] = int(number, 0)

    def read_size(self, name, bounds):
        self.sizes[name] = self.read_range(bounds)

    def read_control(self, offset, name):
        self.register = Register(offset, name)
        self.control.append(self.register)

    def read_argument(self, offset, name, ctype, *rest):
        self.register = Register(offset, name, ctype, rest[0] if ctype.endswith("*") else None)
        self.arguments.append(self.register)
        if rest and not self.register.pointer:
            self.register.is_field = True
            self.read_field(name, *rest)

    def read_status(self, offset, name):
        self.register = Register(offset, name)
        self.status.append(self.register)

    def read_counter(self, offset, name):
        self.read_status(offset, name)
        self.register.is_counter = True

    def read_field(self, name, bits, bounds=None):
        self.register.fields.append(Field(name, bits, *self.read_range(bounds or "0..")))

    def read_flag(self, name, bit):
        self.read_field(name, f"{bit}:{bit}")
        self.register.fields[-1].is_flag = True

    def read_value(self, name, number, bits):
        self.register.fields[-1].values.append(Value(name, number, bits))

    def read_record(self, name):
        self.records.append(Record(name))

    def read_entry(self, name, word, bits):
        self.records[-1].entries.append((int(word), Field(name, bits)))

    @property
    def pointers(self):
        return [r for r in self.arguments if r.pointer]

    @property
    def counters(self):
        return [r for r in self.status if r.is_counter]

    @property
    def argument_words(self):
        return sum(r.width // 32 for r in self.arguments)

    @property
    def address_bits(self):
        """Of a register's offset."""
        return (self.status[-1].offset + 4 - 1).bit_length()

    def enumerations(self):
        return [f for r in self.arguments for f in r.fields if f.values]

    def check(self):
        for registers in (self.control, self.arguments, self.status):
            at = registers[0].offset
            for register in registers:
                if register.offset != at:
                    raise DescriptionError(f"{self.path}: '{register.name}' is at {register.offset:#x}, not at {at:#x}")
                at += register.width // 8
                self.check_fields(register)
        if self.arguments[0].offset != self.control[-1].offset + 4:
            raise DescriptionError(f"{self.path}: the arguments do not follow the registers of control")
        if self.status[0].offset < self.arguments[0].offset + 4 * self.argument_words:
            raise DescriptionError(f"{self.path}: arguments reach into the status words")
        if self.counters != self.status[1:1 + len(self.counters)]:
            raise DescriptionError(f"{self.path}: the counters do not follow the first status word")
        if self.pointers != self.arguments[:len(self.pointers)]:
            raise DescriptionError(f"{self.path}: an address stands behind another argument")
        self.check_names()

    def check_fields(self, register):
        next_bit = 0
        for field in register.fields:
            if field.low < next_bit or field.high < field.low or field.high >= register.width:
                raise DescriptionError(f"{self.path}: field '{field.name}' overlaps or leaves '{register.name}'")
            if not 0 <= field.least <= field.most <= field.mask:
                raise DescriptionError(f"{self.path}: field '{field.name}' has no room for {field.least}..{field.most}")
            next_bit = field.high + 1

    def check_names(self):
        """No name stands for two things, but for flags, which are told apart by their registers."""
        seen = set()
        registers = self.control + self.arguments + self.status
        names = [r.name for r in registers] + list(self.constants)
        names += [f.name for r in registers if not r.is_field for f in r.fields if not f.is_flag]
        for name in names:
            if name in seen:
                raise DescriptionError(f"{self.path}: '{name}' stands for two things")
            seen.add(name)


def read_board(kernel, path):
    board = {"name": os.path.splitext(os.path.basename(path))[0]}
    for line in statements(path):
        if len(line) != 2:
            raise DescriptionError(f"{path}: '{' '.join(line)}' is not a name and a value")
        try:
            board[line[0]] = line[1] if line[0] == "part" else int(line[1])
        except ValueError:
            raise DescriptionError(f"{path}: {line[0]} is '{line[1]}', which is no number") from None
    for name in ("part", "clock_mhz", "memory_ports", *kernel.sizes):
        if name not in board:
            raise DescriptionError(f"{path}: has no '{name}'")
    check_board(kernel, path, board)
    return board


def check_board(kernel, path, board):
    for name in kernel.sizes:
        if board[name] < 1 or board[name] & (board[name] - 1):
            raise DescriptionError(f"{path}: {name} is {board[name]}; it must be a power of two")
    for name, (low, high) in kernel.sizes.items():
        if not low <= board[name] <= high:
            raise DescriptionError(f"{path}: {name} is {board[name]}; it must be {low} to {high}")
    if 2 * board["lanes"] > board["rows"]:
        raise DescriptionError(f"{path}: lanes is {board['lanes']}; it must be at most half of the {board['rows']} rows")
    depth = board["weight_depth"] // kernel.constants["banks"]
    burst = depth * board["rows"] * board["word_bits"] // kernel.constants["unit"]
    if burst > 0xffff:
        raise DescriptionError(f"{path}: a filter basis of {board['rows']} rows has {burst} words of 64 bits; the most are 65535")
