#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Banners, the comments that part a file into sections, have one form, which clang-format keeps:

    /* ---- Words ---- */

banners.py [--fix] FILE... names those that have another, or writes them so."""
import re
import sys

# From the dashes to the comment's end, over as many lines as it may take.
BANNER = re.compile(r"^/\* ?-{3,}(?: (.*?))?\*/$", re.MULTILINE | re.DOTALL)
COLUMNS = 120


def normal(match):
    lines = [line.strip(" *-\t") for line in (match.group(1) or "").split("\n")]
    words = " ".join(line for line in lines if line)
    return f"/* ---- {words[:1].upper()}{words[1:]} ---- */" if re.match(r"[a-z]+( |$)", words) else f"/* ---- {words} ---- */"


def check(name, text):
    """What is wrong, and the text as it should be."""
    found = []
    for match in BANNER.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if not match.group(1):
            found.append(f"{name}:{line}: a banner without words")
        elif len(normal(match)) > COLUMNS:
            found.append(f"{name}:{line}: a banner of more than {COLUMNS} columns; shorten it")
        elif match.group(0) != normal(match):
            found.append(f"{name}:{line}: a banner is written '{normal(match)}'")
    return found, BANNER.sub(lambda m: normal(m) if m.group(1) else m.group(0), text)


def main():
    fix = "--fix" in sys.argv
    status = 0
    for name in sys.argv[1:]:
        if name == "--fix":
            continue
        with open(name, encoding="utf-8") as file:
            text = file.read()
        found, better = check(name, text)
        if fix and better != text:
            with open(name, "w", encoding="utf-8") as file:
                file.write(better)
            found, _ = check(name, better)
        if found:
            print("\n".join(found))
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
