"""Results to markdown and plots: medians, their spread, and how many times better durabase is."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator

from load import Result
from plot import bars, curves
from servers import SERVERS
from studies import CURVES, LIBRARY, Curve, library_runtimes, median_of
from workloads import WORKLOADS, Workload

__all__ = ["Row", "disturbance", "markdown", "plots"]

Row = tuple[str, str, Result]
"""Workload and server, or study and what it is about; figures."""

_OURS = {False: "durabase-relay", True: "durabase"}


def markdown(rows: Iterable[Row]) -> str:
    """A table per workload, in the order of the workloads; then the library, and the curves."""
    runs = _grouped(rows)
    tables = [_table(WORKLOADS[name], runs[name]) for name in WORKLOADS if name in runs]
    if LIBRARY in runs:
        tables.append(_library_table(runs[LIBRARY]))
    tables += [_curve_table(CURVES[name], runs[name]) for name in CURVES if name in runs]
    return "\n\n".join(tables)


def plots(rows: Iterable[Row]) -> dict[str, str]:
    """SVG by name: each curve, and all ratios."""
    runs = _grouped(rows)
    drawn = {name: _curve_plot(CURVES[name], runs[name]) for name in CURVES if name in runs}
    ratios = list(_all_ratios(runs))
    if ratios:
        drawn["ratios"] = bars("How many times better durabase is", ratios)
    return drawn


def _grouped(rows: Iterable[Row]) -> dict[str, dict[str, list[Result]]]:
    runs: dict[str, dict[str, list[Result]]] = {}
    for name, subject, result in rows:
        runs.setdefault(name, {}).setdefault(subject, []).append(result)
    return runs


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
        cells = [
            _cell([float(result[figure]) for result in good if figure in result])
            for figure, _, _ in workload.figures
        ]
        yield [spec.label, *cells, _ratio(name, key, more_is_better, servers)]


def _ratio(name: str, key: str, more_is_better: bool, servers: dict[str, list[Result]]) -> str:
    ratios = _ratios_of(name, key, more_is_better, servers)
    if not ratios:
        return ""
    middle = f"{statistics.median(ratios):.1f} ×"
    return middle if len(ratios) == 1 else f"{middle} ({min(ratios):.1f}–{max(ratios):.1f})"


def _ratios_of(name: str, key: str, more_is_better: bool, servers: dict[str, list[Result]]) -> list[float]:
    """How many times better durabase's server of the same kind is, each time that both were measured."""
    ours = _OURS[SERVERS[name].keeps]
    if name in (ours, "yardstick"):
        return []
    pairs = zip(servers.get(ours, []), servers.get(name, []), strict=False)
    figures = [(our.get(key, 0), their.get(key, 0)) for our, their in pairs]
    return [
        our / their if more_is_better else their / our
        for our, their in figures
        if our > 0 and their > 0  # memory may have become less
    ]


def _all_ratios(runs: dict[str, dict[str, list[Result]]]) -> Iterator[tuple[str, float]]:
    for workload_name, workload in WORKLOADS.items():
        key, _, more_is_better = workload.figures[0]
        servers = runs.get(workload_name, {})
        for name, spec in SERVERS.items():
            if ratios := _ratios_of(name, key, more_is_better, servers):
                yield f"{workload_name}: {spec.label}", statistics.median(ratios)


# -- the library


def _library_table(runs: dict[str, list[Result]]) -> str:
    peer, *ours = [runtime for runtime in library_runtimes() if runtime in runs]
    headings = ["µs of processor time", peer, *(part for runtime in ours for part in (runtime, "better by"))]
    lines = ["### The library", "", _line(headings), "|---" * len(headings) + "|"]
    for operation in runs[peer][0]:
        theirs = [float(result[operation]) for result in runs[peer]]
        cells = [operation, _cell(theirs)]
        for runtime in ours:
            values = [float(result[operation]) for result in runs[runtime]]
            cells += [_cell(values), f"{statistics.median(theirs) / statistics.median(values):.1f} ×"]
        lines.append(_line(cells))
    return "\n".join(lines)


# -- curves


def _curve_figures(runs: dict[str, list[Result]]) -> list[str]:
    return list(dict.fromkeys(figure for results in runs.values() for result in results for figure in result))


def _curve_table(curve: Curve, runs: dict[str, list[Result]]) -> str:
    figures = _curve_figures(runs)
    lines = [f"### {curve.title}", "", _line([curve.size, *figures]), "|---" * (len(figures) + 1) + "|"]
    for size in sorted(runs, key=int):
        medians = [median_of(runs[size], figure) for figure in figures]
        cells = ["" if middle is None else _number(middle) for middle in medians]
        lines.append(_line([f"{int(size):,}", *cells]))
    return "\n".join(lines)


def _curve_plot(curve: Curve, runs: dict[str, list[Result]]) -> str:
    series = {
        figure: [
            (float(size), middle)
            for size in sorted(runs, key=int)
            if (middle := median_of(runs[size], figure)) is not None
        ]
        for figure in _curve_figures(runs)
    }
    return curves(curve.title, curve.size, series)


# -- figures


def _cell(values: list[float]) -> str:
    if not values:  # an earlier run did not measure it
        return ""
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
