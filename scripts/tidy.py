#!/usr/bin/env python3
"""The rules of the house that a program can check. Prints what breaks one, and exits 1 if anything does.

usage: scripts/tidy.py [--quick]     --quick leaves out the one check that runs the compiler (headers compile alone)
"""
import fnmatch
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True        # no __pycache__ in the tree
import compat

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
FILE_LINES_MAX = 1000

# Functions with no bound, hidden state, a clock or a lock in them. What is used instead stands behind.
BANNED = {
    "strcpy": "base/str.h", "strcat": "base/str.h", "strncpy": "base/str.h", "sprintf": "base/buf.h", "vsprintf": "base/buf.h",
    "gets": "", "strtok": "base/str.h", "strtok_r": "base/str.h", "atoi": "str_to_int", "atol": "str_to_int", "atoll": "str_to_int",
    "atof": "base/str.h", "scanf": "base/bytes.h", "sscanf": "base/bytes.h", "rand": "struct rng", "random": "struct rng",
    "srand": "struct rng", "drand48": "struct rng", "time": "usec_t now", "gettimeofday": "usec_t now", "localtime": "localtime_r",
    "gmtime": "gmtime_r", "ctime": "localtime_r", "asctime": "localtime_r", "getaddrinfo": "the dns helper", "gethostbyname": "the dns helper",
    "inet_ntoa": "base/net.h", "inet_addr": "base/net.h", "system": "", "popen": "", "alloca": "", "tmpnam": "", "mktemp": "",
    "setjmp": "", "longjmp": "",
}
# Where one of them is what the file is for.
BANNED_EXCEPT = {
    ("helpers/dns.c", "getaddrinfo"), ("boot_stun.c", "getaddrinfo"),
    ("runtime/gettimeofday.c", "gettimeofday"), ("runtime/gettimeofday.c", "time"),
}
# A thread's business, and waiting: runtime only (design sections 0 and 11).
RUNTIME_ONLY = re.compile(r"\b(pthread_\w+|thrd_\w+|mtx_\w+|cnd_\w+|atomic_\w+|_Atomic|__atomic_\w+|__sync_\w+|sleep|usleep|nanosleep|clock_nanosleep|"
                          r"clock_gettime|sched_yield)\b")
# A helper is one blocking job in a loop of its own (design section 7): it may read the wall clock for its stamps.
RUNTIME_ONLY_EXCEPT = {("helpers/logger.c", "clock_gettime")}
NO_LOCKS = re.compile(r"\b(pthread_(mutex|cond|rwlock|spin|barrier)\w*|mtx_\w+|cnd_\w+|sem_(wait|post|init)\w*)\b")
MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
TWINS = ["base", "proto", "media"]
TWINLESS = {"base/check.h", "base/mem.h", "base/types.h"}          # seams: what stands behind them is the tests' own

problems = []


def complain(path, line, text):
    where = path.relative_to(ROOT) if isinstance(path, Path) else path
    problems.append(f"{where}:{line}: {text}" if line else f"{where}: {text}")


def strip_comments(text):
    """The same text with comments and the insides of literals blanked: lines and columns stay."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0)) if match.group(0)[0] == "/" else match.group(0)[0] + " " * (len(match.group(0)) - 2) + match.group(0)[-1]
    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank, text, flags=re.S)


def tracked(*folders, suffixes=(".c", ".h")):
    for folder in folders:
        base = ROOT / folder
        for path in sorted(base.rglob("*") if base.is_dir() else [base] if base.exists() else []):
            if path.suffix in suffixes and path.is_file() and "node_modules" not in path.parts:
                yield path


# ---- include directions ----

def read_layers():
    layers, system = {}, {}
    for number, line in enumerate((ROOT / "scripts/layers.txt").read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        name, colon, items = line.partition(":")
        if not colon:
            complain("scripts/layers.txt", number, "a line without a colon")
            continue
        listed = [item.strip() for item in items.split(",") if item.strip()]
        if name.startswith("system "):
            system[name[7:].strip()] = listed
        else:
            layers[name.strip()] = listed
    return layers, system


def is_below(path, layer):
    return path == layer or path.startswith(layer + "/")


def layer_of(path, layers):
    fitting = [layer for layer in layers if is_below(path, layer)]
    return max(fitting, key=len) if fitting else None


def item_allows(item, target):
    if item == "*":
        return True
    if "*" in item:
        return fnmatch.fnmatch(target, item)
    return is_below(target, item)


def check_includes():
    layers, system = read_layers()
    for path in tracked("src"):
        rel = str(path.relative_to(SRC))
        own = layer_of(rel, layers)
        if own is None:
            complain(path, 0, "in no layer of scripts/layers.txt")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
            if not match:
                continue
            target = match.group(2)
            if match.group(1) == "<":
                if layers[own] == ["*"]:
                    continue
                for pattern, allowed in system.items():
                    if fnmatch.fnmatch(target, pattern) and not any(is_below(rel, layer) for layer in allowed):
                        complain(path, number, f"<{target}> is not for {own} (scripts/layers.txt)")
                continue
            if not (SRC / target).exists():
                if (path.parent / target).exists():
                    complain(path, number, f'"{target}" must be written from src, as "{path.parent.relative_to(SRC)}/{target}"')
                continue                     # made by the build
            there = layer_of(target, layers)
            if there == own or any(item_allows(item, target) for item in layers[own]):
                continue
            complain(path, number, f"{own} may not include {target} (scripts/layers.txt)")


# ---- words ----

def check_words():
    for path in tracked("src", "tests/unit", "fuzz", "bench", "sim", "client", "tools"):
        raw = path.read_text()
        code = strip_comments(raw)
        in_src = SRC in path.parents
        rel = str(path.relative_to(SRC)) if in_src else ""
        for number, line in enumerate(raw.splitlines(), 1):
            if MARKS.search(line):
                complain(path, number, f"{MARKS.search(line).group(0)}: finish it, or make it an issue")
            if "\t" in line:
                complain(path, number, "a tab")
            if line.rstrip() != line:
                complain(path, number, "blanks at the end of the line")
        for number, line in enumerate(code.splitlines(), 1):
            if NO_LOCKS.search(line) and path.relative_to(ROOT).parts[0] != "bench":      # a bench watches others for locks
                complain(path, number, f"{NO_LOCKS.search(line).group(0)}: there are no locks here (design, rule 2)")
            if not in_src:
                continue
            for match in re.finditer(r"(?<![\w.>])(\w+)\s*\(", line):
                name = match.group(1)
                if name in BANNED and (rel, name) not in BANNED_EXCEPT and not re.search(r"\b(void|int|bool|struct \w+ \*?)\s+\*?$", line[:match.start()]):
                    complain(path, number, f"{name}() is banned" + (f"; use {BANNED[name]}" if BANNED[name] else ""))
            match = RUNTIME_ONLY.search(line)
            if match and not rel.startswith("runtime/") and (rel, match.group(1)) not in RUNTIME_ONLY_EXCEPT:
                complain(path, number, f"{match.group(1)} outside src/runtime")


def check_other_marks():
    own = Path(__file__).resolve()
    for path in tracked("web", "tests", "test", "scripts", "conf", "docs", ".ci", "run", suffixes=(".js", ".mjs", ".css", ".html", ".sh", ".py", ".md", ".jcfg", "")):
        if path.resolve() == own or path.suffix in (".c", ".h"):
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if MARKS.search(line):
                complain(path, number, f"{MARKS.search(line).group(0)}: finish it, or make it an issue")


# ---- sizes ----

def check_file_sizes():
    for path in tracked("src", "tests", "fuzz", "bench", "sim", "client", "tools", "web", "scripts", suffixes=(".c", ".h", ".mjs", ".js", ".py", ".sh", ".css")):
        lines = path.read_text(errors="replace").count("\n")
        if lines > FILE_LINES_MAX:
            complain(path, 0, f"{lines} lines; past {FILE_LINES_MAX} a file is split by concern")


# ---- twins, headers, documents ----

# What stands in the root, and nothing else: a core dump or a failed seed's scenario left by a run is nobody's source.
ROOT_FILES = {".gitignore", ".npmrc", "LICENSE", "NOTICE", "README.md", "meson.build", "meson_options.txt", "package-lock.json", "package.json", "run", "test"}
TRACKED_BYTES_MAX = 1_000_000


def check_strays():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if "/" not in name and name not in ROOT_FILES:
            complain(path, 1, "does not belong into the root of the repository")
        if path.is_file() and path.stat().st_size > TRACKED_BYTES_MAX:
            complain(path, 1, f"has more than {TRACKED_BYTES_MAX} bytes")


def check_twins():
    """A module of base, proto or media is a public header, one that another folder includes; a test of the same folder under
    tests/unit includes it."""
    includes = {}
    for path in tracked("src"):
        for name in re.findall(r'#include "([^"]+)"', path.read_text()):
            includes.setdefault(name, set()).add(path.parent)
    for layer in TWINS:
        for path in tracked(f"src/{layer}", suffixes=(".h",)):
            rel = path.relative_to(SRC)
            if re.search(r"_(types|private|internal|inner|impl)$", rel.stem) or not re.search(r"^[\w ]+\**\w+\(", strip_comments(path.read_text()), re.M):
                continue
            if str(rel) in TWINLESS or not includes.get(str(rel), set()) - {path.parent}:
                continue
            folder = (ROOT / "tests/unit" / rel).parent
            if not any(f'#include "{rel}"' in test.read_text() for test in (folder.glob("*.[ch]") if folder.is_dir() else [])):
                complain(path, 0, f"no test in {folder.relative_to(ROOT)} includes it")


def compile_flags(path):
    return ["-x", "c", "-std=gnu17", "-fsyntax-only", "-Wall", "-Wextra", "-D_GNU_SOURCE", f"-I{SRC}"]


def check_headers_alone():
    def alone(path):
        source = f'#include "{path.relative_to(SRC)}"\n'
        result = subprocess.run(["gcc", *compile_flags(path), "-"], input=source, capture_output=True, text=True)
        return path, result
    headers = list(tracked("src", suffixes=(".h",)))
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        for path, result in pool.map(alone, headers):
            if result.returncode != 0:
                first = next((l for l in result.stderr.splitlines() if "error" in l), result.stderr[:200])
                complain(path, 0, f"does not compile alone: {first}")
            if "#pragma once" not in path.read_text():
                complain(path, 0, "has no #pragma once")


def defined_names():
    names = {}
    for path in tracked("src"):
        code = strip_comments(path.read_text())
        for match in re.finditer(r"\b(\w+)\s*\(", code):
            names.setdefault(match.group(1), set()).add(str(path.relative_to(SRC)))
    return names


def check_documents():
    """In docs/ARCHITECTURE.md, `folder/file.c name` means that name() is in that file; `folder/file.c` that it exists."""
    document = ROOT / "docs/ARCHITECTURE.md"
    if not document.exists():
        return
    names = defined_names()
    text = document.read_text()
    for number, line in enumerate(text.splitlines(), 1):
        for quoted in re.findall(r"`([^`]+)`", line):
            match = re.fullmatch(r"([\w./-]+\.[ch])(?:\s+(\w+)(?:\(\))?)?", quoted.strip())
            if not match:
                continue
            path, name = match.group(1).removeprefix("src/"), match.group(2)
            if not (SRC / path).exists() and not (ROOT / path).exists():
                complain(document, number, f"`{quoted}`: there is no {path}")
            elif name and path not in names.get(name, set()):
                complain(document, number, f"`{quoted}`: {path} has no {name}")
        for name in re.findall(r"`(\w+)\(\)`", line):
            if name not in names:
                complain(document, number, f"`{name}()` is nowhere in src")


def check_compat():
    """docs/JANUS-COMPAT.md and docs/PLUGINS.md name all that the code has (scripts/compat.py)."""
    for path, text in compat.problems():
        complain(path, 0, text)


def check_lock_file():
    lock = ROOT / "package-lock.json"
    if lock.exists() and ("://" in lock.read_text() or '"resolved"' in lock.read_text()):
        complain(lock, 0, "holds addresses; `npm config get omit-lockfile-registry-resolved` must be true, and \"funding\" goes too")


def check_configuration():
    """conf/ ships no secret."""
    for path in tracked("conf", suffixes=(".jcfg",)):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.match(r"\s*(\w*secret|admin_key|pin|turn_pwd|cert_pwd)\s*[:=]", line):
                complain(path, number, "a secret is shipped")


def main():
    quick = "--quick" in sys.argv[1:]
    checks = [check_includes, check_words, check_other_marks, check_file_sizes, check_strays, check_twins, check_documents, check_compat, check_lock_file, check_configuration]
    if not quick:
        checks.append(check_headers_alone)
    failed = 0
    for check in checks:
        before = len(problems)
        check()
        ok = len(problems) == before
        failed += not ok
        print(f"{'ok' if ok else 'not ok'} - {check.__name__.removeprefix('check_')}")
        for problem in problems[before:]:
            print(f"    {problem}")
    print(f"{len(checks) - failed} checks passed, {failed} failed, {len(problems)} problems")
    return 1 if failed else 0


sys.exit(main())
