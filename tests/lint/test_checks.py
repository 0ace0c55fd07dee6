#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The checks of scripts/lint find what they are for: test_checks.py CHECKS, the folder scripts/checks. Each case plants one fault in a
small project that is otherwise without."""
import os
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, sys.argv.pop(1))
sys.dont_write_bytecode = True
import banners  # noqa: E402
import docs  # noqa: E402
import rooms  # noqa: E402
import spdx  # noqa: E402
import tree  # noqa: E402

# In two words: the project's own check of such names reads this file, too.
RULES, PAGE, GONE = "docs/" "architecture.md", "docs/" "page.md", "docs/" "gone.md"
ARCHITECTURE = """# Rooms

The top level is fixed: `host docs tests`, and names that begin with a dot.

| room | may include |
| --- | --- |
| `host/core` | |
| `host/kernels` | `host/core` |
| `host/kernels/x86` | `host/kernels` |
| `host/cli` | `made.h` `host/kernels/list.h` |
| `tests` | `*` |
"""
SOUND = {
    RULES: ARCHITECTURE,
    "host/core/file.h": "",
    "host/core/file.c": '#include "core/file.h"\n#include "file.h"\n#include <stdio.h>\n',
    "host/kernels/list.h": '#include "core/file.h"\n',
    "host/kernels/x86/fast.h": '#include "kernels/list.h"\n',
    "host/cli/main.c": '#include "made.h"\n  #  include "kernels/list.h"\n',
    "tests/test.c": '#include "kernels/x86/fast.h"\n',
}

class Project(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.root = holder.name
        for name, text in SOUND.items():
            self.write(name, text)

    def write(self, name, text):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, name):
        with open(os.path.join(self.root, name), encoding="utf-8") as file:
            return file.read()

    def one(self, found, *words):
        """Exactly one finding, which says these."""
        self.assertEqual(len(found), 1, found)
        for word in words:
            self.assertIn(word, found[0])


class Rooms(Project):
    def check(self):
        return rooms.check(self.root)

    def test_a_sound_project(self):
        self.assertEqual(self.check(), [])

    def test_an_include_that_no_row_allows(self):
        self.write("host/core/bad.c", '\n#include "kernels/list.h"\n')
        self.one(self.check(), "host/core/bad.c:2", "host/core may not include host/kernels/list.h")

    def test_a_room_within_another_is_another(self):
        self.write("host/kernels/bad.c", '#include "kernels/x86/fast.h"\n')
        self.one(self.check(), "host/kernels may not include host/kernels/x86/fast.h")

    def test_beside_the_header_that_is_allowed_others_are_not(self):
        self.write("host/kernels/other.h", "")
        self.write("host/cli/bad.c", '#include "kernels/other.h"\n')
        self.one(self.check(), "host/cli may not include host/kernels/other.h")

    def test_a_path_upwards_is_followed(self):
        self.write("host/core/bad.c", '#include "../kernels/list.h"\n')
        self.one(self.check(), "host/core may not include host/kernels/list.h")

    def test_an_unknown_header(self):
        self.write("host/core/bad.c", '#include "made.h"\n')
        self.one(self.check(), "host/core may not include made.h")

    def test_a_file_outside_the_rooms(self):
        self.write("host/new/file.c", "")
        self.one(self.check(), "host/new/file.c: in no room")

    def test_rooms_that_include_each_other(self):
        self.write(RULES, ARCHITECTURE.replace("| `host/core` | |", "| `host/core` | `host/kernels/x86` |"))
        found = self.check()
        self.assertEqual(len(found), 3, found)
        self.assertTrue(all("rooms that may include it" in text for text in found), found)

    def test_rows_of_what_is_not_there(self):
        self.write(RULES, ARCHITECTURE + "| `host/gone` | `host/core/gone.h` |\n")
        self.assertEqual(len(self.check()), 2)

    def test_a_page_without_the_table(self):
        self.write(RULES, ARCHITECTURE.replace("| room |", "| place |"))
        self.one(self.check(), "no table")

    def test_a_name_at_the_top_that_the_page_does_not_have(self):
        self.write("notes/file.txt", "")
        self.one(self.check(), "notes: not one of the names")

    def test_a_name_of_the_page_that_is_not_there(self):
        self.write(RULES, ARCHITECTURE.replace("`host docs tests`", "`host docs tests LICENSE`"))
        self.one(self.check(), "LICENSE")


class Docs(Project):
    def check(self, text):
        self.write(PAGE, text)
        return docs.check(self.root)

    def test_what_is_sound(self):
        self.assertEqual(self.check("# A page, and `code`\n\n[self](#a-page-and-code) [other](architecture.md#rooms) [web](https://a.b/c)\n"
                                    "`[no](link)` `host/core/file.h` `core/file.c` `host/core/{file,*}.h` `host/NAME/file.h`\n\n"
                                    "    bdnn info NET | grep x\n\nAnd:\n\n    a table: of (things\n\n```c\nint (unfinished\n```\n"
                                    "```c\n#include <stdio.h>\nint three(void);\nint three(void) { return 3; }\n```\n"), [])

    def test_a_link_to_nothing(self):
        self.one(self.check("\n[x](gone.md)\n"), PAGE + ":2", "gone.md")

    def test_a_picture_of_nothing(self):
        self.one(self.check("![x](gone.svg)\n"), "gone.svg")

    def test_an_anchor_that_no_heading_makes(self):
        self.one(self.check("[x](architecture.md#room)\n"), "no heading #room")

    def test_the_second_of_equal_headings(self):
        text = "# One\n\n# One\n\n[x](#one) [y](#one-1)"
        self.assertEqual(self.check(text), [])
        self.one(self.check(text + " [z](#one-2)"), "#one-2")

    def test_shell_that_does_not_parse(self):
        self.one(self.check("Text.\n\n    bdnn info 'NET\n"), PAGE + ":3", "parse")
        self.one(self.check("```sh\nfor x in y\n```\n"), PAGE + ":2", "parse")

    def test_of_a_session_what_is_typed(self):
        self.assertEqual(self.check("Text.\n\n    $ bdnn info \\\n      NET\n    what (it says\n"), [])
        self.one(self.check("Text.\n\n    $ bdnn info \\\n      'NET\n    what it says\n"), "parse")

    def test_c_that_does_not_compile(self):
        self.one(self.check("```c\n#include <stdio.h>\nint three(void) { return tree; }\n```\n"), "tree")

    def test_a_fence_without_a_language(self):
        self.one(self.check("\n```\nx\n```\n"), PAGE + ":2", "language")

    def test_paths_that_are_not_there(self):
        self.one(self.check("`host/core/gone.h`\n"), "host/core/gone.h")
        self.one(self.check("`host/core/{file,gone}.h`\n"), "host/core/{file,gone}.h")
        self.one(self.check("Text.\n\n    tests/gone --now\n"), PAGE + ":3", "tests/gone")

    def test_a_comment_that_sends_to_a_page_that_is_not_there(self):
        self.write("host/core/file.h", "\n/* " + GONE + " */\n")
        self.one(self.check(""), "host/core/file.h:2", GONE)


class Spdx(Project):
    def run_main(self, *options):
        with mock.patch.object(sys, "argv", ["spdx.py", *options]), mock.patch("builtins.print") as printed:
            status = spdx.main(self.root)
        return status, printed.call_args[0][0].splitlines()

    def test_lines_are_asked_for_and_added_once(self):
        self.write("run", "#!/bin/sh\ntrue\n")
        self.write("driver/new.c", "")
        status, found = self.run_main()
        self.assertEqual((status, len(found)), (1, len(SOUND) - 1 + 2))
        self.assertEqual(self.run_main("--fix"), (0, []))
        self.assertEqual(self.read("run"), "#!/bin/sh\n# SPDX-License-Identifier: BSD-2-Clause\ntrue\n")
        self.assertEqual(self.read("driver/new.c"), "/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */\n")
        before = {name: self.read(name) for name in SOUND}
        self.assertEqual(before["host/core/file.h"], "/* SPDX-License-Identifier: BSD-2-Clause */\n")
        self.assertEqual(before[RULES], ARCHITECTURE)
        self.assertEqual(self.run_main("--fix"), (0, []))
        self.assertEqual(before, {name: self.read(name) for name in SOUND})

    def test_another_license(self):
        self.run_main("--fix")
        self.write("host/core/new.c", "/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */\n")
        status, found = self.run_main()
        self.assertEqual(status, 1)
        self.one(found, "host/core/new.c", "GPL-2.0 OR BSD-2-Clause")

    def test_a_file_of_a_kind_that_is_not_known(self):
        self.run_main("--fix")
        self.write("host/core/new.odd", "")
        status, found = self.run_main()
        self.assertEqual(status, 1)
        self.one(found, "host/core/new.odd", "does not know")


class Banners(unittest.TestCase):
    def test_forms(self):
        good = "/* ---- Reading ---- */\n"
        self.assertEqual(banners.check("x.c", good), ([], good))
        for bad in ("/* ---- Reading */\n", "/* --- reading\n * ------ */\n", "/* ---- Reading\n * ------\n */\n",
                    "/* ---- Reading -------------------------------------- */\n"):
            found, better = banners.check("x.c", bad)
            self.assertEqual((len(found), better), (1, good), bad)

    def test_names_of_files_stay_as_they_are(self):
        self.assertEqual(banners.check("x.c", "/* ---- memory.c */\n")[1], "/* ---- memory.c ---- */\n")

    def test_what_cannot_be_written_better(self):
        for bad in ("/* ---- " + "long " * 30 + "---- */\n", "/* ------------ */\n"):
            self.assertEqual(len(banners.check("x.c", bad)[0]), 1)

    def test_other_comments_are_left_alone(self):
        for text in ("/* a - b */\n", "    /* ---- x */\n", "/* Words\n * ---- more */\n"):
            self.assertEqual(banners.check("x.c", text), ([], text))


class Tree(Project):
    def test_kinds(self):
        self.write("tests/data/broken.c", "")
        self.write("scripts/run", "#!/usr/bin/env bash\n")
        self.write("scripts/tool", "#!/usr/bin/python3\n")
        self.write("build-x/made.c", "")
        names = tree.files(self.root)
        self.assertEqual(set(names), set(SOUND) | {"scripts/run", "scripts/tool"})
        self.assertEqual([tree.kind(self.root, name) for name in ("scripts/run", "scripts/tool", "host/core/file.h", RULES)],
                         ["shell", "python", "c", "other"])


if __name__ == "__main__":
    unittest.main()
