#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots a kernel of Debian's in QEMU with an accelerator beside it (board.c, plugin.c), runs a script in it, and judges what the console says.

QEMU's own exit status says nothing: a guest that panics powers off as well. docs/reference/driver.md describes the arrangement.
"""
import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
MEMORY_BYTES = 512 << 20
REGISTERS, POOL, POOL_BYTES = 0x1F000000, 0x18000000, 64 << 20  # in the memory


class Machine:
    """One of QEMU's. `interrupt` is a shared peripheral interrupt; without `tree`, QEMU's own device tree is taken."""

    def __init__(self, command, base, interrupt, console, controller=None, tree=None):
        self.command, self.base, self.interrupt, self.console = command, base, interrupt, console
        self.controller, self.tree = controller, tree
        self.registers, self.pool = base + REGISTERS, base + POOL


MACHINES = {
    "virt": Machine(["qemu-system-aarch64", "-M", "virt,gic-version=2", "-cpu", "cortex-a53"], 0x40000000, 200, "ttyAMA0"),
    # Of its GIC's 160 interrupts, pl_ps_irq0[0], which the overlays of driver/ use too.
    "zcu102": Machine(["qemu-system-aarch64", "-M", "xlnx-zcu102"], 0, 89, "ttyPS0", "/machine/soc/gic", "zcu102.dts"),
    # Zynq-7000's word size.
    "arm": Machine(["qemu-system-arm", "-M", "virt,gic-version=2,highmem=off", "-cpu", "cortex-a15"], 0x40000000, 200, "ttyAMA0"),
}


def accelerator_tree(machine, pool):
    """`pool`: reusable or no-map. The clock is one that the module can switch, though nothing follows it."""
    return f"""
/ {{
    reserved-memory {{
        #address-cells = <2>;
        #size-cells = <2>;
        ranges;
        registers@{machine.registers:x} {{ reg = <0 {machine.registers:#x} 0 0x10000>; no-map; }};
        bdnn_pool: pool@{machine.pool:x} {{ compatible = "shared-dma-pool"; reg = <0 {machine.pool:#x} 0 {POOL_BYTES:#x}>; {pool}; }};
    }};
    logic_clock: logic-clock {{ compatible = "fixed-clock"; #clock-cells = <0>; clock-frequency = <100000000>; }};
    accelerator@{machine.registers:x} {{
        compatible = "bdnn,accelerator-1";
        reg = <0 {machine.registers:#x} 0 0x10000>;
        interrupts = <0 {machine.interrupt} 4>;
        clocks = <&logic_clock>;
        memory-region = <&bdnn_pool>;
    }};
}};
"""


INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs dev /dev
export PATH=/bin LD_LIBRARY_PATH=/lib
busybox --install -s /bin
echo 1 > /proc/sys/kernel/panic_on_oops
sh /script
echo "guest: status $?"
poweroff -f
"""


class Failure(Exception):
    pass


def needed_libraries(program, folders, readelf="readelf"):
    """The shared objects of a program, and theirs."""
    found, wanted = {}, [program]
    while wanted:
        text = subprocess.run([readelf, "-d", wanted.pop()], capture_output=True, text=True, check=True).stdout
        for name in re.findall(r"\(NEEDED\).*\[(.*)\]", text):
            path = next((os.path.join(f, name) for f in folders if os.path.exists(os.path.join(f, name))), None)
            if not path:
                raise Failure(f"{name}, which {program} needs, is in none of {', '.join(folders)}")
            if name not in found:
                found[name] = path
                wanted.append(path)
    return found


def pack_guest(work, options):
    """The initial file system."""
    root = os.path.join(work, "root")
    shutil.rmtree(root, ignore_errors=True)
    for folder in ("bin", "lib"):
        os.makedirs(os.path.join(root, folder))
    shutil.copy(options.busybox, os.path.join(root, "bin", "busybox"))
    for path in options.put:
        shutil.copy(path, os.path.join(root, os.path.basename(path)))
    for path in options.program:
        shutil.copy(path, os.path.join(root, "bin"))
        for name, library in needed_libraries(path, options.libraries).items():
            shutil.copy(library, os.path.join(root, "lib", name))
    for name, text in (("init", INIT), ("script", open(options.script).read())):
        path = os.path.join(root, name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o755)
    image = os.path.join(work, "initramfs")
    with open(image, "wb") as file:
        names = subprocess.run(["find", "."], cwd=root, capture_output=True, check=True).stdout
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, input=names, stdout=file, check=True)
    return image


def make_device_tree(work, machine, pool):
    dump, source, tree = (os.path.join(work, name) for name in ("dump.dtb", "board.dts", "board.dtb"))
    if machine.tree:
        text = open(os.path.join(HERE, machine.tree)).read()
    else:
        emulator, option, name, *rest = machine.command
        subprocess.run([emulator, option, f"{name},dumpdtb={dump}", *rest, "-m", str(MEMORY_BYTES >> 20)], check=True, capture_output=True)
        text = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", dump], capture_output=True, text=True, check=True).stdout
    with open(source, "w") as file:
        file.write(text + accelerator_tree(machine, pool))
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", tree, source], check=True)
    return tree


class Monitor:
    """QEMU's machine protocol."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(path)
        self.stream = self.socket.makefile("rw")
        self.stream.readline()
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        self.stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.stream.flush()
        while True:
            answer = json.loads(self.stream.readline())
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise Failure(f"QEMU: {command}: {answer['error']['desc']}")


def interrupt_controller(monitor, machine):
    if machine.controller:
        return machine.controller
    for item in monitor.ask("qom-list", path="/machine/unattached"):
        if item["type"] == "child<arm_gic>":
            return "/machine/unattached/" + item["name"]
    raise Failure("QEMU has no interrupt controller of a type that is known")


def wait_for(path, process, seconds=30):
    for _ in range(10 * seconds):
        if os.path.exists(path):
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise Failure(f"{path} does not appear: {process.args[0]} did not start")


def run(options, work):
    memory, mailbox, console, qtest, qmp = (os.path.join(work, name) for name in ("memory", "mailbox", "console", "qtest", "qmp"))
    for path in (memory, mailbox, console, qtest, qmp):
        if os.path.exists(path):
            os.remove(path)
    with open(memory, "wb") as file:
        file.truncate(MEMORY_BYTES)
    with open(mailbox, "wb") as file:
        file.truncate(4096)
    machine = MACHINES[options.machine]
    emulator, option, name, *rest = machine.command
    command = [emulator, option, f"{name},memory-backend=ram0", *rest, "-m", str(MEMORY_BYTES >> 20),
        "-object", f"memory-backend-file,id=ram0,size={MEMORY_BYTES},mem-path={memory},share=on",
        "-accel", "tcg", "-display", "none", "-serial", f"file:{console}", "-monitor", "none", "-nodefaults", "-no-reboot", "-S",
        "-qmp", f"unix:{qmp},server=on,wait=off", "-qtest", f"unix:{qtest},server=on,wait=off", "-qtest-log", "/dev/null",
        "-plugin", f"{options.plugin},mailbox={mailbox},registers={machine.registers:#x},size=0x1000",
        "-kernel", options.kernel, "-initrd", pack_guest(work, options), "-dtb", make_device_tree(work, machine, options.pool),
        "-append", f"console={machine.console} nokaslr panic=-1 quiet"]
    started = time.monotonic()
    qemu = subprocess.Popen(command)
    board = None
    try:
        wait_for(qmp, qemu)
        wait_for(qtest, qemu)
        monitor = Monitor(qmp)
        board = subprocess.Popen([options.board, options.library, memory, mailbox, qtest, interrupt_controller(monitor, machine), str(machine.interrupt),
                                  hex(machine.base), hex(machine.registers), hex(machine.pool), hex(POOL_BYTES)], stdout=subprocess.PIPE, text=True)
        if board.stdout.readline() != "board: ready\n":
            raise Failure("the accelerator did not start")
        monitor.ask("cont")
        try:
            qemu.wait(options.timeout)
        except subprocess.TimeoutExpired:
            raise Failure(f"the guest did not end within {options.timeout} s") from None
    finally:
        for process in (qemu, board):
            if process and process.poll() is None:
                process.terminate()
    text = open(console, errors="replace").read()
    return text.replace("\r", ""), board.communicate()[0], time.monotonic() - started


def judge(console, board, machine, ends):
    """What is wrong, or None. `ends`: the system ends in the middle of a run, which the module must cancel, and no other must follow."""
    if "guest: status 0" not in console:
        return "the guest's script failed or did not end"
    for word in ("WARNING:", "BUG:", "Call trace", "Unable to handle", "FAIL "):
        if word in console:
            return f"the console says '{word.strip()}'"
    hardware = re.search(r"board: \d+ runs, (\d+) interrupts", board)
    if not hardware:
        return "the accelerator ended by itself"
    # An interrupt that is not acknowledged at its source is a storm, and one that is lost is found by luck alone: so they are counted.
    taken = re.search(rf"(\d+) +GIC-0 +{machine.interrupt + 32} ", console)
    if not taken or taken[1] != hardware[1]:
        return f"{hardware[1]} interrupts were raised, {taken[1] if taken else 'none'} taken"
    if ends and not re.search(r" [1-9]\d* cancels, 0 silent runs, idle$", board.strip()):
        return "the accelerator was not stopped when the system ended, or was started again"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machine", choices=list(MACHINES), default="virt")
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--busybox", required=True, help="statically linked")
    parser.add_argument("--plugin", required=True)
    parser.add_argument("--board", required=True)
    parser.add_argument("--library", required=True, help="device library of scripts/build-xclbin")
    parser.add_argument("--program", action="append", default=[], help="for the guest's /bin, with what it is linked to")
    parser.add_argument("--libraries", action="append", default=[], help="where that is")
    parser.add_argument("--put", action="append", default=[], help="a file for the guest's /")
    parser.add_argument("--script", required=True, help="what the guest runs")
    parser.add_argument("--work", required=True, help="a folder for what is made")
    parser.add_argument("--pool", choices=["reusable", "no-map"], default="reusable", help="what the reserved memory is")
    parser.add_argument("--ends", action="store_true", help="the script leaves a run going on, which must be cancelled when the system ends")
    parser.add_argument("--timeout", type=int, default=600)
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    try:
        console, board, seconds = run(options, os.path.abspath(options.work))
    except (Failure, OSError, subprocess.CalledProcessError) as failure:
        sys.exit(f"test-system: {failure}; the console is in {options.work}/console")
    print(console, end="")
    print(board, end="")
    print(f"test-system: {seconds:.0f} s")
    wrong = judge(console, board, MACHINES[options.machine], options.ends)
    if wrong:
        sys.exit(f"test-system: {wrong}")


if __name__ == "__main__":
    main()
