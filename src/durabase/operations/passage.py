"""Whether what is in front of a server passes on what it has to: what was sent, and what arrived, judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from durabase.operations.checkup import Finding

__all__ = ["PRETENDED", "Arrived", "judge_bodies", "judge_passage", "judge_path"]

PRETENDED: Final = "192.0.2.77"
"""An address of nobody's (RFC 5737), which a request pretends to come from."""

_ADD: Final = (
    "let the proxy add the address that it sees "
    "(nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for)"
)


class Arrived(NamedTuple):
    """A request as the program has it: the URL, and headers with their names in lower case."""

    url: str
    headers: Mapping[str, str]

    @property
    def address(self) -> str:
        """Whom the server takes the client for."""
        return self.headers.get("cf-connecting-ip", "")

    @property
    def forwarded(self) -> list[str]:
        """The addresses in ``X-Forwarded-For``."""
        listed = self.headers.get("x-forwarded-for", "").split(",")
        return [address.strip() for address in listed if address.strip()]


def judge_passage(sent: str, arrived: Arrived, proxy: str | None, is_compressed: bool) -> Iterator[Finding]:
    """The address, the scheme, the host, and the offer of compression.

    Args:
        sent: the URL that was asked for.
        arrived: what became of that; it pretended to come from :data:`PRETENDED`.
        proxy: what seems to be in front of the server; ``None``: nothing.
        is_compressed: whether the answer has taken up the offer.
    """
    yield _judge_address(arrived, proxy)
    yield _judge_scheme(urlsplit(sent).scheme, arrived)
    yield _judge_host(urlsplit(sent).netloc, urlsplit(arrived.url).netloc)
    offer = arrived.headers.get("sec-websocket-extensions", "")
    yield _judge_compression("permessage-deflate" in offer, is_compressed)


def _judge_address(arrived: Arrived, proxy: str | None) -> Finding:
    forwarded, seen = arrived.forwarded, arrived.address
    if not forwarded:
        return Finding("Address", "warn", "the client's address does not arrive", _ADD)
    added = forwarded[-1]
    if added == PRETENDED and seen == PRETENDED and proxy is None:
        remedy = "give the URL that clients use; if this is it, --trust-proxy trusts too many"
        return Finding("Address", "warn", "this machine is believed as if it were a proxy", remedy)
    if added == PRETENDED and seen == PRETENDED:
        text = "anybody can pretend another address: the proxy passes X-Forwarded-For on as it came"
        return Finding("Address", "fail", text, _ADD)
    if added == PRETENDED and proxy is not None:
        return Finding("Address", "warn", f"{proxy} does not say who asks: the server sees {seen}", _ADD)
    if added == PRETENDED:
        return Finding("Address", "ok", f"nobody is believed, the server sees {seen}")
    if seen == PRETENDED and _is_anybody(added):
        text = f"anybody can pretend another address: {added} is believed as if it were a proxy"
        return Finding("Address", "fail", text, "let --trust-proxy name the addresses of proxies only")
    if seen not in forwarded:
        return Finding(
            "Address", "warn", f"the server sees the proxy, {seen}, in place of {added}", _trust(seen)
        )
    return Finding("Address", "ok", f"the proxy says who asks: {added}")


def _is_anybody(address: str) -> bool:
    try:
        return ip_address(address).is_global
    except ValueError:
        return True


def _judge_scheme(sent: str, arrived: Arrived) -> Finding:
    found = urlsplit(arrived.url).scheme
    if found == sent:
        return Finding("Scheme", "ok", f"programs see {found}")
    text = f"programs see {found} in place of {sent}"
    if arrived.headers.get("x-forwarded-proto", "").lower() == sent:
        return Finding("Scheme", "warn", f"{text}: the proxy is not believed", _trust(arrived.address))
    remedy = "let the proxy tell it (nginx: proxy_set_header X-Forwarded-Proto $scheme)"
    return Finding("Scheme", "warn", text, remedy)


def _trust(address: str) -> str:
    return f"serve with --trust-proxy {address}, if that is the proxy"


def _judge_host(sent: str, found: str) -> Finding:
    if sent == found:
        return Finding("Host", "ok", f"programs see {found}")
    remedy = "or --allow-origin same refuses its own pages; nginx: proxy_set_header Host $http_host"
    return Finding(
        "Host", "warn", f"programs see {found} in place of {sent}", f"let the proxy pass it on, {remedy}"
    )


def _judge_compression(is_offered: bool, is_taken: bool) -> Finding:
    if not is_offered:
        text = "the offer to compress messages does not arrive"
        return Finding("Compression", "warn", text, "let the proxy pass Sec-WebSocket-Extensions on")
    return Finding("Compression", "ok", "messages are compressed" if is_taken else "the program wants none")


def judge_path(sent: str, arrived: str) -> Finding:
    """What became of a path with a slash that is written as ``%2F``."""
    if sent == arrived:
        return Finding("Paths", "ok", "arrive as they are")
    remedy = "a%2Fb is another room than a/b: let paths be (nginx: nothing after the host in proxy_pass)"
    return Finding("Paths", "warn", f"{sent} arrives as {arrived}", remedy)


def judge_bodies(status: int | None, size: int) -> Finding:
    """The answer to a request that announces a body of ``size`` bytes; ``None``: it is waited for."""
    text = f"bodies of {size >> 20} MiB are "
    if status != 413:
        return Finding("Bodies", "ok", f"{text}taken")
    remedy = "raise the proxy's limit if programs take such (nginx: client_max_body_size 32m)"
    return Finding("Bodies", "warn", f"{text}refused", remedy)
