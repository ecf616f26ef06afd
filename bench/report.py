"""Results to markdown: medians, their spread, and how many times better durabase is."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator

from load import Result
from servers import SERVERS, Spec
from workloads import WORKLOADS, Workload

__all__ = ["Row", "disturbance", "markdown"]

Row = tuple[str, str, Result]
"""Workload, server, figures."""

_OURS = {False: "durabase-relay", True: "durabase"}


def markdown(rows: Iterable[Row]) -> str:
    """A table per workload, in the order of the workloads."""
    runs: dict[str, dict[str, list[Result]]] = {}
    for workload, server, result in rows:
        runs.setdefault(workload, {}).setdefault(server, []).append(result)
    return "\n\n".join(_table(WORKLOADS[name], runs[name]) for name in WORKLOADS if name in runs)


def disturbance(rows: Iterable[Row]) -> str:
    """How much of the machine others used meanwhile."""
    others = [result["other_cpu"] for _, _, result in rows if "other_cpu" in result]
    if not others:
        return ""
    middle, most = statistics.median(others), max(others)
    return f"Other programs used {middle:.2f} of a core meanwhile (at most {most:.2f})."


def _table(workload: Workload, servers: dict[str, list[Result]]) -> str:
    headings = ["", *(heading for _, heading, _ in workload.figures), "durabase is better by"]
    lines = [f"### {workload.title}", "", _line(headings), "|---" * len(headings) + "|"]
    lines += [_line(cells) for cells in _rows(workload, servers)]
    return "\n".join(lines)


def _rows(workload: Workload, servers: dict[str, list[Result]]) -> Iterator[list[str]]:
    key, _, more_is_better = workload.figures[0]
    for name, spec in SERVERS.items():
        if name not in servers:
            continue
        good = [result for result in servers[name] if "error" not in result]
        if not good:
            yield [spec.label, str(servers[name][0]["error"]).replace("\n", " ")[:80]]
            continue
        cells = [_cell([float(result[figure]) for result in good]) for figure, _, _ in workload.figures]
        yield [spec.label, *cells, _ratio(spec, name, key, more_is_better, servers)]


def _ratio(spec: Spec, name: str, key: str, more_is_better: bool, servers: dict[str, list[Result]]) -> str:
    ours = _OURS[spec.keeps]
    if name in (ours, "yardstick") or not any("error" not in result for result in servers.get(ours, [])):
        return ""
    our, their = _median(servers[ours], key), _median(servers[name], key)
    ratio = our / their if more_is_better else their / our
    return f"{ratio:.1f} ×" if our > 0 and their > 0 else ""


def _median(results: list[Result], key: str) -> float:
    return statistics.median(float(result[key]) for result in results if "error" not in result)


def _cell(values: list[float]) -> str:
    middle = _number(statistics.median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({_number(min(values))}–{_number(max(values))})"


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
