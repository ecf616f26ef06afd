"""Loading the program anew when its files change, and keeping the last good one when that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from watchfiles import Change, awatch
from watchfiles._rust_notify import WatchfilesRustInternalError

from durabase.cli.console import Console
from durabase.cli.options import ServeOptions
from durabase.cli.project import Project, load_project, show_warnings
from durabase.errors import DurabaseError
from durabase.workers.config import Config
from durabase.workers.config.find import CONFIG_NAMES
from durabase.workers.loader import Worker, load_workers
from durabase.workers.runtime import Runtime

__all__ = ["Reloader", "is_watched", "watch"]

_NOT_WATCHED = frozenset({"node_modules", "python_modules", "site-packages", "__pycache__"})


class Reloader:
    """Replaces what a runtime runs by what is on disk now."""

    def __init__(self, project: Project, options: ServeOptions, runtime: Runtime, console: Console) -> None:
        self._known = project
        self._options = options
        self._runtime = runtime
        self._console = console

    async def reload(self) -> None:
        """Load configuration and program; if that fails, say why and change nothing."""
        self._console.line("⎔ Reloading local server...")
        try:
            project, (worker, *others) = self._load()
            await self._runtime.reload(project.config, worker, list(zip(project.others, others, strict=True)))
        except DurabaseError as error:
            self._say_why_not(error)
        else:
            self._console.line("⎔ Local server updated and ready")

    def project(self) -> Project | None:
        """Return the project as it is on disk now; ``None`` if it can't be loaded, and say why."""
        try:
            return self._load()[0]
        except DurabaseError as error:
            self._say_why_not(error)
            return None

    def _load(self) -> tuple[Project, list[Worker]]:
        project = load_project(self._options)
        if (project.warnings, project.notes) != (self._known.warnings, self._known.notes):
            show_warnings(project, self._console)
        self._known = project
        return project, load_workers([project.config, *project.others])

    def _say_why_not(self, error: DurabaseError) -> None:
        self._console.error(str(error))
        self._console.line("⎔ The last good code keeps serving")


async def watch(configs: Sequence[Config], changed: Callable[[], Awaitable[None]], console: Console) -> None:
    """Call ``changed`` after each change of the programs or their configurations, until cancelled.

    If the system can't watch any more files, that is said, and nothing is watched.
    """
    one_at_a_time = asyncio.Lock()

    async def follow(directory: Path, recursive: bool) -> None:
        def wanted(change: Change, path: str) -> bool:
            return is_watched(directory, Path(path))

        changes = awatch(directory, watch_filter=wanted, recursive=recursive, debounce=400, step=50)
        async for _ in changes:
            async with one_at_a_time:
                await changed()

    programs = {Path(config.import_root) for config in configs}
    try:
        async with asyncio.TaskGroup() as followers:
            for program in programs:
                followers.create_task(follow(program, recursive=True))
            for directory in {Path(config.directory) for config in configs} - programs:
                followers.create_task(follow(directory, recursive=False))
    except* (OSError, WatchfilesRustInternalError) as errors:
        console.warning(f"Changes are not followed: {errors.exceptions[0]}")


def is_watched(root: Path, path: Path) -> bool:
    """Tell whether ``path`` is code or configuration below ``root`` that the program is made of."""
    if not path.is_relative_to(root):
        return False
    *folders, name = path.relative_to(root).parts or ("",)
    if any(folder in _NOT_WATCHED or folder.startswith(".") for folder in folders):
        return False
    return name.endswith(".py") or name in CONFIG_NAMES or name.startswith((".dev.vars", ".env"))
