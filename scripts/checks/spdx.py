#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every source says its license in a line of its own, the first, or the second behind "#!":

    SPDX-License-Identifier: BSD-2-Clause

spdx.py [--fix] names the files that do not, or adds the line."""
import os
import re
import sys

import tree

LINE = re.compile(r"SPDX-License-Identifier: (.*?)(?: \*/)?\n")
# By folder, the longest that fits. A new file gets the first.
LICENSES = {
    "": ["BSD-2-Clause"],
    # What Linux loads, and what it publishes of it.
    "driver/": ["GPL-2.0 OR BSD-2-Clause", "GPL-2.0-only OR BSD-2-Clause", "(GPL-2.0 WITH Linux-syscall-note) OR BSD-2-Clause"],
    "tests/system/zynq/uio/": ["GPL-2.0"],
}
# How a file comments, by the end of its name.
COMMENTS = {
    "/* {} */": (".c", ".h", ".cpp", ".c.in", ".h.in", ".map"),
    "// {}": (".sv", ".js", ".dts", ".dtso", ".dtsi"),
    "# {}": (".sh", ".py", ".cmake", ".cmake.in", ".pc.in", ".txt", "Makefile", "Kbuild", ".tcl", ".yaml", ".rules", ".conf", ".config",
             ".suppr", ".clang-format", ".clang-tidy", ".shellcheckrc", ".gitignore"),
}
# Nothing that is written by hand, prose, or forms without comments.
WITHOUT = re.compile(r"(\.(md|svg|png|json)|LICENSE|tests/onnx/expected\.txt)$")


def license_of(name):
    return LICENSES[max((folder for folder in LICENSES if name.startswith(folder)), key=len)]


def comment_of(root, name):
    """The form of a comment line, or None."""
    if WITHOUT.search(name):
        return None
    if tree.interpreter(os.path.join(root, name)):
        return "# {}"
    for form, ends in COMMENTS.items():
        if name.endswith(ends):
            return form
    raise ValueError(f"{name}: scripts/checks/spdx.py does not know how such a file comments")


def check(root, name, fix):
    form = comment_of(root, name)
    if not form:
        return None
    with open(os.path.join(root, name), encoding="utf-8") as file:
        lines = file.readlines()
    at = 1 if lines and lines[0].startswith("#!") else 0
    match = LINE.search(lines[at]) if len(lines) > at else None
    if match and match.group(1) in license_of(name):
        return None
    if match:
        return f"{name}: the license is {match.group(1)}; here it is {license_of(name)[0]}"
    if not fix:
        return f"{name}: no line SPDX-License-Identifier: {license_of(name)[0]}"
    lines.insert(at, form.format(f"SPDX-License-Identifier: {license_of(name)[0]}") + "\n")
    with open(os.path.join(root, name), "w", encoding="utf-8") as file:
        file.writelines(lines)
    return None


def main(root="."):
    found = []
    for name in tree.files(root):
        try:
            found.append(check(root, name, "--fix" in sys.argv))
        except ValueError as error:
            found.append(str(error))
    found = [text for text in found if text]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
