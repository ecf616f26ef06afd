"""Tracebacks for those who write programs: frames of this package are left out, they say nothing there."""

from __future__ import annotations

import traceback
from pathlib import Path

__all__ = ["origin_note", "program_traceback", "tell_origins"]

_PACKAGE = Path(__file__).parents[1]
_PROGRAMS = _PACKAGE / "templates"  # the demo's program is there
_told = False


def program_traceback(error: BaseException) -> str:
    """Return the traceback of an error, and of those that it came from, as text.

    Where the program has no frame at all, the last one of this package is shown.
    """
    report = traceback.TracebackException.from_exception(error)
    _leave_out(report)
    return "".join(report.format()).rstrip()


def tell_origins(is_told: bool) -> None:
    """Have errors of calls tell their callers where they came from, or not: in development it helps."""
    global _told
    _told = is_told


def origin_note(error: BaseException) -> str | None:
    """Return where in the program an error came from, if callers are told."""
    if not _told or error.__traceback__ is None:
        return None
    frames = _own(traceback.extract_tb(error.__traceback__))
    notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
    return f"It came from:\n{''.join(frames.format())}".rstrip() + notes


def _leave_out(report: traceback.TracebackException) -> None:
    report.stack = _own(report.stack)
    for inner in (report.__cause__, report.__context__, *(getattr(report, "exceptions", None) or ())):
        if inner is not None:
            _leave_out(inner)


def _own(stack: traceback.StackSummary) -> traceback.StackSummary:
    own = [frame for frame in stack if _is_of_program(Path(frame.filename))]
    return traceback.StackSummary.from_list(own or stack[-1:])


def _is_of_program(path: Path) -> bool:
    return not path.is_relative_to(_PACKAGE) or path.is_relative_to(_PROGRAMS)
