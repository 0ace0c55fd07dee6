# SPDX-License-Identifier: BSD-2-Clause
"""The xclbin file as /usr/include/xrt/xclbin.h defines it, with the sections that XRT's emulation reads.

All structures are little-endian; offsets and sizes are those that the header's static assertions fix for 64-bit machines.
"""
import hashlib
import io
import struct
import uuid
import zipfile
from xml.sax.saxutils import quoteattr

BITSTREAM, EMBEDDED_METADATA, MEM_TOPOLOGY, CONNECTIVITY, IP_LAYOUT = 0, 2, 6, 7, 8
MODES = {"hw_emu": 4, "sw_emu": 5}
HEADER_BYTES, SECTION_HEADER_BYTES = 456, 40  # struct axlf without its first section header
IP_KERNEL, AP_CTRL_HS, MEM_DDR4 = 1, 0, 1
BANK = "bank0"


def attributes(**values):
    return "".join(f" {name}={quoteattr(str(value))}" for name, value in values.items())


def argument_xml(index, argument):
    size, port = (8, argument.port) if argument.pointer else (argument.bytes, "S_AXI_CONTROL")
    return "<arg%s/>" % attributes(
        name=argument.name, addressQualifier=1 if argument.pointer else 0, id=index,
        port=f"M_AXI_{port.upper()}" if argument.pointer else port, size=f"0x{size:x}", offset=f"0x{argument.offset:x}",
        hostOffset="0x0", hostSize=f"0x{size:x}", type=argument.type)


def kernel_xml(kernel, instances):
    port = lambda name, mode, bits, span: "<port%s/>" % attributes(
        name=name, mode=mode, range=span, dataWidth=bits, portType="addressable", base="0x0")
    lines = ["<kernel%s>" % attributes(name=kernel.name, language="c", attributes="", interrupt="true",
                                       preferredWorkGroupSizeMultiple=0, workGroupSize=1, hwControlProtocol="ap_ctrl_hs"),
             port("S_AXI_CONTROL", "slave", 32, f"0x{kernel.span:x}")]
    lines += [port(f"M_AXI_{name.upper()}", "master", bits, "0xFFFFFFFFFFFFFFFF") for name, bits in kernel.ports.items()]
    lines += [argument_xml(i, argument) for i, argument in enumerate(kernel.arguments)]
    for instance in instances:
        if instance.kernel is kernel:
            lines.append("<instance%s><addrRemap%s/></instance>" % (
                attributes(name=instance.name), attributes(base=f"0x{instance.base:x}", port="S_AXI_CONTROL")))
    return "\n".join(lines + ["</kernel>"])


def metadata(name, target, kernels, instances, clock_mhz):
    mode = {"hw_emu": "hw_em", "sw_emu": "csim"}[target]
    body = "\n".join(kernel_xml(kernel, instances) for kernel in kernels)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<project{attributes(name=name)}>
<platform vendor="open_emu" boardid="open_emu" name="open_emu" featureRomTime="0">
<version major="1" minor="0"/>
<device name="open_emu" fpgaDevice="open_emu" addrWidth="0">
<core{attributes(name="OCL_REGION_0", target=mode, type="clc_region", clockFreq=f"{clock_mhz:g}MHz",
                 numComputeUnits=len(instances))}>
{body}
</core>
</device>
</platform>
</project>
""".encode()


def text(value, size):
    """A C string in an array of `size` bytes."""
    return value.encode()[:size - 1].ljust(size, b"\0")


def memory_topology(base, size):
    bank = struct.pack("<BB6xQQ16s", MEM_DDR4, 1, size // 1024, base, text(BANK, 16))
    return struct.pack("<i4x", 1) + bank


def ip_layout(instances):
    entries = b"".join(struct.pack("<IIQ64s", IP_KERNEL, AP_CTRL_HS << 8 | 1, instance.base,
                                   text(f"{instance.kernel.name}:{instance.name}", 64)) for instance in instances)
    return struct.pack("<i4x", len(instances)) + entries


def connectivity(instances):
    """Every pointer argument of every compute unit goes to the one bank."""
    entries = [struct.pack("<iii", index, ip, 0) for ip, instance in enumerate(instances)
               for index, argument in enumerate(instance.kernel.arguments) if argument.pointer]
    return struct.pack("<i", len(entries)) + b"".join(entries)


def hw_emu_bitstream(library, start_script):
    """What the hw_emu shim unpacks: the start script, under the name that it looks for, and beside it the device library."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in (("simulate.sh", start_script, 0o755), ("device.so", library, 0o755)):
            entry = zipfile.ZipInfo("behav_waveform/xsim/" + name, (2020, 1, 1, 0, 0, 0))
            entry.external_attr, entry.compress_type = (0o100000 | mode) << 16, zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return packed.getvalue()


def assemble(target, sections):
    """The file: header, section headers, sections at multiples of 8. The uuid is a digest of the contents."""
    digest = hashlib.sha256(repr(sorted(sections)).encode()).digest()[:16]
    offset = HEADER_BYTES + SECTION_HEADER_BYTES * len(sections)
    headers, body = b"", b""
    for kind, content in sections:
        padding = -(offset + len(body)) % 8
        body += b"\0" * padding
        headers += struct.pack("<I16s4xQQ", kind, text("", 16), offset + len(body), len(content))
        body += content
    total = offset + len(body)
    header = struct.pack("<QQQHBBH2x16x64s16s16sI4x", total, 0, 0, 0, 2, 13, MODES[target], text("open_emu", 64),
                         uuid.UUID(bytes=digest, version=4).bytes, b"", len(sections))
    start = b"xclbin2\0" + struct.pack("<i", -1) + b"\xff" * 28 + b"\0" * 256
    start += struct.pack("<Q", int.from_bytes(digest[:8], "little")) + header
    assert len(start) == HEADER_BYTES, len(start)
    return start + headers + body
