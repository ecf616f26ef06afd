"""The cases of the Autobahn test suite (sections 1 to 7, 9, 10, 12 and 13, its numbers), as data.

Each case is what a client sends to an echo server and what it must get back. ``code`` is the code of the
server's Close frame, ``None`` where the case ends with the client's own Close of 1000. ``offer`` is what the
client says of compression, and ``bits`` the window that the server may use then.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from unit.server.wire import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Frame,
    chopped,
    close,
    deflated,
    frame,
)


@dataclass
class Case:
    number: str
    send: list[bytes]
    expect: list[Frame] = field(default_factory=list)
    code: int | None = None
    offer: str = ""
    bits: int | None = None


def text(payload: str | bytes) -> Frame:
    return Frame(TEXT, payload.encode() if isinstance(payload, str) else payload)


CASES: list[Case] = []


def case(number: str, send: list[bytes], *expect: Frame, code: int | None = None) -> None:
    CASES.append(Case(number, send, list(expect), code))


# 1: framing
for index, size in enumerate((0, 125, 126, 127, 128, 65535, 65536), 1):
    case(f"1.1.{index}", [frame(TEXT, "*" * size)], text("*" * size))
    case(f"1.2.{index}", [frame(BINARY, b"\xfe" * size)], Frame(BINARY, b"\xfe" * size))
case("1.1.8", chopped(frame(TEXT, "*" * 65536), 997), text("*" * 65536))
case("1.2.8", chopped(frame(BINARY, b"\xfe" * 65536), 997), Frame(BINARY, b"\xfe" * 65536))

# 2: pings and pongs
case("2.1", [frame(PING)], Frame(PONG, b""))
case("2.2", [frame(PING, "Hello, world!")], Frame(PONG, b"Hello, world!"))
case("2.3", [frame(PING, b"\x00\xff\xfe\xfd")], Frame(PONG, b"\x00\xff\xfe\xfd"))
case("2.4", [frame(PING, b"\xfe" * 125)], Frame(PONG, b"\xfe" * 125))
case("2.5", [frame(PING, b"\xfe" * 126)], code=1002)
case("2.6", chopped(frame(PING, b"\xfe" * 125), 1), Frame(PONG, b"\xfe" * 125))
case("2.7", [frame(PONG)])
case("2.8", [frame(PONG, "unsolicited")])
case("2.9", [frame(PONG, "unsolicited"), frame(PING, "payload")], Frame(PONG, b"payload"))
_pings = [frame(PING, f"payload-{index}") for index in range(10)]
_pongs = [Frame(PONG, b"payload-%d" % index) for index in range(10)]
case("2.10", [b"".join(_pings)], *_pongs)
case("2.11", chopped(b"".join(_pings), 1), *_pongs)

# 3: reserved bits
_hello, _echo = frame(TEXT, "Hello, world!"), text("Hello, world!")
case("3.1", [frame(TEXT, "Hello", reserved=1)], code=1002)
case("3.2", [_hello, frame(TEXT, "Hello", reserved=2), frame(PING)], _echo, code=1002)
case("3.3", [_hello + frame(TEXT, "Hello", reserved=3) + frame(PING)], _echo, code=1002)
case("3.4", chopped(_hello + frame(TEXT, "Hello", reserved=4) + frame(PING), 1), _echo, code=1002)
case("3.5", [frame(BINARY, b"\0\xff", reserved=5)], code=1002)
case("3.6", [frame(PING, "Hello", reserved=6)], code=1002)
case("3.7", [frame(CLOSE, reserved=7)], code=1002)

# 4: opcodes
for index, opcode in enumerate((3, 4, 5, 6, 7), 1):
    case(f"4.1.{index}", [_hello, frame(opcode, "x" * (index > 1)), frame(PING)], _echo, code=1002)
for index, opcode in enumerate((11, 12, 13, 14, 15), 1):
    case(f"4.2.{index}", [_hello, frame(opcode, "x" * (index > 1)), frame(PING)], _echo, code=1002)

# 5: fragments
_first, _last = frame(TEXT, "fragment1", fin=False), frame(CONTINUATION, "fragment2")
_both = text("fragment1fragment2")
case("5.1", [frame(PING, "fragment1", fin=False), _last], code=1002)
case("5.2", [frame(PONG, "fragment1", fin=False), _last], code=1002)
case("5.3", [_first, _last], _both)
case("5.4", [_first + _last], _both)
case("5.5", chopped(_first + _last, 1), _both)
case("5.6", [_first, frame(PING, "ping"), _last], Frame(PONG, b"ping"), _both)
case("5.7", [_first + frame(PING, "ping") + _last], Frame(PONG, b"ping"), _both)
case("5.8", chopped(_first + frame(PING, "ping") + _last, 1), Frame(PONG, b"ping"), _both)
case("5.9", [frame(CONTINUATION, "stray"), _hello], code=1002)
case("5.10", [frame(CONTINUATION, "stray") + _hello], code=1002)
case("5.11", chopped(frame(CONTINUATION, "stray") + _hello, 1), code=1002)
case("5.12", [frame(CONTINUATION, "stray", fin=False), _hello], code=1002)
case("5.13", [frame(CONTINUATION, "stray", fin=False) + _hello], code=1002)
case("5.14", chopped(frame(CONTINUATION, "stray", fin=False) + _hello, 1), code=1002)
case("5.15", [_first, _last, frame(CONTINUATION, "fragment3", fin=False), _hello], _both, code=1002)
case("5.16", [frame(CONTINUATION, "x", fin=False), _first, _last] * 2, code=1002)
case("5.17", [frame(CONTINUATION, "x"), _first, _last] * 2, code=1002)
case("5.18", [_first, frame(TEXT, "fragment2")], code=1002)
_more = frame(CONTINUATION, "fragment2", fin=False)
_long = [_first, _more, frame(PING, "one"), *[_more] * 2, frame(PING, "two"), frame(CONTINUATION, "end")]
_answers = [Frame(PONG, b"one"), Frame(PONG, b"two"), text("fragment1" + "fragment2" * 3 + "end")]
case("5.19", _long, *_answers)
case("5.20", chopped(b"".join(_long), 1), *_answers)

# 6: UTF-8
_greek = "Hello-µ@ßöäüàá-UTF-8!!"
case("6.1.1", [frame(TEXT)], text(""))
case("6.1.2", [frame(TEXT, fin=False), frame(CONTINUATION, fin=False), frame(CONTINUATION)], text(""))
case(
    "6.1.3",
    [frame(TEXT, fin=False), frame(CONTINUATION, "middle", fin=False), frame(CONTINUATION)],
    text("middle"),
)
case("6.2.1", [frame(TEXT, _greek)], text(_greek))
case(
    "6.2.2",
    [frame(TEXT, _greek[:12], fin=False), frame(CONTINUATION, _greek[12:])],
    text(_greek),
)


def bytewise(payload: bytes) -> list[bytes]:
    pieces = [frame(TEXT, payload[:1], fin=False)]
    pieces += [frame(CONTINUATION, payload[at : at + 1], fin=False) for at in range(1, len(payload))]
    return [*pieces, frame(CONTINUATION)]


case("6.2.3", bytewise(_greek.encode()), text(_greek))
case("6.2.4", bytewise("κόσμε".encode()), text("κόσμε"))
_bad = "κόσμε".encode() + b"\xed\xa0\x80" + b"edited"
case("6.3.1", [frame(TEXT, _bad)], code=1007)
case("6.3.2", bytewise(_bad), code=1007)
# fail fast: the last fragment never comes
_valid, _more_valid = "κόσμε".encode(), b"edited"
case(
    "6.4.1",
    [frame(TEXT, _valid, fin=False), frame(CONTINUATION, b"\xf4\x90\x80\x80", fin=False)],
    code=1007,
)
case("6.4.2", [frame(TEXT, _valid + b"\xf4", fin=False), frame(CONTINUATION, b"\x90", fin=False)], code=1007)
_VALID = (
    b"\xce\xba", b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", b"\x00", b"\xc2\x80", b"\xe0\xa0\x80",
    b"\xf0\x90\x80\x80", b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf", b"\xed\x9f\xbf",
    b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xef\xbf\xbe", b"\xf0\x9f\xbf\xbe", b"\xf4\x8f\xbf\xbe",
)  # fmt: skip
_INVALID = (
    b"\xce", b"\xce\xba\xe1", b"\xce\xba\xe1\xbd", b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80",
    b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf", b"\xf4\x90\x80\x80", b"\x80",
    b"\xbf", b"\x80\xbf", b"\x80\xbf\x80\xbf\x80\xbf", bytes(range(0x80, 0xC0)),
    b" ".join(bytes((byte,)) for byte in range(0xC0, 0xE0)),
    b" ".join(bytes((byte,)) for byte in range(0xE0, 0xF0)), b"\xf0 \xf1 \xf2", b"\xf8 \xf9", b"\xfc ",
    b"\xc0", b"\xe0\x80", b"\xf0\x80\x80", b"\xf8\x80\x80\x80", b"\xfc\x80\x80\x80\x80", b"\xdf", b"\xef\xbf",
    b"\xf7\xbf\xbf", b"\xfe", b"\xff", b"\xfe\xfe\xff\xff", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf",
    b"\xf8\x80\x80\x80\xaf", b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xc0\x80", b"\xe0\x80\x80",
    b"\xf0\x80\x80\x80", b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf", b"\xed\xb0\x80",
    b"\xed\xbe\x80", b"\xed\xbf\xbf", b"\xed\xa0\x80\xed\xb0\x80", b"\xed\xaf\xbf\xed\xbf\xbf",
)  # fmt: skip
for index, sequence in enumerate(_VALID, 1):
    case(f"6.5.{index}", [frame(TEXT, sequence)], text(sequence))
    case(f"6.5.{index} fragmented", bytewise(sequence), text(sequence))
for index, sequence in enumerate(_INVALID, 1):
    case(f"6.6.{index}", [frame(TEXT, sequence)], code=1007)
    case(f"6.6.{index} fragmented", bytewise(sequence), code=1007)

# 7: closing
case("7.1.1", [_hello], _echo)
case("7.1.2", [close(1000), close(1000)], code=1000)
case("7.1.3", [close(1000), frame(PING)], code=1000)
case("7.1.4", [close(1000), _hello], code=1000)
case("7.1.5", [_first, close(1000), _last], code=1000)
case("7.3.1", [close()], code=1005)
case("7.3.2", [frame(CLOSE, "a")], code=1002)
case("7.3.3", [close(1000)], code=1000)
case("7.3.4", [close(1000, b"Hello World!")], code=1000)
case("7.3.5", [close(1000, b"*" * 123)], code=1000)
case("7.3.6", [close(1000, b"*" * 124)], code=1002)
case("7.5.1", [close(1000, _bad)], code=1007)
for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999):
    case(f"7.7 {code}", [close(code)], code=code)
for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
    case(f"7.9 {code}", [close(code)], code=1002)

# 9: large messages, whole, in fragments and in small pieces of the network
_KIB, _MIB = 1 << 10, 1 << 20
case("9.1.4", [frame(TEXT, "*" * 4 * _MIB)], text("*" * 4 * _MIB))
case("9.2.4", [frame(BINARY, b"\xfe" * 4 * _MIB)], Frame(BINARY, b"\xfe" * 4 * _MIB))


def fragmented(opcode: int, payload: bytes, size: int) -> list[bytes]:
    pieces = chopped(payload, size)
    return [
        frame(opcode if index == 0 else CONTINUATION, piece, fin=index == len(pieces) - 1)
        for index, piece in enumerate(pieces)
    ]


for index, size in enumerate((64, 256, 1024, 4096, 16384, 65536, 262144), 1):
    payload = b"*" * (256 * _KIB if size < 1024 else _MIB)
    case(f"9.3.{index}", [b"".join(fragmented(TEXT, payload, size))], text(payload))
    case(f"9.4.{index}", fragmented(BINARY, payload, size), Frame(BINARY, payload))
for index, size in enumerate((64, 128, 256, 512, 1024, 2048), 1):
    case(f"9.5.{index}", chopped(frame(TEXT, "*" * 256 * _KIB), size), text("*" * 256 * _KIB))
    case(f"9.6.{index}", chopped(frame(BINARY, b"*" * 256 * _KIB), size), Frame(BINARY, b"*" * 256 * _KIB))

# 10: fragments of a size that the client chooses
case("10.1.1", fragmented(TEXT, b"*" * 65536, 1300), text("*" * 65536))

# 12: compression of messages of many sizes and kinds; 13: the same with other offers
_KINDS = {
    1: b'{"pets":{"fido":{"species":"dog","price":5}},"n":1234567890} ',
    2: "κόσμε – größer, 文字列 \U0001f600 ".encode(),
    3: random.Random(7692).randbytes(131072),
    4: b"\0",
}
_SIZES = (0, 16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072)
_OFFERS = {
    "12": ("permessage-deflate", 15),
    "13.1": ("permessage-deflate; client_no_context_takeover; client_max_window_bits", 15),
    "13.2": ("permessage-deflate; server_no_context_takeover; client_max_window_bits", 15),
    "13.3": ("permessage-deflate; server_max_window_bits=9", 9),
    "13.4": ("permessage-deflate; server_max_window_bits=15; client_max_window_bits=15", 15),
    "13.5": ("permessage-deflate; server_no_context_takeover; server_max_window_bits=9", 9),
    "13.6": ("permessage-deflate; server_max_window_bits=15; client_max_window_bits=9", 15),
    "13.7": (
        "permessage-deflate; server_max_window_bits=8; server_no_context_takeover, "
        "permessage-deflate; server_max_window_bits=10, permessage-deflate",
        10,
    ),
}


def sized(kind: bytes, size: int) -> bytes:
    data = (kind * (size // len(kind) + 1))[:size]
    return data if kind is _KINDS[3] else data.decode(errors="ignore").encode()


def compressed_message(opcode: int, payload: bytes, size: int | None, bits: int) -> list[bytes]:
    """A compressed message, whole or in fragments of ``size`` bytes."""
    data = deflated(payload, bits)
    first, *others = chopped(data, size or len(data))
    rest = [frame(CONTINUATION, piece, fin=at == len(others)) for at, piece in enumerate(others, 1)]
    return [frame(opcode, first, fin=not others, reserved=4), *rest]


def compression_case(number: str, kind: int, sizes: tuple[int, ...], size: int | None = None) -> None:
    offer, bits = _OFFERS[number.partition(" ")[0]]
    opcode = BINARY if kind == 3 else TEXT
    payloads = [sized(_KINDS[kind], length) for length in sizes]
    sent = [
        piece
        for payload in payloads
        for piece in compressed_message(
            opcode, payload, size, 9 if "client_max_window_bits=9" in offer else 15
        )
    ]
    echoes = [Frame(opcode, payload, kind != 3 and len(payload) >= 1024) for payload in payloads]
    CASES.append(Case(number, sent, echoes, offer=offer, bits=bits))


for kind in _KINDS:
    for length in _SIZES:
        compression_case(f"12 kind {kind}, {length} bytes", kind, (length,) * 3)
    for fragment in (1, 7, 128, 1000):
        compression_case(f"12 kind {kind}, fragments of {fragment}", kind, (1024, 8192), fragment)
    for number in _OFFERS:
        compression_case(f"{number} kind {kind}", kind, _SIZES)


def compressed(number: str, send: list[bytes], *expect: Frame, code: int | None = None) -> None:
    CASES.append(Case(number, send, list(expect), code, *_OFFERS["12"]))


# what the suite leaves out: compression that is used wrongly, and control frames in between
_deflated = deflated(b"Hello, world!")
_half = len(_deflated) // 2
_begin = frame(TEXT, _deflated[:_half], fin=False, reserved=4)
compressed("12 plain", [_hello, frame(BINARY, b"\0\xff")], _echo, Frame(BINARY, b"\0\xff"))
compressed(
    "12 ping in between",
    [_begin, frame(PING, "ping"), frame(PONG, "pong"), frame(CONTINUATION, _deflated[_half:])],
    Frame(PONG, b"ping"),
    _echo,
)
compressed(
    "12 no last byte", [_begin, frame(CONTINUATION, fin=False), frame(CONTINUATION, _deflated[_half:])], _echo
)
compressed("12 byte by byte", chopped(frame(TEXT, _deflated, reserved=4), 1), _echo)
compressed("12 marked continuation", [_begin, frame(CONTINUATION, _deflated[_half:], reserved=4)], code=1002)
compressed("12 marked plain continuation", [_first, frame(CONTINUATION, "x", reserved=4)], code=1002)
compressed("12 marked ping", [frame(PING, reserved=4)], code=1002)
compressed("12 marked Close", [frame(CLOSE, reserved=4)], code=1002)
compressed("12 other reserved bits", [frame(TEXT, _deflated, reserved=6)], code=1002)
compressed("12 reserved bit 2", [frame(TEXT, "Hello", reserved=2)], code=1002)
compressed("12 no such block", [frame(TEXT, b"\xff\xff\xff\xff", reserved=4)], code=1007)
compressed("12 no such distance", [frame(TEXT, b"\xf2\x00\x11\x00\x00", reserved=4)], code=1007)
compressed("12 text that is no UTF-8", [frame(TEXT, deflated(b"\xff"), reserved=4)], code=1007)
compressed(
    "12 text that is no UTF-8, in a first fragment",
    [frame(TEXT, deflated(_valid + b"\xf5" * 9), fin=False, reserved=4)],
    code=1007,
)
case("12 not agreed on", [frame(TEXT, _deflated, reserved=4)], code=1002)

# and masking
case("unmasked", [frame(TEXT, "Hello", mask=None)], code=1002)
case("unmasked ping", [frame(PING, mask=None)], code=1002)
case("zero mask", [frame(TEXT, "Hello", mask=b"\0\0\0\0")], text("Hello"))
