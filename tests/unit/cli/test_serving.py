"""Where commands serve, and until when."""

from __future__ import annotations

import asyncio
import gc
import io
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from durabase.cli.console import Console
from durabase.cli.options import ServeOptions
from durabase.cli.project import Project
from durabase.cli.serving import (
    address_of,
    certificate_of,
    serve_until_stopped,
    spare_the_collector,
    start_server,
)
from durabase.cli.stop import StopSignals
from durabase.errors import ConfigError
from durabase.workers.config import Config, DevConfig

OPTIONS = ServeOptions(Path())
PROJECT = Project(
    Config("/p/wrangler.toml", "app", "/p/index.py", dev=DevConfig("10.0.0.1", 1234)), Path("/p/state"), None
)


class Server:
    url = "http://127.0.0.1:8787/"


@pytest.fixture(autouse=True)
def the_collector_is_as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


@pytest.mark.parametrize(
    ("options", "address"),
    [
        (OPTIONS, (["10.0.0.1"], 1234)),
        (replace(OPTIONS, ip="::1", port=0), (["::1"], 0)),
        (replace(OPTIONS, port=80), (["10.0.0.1"], 80)),
    ],
)
def test_the_options_go_before_the_configuration(
    options: ServeOptions, address: tuple[list[str], int]
) -> None:
    assert address_of(PROJECT, options) == address


def test_a_certificate_is_two_files() -> None:
    assert certificate_of(OPTIONS) is None
    for half in ({"certificate": Path("a.pem")}, {"certificate_key": Path("a.pem")}):
        with pytest.raises(ConfigError, match=r"^TLS needs both --tls-cert and --tls-key$"):
            certificate_of(replace(OPTIONS, **half))


def test_a_proxy_that_is_none_is_a_mistake_of_the_configuration() -> None:
    class Runtime:
        leads_elsewhere = None

    async def main() -> None:
        options = replace(OPTIONS, trusted_proxies=("nonsense",))
        async with AsyncExitStack() as stack:
            await start_server(stack, None, None, Runtime(), PROJECT, options)  # type: ignore[arg-type]

    with pytest.raises(ConfigError, match="nonsense"):
        asyncio.run(main())


def served(*background: Any, help_line: str = "") -> str:
    """What is said by a command that is asked to stop when all that is ready has run."""
    out = io.StringIO()

    async def main() -> None:
        stop = StopSignals()
        asyncio.get_running_loop().call_later(0.01, stop.stop)
        server: Any = Server()
        async with asyncio.timeout(10):
            await serve_until_stopped(
                stop, Console(out, out), server, *(work() for work in background), help_line=help_line
            )

    asyncio.run(main())
    return out.getvalue()


def test_it_says_that_it_is_ready_and_serves_until_it_is_to_stop() -> None:
    assert served() == "[wrangler:info] Ready on http://127.0.0.1:8787\n"
    assert served(help_line="press h").splitlines()[1:] == ["press h"]


def test_background_work_is_ended_with_it_and_may_end_before() -> None:
    done: list[str] = []

    async def short() -> None:
        done.append("short")

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            done.append("endless")

    served(short, endless)
    assert done == ["short", "endless"]


def test_what_fails_in_the_background_ends_it() -> None:
    ended: list[bool] = []

    async def fail() -> None:
        raise KeyError("no")

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    with pytest.raises(KeyError, match="no"):
        served(endless, fail)
    assert ended == [True]


def test_the_collector_looks_at_everything_seldom() -> None:
    young, middle, _ = gc.get_threshold()
    spare_the_collector()
    assert gc.get_threshold() == (young, middle, 100)
    assert gc.get_freeze_count() > 0
