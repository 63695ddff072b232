#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the style asks of the text of the sources: sizes, words, first lines, guards.

Prints a line for each finding; exits 1 when there is one. There is no list of exemptions.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("base", "policy", "resolver", "daemon", "systemd", "tests", ".ci")
TOP_FILES = ("Makefile",)
LINES_MAX = {".c": 500, ".h": 150}
FUNCTION_MAX = 80
COLUMNS_MAX = 90
TAB = 8
SPDX = "SPDX-License-Identifier: Apache-2.0"
BANNED = "strcpy strcat sprintf vsprintf atoi strtok gets rand localtime select alloca".split()
# split, so that this file does not find itself
LEFTOVERS = ("TO" "DO", "FIX" "ME", "XX" "X")

STRING = r'"(?:\\.|[^"\\\n])*"'
CHARACTER = r"'(?:\\.|[^'\\\n])+'"
TOKEN = re.compile(rf"(/\*.*?\*/)|(//[^\n]*)|({STRING}|{CHARACTER})", re.S)


def blank(text):
    """The same number of lines and columns, with nothing on them."""
    return re.sub(r"[^\n]", " ", text)


def code_of(text, found):
    """text without comments and literals; comments to the end of the line are findings."""

    def replace(match):
        if match.group(2) is not None:
            found(text.count("\n", 0, match.start()) + 1, "comment with //: use /* */")
        return blank(match.group(0))

    return TOKEN.sub(replace, text)


def check_first_line(path, text, found):
    lines = text.splitlines()
    first = lines[1] if lines and lines[0].startswith("#!") and len(lines) > 1 else text
    if SPDX not in first.split("\n", 1)[0]:
        found(1, f"first line does not say {SPDX}")
    if path.suffix in (".c", ".h") and not text.startswith(f"/* {SPDX} */\n"):
        found(1, f"first line is not /* {SPDX} */")


def check_lines(path, text, found):
    lines = text.splitlines()
    limit = LINES_MAX.get(path.suffix)
    if limit is not None and len(lines) >= limit:
        found(len(lines), f"{len(lines)} lines: under {limit}")
    for number, line in enumerate(lines, 1):
        if len(line.expandtabs(TAB)) > COLUMNS_MAX:
            found(number, f"{len(line.expandtabs(TAB))} columns: at most {COLUMNS_MAX}")
        if line != line.rstrip():
            found(number, "blanks at the end of the line")
    if text and not text.endswith("\n"):
        found(len(lines), "no end of line at the end")


def check_functions(code, found):
    """A function's name begins its line, its braces stand alone in the first column."""
    lines = code.splitlines()
    name, start = None, 0
    for number, line in enumerate(lines, 1):
        match = re.match(r"(\w+)\(", line)
        if match:
            name, start = match.group(1), number
        elif line.rstrip() == "}" and name:
            if number - start + 1 >= FUNCTION_MAX:
                found(start, f"{name}: {number - start + 1} lines: under {FUNCTION_MAX}")
            name = None
        if re.match(r"[A-Za-z_][\w\s\*]*[\s\*]\w+\([^;=]*$", line) and \
                number < len(lines) and lines[number].rstrip() == "{":
            found(number, "return type stands on a line of its own")


def check_words(code, found):
    for number, line in enumerate(code.splitlines(), 1):
        for word in re.findall(r"(?<![\w.])(?<!->)(\w+)\s*\(", line):
            if word in BANNED:
                found(number, f"{word}() is banned")
        if re.match(r"\s*typedef\b(?!.*\(\*\w+_fn\)\s*\()", line):
            found(number, "typedef is for callback types: NOUN_VERB_fn")


def check_guard(path, text, found):
    guard = re.sub(r"\W", "_", str(path)).upper()
    want = (f"#ifndef {guard}\n#define {guard}\n", "\n#endif\n")
    if want[0] not in text or not text.endswith(want[1]):
        found(1, f"include guard is not {guard}")


def check_include_order(path, text, found):
    if path.suffix != ".c" or path.parts[0] == "tests":
        return
    own = path.with_suffix(".h")
    if not (ROOT / own).exists():
        return
    first = re.search(r"^#include\s+(\S+)", text, re.M)
    if not first or first.group(1) != f'"{own}"':
        found(1, f'the first include is not "{own}"')


def check_leftovers(text, found):
    for number, line in enumerate(text.splitlines(), 1):
        for word in LEFTOVERS:
            if re.search(rf"\b{word}\b", line):
                found(number, f"{word} in the tree")


def check_python(path, text, found):
    try:
        compile(text, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        found(error.lineno or 1, f"does not compile: {error.msg}")


def is_python(path, text):
    return path.suffix == ".py" or re.match(r"#!.*\bpython3?\b", text) is not None


def check(path, text, found):
    if path.suffix in (".c", ".h"):
        code = code_of(text, found)
        check_lines(path, text, found)
        check_functions(code, found)
        check_words(code, found)
        check_include_order(path, text, found)
        if path.suffix == ".h":
            check_guard(path, text, found)
    if path.suffix in (".c", ".h", ".sh", ".py", ".service", ".socket", ".conf", ".catalog") \
            or str(path) == "Makefile" or text.startswith("#!"):
        check_first_line(path, text, found)
    check_leftovers(text, found)
    if is_python(path, text):
        check_python(path, text, found)


def sources():
    for name in TOP_FILES:
        yield ROOT / name
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            parts = path.relative_to(ROOT).parts
            if path.is_file() and "__pycache__" not in parts and \
                    not any(part.endswith(".corpus") for part in parts):
                yield path


def main():
    findings = 0
    for file in sources():
        path = file.relative_to(ROOT)
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # data of a test

        def found(line, message, path=path):
            nonlocal findings
            findings += 1
            print(f"{path}:{line}: {message}")

        check(path, text, found)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
