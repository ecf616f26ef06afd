"""``durabase import-wrangler``: takes over what ``wrangler dev`` keeps of objects."""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from durabase.cli.admin_client import AdminClient, find_admin
from durabase.cli.console import Console
from durabase.cli.copies import Which, send
from durabase.cli.objects import project_of
from durabase.cli.progress import Progress
from durabase.cli.project import Project
from durabase.clock import SystemClock
from durabase.errors import DurabaseError
from durabase.operations.wrangler_state import WranglerObject, convert, objects_in

__all__ = ["import_wrangler"]

_STATE: Final = Path(".wrangler", "state")


def import_wrangler(options: argparse.Namespace, console: Console) -> int:
    """Import every object that can be; 1 if there are others, which are named.

    Raises:
        DurabaseError: there are none.
    """
    project = project_of(options, console)
    place: Path = options.place or Path(project.config.directory) / _STATE
    found, classes = objects_in(place), _classes(project)
    if not found:
        raise DurabaseError(f"There are no objects in {place}.")
    project.state_dir.mkdir(parents=True, exist_ok=True)
    progress = Progress(console, len(found), as_json=options.json)
    failures = 0
    with find_admin(project, options.admin) as admin:
        for each in found:
            try:
                _import(admin, each, classes, progress, replace=options.replace)
            except DurabaseError as error:
                failures += 1
                console.error(f"{each.file}: {error}")
    return 1 if failures else 0


def _classes(project: Project) -> dict[str, str]:
    """The names by which administrators know the classes, by those of wrangler's directories."""
    workers = [("", project.config), *((f"{other.name}:", other) for other in project.others)]
    return {
        config.unique_key(known): prefix + known.class_name
        for prefix, config in workers
        for known in config.classes
    }


def _import(
    admin: AdminClient,
    each: WranglerObject,
    classes: dict[str, str],
    progress: Progress,
    *,
    replace: bool,
) -> None:
    class_name = classes.get(each.unique_key)
    if class_name is None:
        known = ", ".join(sorted(classes)) or "none"
        raise DurabaseError(f"The configuration has no class for {each.unique_key}; it has: {known}.")
    with TemporaryDirectory() as folder:
        copy = Path(folder, each.file.name)
        label = convert(each.file, copy, class_name, SystemClock().now_ms())
        which = Which(class_name, label.name, label.id.hex())
        send(admin, which, copy, progress, replace=replace)
    progress.done(which, "imported", each.file)
