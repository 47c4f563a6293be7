#!/usr/bin/env python3
"""Writes a C file with the files of the operators' page (src/io/operators.h).

usage: scripts/embed.py OUT FILE...
"""
import sys
from pathlib import Path

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


def main():
    out, files = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    text = ['#include "io/operators.h"', ""]
    rows = []
    for i, file in enumerate(sorted(files, key=lambda f: f.name)):
        content = file.read_bytes()
        text.append(f"static const uint8_t file_{i}[] = {{")
        text += ["    " + ",".join(str(b) for b in content[at:at + 32]) + "," for at in range(0, len(content), 32)]
        text += ["};", ""]
        name = "" if file.name == "index.html" else file.name
        rows.append(f'    {{"/operators/{name}", "{TYPES[file.suffix]}", file_{i}, sizeof(file_{i})}},')
    text += ["const struct operators_file operators_files[] = {", *rows, "};", f"const size_t operators_file_count = {len(rows)};", ""]
    out.write_text("\n".join(text))


main()
