#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How build-xclbin writes its output: test_output.py PACKER, the folder with output.py."""
import multiprocessing
import os
import signal
import stat
import sys
import tempfile
import unittest

sys.path.insert(0, sys.argv.pop(1))
sys.dont_write_bytecode = True
import output  # noqa: E402


def write_slowly(path, started):
    """Stands still where the content is complete but not under its name yet."""
    output.end_on_signals()
    def wait(_):
        started.set()
        signal.pause()
    output.os.fsync = wait
    output.write(path, b"x")


class Output(unittest.TestCase):
    def setUp(self):
        self.holder = tempfile.TemporaryDirectory()
        self.folder = self.holder.name
        self.path = os.path.join(self.folder, "out.xclbin")

    def tearDown(self):
        self.holder.cleanup()

    def test_permissions_are_those_of_umask(self):
        before = os.umask(0o027)
        output.write(self.path, b"content")
        os.umask(before)
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o640)
        self.assertEqual(os.listdir(self.folder), ["out.xclbin"])

    def test_no_link_is_followed(self):
        victim = os.path.join(self.folder, "victim")
        with open(victim, "wb") as file:
            file.write(b"kept")
        os.symlink(victim, self.path + ".part")
        os.symlink(victim, self.path)
        output.write(self.path, b"content")
        with open(victim, "rb") as file:
            self.assertEqual(file.read(), b"kept")
        self.assertFalse(os.path.islink(self.path))

    def test_failure_leaves_nothing(self):
        with self.assertRaises(TypeError):
            output.write(self.path, "text where bytes are wanted")
        self.assertEqual(os.listdir(self.folder), [])
        with self.assertRaises(OSError):
            output.write("/dev/null", b"content")
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))

    def test_signals_leave_nothing(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            started = multiprocessing.Event()
            child = multiprocessing.Process(target=write_slowly, args=(self.path, started))
            child.start()
            self.assertTrue(started.wait(60))
            self.assertEqual(len(os.listdir(self.folder)), 1)
            os.kill(child.pid, number)
            child.join(60)
            self.assertEqual(child.exitcode, 128 + number)
            self.assertEqual(os.listdir(self.folder), [])


unittest.main()
