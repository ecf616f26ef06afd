"""pycrdt-websocket on uvicorn with all that makes that quick, without a store: documents are in memory.

Environment: PORT
"""

import os

import uvicorn
import uvloop
from pycrdt.websocket import ASGIServer, WebsocketServer


class Server(uvicorn.Server):
    async def startup(self, sockets: object = None) -> None:
        await super().startup(sockets)
        print("LISTENING", flush=True)


async def main() -> None:
    async with WebsocketServer() as websocket_server:
        config = uvicorn.Config(
            ASGIServer(websocket_server),
            host="127.0.0.1",
            port=int(os.environ["PORT"]),
            http="httptools",
            ws="websockets-sansio",
            log_level="error",
        )
        await Server(config).serve()


uvloop.run(main())
