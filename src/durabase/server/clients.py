"""Who is at the other end of a connection: the address behind proxies; how many connections it has."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple

from durabase._refusals import refused
from durabase.web.client_address import Fields, counted_address

__all__ = ["AddressCounts", "Client", "TrustedProxies", "peer_address"]

_MAPPED: Final = "::ffff:"  # RFC 4291, 2.5.5.2


class Client(NamedTuple):
    """Who has made a request: the address, and the scheme by which a proxy was asked, if one says so."""

    address: str
    scheme: str | None = None


class TrustedProxies:
    """Believes what proxies say of their clients, if they are known.

    Args:
        networks: addresses and networks, as ``10.0.0.1`` or ``10.0.0.0/8``.

    Raises:
        ValueError: one is none.
    """

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks: list[IPv4Network | IPv6Network] = [ip_network(network) for network in networks]

    def client(self, peer: str, headers: Fields) -> Client:
        """Who has made the request that came from ``peer``.

        Of ``X-Forwarded-For`` the last address counts that is no proxy's own: what is before it can have
        been made up by anybody.
        """
        if not self.trusts(peer):
            return Client(peer)
        address = peer
        for name in reversed(_listed(headers, "x-forwarded-for")):
            address = name
            if not self.trusts(name):
                break
        (scheme,) = _listed(headers, "x-forwarded-proto")[-1:] or ("",)
        return Client(address, scheme.lower() if scheme.lower() in ("http", "https") else None)

    def trusts(self, address: str) -> bool:
        """Whether the address is a proxy's."""
        if not self._networks:
            return False
        try:
            parsed = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


class AddressCounts:
    """How many connections each address has, or network of IPv6; proxies have as many as they like.

    Args:
        limit: how many one may have; ``None``: any number.
        proxies: the proxies.
    """

    def __init__(self, limit: int | None, proxies: TrustedProxies) -> None:
        self._limit = limit
        self._proxies = proxies
        self._addresses: dict[asyncio.BaseTransport, str] = {}
        self._counts: Counter[str] = Counter()

    def admit(self, transport: asyncio.BaseTransport) -> bool:
        """Count one more connection, unless its address has as many as it may."""
        if self._limit is None:
            return True
        address = peer_address(transport)
        if self._proxies.trusts(address):
            return True
        address = counted_address(address)
        if self._counts[address] >= self._limit:
            refused("address", address)
            return False
        self._counts[address] += 1
        self._addresses[transport] = address
        return True

    def leave(self, transport: asyncio.BaseTransport) -> None:
        """The connection is gone."""
        address = self._addresses.pop(transport, None)
        if address is not None:
            self._counts[address] -= 1
            if not self._counts[address]:
                del self._counts[address]


def peer_address(transport: asyncio.BaseTransport) -> str:
    """The address of the other end; one of IPv4 looks the same where a socket listens for both versions."""
    found = transport.get_extra_info("peername")
    return str(found[0]).removeprefix(_MAPPED) if found else ""


def _listed(headers: Fields, wanted: str) -> list[str]:
    """The items of a header that is a list, in order."""
    values = [value for name, value in headers if name.lower() == wanted]
    return [item.strip() for value in values for item in value.split(",") if item.strip()]
