# SPDX-License-Identifier: BSD-2-Clause
"""Kernel descriptions: the JSON files that say what a kernel's registers and ports are and where its sources lie."""
import json
import os
import re

FIRST_BASE = 0x1800000  # of the first compute unit's registers
SPACING = 0x10000       # from one compute unit's registers to the next: the largest register range
FIRST_ARGUMENT = 0x10   # below lie control and interrupts
SIZES = {"int8_t": 1, "uint8_t": 1, "int16_t": 2, "uint16_t": 2, "int32_t": 4, "uint32_t": 4, "int64_t": 8, "uint64_t": 8,
         "float": 4, "double": 8, "int": 4, "unsigned": 4}


class DescriptionError(Exception):
    """Says what is wrong with which file."""


def number(value):
    return value if isinstance(value, int) else int(value, 0)


class Register:
    """An argument or an output at `offset`: a pointer into the device's memory through `port`, or a value of a C type."""

    def __init__(self, entry, ports):
        self.name, self.type = entry["name"], entry["type"].strip()
        self.offset = number(entry["offset"])
        self.pointer = self.type.endswith("*")
        self.port = entry.get("port")
        if not re.fullmatch(r"[A-Za-z_]\w*", self.name):
            raise DescriptionError(f"'{self.name}' is no name of a register")
        if not re.fullmatch(r"[A-Za-z_][\w ]*\**", self.type):
            raise DescriptionError(f"'{self.type}' is no type of a register")
        if self.pointer and self.port not in ports:
            raise DescriptionError(f"argument '{self.name}' is a pointer and needs one of the ports {sorted(ports)}")
        if not self.pointer and self.type not in SIZES:
            raise DescriptionError(f"'{self.name}' has type '{self.type}'; there are pointers and {', '.join(SIZES)}")
        self.bytes = 8 if self.pointer else SIZES[self.type]
        if self.offset < FIRST_ARGUMENT or self.offset % 4:
            raise DescriptionError(f"'{self.name}' is at 0x{self.offset:x}; registers are words from 0x{FIRST_ARGUMENT:x} up")

    @property
    def end(self):
        return self.offset + (self.bytes + 3) // 4 * 4


class Kernel:
    """One kernel, how many compute units it has, and its sources (paths made absolute)."""

    def __init__(self, path, units=None):
        self.path, self.folder = path, os.path.dirname(os.path.abspath(path))
        try:
            with open(path) as file:
                self._read(json.load(file), units)
        except OSError as error:
            raise DescriptionError(f"{path}: {error.strerror}") from None
        except KeyError as error:
            raise DescriptionError(f"{path}: an entry has no {error}") from None
        except (ValueError, TypeError, AttributeError, DescriptionError) as error:
            raise DescriptionError(f"{path}: {error}") from None

    def _read(self, entry, units):
        self.name = entry["name"]
        if not re.fullmatch(r"[A-Za-z_]\w*", self.name):
            raise DescriptionError(f"'{self.name}' is no name of a kernel")
        self.ports = {name: number(bits) for name, bits in entry.get("ports", {}).items()}
        for name, bits in self.ports.items():
            if bits not in (32, 64, 128, 256, 512):
                raise DescriptionError(f"port '{name}' is {bits} bits wide; there are 32, 64, 128, 256 and 512")
        if len(self.ports) > 16:
            raise DescriptionError(f"{len(self.ports)} ports; there can be 16")
        self.arguments = [Register(a, self.ports) for a in entry["arguments"]]
        self.outputs = [Register(o, self.ports) for o in entry.get("outputs", [])]
        self._check_overlaps()
        units = units or entry.get("units", 1)
        self.units = [f"{self.name}_{i + 1}" for i in range(units)] if isinstance(units, int) else list(units)
        self.models = {model: self._sources(entry[model]) for model in ("c", "rtl") if model in entry}
        if not self.models:
            raise DescriptionError("has neither 'c' nor 'rtl' sources")
        if "rtl" in self.models:
            self._read_rtl(entry["rtl"])

    def _read_rtl(self, entry):
        names = {"top": entry.get("top", self.name), "clock": entry.get("clock", "ap_clk"), "reset": entry.get("reset", "ap_rst_n"),
                 "control": entry.get("control", "s_axi_control")}
        for key, name in names.items():
            if not re.fullmatch(r"[A-Za-z_]\w*", name):
                raise DescriptionError(f"'{name}' is no name of a {key}")
        self.models["rtl"].update(names)

    def choose(self, model):
        """Which of its models the kernel is to be, where it has both: "c" or "rtl"."""
        self.model = model if model in self.models else next(iter(self.models))

    def _check_overlaps(self):
        registers = sorted(self.arguments + self.outputs, key=lambda r: r.offset)
        for one, next_one in zip(registers, registers[1:]):
            if one.end > next_one.offset:
                raise DescriptionError(f"'{one.name}' and '{next_one.name}' overlap at 0x{next_one.offset:x}")
        last = max([r.end for r in registers], default=FIRST_ARGUMENT)
        self.span = 0x1000
        while self.span < last:
            self.span *= 2
        if self.span > SPACING:
            raise DescriptionError(f"registers up to 0x{last:x}; there is room for 0x{SPACING:x}")

    def _sources(self, model):
        absolute = lambda names: [os.path.join(self.folder, name) for name in names]
        return {"sources": absolute(model["sources"]), "includes": absolute(model.get("includes", [])),
                "flags": list(model.get("flags", []))}


class Instance:
    """A compute unit: a kernel, a name, the address of its registers."""

    def __init__(self, kernel, name, base):
        self.kernel, self.name, self.base = kernel, name, base


def instances_of(kernels):
    pairs = [(kernel, name) for kernel in kernels for name in kernel.units]
    names = [name for _, name in pairs]
    for name in names:
        if names.count(name) > 1:
            raise DescriptionError(f"two compute units are named '{name}'")
    return [Instance(kernel, name, FIRST_BASE + i * SPACING) for i, (kernel, name) in enumerate(pairs)]
