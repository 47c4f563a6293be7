#!/usr/bin/env python3
"""Adds up what the suites of ./test have left in build/results and says it in one line: `N passed, N failed`.

usage: scripts/ci_summary.py RESULTS [--suite NAME]

A suite is a folder RESULTS/NAME with any of
  *.meson.json   meson's testlog.json: one JSON object a line; a cmocka program counts with each of its tests
  *.tap          TAP of node's test runner: every leaf counts
  *.check        the output of a check of ours: `ok - name` and `not ok - name` lines
A suite that ran no test has failed, and so has a file called `broken` in it (a step before the tests went wrong).
"""
import json
import re
import sys
from pathlib import Path


def from_meson(path):
    """(passed, [names of what failed], skipped)"""
    passed, failed, skipped = 0, [], 0
    for line in path.read_text(errors="replace").splitlines():
        entry = json.loads(line)
        name, result = entry["name"], entry["result"]
        output = entry.get("stdout", "") + entry.get("stderr", "")
        inner = sum(int(n) for n in re.findall(r"\[  PASSED  \] (\d+) test", output))
        broken = re.findall(r"\[  FAILED  \] (\w+)$", output, re.M)
        if result == "SKIP":
            skipped += 1
        elif result in ("OK", "EXPECTEDFAIL"):
            passed += max(inner, 1)
        else:
            passed += inner
            failed += [f"{name}: {test}" for test in sorted(set(broken))] or [f"{name}: {result.lower()}"]
    return passed, failed, skipped


def from_tap(path):
    """A line that has deeper ones right before it is their parent; a parent that failed though no child did counts as one."""
    passed, failed, skipped = 0, [], 0
    pending = []                             # (indent, failed below?) of lines whose parent has not come yet
    for line in path.read_text(errors="replace").splitlines():
        match = re.match(r"( *)(not )?ok \d+(?: - (.*))?$", line)
        if not match:
            continue
        indent, bad, name = len(match.group(1)), match.group(2) is not None, match.group(3) or ""
        children = [p for p in pending if p[0] > indent]
        pending = [p for p in pending if p[0] <= indent]
        directive = re.search(r"# (SKIP|TOD[O])\b", name, re.I)
        name = re.sub(r"\s*#.*", "", name)
        if children:
            if bad and not any(p[1] for p in children):
                failed.append(f"{path.stem}: {name}")
        elif directive:
            skipped += 1
        elif bad:
            failed.append(f"{path.stem}: {name}")
        elif not name.endswith((".mjs", ".js")):          # a file without a test is no test
            passed += 1
        pending.append((indent, bad or any(p[1] for p in children)))
    return passed, failed, skipped


def from_check(path):
    passed, failed = 0, []
    for line in path.read_text(errors="replace").splitlines():
        if line.startswith("ok - "):
            passed += 1
        elif line.startswith("not ok - "):
            failed.append(f"{path.stem}: {line[9:]}")
    return passed, failed, 0


READERS = {".meson.json": from_meson, ".tap": from_tap, ".check": from_check}


def suite_result(folder):
    passed, failed, skipped = 0, [], 0
    for path in sorted(folder.iterdir()):
        reader = next((r for suffix, r in READERS.items() if path.name.endswith(suffix)), None)
        if reader is None:
            continue
        p, f, s = reader(path)
        if p + len(f) + s == 0:
            f = [f"{path.name}: ran no test"]
        passed, failed, skipped = passed + p, failed + f, skipped + s
    if (folder / "broken").exists():
        failed += [line for line in (folder / "broken").read_text().splitlines() if line]
    if passed + len(failed) == 0:
        failed.append(f"{folder.name}: ran no test")
    return passed, failed, skipped


def main():
    results = Path(sys.argv[1])
    if "--suite" in sys.argv:
        passed, failed, skipped = suite_result(results / sys.argv[sys.argv.index("--suite") + 1])
        for name in failed:
            print(f"    failed: {name}")
        print(f"    {passed} passed, {len(failed)} failed" + (f", {skipped} skipped" if skipped else ""))
        return 1 if failed else 0
    total_passed, total_failed, total_skipped = 0, [], 0
    for folder in sorted(p for p in results.iterdir() if p.is_dir()):
        passed, failed, skipped = suite_result(folder)
        total_passed, total_failed, total_skipped = total_passed + passed, total_failed + [f"{folder.name}: {name}" for name in failed], total_skipped + skipped
    if total_passed + len(total_failed) == 0:
        total_failed = ["no suite ran"]
    print(f"{total_passed} passed, {len(total_failed)} failed" + (f", {total_skipped} skipped" if total_skipped else ""))
    return 1 if total_failed else 0


sys.exit(main())
