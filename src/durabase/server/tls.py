"""TLS: a certificate that is loaded anew when its files change, and how encrypted connections differ."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from pathlib import Path
from typing import Final, TypeAlias

from durabase.errors import ServerError

__all__ = ["Certificate", "hold_back_at_once", "stop_sending"]

_log = logging.getLogger("durabase.server")

_Stamp: TypeAlias = tuple[tuple[int, int, int], ...]
_PROTOCOLS: Final = ["http/1.1"]


class Certificate:
    """What the server shows to clients. Handshakes after a renewal get the new one; connections stay.

    Args:
        certificate: the chain as PEM, the server's own certificate first.
        key: its private key as PEM, without a password.

    Attributes:
        context: for the sockets that are listened on.

    Raises:
        ServerError: a file can't be read, or the two are no certificate and its key.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = (certificate, key)
        self._seen = self._stamp()
        self.context = self._current = self._load()
        self.context.sni_callback = self._greet

    def _greet(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        """A handshake begins; with the certificate that there is now."""
        stamp = self._stamp(self._seen)
        if stamp != self._seen:
            self._seen = stamp
            self._renew()
        connection.context = self._current

    def _renew(self) -> None:
        try:
            self._current = self._load()
        except ServerError as error:  # perhaps one file is renewed and the other is not yet
            _log.error("%s; the certificate that was there before stays in use", error)
        else:
            _log.info("the certificate in %s is renewed", self._files[0])

    def _stamp(self, otherwise: _Stamp = ()) -> _Stamp:
        """What changes when a file does."""
        try:
            found = [os.stat(file) for file in self._files]
        except OSError:
            return otherwise
        return tuple((each.st_ino, each.st_mtime_ns, each.st_size) for each in found)

    def _load(self) -> ssl.SSLContext:
        certificate, key = self._files
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(_PROTOCOLS)
        try:
            context.load_cert_chain(certificate, key, password=_refuse_password)
        except (OSError, ValueError) as error:
            raise ServerError(f"no certificate in {certificate} with its key in {key}: {error}") from error
        return context


def _refuse_password() -> str:
    raise ServerError("the private key is encrypted; give one without a password")


def hold_back_at_once(transport: asyncio.Transport) -> None:
    """Have the protocol told as soon as the operating system takes no more, as its outbox needs it."""
    is_plain = transport.get_extra_info("ssl_object") is None
    transport.set_write_buffer_limits(high=0 if is_plain else 1, low=0)  # TLS counts from "as much as"


def stop_sending(transport: asyncio.Transport) -> None:
    """Say that nothing more will come, and go on reading if that can be: TLS has no half of a connection."""
    if transport.can_write_eof():
        transport.write_eof()
    else:
        transport.close()
