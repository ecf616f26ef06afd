"""The address that a request came from: where programs find it, and as what it is counted."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, ip_address
from typing import Final, TypeAlias

__all__ = ["ADDRESS_HEADER", "Fields", "counted_address", "with_address"]

Fields: TypeAlias = Sequence[tuple[str, str]]

ADDRESS_HEADER: Final = "cf-connecting-ip"
_OF_ONE_CLIENT: Final = 128 - 64
"""How many bits of an IPv6 address are its owner's to choose: networks are given out as /64 (RFC 6177)."""


def with_address(headers: Fields, address: str) -> list[tuple[str, str]]:
    """``headers`` with the address of the client where programs look for it, whatever it said itself."""
    return [*(field for field in headers if field[0].lower() != ADDRESS_HEADER), (ADDRESS_HEADER, address)]


def counted_address(address: str) -> str:
    """What all addresses have in common that one client can have: an IPv4 address, or a network of IPv6.

    An IPv4 address in the form of an IPv6 one is that IPv4 address; what is no address stays as it is.
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{type(parsed)(int(parsed) >> _OF_ONE_CLIENT << _OF_ONE_CLIENT)}/64"
