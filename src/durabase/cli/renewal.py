"""Starting processes anew while others serve, with the code that there is then: SIGHUP asks for it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys

from durabase.cli.console import Console
from durabase.cli.options import ServeOptions
from durabase.cli.project import load_project
from durabase.cli.service_manager import ServiceManager
from durabase.cluster.supervisor import Supervisor
from durabase.errors import DurabaseError
from durabase.workers.class_ledger import ClassLedger
from durabase.workers.config.classes import CreateClass

__all__ = ["Renewal"]


class Renewal:
    """Puts new processes in the places of the old ones at each SIGHUP. Make it in a running event loop.

    Nothing is touched if the project would not start, or if it has migrations that the processes of the code
    before could not live with.
    """

    def __init__(
        self, supervisor: Supervisor, options: ServeOptions, console: Console, manager: ServiceManager
    ) -> None:
        """Start listening: what is asked before the processes serve is done when they do, by :meth:`run`."""
        self._supervisor = supervisor
        self._options = options
        self._console = console
        self._manager = manager
        self._asked = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._asked.set)

    async def run(self) -> None:
        """Do as asked, until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            self._manager.is_reloading()
            self._manager.is_ready(await self._renew())

    async def _renew(self) -> str:
        """Restart if that can be; return how it went."""
        faults = await _faults(self._options)
        for fault in faults:
            self._console.error(fault)
        if faults:
            self._console.error("Nothing is restarted; what was there before goes on.")
            return f"Nothing is restarted: {faults[0]}"
        self._console.info("Restarting, one process after the other ...")
        try:
            await self._supervisor.restart()
        except DurabaseError as error:
            self._console.error(f"{error}; those after it go on as they were")
            return str(error)
        self._console.info("Restarted")
        return "Restarted"


async def _faults(options: ServeOptions) -> list[str]:
    """Why processes of now and of before could not share the project."""
    errors = await _errors_of_check(options)
    if errors:
        return errors
    project = load_project(options)
    steps = ClassLedger(project.state_dir).plan([project.config, *project.others]).steps
    changes = [change for migrations in steps.values() for made in migrations for change in made.changes]
    if all(isinstance(change, CreateClass) for change in changes):
        return []
    return ["Migrations that rename, transfer or delete classes take a stop and a start."]


async def _errors_of_check(options: ServeOptions) -> list[str]:
    """What ``durabase check`` finds, in a process of its own, for the code may be new."""
    command = [sys.executable, "-m", "durabase", "check", "--json"]
    for place in (options.place, *options.others):
        command += ["-c", str(place)]
    if options.environment is not None:
        command += ["--env", options.environment]
    if options.persist_to is not None:
        command += ["--persist-to", str(options.persist_to)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    said, complained = await process.communicate()
    try:
        errors: list[str] = json.loads(said)["errors"]
    except ValueError:
        return [complained.decode("utf-8", "replace").strip() or "the check has failed"]
    return errors
