"""permessage-deflate: what is agreed on, the RFC's examples, and data that is up to no good."""

from __future__ import annotations

import asyncio
import tracemalloc
import zlib

import pytest
from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from durabase.server.compression import Compression, agreed_compression
from durabase.server.outbox import Turn
from unit.server.codec import Echo, TurnEnds
from unit.server.live import Client, Hub, echo_server, serving
from unit.server.wire import BINARY, CLOSE, CONTINUATION, TEXT, Frame, close, deflated, frame, inflated

MIB = 1 << 20
OFFER = "permessage-deflate; client_max_window_bits"
BOTH = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
TEXT_2000 = "abcdefghij" * 200


def agreed(offer: str = OFFER) -> Compression:
    compression = agreed_compression(offer)
    assert compression is not None
    return compression


@pytest.mark.feature("S-WS-1")
@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        ("permessage-deflate", BOTH),
        (OFFER, BOTH),
        ("permessage-deflate; server_no_context_takeover; client_no_context_takeover", BOTH),
        ("permessage-deflate; client_max_window_bits=10", f"{BOTH}; client_max_window_bits=10"),
        ("permessage-deflate; server_max_window_bits=12", f"{BOTH}; server_max_window_bits=12"),
        ('permessage-deflate; server_max_window_bits="9"', f"{BOTH}; server_max_window_bits=9"),
        ("x-unknown, permessage-deflate", BOTH),
        ("permessage-deflate; server_max_window_bits=8, permessage-deflate", BOTH),
        ("permessage-deflate; server_max_window_bits=16, permessage-deflate", BOTH),
        ("permessage-deflate; server_max_window_bits=010, permessage-deflate", BOTH),
        ("permessage-deflate; of_the_future, permessage-deflate", BOTH),
        ("permessage-deflate; client_max_window_bits=7, permessage-deflate", BOTH),
    ],
)
def test_the_first_offer_that_can_be_met_is_accepted(offer: str, answer: str) -> None:
    assert agreed(offer).header == answer


@pytest.mark.feature("S-WS-1")
@pytest.mark.parametrize(
    "offer",
    [
        "",
        "x-webkit-deflate-frame",
        "permessage-deflate; server_max_window_bits=8",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; of_the_future",
        "permessage-deflate;; =",
    ],
)
def test_what_can_t_be_met_is_not_agreed_on(offer: str) -> None:
    assert agreed_compression(offer) is None


@pytest.mark.feature("S-WS-1")
@pytest.mark.parametrize(
    "frames",
    [
        [frame(TEXT, bytes.fromhex("f248cdc9c90700"), reserved=4)],
        [
            frame(TEXT, bytes.fromhex("f248cd"), reserved=4, fin=False),
            frame(CONTINUATION, bytes.fromhex("c9c90700")),
        ],
        [frame(TEXT, bytes.fromhex("000500faff48656c6c6f00"), reserved=4)],
        [frame(TEXT, bytes.fromhex("f348cdc9c9070000"), reserved=4)],
        [frame(TEXT, bytes.fromhex("f24805000000ffffcac9c90700"), reserved=4)],
    ],
    ids=["7.2.3.1", "7.2.3.1 in fragments", "7.2.3.3", "7.2.3.4", "7.2.3.5"],
)
def test_the_examples_of_the_rfc(frames: list[bytes]) -> None:
    echo = Echo(compression=agreed())
    for data in frames:
        echo.receive(data)
    assert echo.transport.frames(15) == [Frame(TEXT, b"Hello")]


@pytest.mark.feature("S-WS-1")
def test_a_message_may_not_refer_to_the_one_before() -> None:
    echo = Echo(compression=agreed())
    echo.receive(frame(TEXT, bytes.fromhex("f248cdc9c90700"), reserved=4))
    echo.receive(frame(TEXT, bytes.fromhex("f200110000"), reserved=4))
    assert [(sent.opcode, sent.payload[:2]) for sent in echo.transport.frames(15)] == [
        (TEXT, b"He"),
        (CLOSE, (1007).to_bytes(2, "big")),
    ]


@pytest.mark.feature("S-WS-1")
@pytest.mark.parametrize("sizes", [[64 * MIB], [MIB, 64 * MIB], [2 * MIB, 1], [2 * MIB, 64 * MIB]])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_a_bomb_is_refused_before_it_has_grown(sizes: list[int], opcode: int) -> None:
    deflate = zlib.compressobj(9, wbits=-15)
    pieces = [deflate.compress(bytes(size)) + deflate.flush(zlib.Z_SYNC_FLUSH) for size in sizes]
    echo = Echo(limit=2 * MIB, compression=agreed())
    tracemalloc.start()
    for index, piece in enumerate(pieces):
        first = index == 0
        data = frame(
            opcode if first else CONTINUATION, piece, fin=piece is pieces[-1], reserved=4 if first else 0
        )
        tracemalloc.reset_peak()
        echo.receive(data)
        assert tracemalloc.get_traced_memory()[1] < 12 * MIB
    tracemalloc.stop()
    assert echo.transport.frames()[-1].close_code == 1009


@pytest.mark.feature("S-WS-1")
@pytest.mark.parametrize(("size", "answer"), [(0, TEXT), (1, CLOSE)])
def test_the_limit_is_that_of_the_message_not_of_its_frames(size: int, answer: int) -> None:
    """What can't be compressed is longer when it is; the limit is as for plain messages all the same."""
    limit = 200_000
    payload = bytes(range(256)) * 782
    assert len(payload) > limit
    stored = zlib.compressobj(0, wbits=-15)
    data = stored.compress(payload[: limit + size]) + stored.flush(zlib.Z_SYNC_FLUSH)
    assert len(data) - 4 > limit
    echo = Echo(limit=limit, compression=agreed())
    echo.receive(frame(BINARY, data[:-4], reserved=4))
    sent = echo.transport.frames(15)[0]
    assert sent.opcode == (CLOSE if answer == CLOSE else BINARY)


@pytest.mark.feature("S-WS-1")
@pytest.mark.parametrize("plain", [frame(TEXT, "x" * 1001), frame(BINARY, "x" * 1001)])
def test_a_plain_message_is_held_to_the_same_limit(plain: bytes) -> None:
    echo = Echo(limit=1000, compression=agreed())
    echo.receive(plain)
    assert echo.transport.frames()[0].close_code == 1009


@pytest.mark.feature("S-WS-1")
def test_what_goes_to_many_is_compressed_once_for_each_window() -> None:
    ends = TurnEnds()
    turn = Turn(ends.call_soon, 1)
    wide, as_wide, narrow = agreed(), agreed(), agreed("permessage-deflate; server_max_window_bits=9")
    frames = [turn.compressed_text_frame(TEXT_2000, to) for to in (wide, as_wide, narrow, wide)]
    assert frames[0] is frames[1] is frames[3] is not frames[2]
    assert inflated(frames[2][2:], 9) == TEXT_2000.encode()
    ends.end()
    assert turn.compressed_text_frame(TEXT_2000, wide) is not frames[0]
    assert turn.compressed_text_frame("other", wide) == b"\x81\x05other"


@pytest.mark.feature("S-WS-1")
def test_nothing_is_kept_between_messages() -> None:
    codecs = [agreed() for _ in range(50)]
    message = deflated(TEXT_2000.encode())
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for codec in codecs:
        assert codec.inflate(0xC1, message, MIB) == TEXT_2000.encode()
        assert len(codec.text_frame(TEXT_2000.encode())) < 100
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 50 * 200


@pytest.mark.feature("S-WS-1")
def test_compression_is_agreed_on_if_the_server_is_asked_to_and_the_client_offers_it() -> None:
    async def main() -> None:
        for is_on, offer, answer in ((True, OFFER, BOTH), (False, OFFER, ""), (True, "", "")):
            hub = Hub()
            async with (
                serving(hub.fetch, compression=is_on) as server,
                Client.connected(server.port, "/", f"Sec-WebSocket-Extensions: {offer}") as client,
            ):
                header = f"\r\nSec-WebSocket-Extensions: {answer}\r\n".encode()
                assert (header in client.head) == bool(answer)
                assert (b"Extensions" in client.head) == bool(answer)
                await client.send(frame(TEXT, TEXT_2000) + frame(BINARY, TEXT_2000) + close(1000))
                compressed = bool(answer)
                expected = [Frame(kind, TEXT_2000.encode(), compressed) for kind in (TEXT, BINARY)]
                assert (await client.read_to_end(15 if compressed else None))[:2] == expected

    asyncio.run(main())


@pytest.mark.feature("S-WS-1")
@pytest.mark.parametrize("server_bits", [None, 9, 15])
@pytest.mark.parametrize("client_bits", [True, 9, 15])
def test_another_implementation_understands_it(server_bits: int | None, client_bits: bool | int) -> None:
    """The client of the ``websockets`` package, which compresses all that it sends."""

    async def main() -> None:
        factory = ClientPerMessageDeflateFactory(
            server_max_window_bits=server_bits, client_max_window_bits=client_bits
        )
        messages = ["", "short", TEXT_2000, "κόσμε" * 5000, bytes(5000), bytes(range(256)) * 20]
        async with (
            echo_server(compression=True) as server,
            connect(f"ws://127.0.0.1:{server.port}", compression=None, extensions=[factory]) as client,
        ):
            assert [extension.name for extension in client.protocol.extensions] == ["permessage-deflate"]
            for message in messages * 2:
                await client.send(message)
                assert await client.recv() == message
            await client.send(["in ", "three ", "fragments"])
            assert await client.recv() == "in three fragments"

    asyncio.run(main())
