#!/usr/bin/env python3
"""Length and complexity of every function: the ratchet of the design (section 12, rule 1).

A function of more than 100 lines, or with more than 25 ways through it, needs a line in scripts/long_functions.txt that says why;
a listed one may shrink, not grow; one that no longer needs its line loses it.

usage: scripts/complexity.py [--top N]
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
LINES_MAX = 100
WAYS_MAX = 25
LIST = ROOT / "scripts/long_functions.txt"

BRANCH = re.compile(r"\b(if|for|while|case)\b|&&|\|\||\?")


def blank(text):
    def sub(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    text = re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", sub, text, flags=re.S)
    return re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", sub, text, flags=re.M)


def functions(path):
    """(name, first line, lines, ways) of each function: a brace at the start of a line closes what one at its own line opened."""
    lines = blank(path.read_text()).split("\n")
    start = None
    for index, line in enumerate(lines):
        if start is None and line.startswith("{"):
            head = index - 1
            while head > 0 and not re.match(r"[A-Za-z_]", lines[head]):
                head -= 1
            while head > 0 and lines[head - 1].strip() and re.match(r"[A-Za-z_]", lines[head - 1]) and not lines[head - 1].rstrip().endswith((";", "}", ":")):
                head -= 1
            signature = " ".join(lines[head:index])
            match = re.search(r"(\w+)\s*\(", signature)
            if match:
                start = (match.group(1), head, index)
        elif start is not None and line.startswith("}"):
            name, head, opened = start
            body = "\n".join(lines[opened:index])
            yield name, head + 1, index - head + 1, 1 + len(BRANCH.findall(body))
            start = None


def main():
    found = {}
    for path in sorted(SRC.rglob("*.c")):
        for name, line, length, ways in functions(path):
            found[f"{path.relative_to(ROOT)} {name}"] = (line, length, ways)
    if "--top" in sys.argv:
        count = int(sys.argv[sys.argv.index("--top") + 1])
        for key, (line, length, ways) in sorted(found.items(), key=lambda item: (-item[1][1], -item[1][2]))[:count]:
            print(f"{length:5} lines {ways:4} ways  {key}")
        return 0
    allowed, problems = {}, []
    for number, text in enumerate(LIST.read_text().splitlines() if LIST.exists() else [], 1):
        text = text.strip()
        if not text or text.startswith("#"):
            continue
        match = re.fullmatch(r"(\S+ \w+) (\d+) (\d+)\s+(\S.*)", text)
        if match is None:
            problems.append(f"{LIST.relative_to(ROOT)}:{number}: wants FILE FUNCTION LINES WAYS REASON")
            continue
        allowed[match.group(1)] = (int(match.group(2)), int(match.group(3)))
    for key, (line, length, ways) in found.items():
        most_lines, most_ways = allowed.get(key, (LINES_MAX, WAYS_MAX))
        path, name = key.split()
        if length > max(most_lines, LINES_MAX) or ways > max(most_ways, WAYS_MAX):
            problems.append(f"{path}:{line}: {name} has {length} lines and {ways} ways through it"
                            + (f"; listed with {most_lines} and {most_ways}: it may only shrink" if key in allowed else f"; more than {LINES_MAX} or {WAYS_MAX} need a reason in {LIST.relative_to(ROOT)}"))
    for key in allowed:
        if key not in found:
            problems.append(f"{LIST.relative_to(ROOT)}: {key} is gone; so should its line be")
        elif found[key][1] <= LINES_MAX and found[key][2] <= WAYS_MAX:
            problems.append(f"{LIST.relative_to(ROOT)}: {key} needs its line no longer")
    for problem in problems:
        print(problem)
    print(f"{len(found)} functions, {len(problems)} problems")
    return 1 if problems else 0


sys.exit(main())
