"""Chromium offers compression, and its messages come and go compressed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from e2e._page import RoomPage
from e2e._server import Server

_RELAY = """
async (url) => {
  const opened = () => new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.onopen = () => resolve(socket);
    socket.onerror = reject;
  });
  const [sender, receiver] = [await opened(), await opened()];
  const message = JSON.stringify(['κόσμε'.repeat(20000), 3, [[{}], [{}], 1]]);
  const received = new Promise((resolve) => {
    receiver.onmessage = ({data}) => data.includes('κόσμε') && resolve(data.slice(data.indexOf('\\n') + 1));
  });
  sender.send('\\n' + message);
  const isSame = (await received) === message;
  sender.close();
  receiver.close();
  return [isSame, sender.extensions];
}
"""


@pytest.mark.feature("S-WS-1")
def test_chromium_s_messages_are_compressed(demo: Server, new_browser: Callable[..., RoomPage]) -> None:
    page = new_browser(f"{demo.url}/shown")
    is_same, extensions = page.page.evaluate(_RELAY, f"{demo.url.replace('http', 'ws')}/compressed")
    assert is_same
    assert extensions.startswith("permessage-deflate")
