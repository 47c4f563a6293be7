#!/usr/bin/env python3
"""Writes the table of executions (fuzz/totals.tsv) into docs/RELIABILITY.md, between its marks."""
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/RELIABILITY.md"
BEGIN, END = "<!-- fuzz:begin -->", "<!-- fuzz:end -->"


def main():
    rows = [line.split("\t") for line in (ROOT / "fuzz/totals.tsv").read_text().splitlines()]
    table = "| target | executions | seconds |\n|---|---:|---:|\n"
    table += "".join(f"| `{name}` | {int(count):,} | {int(seconds):,} |\n" for name, count, seconds in rows)
    if not PAGE.exists():
        return
    text = PAGE.read_text()
    head, rest = text.split(BEGIN, 1)
    PAGE.write_text(head + BEGIN + "\n" + table + END + rest.split(END, 1)[1])


if __name__ == "__main__":
    main()
