"""Serving on a network: bytes to requests, responses and WebSockets, and back. It knows nothing of workers.

async with Server(fetch, port=8787) as server:
    await server.serve_forever()
"""

from durabase.server.context import ServerLimits
from durabase.server.listener import Server, run
from durabase.server.tls import Certificate

__all__ = ["Certificate", "Server", "ServerLimits", "run"]
