#!/usr/bin/env python3
"""Keeps documents as complete as the code: docs/JANUS-COMPAT.md has to name every key, option, verb, request, field and error code
that the code reads or writes, docs/PLUGINS.md every verb that each request of a plugin can reach; and links have to lead somewhere.
Asked by tidy.py.

usage: scripts/compat.py            says what is missing
       scripts/compat.py --verbs    prints the table of verbs as docs/PLUGINS.md wants it
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
NAMES, VERBS = ROOT / "docs/JANUS-COMPAT.md", ROOT / "docs/PLUGINS.md"

# Where names stand in the code: files, and what to look for in them. The last group of each is the name.
PLACES = [
    ("key", "settings/read.c", r'(?:conf_\w+|at_least|text_or_null|read_list|read_array)\([^"\n]*"(\w+)"'),
    ("key", "settings/unbuilt.c", r'\{"\w+", "(\w+)", TOLD'),
    ("option", "settings/options.c", r"(?:SWITCH|VALUE|OTHER)\((?:'.'|0), \"([\w-]+)\""),
    ("key", "io/websocket_config.c", r'(?:conf_\w+|text)\(\w+, "(\w+)"'),
    ("key", "io/websocket_config.c", r'"(admin_\w+)"'),
    ("key", "plugins/videoroom/conf_rooms.c", r'(?:conf_\w+|positive|text_or_null)\(node, "(\w+)"'),
    ("key", "plugins/videoroom/videoroom.c", r'conf_\w+\((?:conf|general), "(\w+)"'),
    ("verb", "control/api_dispatch.c", r'\{"(\w+)", LEVEL_|is_verb\(request, "(\w+)"\)'),
    ("key of info", "control/info.c", r'jout_(?:string|int|bool|array|object)\(&?j, "([\w-]+)"'),
    ("field", "control/*.c", r'\{"(\w+)", ELEMENT_'),
    ("field", "plugins/*/*.c", r'\{"(\w+)", SCHEMA_'),
    ("key", "plugins/textroom/conf_rooms.c", r'(?:conf_\w+|text_or_null)\(node, "(\w+)"'),
    ("key", "plugins/textroom/textroom.c", r'conf_\w+\((?:conf|general), "(\w+)"'),
    ("request", "plugins/textroom/*.c", r'\{"(\w+)", TR_'),
    ("error", "plugins/textroom/textroom.h", r"TR_\w+ = (4\d\d)"),
    ("request", "plugins/videoroom/*.c", r'\{"(\w+)", (?:VR_FIELDS|NULL, 0,)'),
    ("event", "control/*.c", r'event_begin\(c, &j, [^"\n]*"([\w-]+)"|plain_event\(c, [^"\n]*"([\w-]+)"'),
    ("error", "control/*.c", r"reply_error\(c, [^,]+, (\d+)|fail\(error, (\d+)"),
    ("error", "plugins/videoroom/videoroom.h", r"VR_\w+ = (4\d\d)"),
    ("error", "plugins/echotest/echotest.h", r"ECHO_ERROR_\w+\s+(\d+)"),
    ("reason", "control/handle.c", r'case HANGUP_\w+: return "([^"]+)"'),
]


def backticked(path):
    """All that stands between backticks, whole and in words."""
    spans = re.findall(r"`([^`\n]+)`", path.read_text()) if path.exists() else []
    return set(spans) | {word.lstrip("-") for span in spans for word in re.split(r"[^\w-]+", span)}


def names_in_code():
    for kind, files, pattern in PLACES:
        for path in sorted(SRC.glob(files)):
            for match in re.finditer(pattern, path.read_text()):
                yield kind, next(group for group in match.groups() if group), path


def missing_names():
    said, told = backticked(NAMES), set()
    for kind, name, path in names_in_code():
        if name not in said and (kind, name) not in told:
            told.add((kind, name))
            yield f"does not mention the {kind} `{name}` (src/{path.relative_to(SRC)})"


# ---- verbs ----

def functions(folder):
    """(file, name) -> body, and name -> file for those that are not static. A definition begins at the start of a line, its brace
    on the next."""
    bodies, shared = {}, {}
    for path in sorted(folder.glob("*.c")):
        for match in re.finditer(r"^(static )?[\w][^;{}#\n]*?\b(\w+)\([^;{}]*\)\n\{\n(.*?)^\}", path.read_text(), re.M | re.S):
            bodies[path, match.group(2)] = match.group(3)
            if not match.group(1):
                shared[match.group(2)] = path
    return bodies, shared


# Verbs that any request may use: they ask, and change nothing.
EVERYWHERE = {"hash_key", "now", "wall_us", "date", "rng", "log", "reply", "config_path"}


def verbs_of(path, function, bodies, shared):
    todo, seen, verbs = [(path, function)], set(), set()
    while todo:
        path, name = todo.pop()
        place = (path, name) if (path, name) in bodies else (shared.get(name), name)
        if place in seen or place not in bodies:
            continue
        seen.add(place)
        todo += [(place[0], called) for called in re.findall(r"\b(\w+)\s*\(", bodies[place])]
        verbs |= set(re.findall(r"\bhost_(\w+)\(", bodies[place]))
    return sorted(verbs - EVERYWHERE)


ROLES = {"join_requests": "", "vr_sync_requests": "", "vr_publisher_requests": "publisher: ", "vr_subscriber_requests": "subscriber: ",
         "tr_room_requests": "", "tr_manage_requests": "", "tr_talk_requests": "data channel: ", "tr_setup_requests": ""}


def entries(folder):
    """(what, file, function): requests from the tables, then the core's calls from the descriptor."""
    rows, calls = [], []
    for path in sorted(folder.glob("*.c")):
        text = path.read_text()
        for table, body in re.findall(r"const struct (?:vr|tr)_request (\w+)\[\] = \{\n(.*?)\n\};", text, re.S):
            rows += [(ROLES[table] + name, path, function) for name, function in re.findall(r'\{"(\w+)", .*?(\w+)\},?$', body, re.M)]
        for callback, function in re.findall(r"\.(message|setup_media|hangup_media|detach|slow_link|sink_layer|data|data_ready|tick) = (\w+),", text):
            calls.append((f"({callback})", path, function))
    if not rows:
        rows = [("any request", path, function) for what, path, function in calls if what == "(message)"]
    return rows + [call for call in calls if call[0] != "(message)"]


def verb_rows():
    for folder in sorted(path for path in (SRC / "plugins").iterdir() if path.is_dir()):
        bodies, shared = functions(folder)
        for what, path, function in entries(folder):
            verbs = " ".join(f"`{verb}`" for verb in verbs_of(path, function, bodies, shared))
            yield f"| {folder.name} | {what} | {verbs or '-'} |"


def missing_verbs():
    lines = VERBS.read_text().splitlines() if VERBS.exists() else []
    for row in verb_rows():
        if row not in lines:
            yield f"lacks, or has otherwise, the row {row}"
    declared = set(re.findall(r"\bhost_\w+(?=\()", (SRC / "plugins/plugin.h").read_text()))
    for verb in sorted(declared - backticked(VERBS)):
        yield f"does not mention `{verb}` (src/plugins/plugin.h)"


# ---- limits ----

LIMITS = ["base/limits.h", "io/limits.h", "helpers/poster.h", "plugins/acl.h", "plugins/textroom/textroom.h", "plugins/videoroom/videoroom.h", "proto/sdp/sdp.h"]
INSIDE = {"IO_LISTENERS_MAX", "SITE_DEPTH_MAX", "SITE_PATH_MAX"}          # nobody outside meets them


def limits():
    """Name -> number, of all that is defined as one."""
    found = {}
    for path in LIMITS:
        for name, value in re.findall(r"^#define (\w+)\s+([(\w *)]*\d\w*[ \w*)]*)", (SRC / path).read_text(), re.M):
            factors = re.findall(r"\d+", re.sub(r"(\d)u?l?\b", r"\1", value.split("/*")[0]))
            found[name] = 1
            for factor in factors:
                found[name] *= int(factor)
    return found


def shown(number):
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if number % unit == 0 and number >= 64 * 1024:
            yield f"{number // unit} {name}"
    yield f"{number:,}"


def wrong_limits():
    """docs/OPERATORS.md: the table of limits, its last column their names."""
    path, known, told = ROOT / "docs/OPERATORS.md", limits(), set()
    for row in re.findall(r"^\|.*\|$", path.read_text(), re.M):
        for name in re.findall(r"`([A-Z_]{5,})`", row.rsplit("|", 2)[1]):
            told.add(name)
            if name not in known:
                yield path, f"names {name}, which is no limit in src"
            elif not any(re.search(rf"(?<!\d)(?<!\d,){re.escape(text)}(?!\d|,\d)", row) for text in shown(known[name])):
                yield path, f"has another number than {known[name]:,} for {name}"
    for name in sorted(known):
        if re.search(r"_MAX$", name) and name not in told | INSIDE and not name.startswith(("TR_", "VR_", "SDP_")):
            yield path, f"does not mention the limit {name}"


# ---- links ----

def anchors(path):
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def broken_links():
    """Of README.md and docs/: files that are not there, and headings that are not in them."""
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
            name, _, anchor = target.partition("#")
            there = path.parent / name if name else path
            if "://" in target:
                continue
            if not there.exists():
                yield path, f"links to {target}: there is no such file"
            elif anchor and anchor not in anchors(there):
                yield path, f"links to {target}: there is no such heading"


# ---- tables of what is covered by which test ----

def uncovered():
    """Rows below a heading "Tests": names, then files; each name has to stand in one of them. Of the plugin's requests and keys none is missing."""
    for section in re.split(r"^### ", NAMES.read_text(), flags=re.M):
        if not section.startswith("Tests of "):
            continue
        named = set()
        for row in re.findall(r"^\|[^|\n]*\|[^|\n]*`[^|\n]*\|[^|\n]*\|$", section, re.M):
            names, files = (re.findall(r"`([^`]+)`", part) for part in row.strip("|").rsplit("|", 2)[1:])
            named |= set(names)
            texts = [(ROOT / file).read_text() if (ROOT / file).exists() else "" for file in files]
            yield from (f"names the test {file}, which is not there" for file, text in zip(files, texts) if text == "")
            yield from (f"says that {name} is covered by {', '.join(files)}: it does not stand there" for name in names
                        if not any(re.search(rf"\b{re.escape(name)}\b", text) for text in texts))
        folder = SRC / "plugins" / section.split()[2].lower()
        for path in sorted(folder.glob("*.c")):
            for name in re.findall(r'\{"(\w+)", (?:VR_FIELDS|NULL, 0,)', path.read_text()):
                if name not in named:
                    yield f"names no test of the request {name} ({path.name})"


def problems():
    yield from broken_links()
    yield from ((NAMES, text) for text in uncovered())
    yield from wrong_limits()
    yield from ((NAMES, text) for text in missing_names())
    yield from ((VERBS, text) for text in missing_verbs())


if __name__ == "__main__":
    if "--verbs" in sys.argv[1:]:
        print("\n".join(verb_rows()))
        sys.exit(0)
    count = 0
    for path, text in problems():
        count += 1
        print(f"{path.relative_to(ROOT)} {text}")
    sys.exit(count > 0)
