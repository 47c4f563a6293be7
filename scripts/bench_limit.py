#!/usr/bin/env python3
"""The packet path beside the machine's limit: every row of its table in docs/PERFORMANCE.md, and docs/cost.svg (scripts/bench.sh --limit).

All figures are CPU time of the server's threads, in turns with what they are compared with, in one run. A row that has been measured
lies in build/bench/limit and is not measured again (--fresh: it is), so a run may be broken off and go on later.
"""
import argparse
import json
import math
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from bench_run import JANUS, ROOT, Server, first_line, machine_lines, say, write_between

ROWS_FOLDER = ROOT / "build/bench/limit"
PICTURE = ROOT / "docs/cost.svg"
BEGIN, END = "<!-- limit:begin -->", "<!-- limit:end -->"
LOAD_SECONDS = 400
COST = "server_cpu_per_packet"
VIDEO = ["--media", "video", "--burst", "5", "--bytes", "1172"]         # 1,200 bytes with their header, sealed 1,212 or 1,216
AUDIO = ["--media", "audio", "--bytes", "160"]


class Bench:
    def __init__(self, options):
        self.options = options
        self.build = ROOT / options.build
        self.load = str(self.build / "tools/load/cardea-load")
        self.ours = str(self.build / "cardea")
        self.rounds, self.seconds = ("2", "2") if options.quick else ("7", "5")
        self.has_janus = os.access(JANUS, os.X_OK) and not options.no_reference

    def run(self, prefix, arguments):
        done = subprocess.run([*prefix, self.load, *arguments, "--json"], capture_output=True, text=True, timeout=LOAD_SECONDS)
        if done.returncode != 0:
            say(f"    {done.stderr.strip()}")
            return None
        return json.loads(done.stdout)

    @contextmanager
    def sink(self):
        """The namespaces of scripts/nullsink.sh for as long as this lasts: (prefix near, prefix far, address near)."""
        holder = subprocess.Popen([str(ROOT / "scripts/nullsink.sh"), "sh", "-c", "echo $SINK_NEAR $SINK_FAR $SINK_NEAR_IP; exec cat"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            words = holder.stdout.readline().split()
            if len(words) != 3:
                raise RuntimeError("no null sink here (scripts/nullsink.sh says why)")
            yield ["ip", "netns", "exec", words[0]], ["ip", "netns", "exec", words[1]], words[2]
        finally:
            holder.stdin.close()
            holder.wait()

    @contextmanager
    def place(self, sink):
        """(prefix near, prefix far, address): in the null sink, or on loopback."""
        if sink:
            with self.sink() as place:
                yield place
        else:
            yield [], [], "127.0.0.1"

    def beside_floor(self, arguments, count, sink):
        with self.place(sink) as (near, far, address):
            server = Server("cardea", self.ours, address, near, far)
            try:
                say(f"    {count} receivers, beside the floor")
                return self.run(far, ["room", "--server", f"{address}:{server.port}", "--pid", str(server.process.pid), "--count", str(count), *arguments,
                                      *(["--sink"] if sink else []), "--seconds", self.seconds, "--rounds", self.rounds, "--compare", "floor"])
            finally:
                server.stop()

    def beside_janus(self, arguments, count, sink):
        if not self.has_janus:
            return None
        with self.place(sink) as (near, far, address):
            server, other = Server("cardea", self.ours, address, near, far), Server("janus", JANUS, address, near, far)
            try:
                say(f"    {count} receivers, beside janus")
                return self.run(far, ["room", "--server", f"{address}:{server.port}", "--pid", str(server.process.pid), "--count", str(count), *arguments,
                                      *(["--sink"] if sink else []), "--seconds", self.seconds, "--rounds", self.rounds,
                                      "--compare", f"{address}:{other.port},{other.process.pid}"])
            finally:
                server.stop()
                other.stop()

    def alone(self, arguments, sink=False, janus=False):
        """Some rounds against a fresh process each: {key: [values]}"""
        values = {}
        for _ in range(int(self.rounds)):
            with self.place(sink) as (near, far, address):
                server = Server("janus" if janus else "cardea", JANUS if janus else self.ours, address, near, far)
                try:
                    result = self.run(far, [*arguments, "--server", f"{address}:{server.port}", "--pid", str(server.process.pid), *(["--sink"] if sink else [])])
                finally:
                    server.stop()
            for key, value in (result or {}).items():
                values.setdefault(key, []).append(value)
        return values


def spread(values):
    values = sorted(values)
    middle = len(values) // 2
    return {"median": values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2, "least": values[0], "most": values[-1]}


# ---- the rows: each returns what was measured, as JSON ----

def points(bench, arguments, counts, sink):
    """{receivers: {"ours", "floor", "ratio" (ours to the floor, round by round inverted), "datagrams"}}"""
    found = {}
    for count in counts:
        result = bench.beside_floor(arguments, count, sink)
        if result is None:
            continue
        cost = result[COST]
        found[count] = {"ours": cost["first"], "floor": cost["second"], "ratio": inverse(cost["ratio"]),
                        "datagrams": result.get("sink_datagrams_per_packet", {}).get("first"), "delay": [result["delay_p50"]["first"], result["delay_p99"]["first"]]}
    return found


def inverse(ratio):
    return {"median": 1 / ratio["median"], "least": 1 / ratio["most"], "most": 1 / ratio["least"]}


def reference_points(bench, arguments, counts, sink):
    """The same beside janus, up to the largest count that it serves without loss."""
    found = {}
    for count in counts:
        result = bench.beside_janus(arguments, count, sink)
        if result is None:
            break
        lost = result["lost_video"]["second"]["most"] > 0 or (sink and result["sink_datagrams_per_packet"]["second"]["least"] < 0.995)
        if lost and found:
            break
        found[count] = {"ours": result[COST]["first"], "janus": result[COST]["second"], "ratio": result[COST]["ratio"], "lost": lost}
    return found


def row_sink_video(bench):
    arguments = [*VIDEO, "--fps", "30"]
    counts = [64, 100, 1000] if bench.options.quick else [16, 64, 100, 250, 500, 1000]
    return {"floor": points(bench, arguments, counts, True), "janus": reference_points(bench, arguments, [64] if bench.options.quick else [16, 40, 64, 100, 150], True)}


def row_sink_audio(bench):
    arguments = [*AUDIO, "--fps", "50"]
    counts = [64, 1000] if bench.options.quick else [64, 250, 1000]
    return {"floor": points(bench, arguments, counts, True), "janus": reference_points(bench, arguments, [64] if bench.options.quick else [64, 100, 250], True)}


def row_loop_even(bench):
    arguments = ["--media", "video", "--burst", "1", "--bytes", "1100", "--fps", "300"]
    return {"floor": points(bench, arguments, [40], False), "janus": reference_points(bench, arguments, [40], False)}


def row_loop_burst(bench):
    arguments = ["--media", "video", "--burst", "5", "--bytes", "1100", "--fps", "60"]
    return {"floor": points(bench, arguments, [40], False), "janus": reference_points(bench, arguments, [40], False)}


def row_delay(bench):
    """Witnesses among 100 viewers of 1,000 frames a second."""
    return bench.alone(["room", *VIDEO, "--fps", "1000", "--count", "100", "--witnesses", "2", "--seconds", bench.seconds], sink=True)


def row_idle_peers(bench):
    count = "200" if bench.options.quick else "1000"
    ours = bench.alone(["peers", "--mode", "echo", "--count", count, "--seconds", "5" if bench.options.quick else "10"])
    janus = bench.alone(["peers", "--mode", "echo", "--count", "100", "--seconds", "4"], janus=True) if bench.has_janus else {}
    return {"count": int(count), "ours": ours, "janus": janus}


def row_viewers(bench):
    count = "100" if bench.options.quick else "200"
    return {"count": int(count), "ours": bench.alone(["room", "--media", "video", "--kbps", "1500", "--fps", "30", "--count", count, "--seconds", "4"], sink=True)}


def row_api(bench):
    arguments = ["api", "--cycles", "3000", "--connections", "16"]
    return {"ours": bench.alone(arguments), "janus": bench.alone(arguments, janus=True) if bench.has_janus else {}}


ROWS = {"sink_video": row_sink_video, "sink_audio": row_sink_audio, "loop_even": row_loop_even, "loop_burst": row_loop_burst, "delay": row_delay,
        "idle_peers": row_idle_peers, "viewers": row_viewers, "api": row_api}


# ---- the table ----

def shown(s, decimals=2):
    if not s:
        return "failed"
    low, high = f"{s['least']:,.{decimals}f}", f"{s['most']:,.{decimals}f}"
    return f"{s['median']:,.{decimals}f}" + ("" if low == high else f" ({low} to {high})")


def values(data, *keys):
    for key in keys:
        data = (data or {}).get(key)
    return spread(data) if data else None


def line(what, goal, ours, beside, ratio, reached):
    verdict = "" if reached is None else "reached" if reached else "**not reached**"
    return f"| {what} | {goal} | {ours} | {beside} | {ratio} | {verdict} |"


def packet_lines(name, row, text, limit, wanted_reference):
    lines = []
    for count, point in sorted((row or {}).get("floor", {}).items(), key=lambda item: int(item[0])):
        lines.append(line(f"{text}, {count} receivers, us per packet", f"{limit} x the floor", shown(point["ours"]), f"floor {shown(point['floor'])}",
                          shown(point["ratio"]), point["ratio"]["median"] <= limit))
    reference = sorted((row or {}).get("janus", {}).items(), key=lambda item: int(item[0]))
    if reference:
        count, point = reference[-1]
        goal = f"{wanted_reference} x less than janus" if wanted_reference else ""
        lines.append(line(f"{text}, {count} receivers, beside janus{' (which lost some)' if point['lost'] else ''}", goal, shown(point["ours"]),
                          f"janus {shown(point['janus'])}", shown(point["ratio"], 1), point["ratio"]["median"] >= wanted_reference if wanted_reference else None))
    if not lines:
        lines.append(line(text, "", "not measured", "", "", None))
    return lines


def at_most(what, limit, unit, s, beside="", decimals=2):
    return line(what, f"at most {limit:,} {unit}", shown(s, decimals) if s else "not measured", beside, "", s["median"] <= limit if s else None)


def growth_line(row):
    floor = (row or {}).get("floor", {})
    few, many = floor.get("100") or floor.get(100), floor.get("1000") or floor.get(1000)
    if not few or not many:
        return line("growth, 100 to 1,000 receivers", "1.15 x", "not measured", "", "", None)
    ours, machine = many["ours"]["median"] / few["ours"]["median"], many["floor"]["median"] / few["floor"]["median"]
    return line("growth: a packet's cost at 1,000 receivers to that at 100", "at most 1.15", f"{ours:.2f}", f"floor {machine:.2f}", "", ours <= 1.15)


def goal_table(rows):
    lines = ["| | goal | ours | beside it | ratio | |", "|---|---|---|---|---|---|"]
    lines += packet_lines("sink_video", rows.get("sink_video"), "null sink, 30 bursts/s of 5 x 1,200 B", 1.5, 15)
    lines += packet_lines("sink_audio", rows.get("sink_audio"), "null sink, 50 single packets/s of 160 B", 1.25, 0)
    lines += packet_lines("loop_even", rows.get("loop_even"), "loopback, 300 packets/s evenly spaced", 1.25, 0)
    lines += packet_lines("loop_burst", rows.get("loop_burst"), "loopback, the same in bursts of 5", 1.4, 0)
    lines.append(growth_line(rows.get("sink_video")))
    delay, idle, viewers, api = (rows.get(name) or {} for name in ("delay", "idle_peers", "viewers", "api"))
    load = values(delay, "server_cpu")
    lines.append(at_most("delay from one end to the other, 100 receivers, 500,000 packets/s, p50", 0.3, "ms", values(delay, "delay_p50"),
                         f"the server is busy {shown(load, 0)} % of a core" if load else ""))
    lines.append(at_most("the same, p99", 2, "ms", values(delay, "delay_p99")))
    lines.append(at_most("memory per idle connected PeerConnection", 20480, "B", values(idle, "ours", "bytes_per_peer"), beside(idle, "bytes_per_peer", 0), 0))
    lines.append(at_most("memory per subscriber with video, RTX, history included", 49152, "B", values(viewers, "ours", "bytes_per_viewer"), "", 0))
    lines.append(at_most("CPU to set a PeerConnection up", 900, "us", values(idle, "ours", "server_cpu_to_set_up"), beside(idle, "server_cpu_to_set_up", 0), 0))
    lines.append(at_most("cycle create attach join detach destroy", 60, "us", values(api, "ours", "server_cpu_per_cycle"), beside(api, "server_cpu_per_cycle", 0), 0))
    count = idle.get("count", 1000)
    lines.append(at_most(f"idle CPU of {count:,} connected PeerConnections", 2 * count / 1000, "% of a core", values(idle, "ours", "idle_cpu"), beside(idle, "idle_cpu", 1, " (100 of them)")))
    return lines


def beside(row, key, decimals, more=""):
    found = values(row, "janus", key)
    return f"janus {shown(found, decimals)}{more}" if found else ""


# ---- the picture: cost against receivers, both axes logarithmic ----

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 48, 56
COLOURS = {"ours": "#0b6e99", "floor": "#6b7280", "janus": "#c2410c"}
NAMES = {"ours": "Cardea", "floor": "floor", "janus": "Janus 1.1.2"}


def picture(row):
    series = {"ours": {}, "floor": {}, "janus": {}}
    for count, point in row.get("floor", {}).items():
        series["ours"][int(count)], series["floor"][int(count)] = point["ours"], point["floor"]
    for count, point in row.get("janus", {}).items():
        series["janus"][int(count)] = point["janus"]
    series = {name: dict(sorted(found.items())) for name, found in series.items() if found}
    counts = [count for found in series.values() for count in found]
    costs = [s[key] for found in series.values() for s in found.values() for key in ("least", "most")]
    x_low, x_high = math.log10(min(counts)), math.log10(max(counts))
    y_low, y_high = math.floor(math.log10(min(costs)) * 3.3) / 3.3, math.ceil(math.log10(max(costs)) * 3.3) / 3.3

    def x(count):
        return LEFT + (math.log10(count) - x_low) / max(x_high - x_low, 0.1) * (WIDTH - LEFT - RIGHT)

    def y(cost):
        return HEIGHT - BOTTOM - (math.log10(cost) - y_low) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="system-ui, sans-serif" font-size="13">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
           f'<text x="{LEFT}" y="26" font-size="16" font-weight="600" fill="#111827">Server CPU per forwarded packet, 30 bursts/s of 5 x 1,200 bytes</text>']
    for cost in (0.5, 1, 2, 5, 10, 20, 50, 100):
        if y_low <= math.log10(cost) <= y_high:
            out.append(f'<path d="M{LEFT} {y(cost):.1f}H{WIDTH - RIGHT}" stroke="#e5e7eb"/>')
            out.append(f'<text x="{LEFT - 8}" y="{y(cost) + 4:.1f}" text-anchor="end" fill="#374151">{cost:g}</text>')
    for count in sorted(set(counts)):
        out.append(f'<path d="M{x(count):.1f} {HEIGHT - BOTTOM}v5" stroke="#374151"/>')
        out.append(f'<text x="{x(count):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle" fill="#374151">{count:,}</text>')
    out.append(f'<path d="M{LEFT} {HEIGHT - BOTTOM}H{WIDTH - RIGHT}" stroke="#374151"/>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 12}" text-anchor="middle" fill="#374151">receivers</text>')
    out.append(f'<text transform="translate(18 {(TOP + HEIGHT - BOTTOM) / 2:.0f}) rotate(-90)" text-anchor="middle" fill="#374151">microseconds</text>')
    for name, found in series.items():
        colour = COLOURS[name]
        path = "L".join(f"{x(count):.1f} {y(s['median']):.1f}" for count, s in found.items())
        dashes = ' stroke-dasharray="6 4"' if name == "floor" else ""
        out.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>')
        for count, s in found.items():
            out.append(f'<path d="M{x(count):.1f} {y(s["least"]):.1f}V{y(s["most"]):.1f}" stroke="{colour}" stroke-width="1"/>')
            out.append(f'<circle cx="{x(count):.1f}" cy="{y(s["median"]):.1f}" r="3.5" fill="{colour}"/>')
        last = list(found)[-1]
        out.append(f'<text x="{x(last) + 10:.1f}" y="{y(found[last]["median"]) + 4:.1f}" fill="{colour}" font-weight="600">{NAMES[name]} {found[last]["median"]:.2f}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


# ---- one run ----

def measure(bench, name):
    path = ROWS_FOLDER / f"{name}.json"
    if path.exists() and not bench.options.fresh:
        kept = json.loads(path.read_text())
        if kept["quick"] == bench.options.quick:
            say(f"  {name}: as measured on {kept['when']}")
            return
    say(f"  {name}:")
    load, began = os.getloadavg()[0], time.monotonic()
    data = ROWS[name](bench)
    kept = {"quick": bench.options.quick, "when": time.strftime("%Y-%m-%d %H:%M", time.gmtime()), "commit": first_line(["git", "rev-parse", "--short", "HEAD"]),
            "load": load, "seconds": round(time.monotonic() - began), "data": data}
    path.write_text(json.dumps(kept, indent=1))


def render(bench):
    kept = {name: json.loads((ROWS_FOLDER / f"{name}.json").read_text()) for name in ROWS if (ROWS_FOLDER / f"{name}.json").exists()}
    rows = {name: row["data"] for name, row in kept.items()}
    lines = [*machine_lines(), f"Command: `scripts/bench.sh --limit{' --quick' if bench.options.quick else ''}`; rounds {bench.rounds}, {bench.seconds} s each, "
             "in turns; median (least to most). Load of the machine at the start of the rows: "
             + ", ".join(f"{name} {row['load']:.1f}" for name, row in kept.items()) + ". Commit " + ", ".join(sorted({row["commit"] for row in kept.values()})) + ".", "", *goal_table(rows)]
    if rows.get("sink_video", {}).get("floor") and not bench.options.no_write:
        PICTURE.write_text(picture(rows["sink_video"]))
        lines += ["", "![cost of a packet against receivers](cost.svg)"]
    text = "\n".join(lines)
    print(text)
    if not bench.options.no_write:
        write_between(BEGIN, END, text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--limit", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--rows", default="")
    parser.add_argument("--no-write", action="store_true")
    parser.add_argument("--no-reference", action="store_true")
    options = parser.parse_args()
    wanted = [name for name in options.rows.split(",") if name] or list(ROWS)
    unknown = [name for name in wanted if name not in ROWS]
    if unknown:
        sys.exit(f"no such row: {', '.join(unknown)} (there are: {', '.join(ROWS)})")
    ROWS_FOLDER.mkdir(parents=True, exist_ok=True)
    bench, began = Bench(options), time.monotonic()
    for name in wanted:
        measure(bench, name)
    render(bench)
    say(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
