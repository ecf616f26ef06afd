"""``durabase check``: whether a project would start, what it has, and what it uses that is not here."""

from __future__ import annotations

import argparse
import contextlib
import inspect
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from durabase.cli.bound import STORAGES, Bound, bound, shown_path
from durabase.cli.console import Console
from durabase.cli.options import ServeOptions
from durabase.cli.project import Project, load_project
from durabase.cli.reload import is_watched
from durabase.errors import DurabaseError
from durabase.workers.bindings.binder import check_programs
from durabase.workers.class_ledger import ClassLedger
from durabase.workers.config import Config
from durabase.workers.config.classes import ClassChange, CreateClass, DeleteClass, Migration, RenameClass
from durabase.workers.lint import unsupported_names
from durabase.workers.loader import Worker, load_workers, unload_workers

__all__ = ["check"]


@dataclass
class _Report:
    """What is known of one worker."""

    name: str
    config: str
    main: str
    classes: dict[str, str] = field(default_factory=dict)
    bindings: list[Bound] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)


def check(options: argparse.Namespace, console: Console) -> int:
    """Say what is found; 2 if something is wrong, else 0. Nothing is served, and no data is touched."""
    place, *others = options.configs or [options.place]
    asked = ServeOptions(place, tuple(others), environment=options.environment, persist_to=options.persist_to)
    errors: list[str] = []
    warnings: list[str] = []
    notes: list[str] = []
    reports: list[_Report] = []
    with contextlib.redirect_stdout(sys.stderr):  # what the program prints is no part of the answer
        try:
            project = load_project(asked)
            warnings, notes = list(project.warnings), list(project.notes)
            reports = _reports(project, errors, notes)
        except DurabaseError as error:
            errors.insert(0, str(error))
    if options.json:
        workers = [asdict(report) for report in reports]
        found = {"errors": errors, "warnings": warnings, "notes": notes}
        console.line(
            json.dumps({"ok": not errors, "workers": workers, **found}, ensure_ascii=False, indent=2)
        )
    else:
        _show(console, reports, errors, warnings, notes)
    return 2 if errors else 0


def _reports(project: Project, errors: list[str], notes: list[str]) -> list[_Report]:
    configs = [project.config, *project.others]
    for config in configs:
        errors += _unsupported(config)
    names = [config.name for config in configs]
    reports = [
        _Report(
            config.name,
            shown_path(Path(config.path)),
            shown_path(Path(config.main)),
            bindings=list(bound(config, names)),
        )
        for config in configs
    ]
    try:
        workers = load_workers(configs)
    except DurabaseError as error:
        errors.append(str(error))
        return reports
    unload_workers(workers)
    for report, config, worker in zip(reports, configs, workers, strict=True):
        report.classes = _classes(config, worker)
        notes += _hints(worker)
    try:
        check_programs(list(zip(configs, workers, strict=True)))
        steps = ClassLedger(project.state_dir).plan(configs).steps
    except DurabaseError as error:
        errors.append(str(error))
        return reports
    for report in reports:
        report.pending = [_step(migration) for migration in steps[report.name]]
    return reports


def _classes(config: Config, worker: Worker) -> dict[str, str]:
    storages = {configured.class_name: STORAGES[configured.storage] for configured in config.classes}
    entrypoints = dict.fromkeys(worker.entrypoints, "entrypoint")
    classes = {
        name: storages.get(name, "not configured")
        for name, cls in worker.object_classes.items()
        if name in storages or not cls.__module__.startswith("durabase.")  # a base class, imported
    }
    return classes | entrypoints


def _hints(worker: Worker) -> Iterator[str]:
    """Methods whose names look private, and are not."""
    for name, cls in {**worker.object_classes, **worker.entrypoints}.items():
        members = inspect.getmembers_static(cls, inspect.isroutine)
        open_ = [member for member, _ in members if member.startswith("_") and _is_own(cls, member)]
        if open_:
            yield (
                f"{name}: whoever has a stub can call {', '.join(open_)}. An underscore hides nothing; "
                "a function of the module does."
            )


def _is_own(cls: type, member: str) -> bool:
    owner = next(base for base in cls.__mro__ if member in vars(base))
    return not member.startswith("__") and owner.__module__.partition(".")[0] != "durabase"


def _unsupported(config: Config) -> Iterator[str]:
    for path in _sources(Path(config.import_root)):
        with contextlib.suppress(SyntaxError, UnicodeDecodeError):  # loading says so, if it is loaded
            for finding in unsupported_names(path.read_text(encoding="utf-8")):
                yield f"{shown_path(path)}:{finding.line}: {finding.text}"


def _sources(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if is_watched(root, Path(folder, name, "x.py")))
        yield from (Path(folder, name) for name in sorted(names) if name.endswith(".py"))


def _step(migration: Migration) -> str:
    changes = ", ".join(_change(change) for change in migration.changes) or "nothing"
    return f"{migration.tag}: {changes}" if migration.tag else changes


def _change(change: ClassChange) -> str:
    match change:
        case CreateClass(name, storage):
            return f"creates {name} ({STORAGES[storage]})"
        case RenameClass(old, new):
            return f"renames {old} to {new}"
        case DeleteClass(name):
            return f"deletes {name} with all its objects"
    return f"takes {change.old} of {change.from_script} over as {change.new}"


def _show(
    console: Console, reports: list[_Report], errors: list[str], warnings: list[str], notes: list[str]
) -> None:
    console.line()
    for report in reports:
        console.line(f"  {console.bold(report.name or report.config)}    {console.faint(report.config)}")
        console.line()
        for label, text in _lines(report):
            console.line(f"  {label:<8} {text}")
        console.line()
    for text in notes:
        console.line(f"  {console.faint(text)}")
    for text in warnings:
        console.warning(text)
    for text in errors:
        console.error(text)
    if errors or warnings or notes:
        console.line()
    console.line(f"  {_summary(errors, warnings)}")


def _lines(report: _Report) -> Iterator[tuple[str, str]]:
    yield "Program", report.main
    width = max(map(len, report.classes), default=0)
    for name, what in report.classes.items():
        yield "Class", f"{name:<{width}}  {what}"
    for entry in report.bindings:
        yield entry.kind, str(entry)
    for step in report.pending:
        yield "Pending", step


def _summary(errors: list[str], warnings: list[str]) -> str:
    counts = [_count(len(errors), "error"), _count(len(warnings), "warning")]
    return ", ".join(count for count in counts if count) or "✓ Nothing is wrong"


def _count(number: int, noun: str) -> str:
    return "" if not number else f"1 {noun}" if number == 1 else f"{number} {noun}s"
