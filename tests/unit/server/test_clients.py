"""Who is at the other end."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from durabase._refusals import Refusal, hear
from durabase.server import Server, ServerLimits
from durabase.server.clients import AddressCounts, Client, TrustedProxies
from durabase.web import Request, Response

PROXIES = TrustedProxies(["10.0.0.0/8", "::1"])


@pytest.mark.feature("S-SC-3")
@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        ("1.2.3.4", {}, Client("1.2.3.4")),
        ("1.2.3.4", {"x-forwarded-for": "9.9.9.9", "x-forwarded-proto": "https"}, Client("1.2.3.4")),
        ("10.1.1.1", {}, Client("10.1.1.1")),
        (
            "10.1.1.1",
            {"x-forwarded-for": "9.9.9.9", "x-forwarded-proto": "https"},
            Client("9.9.9.9", "https"),
        ),
        ("10.1.1.1", {"X-Forwarded-For": "7.7.7.7, 9.9.9.9, 10.2.2.2"}, Client("9.9.9.9")),
        ("10.1.1.1", {"x-forwarded-for": "10.3.3.3,10.2.2.2"}, Client("10.3.3.3")),
        ("10.1.1.1", {"x-forwarded-for": "unknown"}, Client("unknown")),
        ("::1", {"x-forwarded-for": "2001:db8::1", "x-forwarded-proto": "ws"}, Client("2001:db8::1")),
        ("", {"x-forwarded-for": "9.9.9.9"}, Client("")),
    ],
)
def test_who_has_made_a_request(peer: str, headers: dict[str, str], expected: Client) -> None:
    assert PROXIES.client(peer, list(headers.items())) == expected


@pytest.mark.parametrize("network", ["here", "10.0.0.1/8", "1.2.3"])
def test_what_is_no_network(network: str) -> None:
    with pytest.raises(ValueError, match=network.partition("/")[0]):
        TrustedProxies([network])


class Transport:
    def __init__(self, address: str) -> None:
        self.address = address

    def get_extra_info(self, name: str) -> Any:
        return (self.address, 1)


@pytest.mark.feature("S-SC-1")
def test_connections_are_counted_by_address() -> None:
    counts = AddressCounts(2, PROXIES)
    mine: list[Any] = [Transport("1.1.1.1") for _ in range(3)]
    assert [counts.admit(each) for each in mine] == [True, True, False]
    assert counts.admit(Transport("2.2.2.2"))  # type: ignore[arg-type]
    assert all(counts.admit(Transport("10.0.0.1")) for _ in range(5))  # type: ignore[arg-type]
    counts.leave(mine[2])
    assert not counts.admit(mine[2])
    counts.leave(mine[0])
    assert counts.admit(mine[2])


def test_a_network_of_ipv6_is_one_address() -> None:
    counts = AddressCounts(1, PROXIES)
    mine: list[Any] = [Transport(f"2001:db8::{number}") for number in (1, 2)]
    assert [counts.admit(each) for each in mine] == [True, False]
    counts.leave(mine[0])
    assert counts.admit(mine[1])


async def _echo(request: Request) -> Response:
    return Response(f"{request.headers.get('cf-connecting-ip')} {request.url}")


async def _ask(port: int, *lines: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        "".join(
            f"{line}\r\n" for line in ("GET / HTTP/1.1", "Host: h", "Connection: close", *lines, "")
        ).encode()
    )
    answer = await reader.read()
    writer.close()
    return answer.decode().rpartition("\r\n")[2]


@pytest.mark.feature("S-SC-3")
def test_programs_see_the_address_and_clients_can_not_forge_it() -> None:
    async def main() -> None:
        said = ("X-Forwarded-For: 9.9.9.9", "X-Forwarded-Proto: https", "CF-Connecting-IP: 8.8.8.8")
        async with Server(_echo, port=0) as server:
            assert await _ask(server.port, *said) == "127.0.0.1 http://h/"
        async with Server(_echo, port=0, trusted_proxies=["127.0.0.1"]) as server:
            assert await _ask(server.port, *said) == "9.9.9.9 https://h/"

    asyncio.run(main())


def test_a_proxy_is_known_where_a_socket_listens_for_both_versions() -> None:
    async def main() -> None:
        with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
            listeners = [listener]
            async with Server(_echo, listeners=listeners, trusted_proxies=["127.0.0.1"]) as server:
                assert await _ask(server.port, "X-Forwarded-For: 9.9.9.9") == "9.9.9.9 http://h/"
                assert server.url == f"http://[::1]:{server.port}"

    asyncio.run(main())


@pytest.mark.feature("S-SC-1")
def test_who_has_too_many_connections_is_hung_up_on() -> None:
    async def main() -> None:
        async with Server(_echo, port=0, limits=ServerLimits(connections_per_address=1)) as server:
            _, first = await asyncio.open_connection("127.0.0.1", server.port)
            refusals: list[Refusal] = []
            stop = hear(refusals.append)
            assert not await _answered(server.port)
            stop()
            assert refusals == [("address", "127.0.0.1")]
            first.close()
            await first.wait_closed()
            async with asyncio.timeout(20):
                while not await _answered(server.port):  # noqa: ASYNC110 - until the server has noticed
                    await asyncio.sleep(0)

    async def _answered(port: int) -> bool:
        try:
            return "http://h/" in await _ask(port)
        except ConnectionError:
            return False

    asyncio.run(main())
