"""Plots as SVG, without a library: curves and bars on logarithmic axes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from math import ceil, floor, log10

__all__ = ["bars", "curves"]

_COLOURS = ("#1b6ac9", "#d9480f", "#2b8a3e", "#862e9c", "#c2255c", "#5c940d")
_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 20, 44, 40

Point = tuple[float, float]


class _Axis:
    """A logarithmic scale over whole decades."""

    def __init__(self, values: Iterable[float], start: float, end: float) -> None:
        present = [value for value in values if value > 0] or [1]
        self._first = floor(log10(min(present)))
        self._last = max(self._first + 1, ceil(log10(max(present))))
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        """Where a value lies."""
        share = (log10(value) - self._first) / (self._last - self._first)
        return self._start + share * (self._end - self._start)

    def decades(self) -> list[float]:
        """The values with a line of their own."""
        return [10.0**power for power in range(self._first, self._last + 1)]


def curves(title: str, x_label: str, series: Mapping[str, Sequence[Point]]) -> str:
    """Lines, each with a name, over a size."""
    points = [point for line in series.values() for point in line]
    across = _Axis((x for x, _ in points), _LEFT, _WIDTH - _RIGHT)
    up = _Axis((y for _, y in points), _HEIGHT - _BOTTOM, _TOP)
    parts = [_text(_LEFT, 18, title, weight="bold")]
    for value in across.decades():
        parts.append(_line(across.at(value), _TOP, across.at(value), _HEIGHT - _BOTTOM))
        parts.append(_text(across.at(value), _HEIGHT - 22, _short(value), "middle"))
    for value in up.decades():
        parts.append(_line(_LEFT, up.at(value), _WIDTH - _RIGHT, up.at(value)))
        parts.append(_text(_LEFT - 6, up.at(value) + 4, _short(value), "end"))
    parts.append(_text(_WIDTH / 2, _HEIGHT - 6, x_label, "middle"))
    for index, (name, line) in enumerate(series.items()):
        colour = _COLOURS[index % len(_COLOURS)]
        places = [(across.at(x), up.at(y)) for x, y in line if y > 0]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        parts.append(_text(_LEFT + 190 * (index % 3), 34 + 13 * (index // 3), name, colour=colour))
    return _svg(_HEIGHT, parts)


def bars(title: str, ratios: Sequence[tuple[str, float]]) -> str:
    """How many times better, a bar each, with a line at 1."""
    left, step = 330, 18
    height = _TOP + step * len(ratios) + 30
    across = _Axis([0.5, *(ratio for _, ratio in ratios)], left, _WIDTH - 60)
    parts = [_text(10, 18, title, weight="bold")]
    for value in across.decades():
        parts.append(_line(across.at(value), _TOP - 8, across.at(value), height - 24))
        parts.append(_text(across.at(value), height - 8, f"{_short(value)} ×", "middle"))
    for index, (name, ratio) in enumerate(ratios):
        y, one, end = _TOP + step * index, across.at(1), across.at(ratio)
        colour = _COLOURS[0] if ratio >= 1 else _COLOURS[1]
        width = max(1.0, abs(end - one))
        parts.append(
            f'<rect x="{min(one, end):.1f}" y="{y}" width="{width:.1f}" height="12" fill="{colour}"/>'
        )
        parts.append(_text(left - 8, y + 10, name, "end"))
        parts.append(_text(max(one, end) + 4, y + 10, f"{ratio:.1f}"))
    return _svg(height, parts)


def _svg(height: float, parts: Iterable[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" '
        f'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/>'
    )
    return "\n".join([head, *parts, "</svg>\n"])


def _text(
    x: float, y: float, text: str, anchor: str = "start", colour: str = "#222", weight: str = "normal"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-weight="{weight}">'
        f"{escape(text)}</text>"
    )


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#ddd"/>'


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"
