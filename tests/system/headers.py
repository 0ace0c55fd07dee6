#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Holds the public headers to what they promise: they compile alone and stay apart, each function has a comment, each is
exported and nothing else is, and tests/unit/test_null.c calls each with NULL for each of its pointers.

    headers.py SOURCE_FOLDER INCLUDE_FOLDER_OF_THE_BUILD LIBRARY CC CXX NM
"""
import pathlib
import re
import subprocess
import sys
import tempfile

source, written, library, cc, cxx, nm = sys.argv[1:]
include = pathlib.Path(source) / "host/include"
headers = sorted(include.glob("*.h"))
problems = []


def arguments(text, start):
    """The arguments of the call or declaration whose parenthesis opens at text[start], split at their commas."""
    parts, depth, quoted, last = [], 0, False, start + 1
    for i in range(start, len(text)):
        if text[i] == '"' and text[i - 1] != "\\":
            quoted = not quoted
        if quoted:
            continue
        if text[i] in "([{":
            depth += 1
        elif text[i] in ")]}":
            depth -= 1
        if depth == 0 or (depth == 1 and text[i] == ","):
            parts.append(" ".join(text[last:i].split()))
            last = i + 1
        if depth == 0:
            return parts
    raise ValueError("a parenthesis stays open")


def functions():
    """name -> parameters, of every function that the headers declare."""
    found = {}
    for header in headers:
        text = header.read_text()
        for match in re.finditer(r"^BDNN_API [^;(]*?\b(bdnn_\w+)\(", text, re.M):
            name = match.group(1)
            found[name] = arguments(text, match.end() - 1)
            if not text[: match.start()].endswith("*/\n"):
                problems.append(f"{header.name}: {name} has no comment of its own")
    return found


def check_null(declared):
    test = (pathlib.Path(source) / "tests/unit/test_null.c").read_text()
    for name, parameters in declared.items():
        calls = [arguments(test, m.end() - 1) for m in re.finditer(rf"\b{name}\(", test)]
        for i, parameter in enumerate(parameters):
            is_pointer = "*" in parameter or "[" in parameter
            if is_pointer and not any(len(call) > i and call[i] == "NULL" for call in calls):
                problems.append(f"test_null.c never calls {name} with NULL for '{parameter}'")


def check_exports(declared):
    symbols = subprocess.run([nm, "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    exported = {line.split()[-1] for line in symbols.splitlines() if line.split()[-2] != "A"}  # A: the nodes
    wanted = set(declared)
    for symbol in sorted(exported):
        name, version = symbol.split("@@") if "@@" in symbol else (symbol, "")
        if name not in wanted:
            problems.append(f"the library exports {symbol}, which no header declares")
        elif not version.startswith("BDNN_"):
            problems.append(f"the library exports {name} without a version: host/libbdnn.map")
        wanted.discard(name)
    for name in sorted(wanted):
        problems.append(f"the headers declare {name}, but the library does not export it: host/libbdnn.map")


def check_compilation():
    flags = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", "-fsyntax-only", f"-I{include}", f"-I{written}"]
    structures = ["load_options", "decompose_options", "session_options"]
    uses = "".join(f"bdnn_{s} {s} = BDNN_{s.upper()}_INIT;\n" for s in structures)
    with tempfile.TemporaryDirectory() as folder:
        for header in headers:
            for compiler, suffix, standard in ((cc, "c", "c11"), (cxx, "cpp", "c++11")):
                file = pathlib.Path(folder) / f"{header.stem}.{suffix}"
                file.write_text(f'#include "{header.name}"\n{uses if header.name == "bdnn.h" else ""}extern int used;\n')
                done = subprocess.run([compiler, f"-std={standard}", *flags, file], capture_output=True, text=True)
                if done.returncode:
                    problems.append(f"{header.name} as {standard}:\n{done.stderr}")


def check_includes():
    allowed = {"bdnn.h": {"bdnn_version.h"}, "bdnn_data.h": {"bdnn.h"}, "bdnn_measure.h": {"bdnn.h"}}
    for header in headers:
        included = set(re.findall(r'^#include "(.*)"', header.read_text(), re.M))
        if included != allowed.get(header.name):
            problems.append(f"{header.name} includes {included or 'nothing of ours'}")


declared = functions()
if len(declared) < 50:
    problems.append(f"only {len(declared)} functions were found in {include}")
check_includes()
check_null(declared)
check_exports(declared)
check_compilation()
for problem in problems:
    print(f"headers: FAILED: {problem}")
if not problems:
    print(f"headers: {len(declared)} functions in {len(headers)} headers")
sys.exit(1 if problems else 0)
