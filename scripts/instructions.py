#!/usr/bin/env python3
"""Counts instructions per packet and per request on fixed input, and compares with what bench/instructions.txt allows.

usage: scripts/instructions.py BUILD [--write]

BUILD is a folder of a release build with tests and tools. valgrind's callgrind counts: the same program with the same input gives
the same number on any machine, however busy it is. Each row runs twice with different counts, and the difference is divided by
the difference of the counts, so that start and end cost nothing. Gated is what our own code needs; what libraries need is shown
beside it. A row may need 3 % more than it is allowed (other compilers than gcc 12: 15 %). --write writes what was counted.
"""
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = ROOT / "bench/instructions.txt"


def pairs(n):
    return n * (n - 1) // 2


# name: (program, arguments before the count, two counts, count -> units; None: the program prints its units)
ROWS = {
    "packet to one of 10 viewers": ("count_packets", ["10"], (10, 40), None),
    "packet to one of 60 viewers": ("count_packets", ["60"], (5, 15), None),
    "create, attach, join, detach, destroy": ("count_requests", ["cycle"], (40, 120), lambda n: n),
    "a participant told of one who joins": ("count_requests", ["join"], (60, 120), pairs),
    "list of 100 rooms": ("count_requests", ["list"], (5, 25), lambda n: n),
}


# The double of the runtime, and the clients: not what is measured.
NOT_OURS = re.compile(r"(server|fake|world|endpoint|synth|hear|probe)_|main$")


def self_costs(path):
    """{(object file, function): instructions} of a callgrind.out file."""
    costs, names, now, skip = defaultdict(int), {}, {"ob": "?", "fn": "?"}, False
    for line in path.read_text().splitlines():
        if match := re.match(r"(c?)(ob|fn)=(\(\d+\))(?: (.*))?$", line):
            called, kind, number, name = match.groups()
            if name:
                names[kind, number] = name
            if not called:
                now[kind] = names[kind, number]
        elif line.startswith("calls="):
            skip = True                                  # the next line has what was called: it is counted there
        elif match := re.match(r"[+\-*\d]\S* (\d+)$", line):
            if not skip:
                costs[now["ob"], now["fn"]] += int(match[1])
            skip = False
    return costs


def kind_of(program, file, function):
    if Path(file).name == program.name:
        return "double" if NOT_OURS.match(function) else "ours"
    return "JSON" if "jansson" in file else "crypto" if "crypto" in file or "IPSec" in file else "rest"


def count(program, arguments, number):
    """({group: instructions}, units printed)"""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        run = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", str(program), *arguments, str(number)],
                             capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit(f"instructions.py: {program} {arguments} {number}: {run.stderr[-2000:]}")
        groups = defaultdict(int)
        for (file, function), cost in self_costs(out).items():
            groups[kind_of(program, file, function)] += cost
        return groups, int(run.stdout.split()[-1])


def measure(build, row):
    program, arguments, (few, many), units = row
    program = build / "bench" / program
    (small, small_units), (large, large_units) = (count(program, arguments, number) for number in (few, many))
    per = (units(many) - units(few)) if units else large_units - small_units
    return {kind: (large[kind] - small[kind]) / per for kind in large}


def tolerance(build):
    log = (build / "meson-logs/meson-log.txt").read_text(errors="replace")
    return 0.03 if re.search(r"C compiler for the host machine: .*gcc 12\.", log) else 0.15


def main():
    build = Path(sys.argv[1]).resolve()
    write = "--write" in sys.argv
    subprocess.run(["ninja", "-C", build, "bench/count_packets", "bench/count_requests"], check=True, stdout=subprocess.DEVNULL)
    allowed = {}
    if ALLOWED.exists():
        allowed = {name: int(number) for number, name in re.findall(r"^(\d+) +(.+)$", ALLOWED.read_text(), re.M)}
    slack, failed, counted = tolerance(build), False, {}
    with ThreadPoolExecutor(2) as lanes:
        results = list(lanes.map(lambda row: measure(build, row), ROWS.values()))
    for name, found in zip(ROWS, results):
        ours = counted[name] = round(found["ours"])
        rest = ", ".join(f"{kind} {round(found[kind])}" for kind in ("JSON", "crypto", "rest") if round(found.get(kind, 0)) > 0)
        good = write or (name in allowed and ours <= allowed[name] * (1 + slack))
        failed = failed or not good
        print(f"{'ok' if good else 'not ok'} - {name}: {ours} instructions of ours, {allowed.get(name, 'none')} allowed ({rest})")
    if write:
        head = "".join(line + "\n" for line in ALLOWED.read_text().splitlines() if line.startswith("#")) if ALLOWED.exists() else ""
        ALLOWED.write_text(head + "".join(f"{number:<8}{name}\n" for name, number in counted.items()))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
