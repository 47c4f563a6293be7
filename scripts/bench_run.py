#!/usr/bin/env python3
"""Runs every bench, this server and Debian's janus in turns, and writes the tables of docs/PERFORMANCE.md (scripts/bench.sh)."""
import argparse
import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/PERFORMANCE.md"
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
JANUS = os.environ.get("JANUS_BIN", "/usr/bin/janus")
RUN_SECONDS = 300

CORE = 'general: { debug_level = 4 }\n'
# Modules of the reference that are not measured, and crash it when they find nothing to do.
CORE_JANUS = CORE + ('transports: { disable = "libjanus_http.so,libjanus_nanomsg.so,libjanus_mqtt.so,libjanus_rabbitmq.so,libjanus_pfunix.so" }\n')
ROOM = 'room-1234: { description = "Bench"  publishers = 20  bitrate = 0  videocodec = "vp8" }\n'


def say(text):
    print(text, file=sys.stderr, flush=True)


class Server:
    """A fresh process with a configuration of its own, on a free port. Prefixes: commands that run it, and a client of it, elsewhere."""

    def __init__(self, name, binary, address="127.0.0.1", near=(), far=()):
        self.name = name
        self.address, self.far = address, far
        self.folder = Path(tempfile.mkdtemp(prefix=f"cardea-bench-{name}-"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        files = {
            "janus.jcfg": CORE_JANUS if name == "janus" else CORE,
            "janus.transport.websockets.jcfg": f'general: {{ json = "compact"  ws = true  ws_ip = "{address}"  ws_port = {self.port} }}\n',
            "janus.plugin.videoroom.jcfg": ROOM,
            "janus.plugin.textroom.jcfg": 'general: { events = false  json = "compact" }\nroom-1234: { description = "bench" }\n',
            "janus.plugin.echotest.jcfg": "general: { events = false }\n",
        }
        for file, text in files.items():
            (self.folder / file).write_text(text)
        with open(self.folder / "log", "w") as log:
            self.process = subprocess.Popen([*near, binary, "-F", str(self.folder), "-C", str(self.folder / "janus.jcfg")], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, cwd=self.folder)
        self.wait_until_it_listens()

    def wait_until_it_listens(self):
        limit = time.monotonic() + 20
        while time.monotonic() < limit and self.process.poll() is None:
            reach = [*self.far, "bash", "-c", f": < /dev/tcp/{self.address}/{self.port}"]
            if subprocess.run(reach, stderr=subprocess.DEVNULL).returncode == 0:
                time.sleep(0.5)
                return
            time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"{self.name} does not listen: {(self.folder / 'log').read_text()[-500:]}")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Bench:
    def __init__(self, options):
        self.options = options
        self.build = ROOT / options.build
        self.servers = {"cardea": str(self.build / "cardea")}
        if options.no_reference:
            say("without janus, as asked")
        elif os.access(JANUS, os.X_OK):
            self.servers["janus"] = JANUS
        else:
            say("no janus here (package janus): measured alone")

    def load(self, name, arguments):
        """One run of cardea-load against a fresh server: its JSON, or None (said on stderr)."""
        server = Server(name, self.servers[name])
        command = [str(self.build / "tools/load/cardea-load"), *arguments, "--json", "--server", f"127.0.0.1:{server.port}", "--pid", str(server.process.pid)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS)
            if done.returncode == 0:
                return json.loads(done.stdout)
            say(f"  {name}: {done.stderr.strip()}")
        except subprocess.TimeoutExpired:
            say(f"  {name}: no end within {RUN_SECONDS} s")
        finally:
            server.stop()
        return None

    def rounds(self, arguments, left_out=()):
        """{server: {key: [a value per round]}}, the servers in turns."""
        results = {name: {} for name in self.servers}
        for round_number in range(self.options.rounds):
            for name in self.servers:
                if name in left_out:
                    continue
                say(f"  round {round_number + 1}: {name}: cardea-load {' '.join(arguments)}")
                run = self.load(name, arguments)
                for key, value in (run or {}).items():
                    results[name].setdefault(key, []).append(value)
        return results


def number(value, decimals):
    return f"{value:,.{decimals}f}"


def shown(values, decimals=0):
    """The median, and the range when there is one."""
    if not values:
        return "failed"
    middle, low, high = (number(f(values), decimals) for f in (statistics.median, min, max))
    return middle if low == high else f"{middle} ({low} to {high})"


def table(results, rows):
    """rows: (text, key, decimals). One column per server."""
    lines = ["| | " + " | ".join(results) + " |", "|---" * (len(results) + 1) + "|"]
    for text, key, decimals in rows:
        lines.append(f"| {text} | " + " | ".join(shown(run.get(key, []), decimals) for run in results.values()) + " |")
    return lines


def median_of(results, name, key):
    values = results.get(name, {}).get(key, [])
    return statistics.median(values) if values else None


CONSTANTS = [("threads, at 1 and at all", ("threads_at_1", "threads")), ("UDP sockets", ("udp_sockets_at_1", "udp_sockets")),
             ("descriptors", ("descriptors_at_1", "descriptors"))]


def constants(results):
    lines = []
    for text, (one, every) in CONSTANTS:
        cells = []
        for run in results.values():
            cells.append(f"{shown(run.get(one, []))} / {shown(run.get(every, []))}" if run else "failed")
        lines.append(f"| {text} | " + " | ".join(cells) + " |")
    return lines


def is_constant(results, *keys):
    run = results["cardea"]
    return bool(run) and all(run[one] == run[every] for _, (one, every) in CONSTANTS if one in keys)


# ---- the benches: each returns (title, command, lines) and leaves its goals ----

def bench_api(bench, goals):
    arguments = ["api", "--cycles", "3000", "--connections", "16"]
    results = bench.rounds(arguments)
    goals.append(("API cycle, server CPU", "150 us or less", median_of(results, "cardea", "server_cpu_per_cycle"), "us", lambda v: v <= 150))
    rows = [("cycles/s", "cycles_per_s", 0), ("server CPU per cycle, us", "server_cpu_per_cycle", 1)]
    return "Requests: create, attach, join, detach, destroy", arguments, table(results, rows)


def bench_idle(bench, goals):
    count = "10000" if bench.options.full else "4000"
    arguments = ["idle", "--count", count, "--connections", "100"]
    results = bench.rounds(arguments)
    goals.append(("idle session with a handle", "2 KB or less", median_of(results, "cardea", "bytes_per_session"), "B", lambda v: v <= 2048))
    goals.append((f"threads and UDP sockets at 1 and {int(count):,} handles", "the same",
                  "the same" if is_constant(results, "threads_at_1", "udp_sockets_at_1", "descriptors_at_1") else "not the same", "", lambda v: v == "the same"))
    lines = table(results, [("RSS per session with its handle, bytes", "bytes_per_session", 0)]) + constants(results)
    return f"{int(count):,} idle sessions with a VideoRoom handle each", arguments, lines


def bench_peers(bench, goals):
    count = "500" if bench.options.full else "200"
    arguments = ["peers", "--mode", "echo", "--count", count, "--seconds", "10" if bench.options.full else "5"]
    results = bench.rounds(arguments)
    goals.append(("idle PeerConnection, audio and video", "40 KB or less", median_of(results, "cardea", "bytes_per_peer"), "B", lambda v: v <= 40960))
    goals.append((f"threads and UDP sockets at 1 and {count} PeerConnections", "the same",
                  "the same" if is_constant(results, "threads_at_1", "udp_sockets_at_1", "descriptors_at_1") else "not the same", "", lambda v: v == "the same"))
    rows = [("RSS per PeerConnection, bytes", "bytes_per_peer", 0), ("server CPU to set one up, us", "server_cpu_to_set_up", 0),
            ("idle CPU of all, % of a core", "idle_cpu", 2)]
    return f"{count} PeerConnections to the EchoTest, connected, without media", arguments, table(results, rows) + constants(results)


def bench_viewers(bench, goals):
    count = "500" if bench.options.full else "200"
    arguments = ["peers", "--mode", "room", "--count", count, "--seconds", "5"]
    results = bench.rounds(arguments)
    rows = [("RSS per viewer, bytes", "bytes_per_peer", 0), ("server CPU to set one up, us", "server_cpu_to_set_up", 0),
            ("idle CPU of all, % of a core", "idle_cpu", 2)]
    return f"{count} viewers of a VideoRoom's publisher, connected, without media", arguments, table(results, rows) + constants(results)


def bench_room(bench, goals):
    lines, arguments = [], ["room", "--kbps", "2200", "--fps", "25", "--seconds", "8" if bench.options.full else "5"]
    names = list(bench.servers)
    head = ["viewers"] + [f"{name}: {what}" for name in names for what in ("CPU us/packet", "delay p50, p99 ms", "video packets lost")]
    lines += ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for viewers in ["10", "20", "40"] + (["100", "200"] if bench.options.full else []):
        # The reference is at the end of this machine's two cores with about a hundred of them.
        left_out = ("janus",) if int(viewers) >= 100 else ()
        results = bench.rounds(arguments + ["--count", viewers], left_out)
        cells = [viewers]
        for name in names:
            run = results[name]
            if name in left_out:
                cells += ["not run"] * 3
                continue
            p50, p99 = shown(run.get("delay_p50", []), 2), shown(run.get("delay_p99", []), 2)
            cells += [shown(run.get("server_cpu_per_packet", []), 2), f"{p50}; {p99}", shown(run.get("lost_video", []))]
        lines.append("| " + " | ".join(cells) + " |")
    return ("One publisher to many viewers: 25 frames/s of ten packets of 1,100 bytes, 50 audio packets/s of 100 bytes", arguments + ["--count", "N"], lines)


def bench_text(bench, goals):
    count = "1000" if bench.options.full else "300"
    arguments = ["text", "--count", count, "--seconds", "10" if bench.options.full else "5"]
    results = bench.rounds(arguments)
    goals.append((f"a text to one of {count} in a room", "5 us or less", median_of(results, "cardea", "server_cpu_per_delivery"), "us", lambda v: v <= 5))
    rows = [("server CPU per delivery, us", "server_cpu_per_delivery", 2), ("deliveries/s, the next text when all have the last", "deliveries_per_s", 0)]
    return f"Texts of 100 characters to {count} in a TextRoom", arguments, table(results, rows)


def bench_clients(bench, goals):
    arguments = ["clients", "--count", "10000"]
    results = bench.rounds(arguments)
    goals.append(("idle WebSocket client, of 10,000", "1 KB or less", median_of(results, "cardea", "bytes_per_client"), "B", lambda v: v <= 1024))
    rows = [("RSS per client, bytes", "bytes_per_client", 0), ("after some have pinged", "bytes_per_client_after_pings", 0)]
    return "10,000 idle WebSocket clients", arguments, table(results, rows) + constants(results)


def bench_wait(bench, goals):
    if "janus" not in bench.servers:
        say("  the viewer's wait is a comparison: skipped")
        return None
    joins, rounds = ("42", "6") if bench.options.full else ("21", "3")
    command = ["node", "bench/viewer-wait.mjs", "--joins", joins, "--rounds", rounds]
    lines, ratio = ["| | p50, ms | p90, ms | least to most | joins | offer, answer, connected, frame (medians, ms) |", "|---|---|---|---|---|---|"], None
    for kind, more in (("", []), (", addresses hidden", ["--mdns"])):
        say(f"  {' '.join(command + more)}")
        environment = {**os.environ, "CARDEA_BIN": bench.servers["cardea"], "JANUS_BIN": JANUS, "CARDEA_LOG_DIR": str(bench.build / "logs")}
        done = subprocess.run(command + more + ["--json"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900)
        if done.returncode != 0:
            say(f"  {done.stderr.strip()[-600:]}")
            continue
        result = json.loads(done.stdout)
        ratio = ratio if more else result["ratio"]
        for name in ("cardea", "janus"):
            r = result[name]
            steps = ", ".join(number(r["steps"][s], 0) for s in ("offer", "answer", "up", "frame"))
            lines.append(f"| {name}{kind} | {r['p50']:.0f} | {r['p90']:.0f} | {r['min']:.0f} to {r['max']:.0f} | {r['joins']} | {steps} |")
        lines.append(f"| ratio of the medians{kind} | {result['ratio']:.2f} | | | | |")
    goals.append(("viewer's wait, median, against janus", "0.6 or less", ratio, "", lambda v: v <= 0.6))
    return "A viewer's wait: Chromium, stock janus.js, join request to first decoded frame", command + ["[--mdns]"], lines


def bench_data(bench, goals):
    command = ["node", "bench/data.mjs", "--mb", "100" if bench.options.full else "30", "--rounds", str(bench.options.rounds)]
    say(f"  {' '.join(command)}")
    environment = {**os.environ, "CARDEA_BIN": bench.servers["cardea"], "JANUS_BIN": JANUS if "janus" in bench.servers else "/nonexistent",
                   "CARDEA_LOG_DIR": str(bench.build / "logs")}
    done = subprocess.run(command + ["--json"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1800)
    if done.returncode != 0:
        say(f"  {done.stderr.strip()[-600:]}")
        return None
    best, rates = (json.loads(done.stdout)[key] for key in ("best", "rates"))
    lines = ["| | best, Mb/s each way | all rounds |", "|---|---|---|"]
    for name, rate in best.items():
        lines.append(f"| {'Chromium to Chromium, no server' if name == 'chromium' else name} | {rate:.1f} | {', '.join(map(str, rates[name]))} |")
    goals.append(("a data channel there and back, against Chromium to Chromium", "1 or more", best["cardea"] / (best["chromium"] or 1), "", lambda v: v >= 1))
    if best.get("janus"):
        goals.append(("the same against janus", "2 or more", best["cardea"] / best["janus"], "", lambda v: v >= 2))
    return "A file on one data channel, there and back: Chromium, EchoTest, messages of 60,000 bytes", command, lines


def bench_association(bench, goals):
    """What a data channel costs beside an idle PeerConnection: the two differ in nothing else."""
    count = "2000" if bench.options.full else "500"
    arguments = ["peers", "--mode", "data", "--count", count, "--seconds", "5"]
    plain, data = bench.rounds(["peers", "--mode", "echo", "--count", count, "--seconds", "5"]), bench.rounds(arguments)
    both = [median_of(results, "cardea", "bytes_per_peer") for results in (plain, data)]
    goals.append(("idle association with a channel", "8 KB or less", both[1] - both[0], "B", lambda v: v <= 8192))
    return f"{count} idle PeerConnections with a data channel that has been used", arguments, table(data, [("RSS per PeerConnection, bytes", "bytes_per_peer", 0)])


def bench_micro(bench, goals):
    lines = []
    for program, argument in (("bench_packet", "full"), ("bench_parsers", None), ("bench_sctp", None)):
        command = [str(bench.build / "bench" / program)] + ([argument] if argument and bench.options.full else [])
        say(f"  {program}")
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=RUN_SECONDS)
        lines += [f"`{program}`:", "```", *done.stdout.rstrip().split("\n"), *done.stderr.rstrip().split("\n")[:3 if done.stderr else 0], "```"]
        if program == "bench_packet":
            goals.append(("allocations and locks per forwarded packet (asserted)", "none", "none" if done.returncode == 0 else "some", "", lambda v: v == "none"))
    return "Inside: a packet's way through a worker without the kernel; parsers; SCTP", ["bench/packet.c, bench/parsers.c, bench/sctp.c"], lines


BENCHES = {"api": bench_api, "idle": bench_idle, "peers": bench_peers, "viewers": bench_viewers, "room": bench_room, "text": bench_text, "clients": bench_clients,
           "wait": bench_wait, "data": bench_data, "association": bench_association, "micro": bench_micro}


# ---- the page ----

def first_line(command, default=""):
    try:
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT).stdout.strip().split("\n")[0]
    except OSError:
        return default


def machine_lines():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = next(int(line.split()[1]) // (1 << 20) for line in open("/proc/meminfo") if line.startswith("MemTotal"))
    system = next((line.split("=")[1].strip().strip('"') for line in open("/etc/os-release") if line.startswith("PRETTY_NAME")), "")
    return [f"Machine: {os.cpu_count()} cores ({model}), {memory} GiB, {system}, Linux {platform.release()}; client and server share it."]


def machine(bench, began, load):
    reference = first_line(["dpkg-query", "-W", "-f", "${Version}", "janus"]) if "janus" in bench.servers else "none"
    return [*machine_lines(),
            f"Commit {first_line(['git', 'rev-parse', '--short', 'HEAD'])}, {time.strftime('%Y-%m-%d', time.gmtime(began))}, Debian's janus {reference}; "
            f"load of the machine (which others use, too) at the start {load:.1f}; {bench.options.rounds} rounds, servers in turns, a fresh process each time; "
            f"median (least to most). Command: `scripts/bench.sh{' --full' if bench.options.full else ''}`."]


def goal_lines(goals):
    lines = ["| goal | wanted | measured | |", "|---|---|---|---|"]
    for text, wanted, value, unit, holds in goals:
        measured = "not measured" if value is None else value if isinstance(value, str) else f"{value:,.2f}" if value < 10 else f"{value:,.0f}"
        lines.append(f"| {text} | {wanted} | {measured} {unit if value is not None else ''} | {'' if value is None else 'met' if holds(value) else '**missed**'} |")
    return lines


def write_between(begin, end, text):
    page = PAGE.read_text()
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    PAGE.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}")
    say(f"written into {PAGE.relative_to(ROOT)}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--no-write", action="store_true")
    parser.add_argument("--no-reference", action="store_true")
    parser.add_argument("--no-browser", action="store_true")
    options = parser.parse_args()
    options.rounds = options.rounds or (5 if options.full else 3)
    wanted = [name for name in options.only.split(",") if name] or [name for name in BENCHES if name not in ("wait", "data") or not options.no_browser]
    unknown = [name for name in wanted if name not in BENCHES]
    if unknown:
        sys.exit(f"no such bench: {', '.join(unknown)} (there are: {', '.join(BENCHES)})")
    bench, goals, sections, began, load = Bench(options), [], [], time.time(), os.getloadavg()[0]
    for name in wanted:
        say(f"{name}:")
        result = BENCHES[name](bench, goals)
        if result is None:
            continue
        title, command, lines = result
        shown_command = " ".join(command) if command[0] == "node" or command[0].startswith("bench/") else "cardea-load " + " ".join(command)
        sections += [f"## {title}", "", f"`{shown_command}`", "", *lines, ""]
    text = "\n".join([*machine(bench, began, load), "", "## Goals", "", *goal_lines(goals), "", *sections]).rstrip()
    print(text)
    if not options.no_write and not options.only:
        write_between(BEGIN, END, text)
    missed = [goal[0] for goal in goals if goal[2] is None or not goal[4](goal[2])]
    if missed:
        say(f"missed: {'; '.join(missed)}")


if __name__ == "__main__":
    main()
