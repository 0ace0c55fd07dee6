#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Holds the pages (*.md) to what can be checked of them without reading:

- relative links lead to files, and their anchors to headings;
- shell blocks parse (bash -n), and complete C blocks, which have an #include, compile against the public headers without a warning;
- paths of the project that pages name in code exist, as do pages of docs/ that any file names.

A block is fenced, with its language, or indented by four spaces; an indented one is shell where it begins as a command does."""
import glob
import itertools
import os
import re
import subprocess
import sys

import tree

FENCE = re.compile(r"^ {0,3}(```+|~~~+) *([\w+-]*)")
PROMPT = "$ "
COMMAND = re.compile(r"^(\$ |[A-Z_]+=\S* )?(bdnn|cmake|ctest|ninja|git|make|sudo|cd|eval|export|apt-get|\.?/?(scripts|build|tests|usr)/\S+|qemu-\S+) ?")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?: \"[^\"]*\")?\)|^\[[^\]]+\]: (\S+)", re.MULTILINE)
CODE = re.compile(r"(`+)(.+?)\1", re.DOTALL)
LANGUAGES = {"sh": "shell", "bash": "shell", "shell": "shell", "console": "shell", "c": "c"}
PAGE = re.compile(r"(?<![\w/.-])docs/[\w./-]+\.md\b")


class Page:
    """A page in its parts: prose, with code blanked out, and blocks of (first line, language, text)."""

    def __init__(self, name, text):
        self.name, self.blocks, self.faults = name, [], []
        prose, lines, at = [], text.split("\n"), 0
        while at < len(lines):
            fence = FENCE.match(lines[at])
            end = at + 1
            if fence:
                end = next((i for i in range(at + 1, len(lines)) if lines[i].strip().startswith(fence.group(1))), len(lines))
                self.add(at + 2, fence.group(2), lines[at + 1:end])
                end += 1
            elif lines[at].startswith("    ") and (at == 0 or not lines[at - 1].strip()) and not in_list(lines, at):
                while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                    end += 1
                self.add(at + 1, None, [line[4:] for line in lines[at:end]])
            else:
                prose.append(lines[at])
                at += 1
                continue
            prose += [""] * (end - at)
            at = end
        self.text = "\n".join(prose)
        self.prose = CODE.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), self.text)

    def add(self, line, language, lines):
        if language == "":
            self.faults.append(f"{self.name}:{line - 1}: a fenced block without a language; `text` is one")
        if language is None:
            first = next((text for text in lines if text.strip()), "")
            language = "shell" if COMMAND.match(first) else "text"
        self.blocks.append((line, LANGUAGES.get(language, "text"), "\n".join(lines).rstrip("\n")))


def in_list(lines, at):
    """Whether an indented line goes on with an item of a list."""
    before = next((lines[i] for i in range(at - 1, -1, -1) if lines[i].strip() and not lines[i].startswith("    ")), "")
    return bool(re.match(r" *([-*+]|\d+\.) ", before))


def commands(block):
    """What a reader types: of a session, the lines behind its prompts and those that go on with them."""
    lines = block.split("\n")
    if not lines[0].startswith(PROMPT):
        return block
    typed, going_on = [], False
    for line in lines:
        typed.append(line[2:] if line.startswith(PROMPT) else line if going_on else "")
        going_on = bool(typed[-1]) and line.endswith("\\")
    return "\n".join(typed)


def anchors(page):
    """Those that GitHub makes of headings, and those that are written."""
    made = {}
    found = set(re.findall(r'<a (?:name|id)="([^"]+)"', page.text))
    for heading in re.findall(r"^#{1,6} +(.+?)#*$", page.text, re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.add(f"{anchor}-{made[anchor]}" if anchor in made else anchor)
        made[anchor] = made.get(anchor, 0) + 1
    return found


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def check_links(page, pages, root):
    for match in LINK.finditer(page.prose):
        target = match.group(1) or match.group(2)
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        full = os.path.normpath(os.path.join(os.path.dirname(page.name), path)) if path else page.name
        where = f"{page.name}:{line_of(page.prose, match.start())}"
        if not os.path.exists(os.path.join(root, full)):
            yield f"{where}: the link to {target} leads nowhere"
        elif anchor and full in pages and anchor not in anchors(pages[full]):
            yield f"{where}: {full} has no heading #{anchor}"


def run(command, text):
    result = subprocess.run(command, input=text, capture_output=True, text=True)
    return "" if result.returncode == 0 else result.stderr.strip()


def check_blocks(page, root):
    for line, language, block in page.blocks:
        message = ""
        if language == "shell":
            message = run(["bash", "-n"], commands(block))
        elif language == "c" and "#include" in block:
            message = run(["cc", "-std=c11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I" + os.path.join(root, "host/include"),
                           "-xc", "-"], block)
        if message:
            yield f"{page.name}:{line}: the block does not parse: {message}"


def alternatives(path):
    """a/{b,c} as the shell has it, one level."""
    match = re.search(r"\{([^{}]*)\}", path)
    if not match:
        return [path]
    parts = [alternatives(path[:match.start()] + part + path[match.end():]) for part in match.group(1).split(",")]
    return list(itertools.chain.from_iterable(parts))


def exists(root, path, names):
    """A path, the end of one, or what its wildcards find. NAME and <name> stand for any; a program or a module, for what it is built of."""
    pattern = re.sub(r"<[^>]*>|\b[A-Z][A-Z_0-9]{2,}\b(?!\.md)", "*", path)
    return path.endswith(".ko") or all(glob.glob(os.path.join(root, one)) or glob.glob(os.path.join(root, one + ".c*")) or
                                       any(name.endswith("/" + one) for name in names) for one in alternatives(pattern))


def check_paths(page, tops, root, names):
    """Code that begins with a folder of the top level is a path."""
    named = re.compile(r"(?<![\w./~$*-])(?:%s)/[\w./{},*<>-]*[\w}*>/]" % "|".join(map(re.escape, tops)))
    texts = [(line_of(page.text, match.start()), match.group(2)) for match in CODE.finditer(page.text)]
    texts += [(line, block) for line, language, block in page.blocks if language == "shell"]
    for line, text in texts:
        for match in named.finditer(text):
            if not exists(root, match.group(0), names):
                yield f"{page.name}:{line + text.count(chr(10), 0, match.start())}: there is no {match.group(0)}"


def check_mentions(root, names):
    """Pages that comments, help and messages send readers to."""
    for name in names:
        with open(os.path.join(root, name), "rb") as file:
            text = file.read().decode(errors="replace")
        for match in PAGE.finditer(text):
            if not os.path.exists(os.path.join(root, match.group(0))):
                yield f"{name}:{line_of(text, match.start())}: there is no {match.group(0)}"


def check(root="."):
    names = tree.files(root)
    pages = {}
    for name in names:
        if name.endswith(".md"):
            with open(os.path.join(root, name), encoding="utf-8") as file:
                pages[name] = Page(name, file.read())
    tops = sorted({name.split("/")[0] for name in names if "/" in name and not name.startswith(".")})
    found = []
    for page in pages.values():
        found += page.faults
        found += check_links(page, pages, root)
        found += check_blocks(page, root)
        found += check_paths(page, tops, root, names)
    return found + list(check_mentions(root, names))


if __name__ == "__main__":
    faults = check()
    print("\n".join(faults), end="\n" if faults else "")
    sys.exit(1 if faults else 0)
