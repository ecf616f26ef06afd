"""What is seen of a program that is served: lines or records, and what the admin address tells."""

from __future__ import annotations

import json
import logging
import os
import sys
from asyncio import get_running_loop
from collections.abc import Callable
from contextlib import AsyncExitStack

from durabase._refusals import hear
from durabase.cli.console import Console
from durabase.cli.json_console import JsonConsole
from durabase.cli.object_log import ObjectLog
from durabase.cli.options import ServeOptions
from durabase.cli.output import LabelledOutput, LogHandler, label
from durabase.cli.project import Project
from durabase.cli.server_metrics import add_server_metrics
from durabase.durable_objects.origin import Origin
from durabase.durable_objects.storage.disk import Disk
from durabase.errors import ConfigError
from durabase.inspector.endpoints import StoreEndpoints
from durabase.inspector.site import InspectorSite
from durabase.operations.admin import AdminApp
from durabase.operations.guard import check_address
from durabase.operations.objects import ObjectOperations
from durabase.operations.process import LoopLag, add_process_metrics
from durabase.operations.telemetry import Telemetry
from durabase.server import Server
from durabase.server.context import Fetch
from durabase.workers.facts import RuntimeFact
from durabase.workers.runtime import Runtime

__all__ = ["ADDRESS_FILE", "Monitor", "admin_token"]

ADDRESS_FILE = "admin.json"
"""In the state directory, while a server runs that has an admin address: where that is."""


class Monitor:
    """Sees what a runtime does.

    Args:
        project: what is served.
        options: how.
        console: where lines and records go.
        errors_only: write no lines of objects that start and hibernate.
        inspects: have what the inspector needs, also without an admin address.
        admin: makes of what answers administrators for this process what does so at the admin address;
            ``None`` if that is served elsewhere.
    """

    def __init__(
        self,
        project: Project,
        options: ServeOptions,
        console: Console,
        *,
        errors_only: bool = False,
        inspects: bool = False,
        admin: Callable[[AdminApp, ObjectOperations], Fetch | None] = lambda app, objects: app.fetch,
    ) -> None:
        self._admin = admin
        self._console = console
        self._log = ObjectLog(console, errors_only=errors_only)
        self._project = project
        self._admin_address = options.admin
        self._durability = options.durability
        self._is_json = isinstance(console, JsonConsole)
        self._is_administered = inspects or options.admin is not None
        self._is_exported = options.opentelemetry
        is_wanted = self._is_json or self._is_administered or self._is_exported
        self._telemetry = Telemetry(project.config.name) if is_wanted else None
        self._app: AdminApp | None = None
        self._stores: StoreEndpoints | None = None
        self._server: Server | None = None

    @property
    def disk(self) -> Disk:
        """What makes commits, and measures them, for the runtime."""
        disk = Disk() if self._telemetry is None else self._telemetry.disk
        disk.durability = self._durability
        return disk

    def observe(self, fact: RuntimeFact) -> None:
        """Something has happened."""
        if not self._is_json:
            self._log.observe(fact)
        if self._telemetry is not None:
            self._telemetry.observe(fact)

    def start(self, stack: AsyncExitStack) -> None:
        """Label what is printed and logged from now on, and hear of refusals; the stack ends it."""
        if self._telemetry is not None:
            stack.callback(hear(self._telemetry.refused))
        if isinstance(self._console, JsonConsole) and self._telemetry is not None:
            self._console.follow(self._telemetry)
        elif self._telemetry is not None:
            handler = LogHandler(self._telemetry.log)
            logging.getLogger().addHandler(handler)
            stack.callback(logging.getLogger().removeHandler, handler)
        output = LabelledOutput(sys.stdout, self._said)
        stack.callback(setattr, sys, "stdout", sys.stdout)
        stack.callback(output.finish)
        sys.stdout = output

    def _said(self, origin: Origin | None, level: str, text: str, error: BaseException | None) -> None:
        if self._telemetry is not None:
            self._telemetry.log(origin, level, text, error)
        if not self._is_json:
            self._console.line(label(origin) + text)

    async def open(self, stack: AsyncExitStack, runtime: Runtime) -> None:
        """Serve the admin address, if there is to be one; the stack ends it.

        Raises:
            ConfigError: others could reach it, and there is no token.
            ServerError: the port is taken.
        """
        if self._telemetry is None:
            return
        self._telemetry.attach(runtime.host)
        if self._is_administered or self._is_exported:
            self._measure_process(stack, self._telemetry)
        if self._is_exported:
            await self._export(stack, self._telemetry)
        if self._is_administered:
            objects = ObjectOperations(runtime.host)
            stores = self._stores = StoreEndpoints(objects)
            app = self._app = AdminApp(objects, self._telemetry, admin_token(), stores.routes)
            stack.callback(self.drains)
            if self._admin_address is not None:
                await self._serve(stack, *self._admin_address, self._admin(app, objects))

    async def _export(self, stack: AsyncExitStack, telemetry: Telemetry) -> None:
        try:
            from durabase.operations.opentelemetry.export import exported
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"{error.name} is missing. Install what this needs: pip install 'durabase[opentelemetry]'"
            ) from error
        await stack.enter_async_context(exported(telemetry, self._project.config.name))

    def _measure_process(self, stack: AsyncExitStack, telemetry: Telemetry) -> None:
        lag = telemetry.activity.lag = LoopLag(get_running_loop())
        add_process_metrics(telemetry.registry, lag)
        add_server_metrics(telemetry.registry, lambda: self._server)
        lag.start()
        stack.callback(lag.stop)

    async def _serve(self, stack: AsyncExitStack, host: str, port: int, fetch: Fetch | None) -> None:
        check_address(host, admin_token())
        if fetch is None:
            return
        site = InspectorSite(fetch, fetch)
        admin = await stack.enter_async_context(Server(site.fetch, host=host, port=port))
        address = self._project.state_dir / ADDRESS_FILE
        address.write_text(json.dumps({"url": admin.url}), encoding="utf-8")
        stack.callback(address.unlink, missing_ok=True)
        self._console.info(f"Admin on {admin.url}")

    def inspecting(self, fetch: Fetch) -> Fetch:
        """What answers with the inspector, too, to who is on this machine."""
        return fetch if self._app is None else InspectorSite(self._app.fetch, fetch, local_only=True).fetch

    def ready(self, server: Server) -> None:
        """The server listens."""
        self._server = server
        if self._app is not None:
            self._app.server = server
            self._app.is_ready = True

    def stopping(self) -> None:
        """The server is about to stop: say so."""
        self._console.line("Stopping ...")
        self.drains()

    def drains(self) -> None:
        """The server is about to stop: nobody follows any more."""
        if self._app is not None:
            self._app.close()
        if self._stores is not None:
            self._stores.close()


def admin_token() -> str | None:
    """The secret of administrators, from the environment."""
    return os.environ.get("DURABASE_ADMIN_TOKEN") or None
