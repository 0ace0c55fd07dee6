# SPDX-License-Identifier: BSD-2-Clause
"""Makes models of kernels in Verilog or SystemVerilog: Verilator's C++ of the top module, and an adaptor between its pins and those of
open_emu.h. Everything is kept in a folder named by a digest of all that it depends on, so that a second run finds it there."""
import contextlib
import fcntl
import glob
import hashlib
import os
import re
import shlex

from description import DescriptionError
from library import BuildError, run, write

CXX_FLAGS = ["-std=c++17", "-O2", "-fPIC", "-fvisibility=hidden", "-DVL_USER_FATAL", "-DVL_USER_FINISH"]
VERILATOR_FLAGS = ["--cc", "--assert", "-O3", "--x-assign", "fast", "--x-initial", "fast", "-Wno-fatal"]
RUNTIME = ["verilated.cpp", "verilated_threads.cpp"]

# Pins by channel: name of the pin, field of open_emu.h, whether it must be there. "data" and "strobe" have the port's width.
READ = [("arvalid", True), ("araddr", True), ("rready", True), ("arlen", False), ("arsize", False), ("arburst", False), ("arid", False)]
READ_IN = [("arready", True), ("rvalid", True), ("rdata", True), ("rresp", False), ("rlast", False), ("rid", False)]
WRITE = [("awvalid", True), ("awaddr", True), ("wvalid", True), ("wdata", True), ("bready", True), ("wlast", False), ("wstrb", False),
         ("awlen", False), ("awsize", False), ("awburst", False), ("awid", False)]
WRITE_IN = [("awready", True), ("wready", True), ("bvalid", True), ("bresp", False), ("bid", False)]
LITE = [("awready", True), ("wready", True), ("bvalid", True), ("arready", True), ("rvalid", True), ("rdata", True), ("bresp", False),
        ("rresp", False)]
LITE_IN = [("awvalid", True), ("awaddr", True), ("wvalid", True), ("wdata", True), ("wstrb", False), ("bready", True), ("arvalid", True),
           ("araddr", True), ("rready", True)]


def cxx():
    return shlex.split(os.environ.get("CXX", "c++"))


class Tools:
    """Verilator as it is installed, and folders of what is built."""

    def __init__(self, include, share, build_folder, trace):
        self.verilator = shlex.split(os.environ.get("VERILATOR", "verilator"))
        self.include, self.share, self.folder, self.trace = include, share, build_folder, trace
        os.makedirs(build_folder, exist_ok=True)
        try:
            self.version = run([*self.verilator, "--version"], build_folder).strip()
        except BuildError as error:
            raise BuildError(f"{error}: kernels in RTL need Verilator 5; --model c takes a kernel's C function") from None
        self.root = run([*self.verilator, "--getenv", "VERILATOR_ROOT"], build_folder).strip()
        self.compiler = run([*cxx(), "--version"], build_folder)

    def digest(self, *texts):
        parts = [self.version, self.compiler, str(self.trace), " ".join(CXX_FLAGS + VERILATOR_FLAGS), *texts]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    def includes(self):
        return [f"-I{self.include}", f"-I{self.share}", "-isystem", f"{self.root}/include", "-isystem", f"{self.root}/include/vltstd"]

    def defines(self):
        return ["-DOPEN_EMU_TRACE"] if self.trace else []


@contextlib.contextmanager
def built(folder):
    """True when the folder has to be filled; nobody else fills it meanwhile, and it counts as full if nothing was raised."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = os.path.join(folder, "done")
        missing = not os.path.exists(done)
        yield missing
        if missing:
            write(done, "")


def read(path):
    try:
        with open(path, errors="surrogateescape") as file:
            return file.read().encode(errors="replace").decode()
    except OSError as error:
        raise DescriptionError(f"{path}: {error.strerror}") from None


def runtime(tools):
    """Objects of Verilator's library, and what that needs."""
    own = [os.path.join(tools.share, name) for name in ("rtl_stop.cpp", "rtl_model.h")]
    folder = os.path.join(tools.folder, "runtime-" + tools.digest(*map(read, own), read(f"{tools.include}/open_emu.h")))
    sources = [own[0]] + [f"{tools.root}/include/{name}" for name in RUNTIME + (["verilated_fst_c.cpp"] if tools.trace else [])]
    objects = [os.path.join(folder, os.path.basename(source) + ".o") for source in sources]
    with built(folder) as missing:
        if missing:
            for source, target in zip(sources, objects):
                run([*cxx(), *CXX_FLAGS, *tools.defines(), *tools.includes(), "-w", "-c", source, "-o", target], folder)
    return objects + (["-lz"] if tools.trace else [])


class Top:
    """The pins of a Verilated class, as its header declares them: name and bits."""

    def __init__(self, kernel, header):
        self.kernel, self.name = kernel, kernel.models["rtl"]["top"]
        self.bits = {name: int(high) - int(low) + 1
                     for name, high, low in re.findall(r"VL_(?:IN|OUT)\w*\(&(\w+),(\d+),(\d+)(?:,\d+)?\);", header)}

    def fail(self, what):
        raise DescriptionError(f"{self.kernel.path}: the module '{self.name}' {what}")

    def has(self, pin):
        return pin in self.bits

    def need(self, pin, bits=None):
        if pin not in self.bits:
            self.fail(f"has no pin '{pin}'")
        if bits and self.bits[pin] != bits:
            self.fail(f"has {self.bits[pin]} bits in '{pin}', {bits} expected")


def copies(top, prefix, where, pins, to_model, data_bits):
    """Lines that copy the pins that there are."""
    lines = []
    for pin, needed in pins:
        name = f"{prefix}_{pin}"
        if needed:
            top.need(name, data_bits if pin in ("rdata", "wdata") else None)
        elif not top.has(name):
            continue
        if pin == "wstrb":
            top.need(name, data_bits // 8)
        if pin in ("rdata", "wdata") and where.startswith("pins.port"):
            valid = f"{where}.{pin[0]}valid"
            ends = (f"&top.{name}", f"{where}.{pin}") if to_model else (f"{where}.{pin}", f"&top.{name}")
            lines.append(f"        if ({valid})\n            std::memcpy({ends[0]}, {ends[1]}, {data_bits // 8});")
        elif to_model:
            mask = f" & {(1 << top.bits[name]) - 1:#x}u" if top.bits[name] < 32 else ""
            lines.append(f"        top.{name} = {where}.{pin}{mask};")
        else:
            lines.append(f"        {where}.{pin} = top.{name};")
    return lines


def adaptor(kernel, header):
    model, top = kernel.models["rtl"], Top(kernel, header)
    for pin in (model["clock"], model["reset"]):
        top.need(pin, 1)
    put = [f"        top.{model['reset']} = pins.reset_n;"]
    put += copies(top, model["control"], "pins.control", LITE_IN, True, 32)
    get = copies(top, model["control"], "pins.control", LITE, False, 32)
    for i, (name, bits) in enumerate(kernel.ports.items()):
        prefix, where = f"m_axi_{name}", f"pins.port[{i}]"
        reads, writes = top.has(f"{prefix}_arvalid"), top.has(f"{prefix}_awvalid")
        if not reads and not writes:
            top.fail(f"has neither '{prefix}_arvalid' nor '{prefix}_awvalid'")
        if reads:
            put, get = put + copies(top, prefix, where, READ_IN, True, bits), get + copies(top, prefix, where, READ, False, bits)
        if writes:
            put, get = put + copies(top, prefix, where, WRITE_IN, True, bits), get + copies(top, prefix, where, WRITE, False, bits)
    ports = ", ".join(f'{{"{name}", {bits}}}' for name, bits in kernel.ports.items())
    newline = "\n"
    return f"""/* Written by build-xclbin. */
#include "V{kernel.name}.h"
#include "rtl_model.h"

namespace
{{

struct Pins {{
    typedef V{kernel.name} Top;

    static uint8_t &clock(Top &top)
    {{
        return top.{model['clock']};
    }}
    static void put(Top &top, const open_emu_pins &pins)
    {{
{newline.join(put)}
    }}
    static void get(const Top &top, open_emu_pins &pins)
    {{
{newline.join(get)}
    }}
}};

typedef OpenEmuModel<Pins> Model;

const open_emu_port ports[] = {{{ports or '{"", 0}'}}};

}} // namespace

extern "C" const open_emu_model open_emu_model_{kernel.name};
const open_emu_model open_emu_model_{kernel.name} = {{{len(kernel.ports)}, ports, Model::create, Model::settle, Model::edge,
    Model::trace_open, Model::trace_close, Model::destroy}};
"""


def verilate(kernel, tools, folder):
    model = kernel.models["rtl"]
    flags = [*VERILATOR_FLAGS, "--top-module", model["top"], "--prefix", f"V{kernel.name}", "-Mdir", folder,
             "-CFLAGS", "-fPIC -fvisibility=hidden", *(["--trace-fst"] if tools.trace else []),
             *(f"-I{include}" for include in model["includes"]), *model["flags"]]
    run([*tools.verilator, *flags, *model["sources"]], folder)
    run(["make", "-s", "-j2", "-C", folder, "-f", f"V{kernel.name}.mk", "OPT_FAST=-O3", "OPT_SLOW=-O1",
         f"CXX={' '.join(cxx())}", f"V{kernel.name}__ALL.a"], folder)


def objects(kernel, tools):
    """The adaptor's object and the model's archive."""
    model = kernel.models["rtl"]
    included = sorted(path for include in model["includes"] for suffix in ("sv", "svh", "v", "vh")
                      for path in glob.glob(f"{include}/*.{suffix}"))
    # Not where sources lie: a copy is the same model. Messages of a model name the place where it was first compiled.
    names = [os.path.basename(source) for source in model["sources"]]
    other = [repr(model[key]) for key in sorted(model) if key not in ("sources", "includes")]
    own = [f"{tools.share}/rtl_model.h", f"{tools.include}/open_emu.h", os.path.realpath(__file__)]
    digest = tools.digest(kernel.name, repr(kernel.ports), *names, *other, *map(read, [*model["sources"], *included, *own]))
    folder = os.path.join(tools.folder, f"{kernel.name}-{digest}")
    with built(folder) as missing:
        if missing:
            verilate(kernel, tools, folder)
            write(os.path.join(folder, "adaptor.cpp"), adaptor(kernel, read(os.path.join(folder, f"V{kernel.name}.h"))))
            run([*cxx(), *CXX_FLAGS, *tools.defines(), *tools.includes(), "-isystem", folder, "-Wall", "-Wextra", "-c", "adaptor.cpp",
                 "-o", "adaptor.o"], folder)
    return [os.path.join(folder, "adaptor.o"), os.path.join(folder, f"V{kernel.name}__ALL.a")]
