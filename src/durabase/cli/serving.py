"""What ``dev``, ``serve`` and ``demo`` have in common: put the parts together, serve, stop in good order."""

from __future__ import annotations

import asyncio
import gc
import io
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from socket import socket as Socket  # noqa: N812 - a class
from typing import Any, Final

from durabase.cli.console import Console
from durabase.cli.frontend.site import Fetch, Frontend, Site
from durabase.cli.monitor import Monitor
from durabase.cli.options import ServeOptions
from durabase.cli.project import Project
from durabase.cli.stop import StopSignals
from durabase.durable_objects import ObjectHost
from durabase.durable_objects.partition import WHOLE, Partition
from durabase.durable_objects.routing import ObjectRouter
from durabase.errors import ConfigError
from durabase.operations.watchdog import Watchdog
from durabase.server import Server, ServerLimits
from durabase.server import run as run_on_loop
from durabase.server.context import Handover
from durabase.server.origins import OriginCheck
from durabase.server.tls import Certificate
from durabase.workers.loader import load_workers
from durabase.workers.places import id_secret
from durabase.workers.runtime import Runtime

__all__ = [
    "address_of",
    "certificate_of",
    "run",
    "serve_until_stopped",
    "spare_the_collector",
    "start_runtime",
    "start_server",
]

_MIDDLE_PASSES: Final = 100
"""After so many collections of the middle generation, ten times Python's own, there may be a full one: when
some 700,000 containers have come that nothing has freed."""


def run(main: Coroutine[Any, Any, None]) -> int:
    """Run a serving command on the fastest event loop there is, and return its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what the program prints appears when it is printed
    run_on_loop(main)
    return 0


async def start_runtime(
    stack: AsyncExitStack,
    project: Project,
    options: ServeOptions,
    monitor: Monitor,
    partition: Partition = WHOLE,
    router: Callable[[ObjectHost], ObjectRouter] | None = None,
) -> Runtime:
    """Load the project's programs and start their runtime, with its admin address; the stack ends both.

    ``partition`` and ``router`` are for one of several processes.

    Raises:
        WorkerLoadError: a program can't be loaded.
        ConfigError: others could reach the admin address, and there is no token.
    """
    monitor.start(stack)
    worker, *others = load_workers([project.config, *project.others])
    runtime = Runtime(
        project.config,
        worker,
        project.state_dir,
        others=list(zip(project.others, others, strict=True)),
        idle_seconds=options.idle_seconds,
        max_value_bytes=options.max_value_bytes,
        is_strict=options.is_strict,
        history_days=options.history_days,
        observer=monitor.observe,
        may_delete_classes=options.delete_classes,
        id_secret=id_secret(),
        disk=monitor.disk,
        partition=partition,
        router=router,
    )
    await stack.enter_async_context(runtime)
    await monitor.open(stack, runtime)
    if options.watchdog_seconds:
        watchdog = Watchdog(asyncio.get_running_loop(), options.watchdog_seconds, monitor.observe)
        watchdog.start()
        stack.callback(watchdog.stop)
    return runtime


def address_of(project: Project, options: ServeOptions) -> tuple[list[str], int]:
    """The addresses and the port to serve on, as the options or the configuration say."""
    host, port = options.ip or project.config.dev.ip, options.port
    return [host] if isinstance(host, str) else list(host), project.config.dev.port if port is None else port


def certificate_of(options: ServeOptions) -> Certificate | None:
    """The certificate that the options name; ``None`` without TLS.

    Raises:
        ConfigError: only one of the two files is named.
        ServerError: there is none in them.
    """
    if options.certificate is None and options.certificate_key is None:
        return None
    if options.certificate is None or options.certificate_key is None:
        raise ConfigError("TLS needs both --tls-cert and --tls-key")
    return Certificate(options.certificate, options.certificate_key)


async def start_server(
    stack: AsyncExitStack,
    program: Fetch,
    frontend: Frontend | None,
    runtime: Runtime,
    project: Project,
    options: ServeOptions,
    listeners: Sequence[Socket] = (),
    handover: Handover | None = None,
    before: Callable[[Fetch], Fetch] = lambda fetch: fetch,
) -> Server:
    """Listen where the options or the configuration say, or on ``listeners``; the stack ends it.

    ``before`` makes of what answers what is asked first.

    Raises:
        ServerError: the port is taken, the address is not ours, or there is no certificate in its file.
        ConfigError: an origin or the address of a proxy is none, or half of a certificate is named.
    """
    hosts, port = address_of(project, options)
    fetch = before(Site(program, frontend, runtime.leads_elsewhere).fetch)
    certificate = certificate_of(options)
    try:
        server = Server(
            OriginCheck(fetch, options.origins).fetch if options.origins else fetch,
            host=hosts,
            port=port,
            limits=ServerLimits(connections_per_address=options.connections_per_address),
            trusted_proxies=options.trusted_proxies,
            compression=project.config.compresses_web_sockets,
            listeners=listeners,
            handover=handover,
            certificate=certificate,
        )
    except ValueError as error:
        raise ConfigError(str(error)) from None
    return await stack.enter_async_context(server)


async def serve_until_stopped(
    stop: StopSignals, console: Console, server: Server, *background: Awaitable[None], help_line: str = ""
) -> None:
    """Say that the server is ready, and the ``help_line`` if there is any; return when it is asked to stop.

    Raises:
        Exception: what ended one of the ``background`` tasks.
    """
    spare_the_collector()
    console.info(f"Ready on {server.url.rstrip('/')}")
    if help_line:
        console.dim(help_line)
    tasks = [asyncio.ensure_future(work) for work in background]
    stopped = asyncio.create_task(stop.stopped.wait())
    try:
        pending: set[asyncio.Future[Any]] = {stopped, *tasks}
        while not stopped.done():
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        for task in (stopped, *tasks):
            task.cancel()
        await asyncio.gather(stopped, *tasks, return_exceptions=True)


def spare_the_collector() -> None:
    """Have the garbage collector, which halts all, look at everything seldom.

    What is loaded by now stays, and need not be looked at. What objects leave behind is swept up when their
    lives end; for all else it is enough to look when many more containers have come than by Python's measure.
    """
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _MIDDLE_PASSES)
