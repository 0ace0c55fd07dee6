#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""clang-tidy over the sources of a build: tidy.py BUILD [PATTERN], which a source's path matches. A source in which nothing was found is
not looked at again until it, its command, a header of the project, .clang-tidy or clang-tidy changes."""
import concurrent.futures
import glob
import hashlib
import json
import os
import re
import subprocess
import sys

import tree

OURS = re.compile(r"(host|hls|bitstreams|driver)/")


def digest(*parts):
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part).digest())
    return total.hexdigest()


def content(path):
    with open(path, "rb") as file:
        return file.read()


def common(build):
    """What every source's findings depend on."""
    headers = [name for name in tree.files() if name.endswith(".h")] + sorted(glob.glob(build + "/**/*.h", recursive=True))
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
    return digest(version, content(".clang-tidy"), *map(content, headers)).encode()


def look(build, source, stamp):
    """What clang-tidy prints of a source in which it finds something."""
    result = subprocess.run(["clang-tidy", "-p", build, "-quiet", source], capture_output=True, text=True)
    if result.returncode:
        return result.stdout or result.stderr
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(source + "\n")
    return ""


def main(build, pattern="."):
    commands = {}
    for command in json.loads(content(build + "/compile_commands.json")):
        name = os.path.relpath(os.path.join(command["directory"], command["file"]))
        if OURS.match(name) and re.search(pattern, name):
            commands.setdefault(name, []).append(command["command"])
    if not commands:
        print(f"no source matches '{pattern}'")
        return 1
    shared = common(build)
    os.makedirs(build + "/clean", exist_ok=True)
    stamps = {name: os.path.join(build, "clean", digest(shared, content(name), *map(str.encode, sorted(commands[name])))) for name in commands}
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        found = list(pool.map(lambda name: look(build, name, stamps[name]), [n for n in sorted(commands) if not os.path.exists(stamps[n])]))
    print("".join(found), end="")
    return 1 if any(found) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
