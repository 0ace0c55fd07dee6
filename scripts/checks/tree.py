#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The project's files by what they are written in: tree.py c|shell|python prints them, one a line."""
import os
import subprocess
import sys

C_SUFFIXES = (".c", ".h", ".cpp")
# Inputs of tests: nobody edits them, some are damaged on purpose.
DATA = ("tests/data/", "tests/fuzz/corpus/")


def walk(root):
    """Of an unpacked archive, where git knows nothing: all but builds."""
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f not in (".git", "__pycache__") and not (folder == root and f.startswith("build"))]
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), root)


def files(root="."):
    """Every file of the project, also those that are new and not committed, but no links and no inputs of tests."""
    command = ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    known = os.path.exists(os.path.join(root, ".git"))
    listed = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0") if known else walk(root)
    paths = {name: os.path.join(root, name) for name in listed if name and not name.startswith(DATA)}
    return sorted(name for name, path in paths.items() if os.path.isfile(path) and not os.path.islink(path))


def interpreter(path):
    """The program that a script's first line names, or an empty text."""
    with open(path, "rb") as file:
        line = file.readline(80)
    words = line[2:].decode(errors="replace").split() if line.startswith(b"#!") else []
    return os.path.basename(words[-1]) if words else ""


def kind(root, name):
    if name.endswith(C_SUFFIXES):
        return "c"
    program = interpreter(os.path.join(root, name))
    if name.endswith(".sh") or program in ("sh", "bash"):
        return "shell"
    if name.endswith(".py") or program.startswith("python"):
        return "python"
    return "other"


if __name__ == "__main__":
    print("\n".join(name for name in files() if kind(".", name) == sys.argv[1]))
