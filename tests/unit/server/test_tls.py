"""Requests and sockets over TLS, renewed certificates, and what is different from plain connections."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
import websockets

from durabase.errors import ServerError
from durabase.server import ServerLimits
from durabase.server.tls import Certificate
from durabase.web import Request, Response
from unit.server.live import Client, Hub, LoopFactory, on_each_loop, run_on, serving, until, upgrade_request
from unit.server.wire import CLOSE, TEXT, close, frame
from unit.synchronizers.certificates import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("tls") / "authority")
    made.sign()
    return made


async def tell(request: Request) -> Response:
    return Response(f"{request.url} {request.headers['cf-connecting-ip']}")


async def ask(port: int, authority: Authority, data: bytes) -> tuple[int, dict[str, str], bytes]:
    async with Client.opened(port, ssl=authority.client_context()) as client:
        await client.send(data)
        return await client.read_response()


@on_each_loop
def test_requests_are_answered_and_know_that_they_came_by_tls(
    loop_factory: LoopFactory, authority: Authority
) -> None:
    async def main() -> None:
        async with serving(tell, certificate=Certificate(*authority.server_files)) as server:
            assert server.url == f"https://127.0.0.1:{server.port}"
            request = b"GET /path HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            status, _, body = await ask(server.port, authority, request)
            assert (status, body) == (200, b"https://127.0.0.1/path 127.0.0.1")

    run_on(loop_factory, main())


@on_each_loop
@pytest.mark.parametrize("compression", ["deflate", None])
def test_sockets_carry_large_messages_both_ways(
    loop_factory: LoopFactory, authority: Authority, compression: Any
) -> None:
    text = "".join(f"{number:x}" for number in range(1_000_000))

    async def main() -> None:
        hub = Hub()
        async with (
            serving(hub.fetch, certificate=Certificate(*authority.server_files), compression=True) as server,
            websockets.connect(
                server.url.replace("https", "wss"),
                ssl=authority.client_context(),
                compression=compression,
                max_size=None,
            ) as client,
        ):
            for message in (text, text.encode(), "short"):
                await client.send(message)
                assert await client.recv() == message
        assert client.close_code == 1000

    run_on(loop_factory, main())


@on_each_loop
def test_who_does_not_read_is_closed_with_1013(loop_factory: LoopFactory, authority: Authority) -> None:
    async def main() -> None:
        hub = Hub(echo=False)
        limits = ServerLimits(unsent_bytes=1 << 20, close_seconds=1)
        certificate = Certificate(*authority.server_files)
        async with (
            serving(hub.fetch, certificate=certificate, limits=limits) as server,
            Client.connected(server.port, ssl=authority.client_context()) as client,
        ):
            client.stop_reading()
            port = hub.sinks[0].port
            sent = 0
            while not hub.sinks[0].closed.is_set():
                port.send_binary(bytes(1 << 16))
                sent += 1
                assert sent < 1000, "it takes any number of messages"
                await asyncio.sleep(0)
            client.go_on_reading()
            await until(lambda: server.socket_count == 0)

    run_on(loop_factory, main())


@on_each_loop
def test_a_refused_client_sees_why(loop_factory: LoopFactory, authority: Authority) -> None:
    async def main() -> None:
        hub = Hub(message_bytes=100)
        async with serving(hub.fetch, certificate=Certificate(*authority.server_files)) as server:
            async with Client.connected(server.port, ssl=authority.client_context()) as client:
                await client.send(frame(TEXT, bytes(101)))
                (last,) = await client.read_to_end()
                assert (last.opcode, last.payload[:2]) == (CLOSE, (1009).to_bytes(2))
            status, _, _ = await ask(server.port, authority, b"nonsense\r\n\r\n")
            assert status == 400

    run_on(loop_factory, main())


@on_each_loop
def test_stopping_says_goodbye(loop_factory: LoopFactory, authority: Authority) -> None:
    async def main() -> None:
        hub = Hub()
        async with serving(hub.fetch, certificate=Certificate(*authority.server_files)) as server:
            client = await websockets.connect(
                server.url.replace("https", "wss"), ssl=authority.client_context()
            )
        await client.wait_closed()
        assert client.close_code == 1012

    run_on(loop_factory, main())


async def serial_of(port: int, authority: Authority) -> bytes:
    async with Client.opened(port, ssl=authority.client_context()) as client:
        return bytes(client.writer.get_extra_info("ssl_object").getpeercert(True))


@on_each_loop
def test_a_renewed_certificate_is_shown_to_those_who_come_later(
    loop_factory: LoopFactory, tmp_path: Path
) -> None:
    authority = Authority(tmp_path / "authority")
    authority.sign()

    async def main() -> None:
        hub = Hub()
        async with (
            serving(hub.fetch, certificate=Certificate(*authority.server_files)) as server,
            Client.connected(server.port, ssl=authority.client_context()) as client,
        ):
            first = await serial_of(server.port, authority)
            assert await serial_of(server.port, authority) == first
            authority.sign("IP:127.0.0.1,DNS:renewed.example")
            second = await serial_of(server.port, authority)
            assert second != first
            assert await serial_of(server.port, authority) == second
            await client.send(frame(TEXT, b"still here"))
            assert (await client.read_frame()).payload == b"still here"

    run_on(loop_factory, main())


def test_a_renewal_that_is_not_whole_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority = Authority(tmp_path / "authority")
    authority.sign()
    certificate, key = authority.server_files
    good = key.read_text()

    async def main() -> None:
        async with serving(tell, certificate=Certificate(certificate, key)) as server:
            first = await serial_of(server.port, authority)
            key.write_text("half")
            assert await serial_of(server.port, authority) == first
            key.unlink()
            assert await serial_of(server.port, authority) == first
            key.write_text(good)
            assert await serial_of(server.port, authority) == first

    with caplog.at_level(logging.INFO):
        asyncio.run(main())
    assert caplog.text.count("the certificate that was there before stays in use") == 1


def test_files_that_are_no_certificate_are_told(tmp_path: Path, authority: Authority) -> None:
    certificate, key = authority.server_files
    with pytest.raises(ServerError, match=r"no certificate in .*missing\.pem"):
        Certificate(tmp_path / "missing.pem", key)
    other = Authority(tmp_path / "other")
    other.sign()
    with pytest.raises(ServerError, match="no certificate in"):
        Certificate(certificate, other.server_files[1])


@on_each_loop
def test_plain_http_at_a_tls_port_hangs_up_and_harms_nobody(
    loop_factory: LoopFactory, authority: Authority
) -> None:
    async def main() -> None:
        async with serving(tell, certificate=Certificate(*authority.server_files)) as server:
            async with Client.opened(server.port) as client:
                await client.send(upgrade_request("/"))
                try:
                    assert not (await client.reader.read()).startswith(b"HTTP")
                except ConnectionError:
                    pass
            status, _, _ = await ask(server.port, authority, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert status == 200

    run_on(loop_factory, main())


def test_a_clean_close_ends_both_sides(authority: Authority) -> None:
    async def main() -> None:
        hub = Hub()
        async with (
            serving(hub.fetch, certificate=Certificate(*authority.server_files)) as server,
            Client.connected(server.port, ssl=authority.client_context()) as client,
        ):
            await client.send(close(1000))
            (last,) = await client.read_to_end()
            assert last.opcode == CLOSE
            await hub.sinks[0].closed.wait()
            assert hub.sinks[0].events[-1] == ("close", 1000, "", True)

    asyncio.run(main())
