"""A service manager such as systemd: the sockets that it gives a server, and what the server tells it."""

from __future__ import annotations

import asyncio
import logging
import os
import socket as socket_module
import time
from collections.abc import MutableMapping, Sequence
from contextlib import AsyncExitStack
from socket import socket as Socket  # noqa: N812 - a class
from typing import Final

from durabase.errors import ConfigError

__all__ = ["ServiceManager"]

_log = logging.getLogger("durabase.cli")

_FIRST_DESCRIPTOR: Final = 3
_LISTENING: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
_WATCHING: Final = ("WATCHDOG_PID", "WATCHDOG_USEC")
_SIGNS_OF_LIFE: Final = 2
"""So many in the time after which the manager takes a silent server for dead."""


class ServiceManager:
    """The service manager that has started this process, or nobody.

    Args:
        address: where it is told things, as ``NOTIFY_SOCKET`` has it; ``None``: it wants to hear nothing.
        listeners: the sockets that it listens on for us.
        patience: how many seconds without a sign of life it allows; ``None``: any number.

    The protocols are those of systemd's ``sd_notify(3)`` and ``sd_listen_fds(3)``.
    """

    def __init__(
        self, address: str | None = None, listeners: Sequence[Socket] = (), patience: float | None = None
    ) -> None:
        self._address = None if address is None else address.replace("@", "\0", 1)
        self.listeners = list(listeners)
        self.patience = patience

    @classmethod
    def taken(cls, environment: MutableMapping[str, str]) -> ServiceManager:
        """What the environment says of it. That is taken out, for processes started from here have none.

        Raises:
            ConfigError: something that we were given is no socket that listens on a port.
        """
        own = str(os.getpid())
        listening = {name: environment.pop(name, "") for name in _LISTENING}
        watching = {name: environment.pop(name, "") for name in _WATCHING}
        count = int(listening["LISTEN_FDS"] or 0) if listening["LISTEN_PID"] == own else 0
        is_watched = watching["WATCHDOG_USEC"] and watching["WATCHDOG_PID"] in ("", own)
        return cls(
            environment.pop("NOTIFY_SOCKET", None),
            [_given(_FIRST_DESCRIPTOR + index) for index in range(count)],
            int(watching["WATCHDOG_USEC"]) / 1e6 if is_watched else None,
        )

    def is_ready(self, status: str) -> None:
        """The server serves, after a start or a reload."""
        self._tell("READY=1", f"STATUS={' '.join(status.split())}")

    def is_reloading(self) -> None:
        """The server has begun to take new code; it says when it is ready again."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._tell("RELOADING=1", f"MONOTONIC_USEC={now}", "STATUS=Restarting")

    def is_stopping(self) -> None:
        """The server has begun to stop."""
        self._tell("STOPPING=1", "STATUS=Stopping")

    def watch(self, stack: AsyncExitStack) -> None:
        """Give signs of life from the event loop, if they are asked for; the stack ends that."""
        if self.patience is not None:
            alive = asyncio.create_task(self._live(self.patience / _SIGNS_OF_LIFE))
            stack.callback(alive.cancel)

    async def _live(self, interval: float) -> None:
        while True:
            self._tell("WATCHDOG=1")
            await asyncio.sleep(interval)

    def _tell(self, *lines: str) -> None:
        if self._address is None:
            return
        with Socket(socket_module.AF_UNIX, socket_module.SOCK_DGRAM) as socket:
            socket.setblocking(False)
            try:
                socket.sendto("\n".join(lines).encode(), self._address)
            except OSError as error:  # clients need us more than it does
                _log.warning("the service manager can't be told %s: %s", lines[0], error)


def _given(descriptor: int) -> Socket:
    """The socket behind a descriptor that was passed to us; no other process shall inherit it unasked."""
    try:
        socket = Socket(fileno=descriptor)
        is_listening = socket.getsockopt(socket_module.SOL_SOCKET, socket_module.SO_ACCEPTCONN)
    except OSError as error:
        raise ConfigError(f"descriptor {descriptor} of LISTEN_FDS is no socket: {error.strerror}") from None
    if not is_listening or socket.family not in (socket_module.AF_INET, socket_module.AF_INET6):
        raise ConfigError(
            f"descriptor {descriptor} of LISTEN_FDS is no TCP socket that listens: "
            "name ports only after ListenStream="
        )
    socket.set_inheritable(False)
    socket.setblocking(False)
    return socket
