"""Measure durabase against TinyBase's own servers and those for Yjs, and its library against TinyBase in V8.

    make bench                 # everything, three times: two hours and a half
    make bench ARGS=--short    # once, and shorter: about half an hour
    make bench ARGS=--smoke    # hardly anything, but all of the code: whether it works

Linux only; needs Node.js 20 with npm, and a C compiler. Every server is started afresh for every
measurement, and the servers take turns within each workload, so that a busy moment of the machine
does not fall on one of them only. Prints markdown tables and writes plots beside the results; compare
within one run, by ratio.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from load import build
from report import Row, disturbance, markdown, plots
from servers import COMPILED, HERE, SERVERS, install_peers
from studies import CURVES, LIBRARY, measure_curve, measure_library
from workloads import WORKLOADS, Effort

PEER_PACKAGES = (
    *("tinybase", "ws", "workerd", "yjs", "@hocuspocus/server", "@y/websocket-server"),
    *("pycrdt", "pycrdt-websocket", "uvicorn"),
)
"""Whose versions are told, of all that is installed beside durabase."""

EVERYTHING = [*WORKLOADS, LIBRARY, *CURVES]
FULL = Effort(3, 10)
SHORT = Effort(1.5, 2, retries=0, joins=9, share=0.1, patience=0.93)
SMOKE = Effort(0.2, 0, retries=0, joins=1, share=0.002, warmup=0.1, patience=0.0)


def main() -> None:
    options = parse_options()
    if options.report:
        rows = read_rows(options.report)
        print(disturbance(rows), "", markdown(rows), sep="\n")
        write_plots(rows, options.report[-1])
        return
    if sys.platform != "linux":
        sys.exit("bench: this runs on Linux only.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers are ended, too
    if not COMPILED.exists():
        sys.exit("bench: there is no compiled durabase to measure; `make bench` makes it.")
    install_peers(options.servers)
    build()
    effort = SMOKE if options.smoke else SHORT if options.short else FULL
    results = HERE / "results" / f"{time.strftime('%Y%m%d-%H%M%S')}.jsonl"
    results.parent.mkdir(exist_ok=True)
    rows = []
    with results.open("w") as file:
        for row in measure(
            options.only, options.servers, options.times or (3 if effort is FULL else 1), effort
        ):
            rows.append(row)
            print(json.dumps(row), file=file, flush=True)
    print(machine(), disturbance(rows), "", markdown(rows), sep="\n")
    write_plots(rows, results)
    if options.smoke:
        fail_if_anything_did(rows)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true", help="measure once, and for less long")
    parser.add_argument(
        "--smoke", action="store_true", help="fail if a measurement does, whatever it measures"
    )
    parser.add_argument("--times", type=int, help="how often to measure everything")
    parser.add_argument("--only", type=names_of(EVERYTHING), default=EVERYTHING, help="workloads, by comma")
    parser.add_argument("--servers", type=names_of(SERVERS), default=list(SERVERS), help="servers, by comma")
    parser.add_argument("--report", type=Path, nargs="+", help="only print the tables of earlier results")
    return parser.parse_args()


def names_of(known: Iterable[str]) -> Callable[[str], list[str]]:
    """An argument type: some of these names."""

    def parse(text: str) -> list[str]:
        names = text.split(",")
        unknown = set(names) - set(known)
        if unknown:
            raise argparse.ArgumentTypeError(f"{unknown.pop()!r} is none of {', '.join(known)}")
        return names

    return parse


def measure(names: list[str], servers: list[str], times: int, effort: Effort) -> Iterator[Row]:
    """Everything that is named, on every server that can do it, the servers in another order each time."""
    for _ in range(times):
        for name in names:
            if name in WORKLOADS:
                yield from measure_servers(name, random.sample(servers, len(servers)), effort)
            elif name == LIBRARY:
                yield from ((name, runtime, result) for runtime, result in measure_library(effort))
            else:
                yield from ((name, str(size), result) for size, result in measure_curve(CURVES[name], effort))


def measure_servers(name: str, servers: list[str], effort: Effort) -> Iterator[Row]:
    """One workload."""
    workload = WORKLOADS[name]
    for server in servers:
        spec = SERVERS[server]
        if not workload.suits(spec):
            continue
        try:
            result = workload.measure(spec, effort)
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            result = {"error": str(error)}
        shown = {key: result[key] for key, _, _ in workload.figures if key in result}
        print(f"{name}: {spec.label}: {shown or result}", file=sys.stderr)
        yield name, server, result


def write_plots(rows: list[Row], results: Path) -> None:
    """The plots, beside the results they show."""
    for name, svg in plots(rows).items():
        results.with_name(f"{results.stem}-{name}.svg").write_text(svg)


def fail_if_anything_did(rows: list[Row]) -> None:
    """End with a failure if a measurement could not be made."""
    failed = [f"{name}, {subject}: {result['error']}" for name, subject, result in rows if "error" in result]
    if failed:
        sys.exit("bench: these failed:\n" + "\n".join(failed))


def read_rows(files: list[Path]) -> list[Row]:
    """The results of earlier runs."""
    lines = [line for file in files for line in file.read_text().splitlines()]
    return [tuple(json.loads(line)) for line in lines]


def machine() -> str:
    """What this was measured on."""
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    packages = json.loads((HERE / "package.json").read_text())["dependencies"]
    lines = (HERE / "requirements.txt").read_text().splitlines()
    packages |= dict(line.split("==") for line in lines if not line.startswith("#"))
    peers = ", ".join(f"{name} {packages[name]}" for name in PEER_PACKAGES)
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    cores = len(Path("/proc/cpuinfo").read_text().split("processor\t")) - 1
    return (
        f"{time.strftime('%Y-%m-%d')}, {cores} × {cpu}, Linux {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, Node {node}, {peers}."
    )


if __name__ == "__main__":
    main()
