"""``durabase serve --processes N``: a project served by several processes that share its objects."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from socket import socket as Socket  # noqa: N812 - a class
from typing import Final

from durabase.cli.access import ErrorPages
from durabase.cli.banner import show_banner
from durabase.cli.console import Console
from durabase.cli.frontend.built import BuiltClient
from durabase.cli.monitor import Monitor
from durabase.cli.options import ServeOptions
from durabase.cli.project import Project
from durabase.cli.renewal import Renewal
from durabase.cli.service_manager import ServiceManager
from durabase.cli.serving import address_of, certificate_of, spare_the_collector, start_runtime, start_server
from durabase.cli.stop import StopSignals
from durabase.clock import SystemClock
from durabase.cluster.admin import ClusterAdmin
from durabase.cluster.member import Control, Place
from durabase.cluster.router import ClusterRouter
from durabase.cluster.supervisor import Supervisor
from durabase.durable_objects import ObjectHost
from durabase.operations.admin import AdminApp
from durabase.operations.objects import ObjectOperations
from durabase.server import Server
from durabase.server.context import Answered, Fetch
from durabase.server.listener import bind, url_of
from durabase.web import WebSocket

__all__ = ["serve_partition", "supervise"]

CALLS_SECONDS: Final = 5.0
"""How long a process that is replaced waits for the calls of others to its objects."""


async def supervise(
    project: Project, options: ServeOptions, console: Console, client: Path | None, manager: ServiceManager
) -> None:
    """Start the processes, and stop them together."""
    hosts, port = address_of(project, options)
    scheme = "http" if certificate_of(options) is None else "https"
    listeners = manager.listeners or await bind(hosts, port)
    host, port = listeners[0].getsockname()[:2]
    command = [sys.executable, "-m", "durabase", *options.arguments]
    stop = StopSignals(manager.is_stopping, lambda: console.line("Stopping ..."))
    count = options.processes or 1
    async with AsyncExitStack() as stack:
        supervisor = Supervisor(count, command, project.state_dir, listeners, SystemClock())
        renewal = Renewal(supervisor, options, console, manager)
        await stack.enter_async_context(supervisor)
        url = url_of(host if manager.listeners else hosts[0], port, scheme)
        show_banner(console, "serve", project, url, None if client is None else "built client")
        console.info(f"Ready on {url}, {count} process{'es' if count > 1 else ''}")
        manager.watch(stack)
        if manager.patience is not None:
            supervisor.watch(manager.patience)
        manager.is_ready(f"Ready on {url}")
        renewing = asyncio.create_task(renewal.run())
        await stop.stopped.wait()
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
    for listener in listeners:
        listener.close()


async def serve_partition(
    place: Place, project: Project, options: ServeOptions, console: Console, client: Path | None
) -> None:
    """Serve as one of the processes, until told to stop."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a terminal tells all processes; the first one acts on it
    router = _Router(place)
    control = Control(stopped.set)
    await control.connect(place)
    monitor = Monitor(project, options, console, errors_only=True, admin=router.admin)
    async with AsyncExitStack() as stack:
        stack.callback(control.close)
        runtime = await start_runtime(stack, project, options, monitor, place.partition, router.of)
        router.open(stack)
        async with AsyncExitStack() as serving:
            program = ErrorPages(runtime.dispatch, console, show=False).fetch
            frontend = BuiltClient(client) if client is not None else None
            listeners = [Socket(fileno=descriptor) for descriptor in place.listeners]
            server = await start_server(
                serving, program, frontend, runtime, project, options, listeners, router.made.departure
            )
            router.serve(server)
            monitor.ready(server)
            spare_the_collector()
            control.ready()
            await stopped.wait()
            monitor.drains()
        await control.drained()
        if control.is_replaced:
            await router.made.retire(CALLS_SECONDS)


class _Router:
    """Makes the router when there is a host, and joins it to the server when there is one."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._arrivals: set[asyncio.Task[None]] = set()
        self.made: ClusterRouter

    def of(self, host: ObjectHost) -> ClusterRouter:
        """The router for the objects of this host."""
        self.made = ClusterRouter(host, self._place.doors, Socket(fileno=self._place.door))
        return self.made

    def open(self, stack: AsyncExitStack) -> None:
        """Let the other processes in; the stack ends that."""
        self.made.open()
        stack.callback(self.made.close)

    def admin(self, app: AdminApp, objects: ObjectOperations) -> Fetch | None:
        """What answers administrators for all processes, in the first one."""
        self.made.admin = app.fetch
        return None if self._place.index else ClusterAdmin(app, objects, self.made).fetch

    def serve(self, server: Server) -> None:
        """Let the server serve clients that other processes hand over."""

        def adopt(descriptor: int, socket: WebSocket, answered: Answered) -> None:
            arrival = asyncio.ensure_future(server.adopt(descriptor, socket, answered))
            self._arrivals.add(arrival)
            arrival.add_done_callback(self._arrivals.discard)

        self.made.adopt_with(adopt)
