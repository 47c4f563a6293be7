#!/usr/bin/env python3
"""Runs the real server for hours under churn (cardea-load storm, one minute after another), looks at it in the calm between two
storms, plots what it saw to an SVG, and fails when memory, descriptors, threads or the time of answers trend upward."""
import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WARM_UP = 0.25                  # of the run: caches and pools fill
CALM_S = 3
PANELS = (("rss_mb", "resident memory, MB"), ("descriptors", "descriptors"), ("threads", "threads"), ("p99_ms", "answers, p99, ms"),
          ("worst_ms", "answers, worst, ms"))
# What may be gained from the end of the warm-up to the end of the run, by a straight line through the samples: a share of the mean, and
# a little on top. Worst answers are shown only: one scheduler's hiccup is no trend.
MAY_GROW = {"rss_mb": (0.05, 1.0), "descriptors": (0, 1.0), "threads": (0, 0.5), "p99_ms": (0.5, 10.0)}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(binary, folder, port):
    files = {
        "janus.jcfg": 'general: { debug_level = 3 }\nnat: { ice_enforce_list = "127.0.0.1" }\n',
        "janus.transport.websockets.jcfg": f'general: {{ ws = true  ws_ip = "127.0.0.1"  ws_port = {port} }}\n',
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    log = open(folder / "log", "w")
    process = subprocess.Popen([binary, "-F", str(folder)], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return process
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise RuntimeError((folder / "log").read_text()[-500:])


def sample(pid):
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {
        "rss_mb": int(status["VmRSS"].split()[0]) / 1024,
        "threads": int(status["Threads"]),
        "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
    }


def gain(samples, key):
    """How much a straight line through the samples rises from the first to the last, and their mean."""
    points = [(s["at_s"], s[key]) for s in samples]
    if len(points) < 3:
        return 0.0, 0.0
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
    return slope * (points[-1][0] - points[0][0]), mean_y


def judge(samples):
    first = samples[-1]["at_s"] * WARM_UP
    late = [s for s in samples if s["at_s"] >= first]
    problems = []
    for key, (share, extra) in MAY_GROW.items():
        grown, mean = gain(late, key)
        if grown > share * mean + extra:
            problems.append(f"{key} trends upward: {grown:+.2f} around a mean of {mean:.2f}")
    missing = sum(s["missing"] for s in samples)
    if missing:
        problems.append(f"{missing} requests without an answer")
    problems += [f"after {s['at_s']:.0f} s: {s['verdict']}" for s in samples if s["verdict"] != "survived"]
    return problems


def plot(path, samples):
    width, height, left, gap = 900, 120, 70, 46
    end = max(samples[-1]["at_s"], 1)
    parts = []
    for row, (key, title) in enumerate(PANELS):
        top = 30 + row * (height + gap)
        values = [s[key] for s in samples]
        most = max(max(values) * 1.1, 1)
        points = " ".join(f"{left + s['at_s'] / end * (width - left - 20):.1f},{top + height - s[key] / most * height:.1f}" for s in samples)
        parts.append(f'<text x="{left}" y="{top - 8}">{title}: {values[0]:.1f} at first, {values[-1]:.1f} at last, {max(values):.1f} at most</text>'
                     f'<rect x="{left}" y="{top}" width="{width - left - 20}" height="{height}" fill="none" stroke="#ccc"/>'
                     f'<text x="{left - 8}" y="{top + 10}" text-anchor="end">{most:.0f}</text><text x="{left - 8}" y="{top + height}" text-anchor="end">0</text>'
                     f'<polyline points="{points}" fill="none" stroke="#06c" stroke-width="1.5"/>')
    total = 30 + len(PANELS) * (height + gap)
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{total + 20}" font-family="sans-serif" font-size="12">'
                    f'<rect width="100%" height="100%" fill="white"/>{"".join(parts)}<text x="{left}" y="{total + 4}">0 to {end / 3600:.2f} hours</text></svg>\n')


def run(options, process, port):
    samples, began = [], time.monotonic()
    slice_s = max(5, min(60, int(options.hours * 3600 / 20)))
    while time.monotonic() - began < options.hours * 3600:
        command = [str(ROOT / options.build / "tools/load/cardea-load"), "storm", "--json", "--server", f"127.0.0.1:{port}", "--pid", str(process.pid),
                   "--ip", "127.0.0.1", "--count", str(options.clients), "--seconds", str(slice_s)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=slice_s + 120)
        if process.poll() is not None:
            return samples, [f"the server ended with {process.returncode}"]
        time.sleep(CALM_S)
        storm = json.loads(done.stdout)
        samples.append({"at_s": time.monotonic() - began, **sample(process.pid), "p99_ms": storm["answer_p99"], "worst_ms": storm["answer_worst"],
                        "missing": storm["missing"], "verdict": storm["verdict"], "requests": storm["requests"]})
        last = samples[-1]
        if sys.stderr.isatty():
            print(f"\r{last['at_s'] / 3600:.2f} h  {last['rss_mb']:.1f} MB  {last['descriptors']} descriptors  p99 {last['p99_ms']:.1f} ms  "
                  f"worst {last['worst_ms']:.0f} ms  {sum(s['missing'] for s in samples)} missing   ", end="", file=sys.stderr, flush=True)
    return samples, []


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hours", type=float, help="fractions are allowed: 0.17 is ten minutes")
    parser.add_argument("--build", default="build/bench", help="build folder with cardea and tools/load (default: build/bench)")
    parser.add_argument("--clients", type=int, default=60)
    parser.add_argument("--svg", default="build/soak.svg", help="where the plot goes (default: build/soak.svg)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cardea-soak-") as name:
        folder, port = Path(name), free_port()
        process = start(str(ROOT / options.build / "cardea"), folder, port)
        try:
            samples, problems = run(options, process, port)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                if process.wait(60) != 0:
                    problems.append(f"the server stopped with {process.returncode}")
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if samples:
        plot(ROOT / options.svg, samples)
        problems += judge(samples)
        first, last = samples[0], samples[-1]
        print(f"{last['at_s'] / 3600:.2f} hours, {sum(s['requests'] for s in samples):,} requests: memory {first['rss_mb']:.1f} -> {last['rss_mb']:.1f} MB, "
              f"descriptors {first['descriptors']} -> {last['descriptors']}, p99 {first['p99_ms']:.1f} -> {last['p99_ms']:.1f} ms, "
              f"worst {max(s['worst_ms'] for s in samples):.0f} ms ({options.svg})")
    for problem in problems:
        print(f"soak: {problem}", file=sys.stderr)
    return 1 if problems or not samples else 0


if __name__ == "__main__":
    sys.exit(main())
