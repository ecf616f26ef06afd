"""Compressed messages: permessage-deflate, RFC 7692, as agreed on with one client.

Negotiation and codec are those of the ``websockets`` package. Neither side may refer to earlier messages
(``no_context_takeover``, which the server may ask for): a socket keeps no window while nothing is said, and
what goes to many is compressed once for all of them. Short messages go out as they are.
"""

from __future__ import annotations

from typing import Final, final

from websockets.exceptions import InvalidHeader, NegotiationError, PayloadTooBig, ProtocolError
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.headers import build_extension, parse_extension

from durabase.server.frames import CLOSE_INVALID_DATA, FrameError, binary_frame, compressed_frame, text_frame

__all__ = ["Compression", "agreed_compression"]

_LEAST_BYTES: Final = 1024
"""Messages below this are not compressed: they gain little, and it costs more than sending them."""
_FASTEST: Final = {"level": 1}
_FIN: Final = 0x80
_COMPRESSED: Final = 0x40
_NO_DEFLATE: Final = "8"


@final
class Compression:
    """One client's compression. Between messages it keeps nothing.

    Attributes:
        header: what was agreed on, as the answer to the handshake says it.
        window_bits: how far compressed messages may refer back in themselves, as a power of two. Two clients
            with the same window may be sent the same frame.
    """

    __slots__ = ("_codec", "header", "window_bits")

    def __init__(self, header: str, codec: PerMessageDeflate) -> None:
        self.header = header
        self.window_bits: int = codec.local_max_window_bits
        self._codec = codec

    def inflate(self, first: int, payload: bytes, room: int) -> bytes | None:
        """The data of a client's text, binary or continuation frame.

        ``None`` if it is more than ``room`` bytes; no more than that is ever expanded.

        Args:
            first: the first byte of the frame. payload: what is in it, unmasked.

        Raises:
            FrameError: it is not compressed data.
        """
        frame = Frame(Opcode(first & 0x0F), payload, fin=bool(first & _FIN), rsv1=bool(first & _COMPRESSED))
        try:
            data = self._codec.decode(frame, max_size=max(room, 1)).data
        except PayloadTooBig:
            return None
        except ProtocolError as error:
            raise FrameError(CLOSE_INVALID_DATA, f"a compressed message is not: {error}") from None
        return bytes(data) if len(data) <= room else None

    def text_frame(self, payload: bytes) -> bytes:
        """A whole text message, compressed if that makes it shorter."""
        return self._shorter(Opcode.TEXT, payload) or text_frame(payload)

    def binary_frame(self, payload: bytes) -> bytes:
        """A whole binary message, compressed if that makes it shorter."""
        return self._shorter(Opcode.BINARY, payload) or binary_frame(payload)

    def _shorter(self, opcode: Opcode, payload: bytes) -> bytes | None:
        if len(payload) < _LEAST_BYTES:
            return None
        data = self._codec.encode(Frame(opcode, payload)).data
        return compressed_frame(opcode, bytes(data)) if len(data) < len(payload) else None


def agreed_compression(offered: str) -> Compression | None:
    """The first offer that can be accepted.

    Args:
        offered: the ``Sec-WebSocket-Extensions`` of a handshake. If it is malformed nothing is agreed on, as
            in Cloudflare's runtime.
    """
    factory = ServerPerMessageDeflateFactory(True, True, compress_settings=_FASTEST)
    try:
        offers = parse_extension(offered)
    except InvalidHeader:
        return None
    for name, parameters in offers:
        if name != factory.name or ("server_max_window_bits", _NO_DEFLATE) in parameters:
            continue  # a window of 8 bits is more than zlib can do
        try:
            accepted, codec = factory.process_request_params(parameters, [])
        except NegotiationError:
            continue
        return Compression(build_extension([(name, accepted)]), codec)
    return None
