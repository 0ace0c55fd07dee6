#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Holds the sources to what docs/develop/architecture.md says of them: the names at the top level, and who may include whom.

The page is the data. Its line "The top level is fixed: `NAME NAME ...`" lists what may lie at the top, besides names that begin with a dot.
Its table "| room | may include |" has a row for each room, a folder, by its path; what it may include stands in code spans: other rooms,
single headers by their path, headers that the build writes by their name, or `*` for everything. A file belongs to the deepest room
that has it, and to no other; within a room everything may be included. Rooms may not include each other, over others either."""
import os
import re
import sys

import tree

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)
# Where the build lets compilers look, by the top level's name of the file that includes.
PATHS = {
    "host": ["host", "host/include", "driver"],
    "hls": ["hls"],
    "driver": ["driver"],
    "bitstreams": ["bitstreams/emu", "bitstreams/emu/include", "bitstreams/emu/device", "bitstreams/emu/host", "bitstreams/emu/rtl"],
    "docs": ["host/include"],
    "scripts": ["host", "host/include"],
}


def spans(text):
    return re.findall(r"`([^`]+)`", text)


def top_level(page):
    match = re.search(r"The top level is fixed:\s+((?:`[^`]+`(?:,? and |, | )?)+)", page)
    return set(" ".join(spans(match.group(1))).split()) if match else None


def table(page):
    """{room: what it may include}, of the rows under the table's head."""
    match = re.search(r"^\| room \| may include[^\n]*\|\n\|[-| ]+\|\n((?:\|.*\|\n)+)", page, re.MULTILINE)
    if not match:
        return None
    rows = [row.strip("|\n").split("|") for row in match.group(1).splitlines()]
    return {spans(cells[0])[0].rstrip("/"): [name.rstrip("/") for name in spans(cells[1])] for cells in rows}


def within(path, folder):
    return path == folder or path.startswith(folder + "/")


def room_of(path, rooms):
    return max((room for room in rooms if within(path, room)), key=len, default=None)


def resolve(root, name, header):
    """The path of an included file, or None for one that the build writes."""
    folders = [os.path.dirname(name)] + PATHS.get(name.split("/")[0], [])
    for folder in folders:
        path = os.path.normpath(os.path.join(folder, header))
        if os.path.isfile(os.path.join(root, path)):
            return path
    return None


def allowed(room, path, header, rooms):
    if "*" in rooms[room]:
        return True
    if not path:
        return header in rooms[room]
    there = room_of(path, rooms)
    return there == room or there in rooms[room] or path in rooms[room]


def circles(rooms):
    """Rooms that include themselves over others. Single headers do not count: they are exceptions, for which the page gives a reason."""
    found = []
    for start in rooms:
        reached, new = set(), {start}
        while new:
            new = {name for room in new for name in rooms[room] if name in rooms} - reached
            reached |= new
        if start in reached:
            found.append(f"the table lets {start} include rooms that may include it")
    return found


def check_top(names, page):
    top = top_level(page)
    if not top:
        return ["the page has no line 'The top level is fixed: `...`'"]
    there = {name.split("/")[0] for name in names}
    return ([f"{name}: not one of the names at the top level" for name in sorted(there - top) if not name.startswith(".")] +
            [f"{name}: the page puts it at the top level, and it is not there" for name in sorted(top - there)])


def check_table(root, rooms):
    """Rows that name nothing."""
    found = []
    for room, names in rooms.items():
        if not os.path.isdir(os.path.join(root, room)):
            found.append(f"the table's room {room} is no folder")
        for name in names:
            if "/" in name and not os.path.exists(os.path.join(root, name)):
                found.append(f"the table lets {room} include {name}, which is not there")
    return found + circles(rooms)


def check_file(root, name, rooms):
    room = room_of(name, rooms)
    if not room:
        return [f"{name}: in no room of the table"]
    found = []
    with open(os.path.join(root, name), encoding="utf-8") as file:
        text = file.read()
    for match in INCLUDE.finditer(text):
        path = resolve(root, name, match.group(1))
        if not allowed(room, path, match.group(1), rooms):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{name}:{line}: {room} may not include {path or match.group(1)}")
    return found


def page_of(names):
    pages = [name for name in names if os.path.basename(name) == "architecture.md"]
    return pages[0] if len(pages) == 1 else None


def check(root="."):
    names = tree.files(root)
    page_name = page_of(names)
    if not page_name:
        return ["there is not one page architecture.md"]
    with open(os.path.join(root, page_name), encoding="utf-8") as file:
        page = file.read()
    found = check_top(names, page)
    rooms = table(page)
    if not rooms:
        return found + [f"{page_name}: no table '| room | may include |'"]
    found += check_table(root, rooms)
    for name in names:
        if name.endswith(tree.C_SUFFIXES):
            found += check_file(root, name, rooms)
    return found


if __name__ == "__main__":
    faults = check()
    print("\n".join(faults), end="\n" if faults else "")
    sys.exit(1 if faults else 0)
