"""What tests need, ours and our users': a fake clock, a worker under test, conformance suites."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from durabase.testing.fake_clock import FakeClock

if TYPE_CHECKING:
    from durabase.testing.client_socket import ClientSocket, SocketClosed
    from durabase.testing.faulty_disk import FaultyDisk
    from durabase.testing.handlers import (
        create_execution_context,
        create_scheduled_controller,
        wait_on_execution_context,
    )
    from durabase.testing.harness import WorkerHarness
    from durabase.testing.network import FlakyNetwork
    from durabase.testing.persister_checks import check_persister
    from durabase.testing.port import Port

__all__ = [
    "ClientSocket",
    "FakeClock",
    "FaultyDisk",
    "FlakyNetwork",
    "Port",
    "SocketClosed",
    "WorkerHarness",
    "check_persister",
    "create_execution_context",
    "create_scheduled_controller",
    "wait_on_execution_context",
]

_HOMES = {
    "ClientSocket": "client_socket",
    "FaultyDisk": "faulty_disk",
    "FlakyNetwork": "network",
    "Port": "port",
    "SocketClosed": "client_socket",
    "WorkerHarness": "harness",
    "check_persister": "persister_checks",
    "create_execution_context": "handlers",
    "create_scheduled_controller": "handlers",
    "wait_on_execution_context": "handlers",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for: pytest loads this package wherever it is installed, which has to be quick."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
