"""The transports that there are satisfy what a transport is."""

from __future__ import annotations

import inspect

from durabase.synchronizers._web_socket import WebSocketTransport
from durabase.synchronizers.transport import Transport

METHODS = ("send_text", "close", "wait_closed", "buffered_amount", "__aiter__")


def test_a_web_socket_is_a_transport() -> None:
    for name in METHODS:
        asked = inspect.signature(getattr(Transport, name))
        offered = inspect.signature(getattr(WebSocketTransport, name))
        assert list(offered.parameters) == list(asked.parameters), name
