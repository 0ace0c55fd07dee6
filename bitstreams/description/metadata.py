# SPDX-License-Identifier: BSD-2-Clause
"""What tools must know of the kernel: kernel.xml for Vitis' package_xo, and the descriptions for scripts/build-xclbin."""
import glob
import json
import os

from description.systemverilog import camel

BITSTREAMS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
HLS = os.path.join(os.path.dirname(BITSTREAMS), "hls")


def kernel_xml(kernel, board):
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<root versionMajor="1" versionMinor="6">',
             f'  <kernel name="{kernel.name}" language="ip_c" vlnv="bdnn:kernel:{kernel.name}:1.0" attributes="" '
             'preferredWorkGroupSizeMultiple="0" workGroupSize="1" interrupt="true" hwControlProtocol="ap_ctrl_hs">',
             "    <ports>",
             f'      <port name="s_axi_control" mode="slave" range="{kernel.span:#x}" dataWidth="32" '
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


def arguments(kernel, model):
    entries = []
    for r in kernel.arguments:
        entry = {"name": r.name, "type": r.type, "offset": f"{r.offset:#x}"}
        if r.pointer:
            entry["port"] = r.port if model == "c" else kernel.ports[0]
        entries.append(entry)
    return entries


def c_model(kernel, folder):
    return {"name": kernel.name, "ports": {p.port: 64 for p in kernel.pointers}, "arguments": arguments(kernel, "c"),
            "outputs": [{"name": r.name, "type": "uint32_t", "offset": f"{r.offset:#x}"} for r in kernel.status],
            "c": {"sources": sorted(glob.glob(os.path.join(HLS, "kernel", "*.c"))),
                  "includes": [folder, os.path.join(HLS, "kernel")]}}


def rtl_model(kernel, board, folder):
    rtl = sorted(glob.glob(os.path.join(BITSTREAMS, "rtl", "*.sv")))
    packages = [os.path.join(folder, "bdnn_hw_pkg.sv")] + [s for s in rtl if s.endswith("_pkg.sv")]
    return {"name": kernel.name, "ports": dict.fromkeys(kernel.ports, board["port_bits"]), "arguments": arguments(kernel, "rtl"),
            "rtl": {"top": kernel.name, "sources": packages + [s for s in rtl if not s.endswith("_pkg.sv")],
                    "flags": [f"-G{camel(size)}={board[size]}" for size in kernel.sizes] + ["-GStructural=0"]}}


def emulation(kernel, board, model, folder):
    """A kernel description for scripts/build-xclbin; paths are absolute."""
    description = c_model(kernel, folder) if model == "c" else rtl_model(kernel, board, folder)
    return json.dumps(description, indent=2) + "\n"
