"""Compressed messages between durabase's server and the package `ws` in Node, both ways."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from interop.clients._node import FOLDER, require_node
from unit.server.live import echo_server


@pytest.mark.feature("S-WS-1")
@pytest.mark.parametrize(
    "offer",
    [
        {},
        {"serverMaxWindowBits": 9},
        {"clientMaxWindowBits": 9},
        {"serverNoContextTakeover": True, "clientNoContextTakeover": True},
    ],
)
def test_messages_are_compressed_both_ways(offer: dict[str, Any]) -> None:
    require_node()

    async def main() -> dict[str, Any]:
        async with echo_server(compression=True) as server:
            node = await asyncio.create_subprocess_exec(
                "node",
                "compression.mjs",
                f"ws://127.0.0.1:{server.port}",
                json.dumps(offer),
                cwd=FOLDER,
                stdout=asyncio.subprocess.PIPE,
            )
            output, _ = await node.communicate()
            result: dict[str, Any] = json.loads(output)
            return result

    result = asyncio.run(main())
    assert result["isSame"], result
    assert result["extensions"] == "permessage-deflate"
    assert result["read"] < result["size"] / 20
    assert result["written"] < result["size"] / 20
