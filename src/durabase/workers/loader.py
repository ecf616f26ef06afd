"""Importing the user's program and finding its classes, again and again if need be.

The program is the file ``main`` and what it imports from its directory. Loading purges what an
earlier load imported; a load that fails leaves the earlier program as it was. Classes are found
as Cloudflare's Python Workers find them: public names of the module, or those in ``__all__``.
"""

from __future__ import annotations

import os.path
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from durabase.durable_objects import DurableObject
from durabase.durable_objects.handlers import HandlerTable
from durabase.durable_objects.suspension import set_suspending
from durabase.errors import WorkerLoadError
from durabase.workers.bindings.variables import variable_bindings
from durabase.workers.compat.finder import install_compat_modules, remove_compat_modules, restore_unused_names
from durabase.workers.config import Config
from durabase.workers.entrypoint import WorkerEntrypoint
from durabase.workers.env import Env, ambient_env
from durabase.workers.imports import ProgramImports
from durabase.workers.legacy import legacy_entrypoint, takes_functions

__all__ = ["Worker", "load_worker", "load_workers", "unload_workers"]


@dataclass(frozen=True, slots=True)
class Worker:
    """A loaded program: its entrypoints and object classes by name, ``Default`` among the former.

    ``suspends``: its plain functions may wait, by ``run_sync``.
    """

    module: ModuleType
    suspends: bool
    entrypoints: dict[str, type[WorkerEntrypoint]]
    object_classes: dict[str, type[DurableObject]]

    @property
    def default(self) -> type[WorkerEntrypoint] | None:
        """The class that answers requests."""
        return self.entrypoints.get("Default")


_installed: list[ProgramImports] = []
_loaded: list[Worker] = []


def load_worker(config: Config) -> Worker:
    """Import the program of ``config`` afresh and return its classes.

    Raises:
        WorkerLoadError: the import failed (``__cause__`` is the reason, ``details`` has the
            traceback of the program), or an object class of the configuration is missing.
    """
    return load_workers([config])[0]


def load_workers(configs: Sequence[Config]) -> list[Worker]:
    """Import several programs afresh, as :func:`load_worker` does, or none of them.

    Each has its own modules, of whatever names. Only an import inside of a function, which comes later,
    finds the first program's module if several have one of that name.
    """
    global _installed, _loaded
    previous = _installed
    programs: list[ProgramImports] = []
    workers: list[Worker] = []
    _remove(previous)
    try:
        for config in reversed(configs):
            programs.insert(0, ProgramImports(Path(config.import_root), _package_directories(config)))
            workers.insert(0, _load(config, programs[0]))
    except BaseException:
        _install(previous)
        if not previous:
            remove_compat_modules()
        raise
    _install(programs)
    _installed, _loaded = programs, workers
    restore_unused_names()
    set_suspending(any(worker.suspends for worker in workers))
    return list(workers)


def unload_workers(workers: Sequence[Worker]) -> None:
    """Let imports see these programs no more, nor the modules that only programs see.

    Does nothing if others were loaded since.
    """
    global _installed, _loaded
    if _loaded and list(workers) == _loaded:
        _remove(_installed)
        remove_compat_modules()
        set_suspending(False)
        _installed, _loaded = [], []


def _load(config: Config, imports: ProgramImports) -> Worker:
    install_compat_modules(config.import_root)
    imports.install()
    try:
        return _import_worker(config, imports)
    finally:
        imports.remove()


def _install(programs: list[ProgramImports]) -> None:
    for number, program in enumerate(programs):
        program.install(behind=number > 0)


def _remove(programs: list[ProgramImports]) -> None:
    for program in reversed(programs):
        program.remove()


def _package_directories(config: Config) -> list[Path]:
    vendored = Path(config.directory) / "python_modules"
    return [vendored] if vendored.is_dir() else []


def _import_worker(config: Config, imports: ProgramImports) -> Worker:
    token = ambient_env.set(Env(variable_bindings(config)))
    try:
        module = imports.import_file(Path(config.main))
    except (Exception, SystemExit) as error:
        raise WorkerLoadError(_import_failure(config, error)) from error
    finally:
        ambient_env.reset(token)
    exported = _exported_classes(module)
    worker = Worker(
        module,
        imports.mentions("run_sync"),
        _entrypoints(config, module, exported),
        {name: cls for name, cls in exported.items() if issubclass(cls, DurableObject)},
    )
    _check_classes(config, worker)
    return worker


def _exported_classes(module: ModuleType) -> dict[str, type[Any]]:
    members = vars(module)
    names = members.get("__all__") or [name for name in members if not name.startswith("_")]
    bases = (WorkerEntrypoint, DurableObject)
    return {
        name: member
        for name in names
        if isinstance(member := members.get(name), type) and issubclass(member, bases) and member not in bases
    }


def _entrypoints(
    config: Config, module: ModuleType, exported: dict[str, type[Any]]
) -> dict[str, type[WorkerEntrypoint]]:
    entrypoints = {name: cls for name, cls in exported.items() if issubclass(cls, WorkerEntrypoint)}
    legacy = legacy_entrypoint(module)
    if legacy is None or ("Default" in entrypoints and not takes_functions(config)):
        return entrypoints
    if not takes_functions(config):
        raise WorkerLoadError(
            f"{config.main}: handlers that are functions of the module are not called with this "
            "compatibility date. Write a class Default(WorkerEntrypoint) with the method fetch, or set the "
            "compatibility flag disable_python_no_global_handlers."
        )
    if "Default" in entrypoints:
        raise WorkerLoadError(
            f"{config.main}: Cannot define multiple default entrypoints: there are a class Default and "
            "handlers that are functions of the module."
        )
    return {**entrypoints, "Default": legacy}


def _check_classes(config: Config, worker: Worker) -> None:
    for name, cls in worker.object_classes.items():
        try:
            HandlerTable(cls)
        except TypeError as error:
            raise WorkerLoadError(f"{config.main}: the class {name} can't be used: {error}") from error
    bound = dict.fromkeys(
        binding.class_name for binding in config.durable_objects if binding.script_name is None
    )
    missing = [name for name in bound if name not in worker.object_classes]
    if missing:
        found = ", ".join(sorted(worker.object_classes)) or "none"
        raise WorkerLoadError(
            "Your Worker depends on the following Durable Objects, which are not exported in your entrypoint "
            f"file: {', '.join(missing)}.\n"
            f"{config.path} binds them; {config.main} has these subclasses of DurableObject: {found}."
        )


def _import_failure(config: Config, error: BaseException) -> str:
    """Describe the failure by the program's own frames: those of the import machinery say nothing."""
    report = traceback.TracebackException.from_exception(error)
    own = [frame for frame in report.stack if frame.filename.startswith(config.import_root)]
    report.stack = traceback.StackSummary.from_list(own)
    shown = "".join(report.format(chain=False)).rstrip()
    text = f"{os.path.relpath(config.main, config.directory)} can't be imported.\n{shown}"
    return f"{text}\n{hint}" if (hint := _import_hint(config, error)) else text


def _import_hint(config: Config, error: BaseException) -> str | None:
    root = os.path.basename(config.import_root)
    missing = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
    if missing != root and not missing.startswith(f"{root}."):
        return None
    return f'Imports start from the directory of main: write "from x import …", not "from {root}.x import …".'
