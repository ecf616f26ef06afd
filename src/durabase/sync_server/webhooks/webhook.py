"""Where a room's changes are told, and how that is signed: Standard Webhooks' headers."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, final
from urllib.parse import urlsplit

__all__ = ["RETRY_SECONDS", "Webhook", "new_webhook_secret"]

RETRY_SECONDS: Final = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""How long it is waited before each retry, as Standard Webhooks recommends: three days in all."""

_PREFIX: Final = "whsec_"
_KEY_BYTES: Final = range(24, 65)


@final
@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that is told what happens in a room.

    Attributes:
        url: where to. It also names the queue: with another URL a new one begins.
        secret: what signs: ``whsec_`` and 24 to 64 bytes in base64. Of several, so that one can be replaced,
            each signs.
        tables: which tables are told of; by default all of them and the values.
        retry_seconds: how long to wait before each retry. After the last one an event is laid aside.
        timeout_seconds: how long the answer may take.

    Raises:
        ValueError: the URL is none of HTTP, a secret has another form, or there is none.
    """

    url: str
    secret: str | Sequence[str] = field(repr=False)
    tables: Collection[str] | None = None
    retry_seconds: Sequence[float] = RETRY_SECONDS
    timeout_seconds: float = 20.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{self.url!r} is no URL that begins with https:// or http://")
        if not self._keys():
            raise ValueError("a webhook needs a secret; new_webhook_secret() makes one")

    @property
    def name(self) -> str:
        """What its queue is called: short, and always the same for a URL."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:16]

    @property
    def place(self) -> str:
        """The URL without what may be secret in it, for logs: user, password and query."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()

    def headers(self, event_id: str, timestamp: int, body: str) -> dict[str, str]:
        """The headers of one attempt, ``timestamp`` being its time in seconds since 1970."""
        signed = f"{event_id}.{timestamp}.{body}".encode()
        signatures = [hmac.digest(key, signed, "sha256") for key in self._keys()]
        return {
            "content-type": "application/json",
            "webhook-id": event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(f"v1,{base64.b64encode(one).decode()}" for one in signatures),
        }

    def _keys(self) -> list[bytes]:
        return [_key_of(one) for one in ([self.secret] if isinstance(self.secret, str) else self.secret)]


def new_webhook_secret() -> str:
    """A secret for a :class:`Webhook`, random."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def _key_of(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or len(key) not in _KEY_BYTES:
        raise ValueError(f"a secret of a webhook is {_PREFIX!r} and 24 to 64 bytes in base64")
    return key
