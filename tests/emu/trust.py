#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the emulation refuses: folders that are open to others or not this user's, strangers at the other end of a socket, and device
libraries outside of the run folder. Another user is played by this test itself, where it runs as root.

    trust.py BUILD SOURCE     bitstreams/emu of the build and the repository
"""
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

BUILD, SOURCE = map(os.path.abspath, sys.argv[1:3])
STRANGER = 65534  # nobody
ROOT = os.geteuid() == 0
PLENTY = 30  # seconds, for what takes a fraction of one


def expect(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def as_stranger(work):
    """Runs `work` in a process of another user; its result as an exit status."""
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setresgid(STRANGER, STRANGER, STRANGER)
        os.setresuid(STRANGER, STRANGER, STRANGER)
        try:
            os._exit(work() or 0)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Folder:
    """A folder in /tmp as the shims use it: its name is that of the user."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(dir="/tmp", prefix="open_emu_test_")
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.path) if not os.path.islink(self.path) else os.unlink(self.path)

    @property
    def user(self):
        return os.path.basename(self.path)

    def start(self, *options, **variables):
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPEN_EMU", "SDACCEL"))}
        environment.update(USER=self.user, EMULATION_SOCKETID="s", **variables)
        return subprocess.Popen([f"{BUILD}/open_emu", "--patience", "20", *options], env=environment, stderr=subprocess.PIPE, text=True)


def ended(process, message, what):
    try:
        said = process.communicate(timeout=PLENTY)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        sys.exit(f"FAILED: {what}: open_emu hangs")
    expect(process.returncode == 3 and message in said, f"{what}: status 3 and '{message}' expected, not {process.returncode}: {said}")


def wait_for(path):
    end = time.monotonic() + PLENTY
    while not os.path.exists(path):
        expect(time.monotonic() < end, f"no socket {path}")
        time.sleep(0.01)


def connect(path):
    """A connection, once the device listens."""
    end = time.monotonic() + PLENTY
    while True:
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(PLENTY)
        try:
            peer.connect(path)
            return peer
        except OSError:
            peer.close()
            expect(time.monotonic() < end, f"nobody listens at {path}")
            time.sleep(0.01)


def request(peer, number, body):
    """The answer's body, or None when the device closes."""
    peer.sendall(b"\x09" + struct.pack("<Q", len(body)) + b"\x15" + struct.pack("<I", number) + body)
    try:
        answer = peer.recv(9)
        return peer.recv(struct.unpack("<Q", answer[1:])[0], socket.MSG_WAITALL) if len(answer) == 9 else None
    except ConnectionError:
        return None


def load(peer, path):
    """LoadBitstream, as sw_emu's shim sends it."""
    path = os.fsencode(path)
    return request(peer, 3, b"\x12" + bytes([len(path) & 0x7f | 0x80, len(path) >> 7]) + path)


def refuses_folders():
    """open_emu on the folder of its socket."""
    for mode, listen in ((0o777, True), (0o770, False), (0o720, True)):
        with Folder() as folder:
            os.chmod(folder.path, mode)
            ended(folder.start(*["--listen"][:listen]), "is open to others", f"a socket in a folder of mode {mode:o}")
    with Folder() as real, Folder() as folder:
        os.rmdir(folder.path)
        os.symlink(real.path, folder.path)
        ended(folder.start("--listen"), "is a link or a file", "a socket in a folder that is a link")
    if ROOT:
        with Folder() as folder:
            os.chown(folder.path, STRANGER, STRANGER)
            ended(folder.start(), f"belongs to user {STRANGER}", "a socket in another user's folder")
    with Folder() as folder:  # there is none: it is made, for this user alone
        os.rmdir(folder.path)
        process = folder.start("--listen")
        connect(f"{folder.path}/s").close()
        expect(os.stat(folder.path).st_mode & 0o777 == 0o700, "a new folder must be closed to others")
        process.kill()
        process.communicate()


def refuses_strangers():
    """Who connects, and who listens."""
    with Folder() as folder:
        process, place = folder.start("--listen"), f"{folder.path}/s"
        wait_for(place)
        expect(os.stat(place).st_mode & 0o777 == 0o600, "the socket must be this user's alone")
        os.chmod(folder.path, 0o711)
        os.chmod(place, 0o666)

        def knock():
            peer = connect(place)
            try:
                return 0 if request(peer, 1, b"\x18\x01") is None else 1
            except OSError:
                return 0

        expect(as_stranger(knock) == 0, "a stranger must get no answer")
        expect(request(connect(place), 1, b"\x18\x01") == b"\x08\x01", "this user must be served after a stranger was refused")
        said = process.communicate(timeout=PLENTY)[1]
        expect(process.returncode == 0 and f"of user {STRANGER}" in said, f"the stranger must be named: {said}")
    with Folder() as folder:  # the credentials of a socket are those of who called listen
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(f"{folder.path}/s")
        as_stranger(lambda: listening.listen(1))
        ended(folder.start(), f"of user {STRANGER}", "a stranger that listens")


def refuses_libraries(scratch):
    """Of sw_emu, in which the host program names the library; and of a run folder that is open."""
    run, outside = f"{scratch}/run", f"{scratch}/run-beside"
    for path in (run, f"{run}/binary_0", outside):
        os.mkdir(path, 0o700)
    keep = f"{scratch}/keep"
    subprocess.run([f"{SOURCE}/../../scripts/build-xclbin", "--target", "sw_emu", "--keep", keep, "-o", f"{scratch}/vadd.xclbin",
                    f"{SOURCE}/examples/vadd/vadd.json"], check=True)
    for place in (outside, f"{run}/binary_0"):
        shutil.copy(f"{keep}/device.so", f"{place}/device.so")
    os.symlink(f"{outside}/device.so", f"{run}/link.so")
    os.symlink(outside, f"{run}/folder")
    os.mkfifo(f"{run}/fifo")

    def attempt(path, message, what, **variables):
        with Folder() as folder:
            process = folder.start("--listen", **({"SDACCEL_EM_RUN_DIR": run} | variables))
            peer = connect(f"{folder.path}/s")
            answer = load(peer, path)
            if message:
                expect(answer is None, f"{what} must not be loaded")
                ended(process, message, what)
                return
            expect(answer == b"\x08\x01" and request(peer, 1, b"\x18\x01") == b"\x08\x01", f"{what} must be loaded")
            process.communicate(timeout=PLENTY)

    good = f"{run}/binary_0/device.so"
    attempt(good, None, "a library in the run folder")
    attempt(f"{run}/./binary_0/../binary_0/device.so", None, "a library in the run folder, named another way")
    for path, what in ((f"{outside}/device.so", "a library beside the run folder"), (f"{run}/../run-beside/device.so", "a way out by .."),
                       (f"{run}/link.so", "a link that leads out"), (f"{run}/folder/device.so", "a folder that leads out"),
                       ("libm.so.6", "a library of the system, by its name"), ("", "no name")):
        attempt(path, "the device library is not loaded", what)
    attempt(f"{run}/fifo", "is no regular file", "a pipe")
    attempt(good + "\0", "request to load a device library", "a name with a zero in it")
    attempt("/" * 5000, "request to load a device library", "a name without end")
    attempt(good, "no run folder is known", "a library without a run folder", SDACCEL_EM_RUN_DIR="")
    os.chmod(run, 0o755)
    attempt(good, "is open to others (mode 0755)", "a library in a run folder that others can pass through")
    os.chmod(run, 0o700)

    # hw_emu: the start script names the library, and the host program none
    with Folder() as folder:
        ended(folder.start("--library", f"{outside}/device.so", SDACCEL_EM_RUN_DIR=run), "does not lie in the run folder", "--library outside")
    with Folder() as folder:
        process = folder.start("--listen", "--library", good, SDACCEL_EM_RUN_DIR=run)
        expect(load(connect(f"{folder.path}/s"), good) is None, "hw_emu's host must not load another library")
        ended(process, "in hw_emu", "a second library in hw_emu")


def refuses_environments(scratch):
    """open-emu-env on its folder."""
    def attempt(message, what):
        result = subprocess.run([f"{BUILD}/open-emu-env", f"{scratch}/e"], capture_output=True, text=True)
        expect(result.returncode == 1 and message in result.stderr and not result.stdout,
               f"{what}: '{message}' expected, not {result.returncode}: {result.stderr}")
        expect(not os.listdir(f"{scratch}/e"), f"{what}: nothing must be written")

    os.mkdir(f"{scratch}/e")
    os.chmod(f"{scratch}/e", 0o775)
    attempt("others may write to the folder", "a folder of mode 775")
    os.chmod(f"{scratch}/e", 0o755)
    os.rename(f"{scratch}/e", f"{scratch}/real")
    os.symlink(f"{scratch}/real", f"{scratch}/e")
    attempt("is a link", "a link to a folder")
    os.unlink(f"{scratch}/e")
    if ROOT:
        os.mkdir(f"{scratch}/e")
        os.chown(f"{scratch}/e", STRANGER, STRANGER)
        attempt("belongs to another user", "another user's folder")
        os.rmdir(f"{scratch}/e")
    os.umask(0)
    subprocess.run([f"{BUILD}/open-emu-env", f"{scratch}/e"], check=True, stdout=subprocess.DEVNULL)
    os.umask(0o022)
    for path in ("e", "e/run", "e/lib", "e/vitis"):
        expect(os.stat(f"{scratch}/{path}").st_mode & 0o777 == 0o700, f"{path} must be closed to others, whatever the umask")


def guards_host_programs(scratch, mode):
    """The wrapper around the shims: the folder of the sockets, and strangers that come before the device."""
    environment = subprocess.run([f"{BUILD}/open-emu-env", f"{scratch}/{mode}"], check=True, capture_output=True, text=True).stdout
    subprocess.run([f"{SOURCE}/../../scripts/build-xclbin", "--target", mode, "--model", "c", "-o", f"{scratch}/{mode}.xclbin",
                    f"{SOURCE}/examples/vadd/vadd.json"], check=True)
    late = f"{scratch}/late"
    with open(late, "w") as script:
        script.write(f'#!/bin/sh\nwhile [ ! -e {scratch}/go-{mode} ]; do sleep 0.1; done\nexec {BUILD}/open_emu "$@"\n')
    os.chmod(late, 0o755)

    def start(user, device=f"{BUILD}/open_emu"):
        return subprocess.Popen(["setsid", "-w", "sh", "-c", f'{environment}\nUSER={user} OPEN_EMU={device} exec "$0" "$@"', f"{BUILD}/open_emu_vadd",
                                 f"{scratch}/{mode}.xclbin", "1000", "1"], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                env=os.environ | {"XCL_EMULATION_MODE": mode})

    with Folder() as folder:
        os.chmod(folder.path, 0o777)
        said = (process := start(folder.user)).communicate(timeout=PLENTY)[0]
        expect(process.returncode != 0 and "no emulated device: the folder" in said, f"{mode}: a host program with an open folder: {said}")
    if not ROOT:
        return
    with Folder() as folder:
        process = start(folder.user, late)
        end = time.monotonic() + PLENTY
        while not (sockets := [name for name in os.listdir(folder.path) if name.startswith("device")]):
            expect(time.monotonic() < end, f"{mode}: the host program makes no socket")
            time.sleep(0.01)
        place = f"{folder.path}/{sockets[0]}"
        expect(os.stat(place).st_mode & 0o777 == 0o600, f"{mode}: the shim's socket must be this user's alone")
        os.chmod(folder.path, 0o711)
        os.chmod(place, 0o666)

        def knock():
            peer = connect(place)
            return 0 if peer.recv(1) == b"" else 1  # a host program begins by asking

        expect(as_stranger(knock) == 0, f"{mode}: a stranger must get no request")
        os.chmod(folder.path, 0o700)
        open(f"{scratch}/go-{mode}", "w").close()
        said = process.communicate(timeout=2 * PLENTY)[0]
        expect(process.returncode == 0 and f"of user {STRANGER}" in said and "1000 elements equal" in said,
               f"{mode}: the device must be served after a stranger was refused: {said}")


with tempfile.TemporaryDirectory() as scratch:
    refuses_folders()
    refuses_libraries(scratch)
    refuses_environments(scratch)
    if ROOT:
        refuses_strangers()
    else:
        print("trust: SKIPPED: strangers and their folders, which need root")
    for mode in ("sw_emu", "hw_emu"):
        guards_host_programs(scratch, mode)
print("trust: all is refused that must be")
