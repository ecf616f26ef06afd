"""Client frames for the tests, and server frames read back: naively, sharing no code with it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NO_MASK = b"\0\0\0\0"
MASK = b"\x37\xfa\x21\x3d"


def masked(payload: bytes, key: bytes = MASK) -> bytes:
    if key == NO_MASK:
        return payload
    return bytes(byte ^ key[index & 3] for index, byte in enumerate(payload))


def frame(
    opcode: int,
    payload: bytes | str = b"",
    *,
    fin: bool = True,
    reserved: int = 0,
    mask: bytes | None = MASK,
    claim: int | None = None,
) -> bytes:
    """One frame of a client; ``claim`` is a length that is not the payload's."""
    data = payload.encode() if isinstance(payload, str) else payload
    length = len(data) if claim is None else claim
    bit = 0 if mask is None else 0x80
    head = bytes(((0x80 if fin else 0) | reserved << 4 | opcode,))
    if length < 126:
        head += bytes((bit | length,))
    elif length < 1 << 16:
        head += bytes((bit | 126,)) + length.to_bytes(2, "big")
    else:
        head += bytes((bit | 127,)) + length.to_bytes(8, "big")
    return head + data if mask is None else head + mask + masked(data, mask)


def close(code: int | None = None, reason: bytes = b"") -> bytes:
    return frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason)


def deflated(payload: bytes, bits: int = 15) -> bytes:
    """The payload as permessage-deflate sends it."""
    deflate = zlib.compressobj(wbits=-bits)
    return (deflate.compress(payload) + deflate.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")


def inflated(payload: bytes, bits: int = 15) -> bytes:
    """And back."""
    return zlib.decompressobj(wbits=-bits).decompress(payload + b"\0\0\xff\xff")


@dataclass(frozen=True)
class Frame:
    """A frame of the server, and whether its payload (as it is here, inflated) was compressed."""

    opcode: int
    payload: bytes
    compressed: bool = False

    @property
    def close_code(self) -> int:
        return int.from_bytes(self.payload[:2], "big") if self.payload else 1005


def read_frames(data: bytes, bits: int | None = None) -> tuple[list[Frame], bytes]:
    """The whole frames at the beginning of ``data``, and the rest. Server frames are whole and unmasked.

    ``bits``: the window within which they may be compressed; ``None``: they may not be.
    """
    frames = []
    while len(data) >= 2:
        first, length, at = data[0], data[1], 2
        compressed = bits is not None and first & 0xF0 == 0xC0
        assert compressed or first & 0xF0 == 0x80, "a server frame that is not final, or with reserved bits"
        assert length < 128, "a masked server frame"
        if length > 125:
            at = 4 if length == 126 else 10
            length = int.from_bytes(data[2:at], "big")
        if len(data) < at + length:
            break
        payload = data[at : at + length]
        frames.append(Frame(first & 15, inflated(payload, bits or 15) if compressed else payload, compressed))
        data = data[at + length :]
    return frames, data


def chopped(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]
