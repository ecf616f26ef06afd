"""Several stores over one socket: hello, subscribe, unsubscribe.

A socket with the subprotocol ``tinybase`` carries two kinds of payload only: *control*
(``S LF [request id, -1, [control, body]]``) and *data* (``M LF channel id LF payload``).
:class:`ServerChannels` is the server's side of one such socket: it says what each payload asks for; joining
and leaving paths is its host's business. :class:`ClientChannels` is the client's. Limits and checks are those
of TinyBase 10.0.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TypeAlias, final

from durabase._codec import json_text_with_undefined, parse_json_with_undefined, unique_id, utf8_length
from durabase.errors import SyncError, SyncMessageError, SyncOverflowError
from durabase.synchronizers.protocol.payloads import FragmentBudget, Payload, PayloadDecoder, is_too_large

__all__ = [
    "CHANNELS_PROTOCOL",
    "ChannelConfirmed",
    "ChannelData",
    "ChannelEvent",
    "ChannelJoin",
    "ChannelLeave",
    "ChannelReply",
    "ChannelText",
    "ClientChannels",
    "Control",
    "ServerChannels",
    "channel_path_id",
    "channel_payload",
    "control_payload",
    "is_channel_id",
    "parse_control",
    "split_channel_payload",
]

CHANNELS_PROTOCOL: Final = "tinybase"
"""The WebSocket subprotocol that asks for channel mode."""
CHANNELS_VERSION: Final = 1
MAX_CHANNELS: Final = 100
MAX_CHANNEL_RESOURCES: Final = 200
MAX_CHANNEL_ID_BYTES: Final = 1024
MAX_PENDING_CONTROLS: Final = 100

_CONTROL_ADDRESS: Final = "S"
_DATA_ADDRESS: Final = "M"
_CONTROL_NUMBER: Final = -1
_has_forbidden_character: Final = re.compile(r"[\n\r?#]").search


class Control(IntEnum):
    """What a control payload asks for."""

    HELLO = 0
    SUBSCRIBE = 1
    UNSUBSCRIBE = 2


@dataclass(frozen=True, slots=True)
class ChannelReply:
    """Send this text back."""

    text: str


@dataclass(frozen=True, slots=True)
class ChannelJoin:
    """Join the channel's path, then send the confirmation."""

    channel_id: str
    confirmation: str


@dataclass(frozen=True, slots=True)
class ChannelLeave:
    """Leave the channel's path; call :meth:`ServerChannels.released` when that is done."""

    channel_id: str


@dataclass(frozen=True, slots=True)
class ChannelData:
    """A whole message for the channel's path."""

    channel_id: str
    payload: Payload


ChannelEvent: TypeAlias = ChannelReply | ChannelJoin | ChannelLeave | ChannelData


@final
class ServerChannels:
    """The server's side of one socket in channel mode.

    Like a ``PayloadDecoder`` it is poisoned by the first invalid payload.
    """

    def __init__(self, fragment_timeout_seconds: float = 1.0) -> None:
        self._timeout_seconds = fragment_timeout_seconds
        self._budget = FragmentBudget()
        self._decoders: dict[str, PayloadDecoder] = {}
        self._resources = 0
        self._greeted = False
        self._poisoned = False

    @property
    def is_poisoned(self) -> bool:
        """Whether an invalid payload came; from then on nothing is read."""
        return self._poisoned

    @property
    def channel_ids(self) -> list[str]:
        """The channels that are subscribed, in order of subscribing."""
        return list(self._decoders)

    def receive(self, text: str, now: float) -> ChannelEvent | None:
        """Read one payload; what it asks for, if anything.

        Raises:
            SyncMessageError: not a payload of channel mode, or data of a channel that is not subscribed.
            SyncOverflowError: ``channels``, ``socket`` or ``fragments``.
        """
        if self._poisoned:
            return None
        try:
            return self._read(text, now)
        except SyncError:
            self.poison()
            raise

    def next_deadline(self) -> float | None:
        """When :meth:`expire` has something to drop."""
        deadlines = [decoder.next_deadline() for decoder in self._decoders.values()]
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def expire(self, now: float) -> None:
        """Drop incomplete messages whose time is over."""
        for decoder in self._decoders.values():
            decoder.expire(now)

    def poison(self) -> None:
        """Let go of incomplete messages and ignore what comes."""
        self._poisoned = True
        for decoder in self._decoders.values():
            decoder.poison()

    def drop(self, channel_id: str) -> None:
        """Forget a channel whose path could not be joined. Its data is invalid from now on."""
        decoder = self._decoders.pop(channel_id, None)
        if decoder is not None:
            decoder.clear()
            self.released()

    def released(self) -> None:
        """A channel that was left is torn down: its resource may be used again."""
        self._resources -= 1

    def _read(self, text: str, now: float) -> ChannelEvent | None:
        if is_too_large(text):
            raise SyncOverflowError("socket")
        address, _, remainder = text.partition("\n")
        if address == _DATA_ADDRESS:
            return self._read_data(remainder, now)
        if address == _CONTROL_ADDRESS:
            return self._handle_control(*parse_control(remainder))
        raise SyncMessageError

    def _read_data(self, remainder: str, now: float) -> ChannelData | None:
        channel_id, payload_text = split_channel_payload(remainder)
        decoder = self._decoders.get(channel_id)
        if decoder is None:
            raise SyncMessageError
        payload = decoder.receive(payload_text, now)
        return None if payload is None else ChannelData(channel_id, payload)

    def _handle_control(self, request_id: str | None, control: Control, body: Any) -> ChannelEvent | None:
        if control is Control.HELLO:
            self._greeted = True
            return ChannelReply(control_payload(request_id, control, body))
        if not self._greeted:
            return None
        if utf8_length(body) > MAX_CHANNEL_ID_BYTES:
            raise SyncOverflowError("channels")
        if control is Control.UNSUBSCRIBE:
            return self._unsubscribe(body)
        confirmation = control_payload(request_id, control, body)
        if body in self._decoders:
            return ChannelReply(confirmation)
        return self._subscribe(body, confirmation)

    def _subscribe(self, channel_id: str, confirmation: str) -> ChannelJoin:
        if len(self._decoders) >= MAX_CHANNELS or self._resources >= MAX_CHANNEL_RESOURCES:
            raise SyncOverflowError("channels")
        self._resources += 1
        self._decoders[channel_id] = PayloadDecoder(self._timeout_seconds, self._budget)
        return ChannelJoin(channel_id, confirmation)

    def _unsubscribe(self, channel_id: str) -> ChannelLeave | None:
        decoder = self._decoders.pop(channel_id, None)
        if decoder is None:
            return None
        decoder.clear()
        return ChannelLeave(channel_id)


@dataclass(frozen=True, slots=True)
class ChannelConfirmed:
    """The server has done what a control asked for: ``channel_id`` is ``None`` for hello."""

    channel_id: str | None


@dataclass(frozen=True, slots=True)
class ChannelText:
    """An ordinary payload for the synchronizer of a channel."""

    channel_id: str
    payload: str


@final
class ClientChannels:
    """The client's side of one socket in channel mode: what it asks for, and what the server confirms."""

    def __init__(self) -> None:
        self._pending: dict[str, tuple[Control, str | None]] = {}
        self._is_joined: dict[str, bool] = {}

    def hello(self) -> str:
        """The payload that opens channel mode; it has to be confirmed before anything else is sent."""
        return self._ask(Control.HELLO, None, CHANNELS_VERSION)

    def subscribe(self, channel_id: str) -> str:
        """The payload that joins a channel.

        Raises:
            SyncOverflowError: ``controls``, too many are not confirmed yet.
        """
        self._is_joined[channel_id] = True
        return self._ask(Control.SUBSCRIBE, channel_id, channel_id)

    def unsubscribe(self, channel_id: str) -> str:
        """The payload that leaves a channel; it is not confirmed."""
        self._is_joined[channel_id] = False  # what is under way already is ignored
        return control_payload(None, Control.UNSUBSCRIBE, channel_id)

    def receive(self, text: str) -> ChannelConfirmed | ChannelText | None:
        """Read one payload of the server; ``None`` for one that nobody waits for any more.

        Raises:
            SyncMessageError: not a payload of channel mode, or data of an unknown channel.
            SyncOverflowError: ``channels`` or ``socket``.
        """
        if is_too_large(text):
            raise SyncOverflowError("socket")
        address, _, remainder = text.partition("\n")
        if address == _CONTROL_ADDRESS:
            return self._confirm(*parse_control(remainder))
        if address != _DATA_ADDRESS:
            raise SyncMessageError
        channel_id, payload = split_channel_payload(remainder)
        if channel_id not in self._is_joined:
            raise SyncMessageError
        return ChannelText(channel_id, payload) if self._is_joined[channel_id] else None

    def _ask(self, control: Control, channel_id: str | None, body: object) -> str:
        if len(self._pending) >= MAX_PENDING_CONTROLS:
            raise SyncOverflowError("controls")
        request_id = unique_id()
        self._pending[request_id] = control, channel_id
        return control_payload(request_id, control, body)

    def _confirm(self, request_id: str | None, control: Control, body: Any) -> ChannelConfirmed | None:
        asked = self._pending.pop(request_id, None) if request_id is not None else None
        if asked is None:
            return None
        expected, channel_id = asked
        if control is not expected or (channel_id is not None and body != channel_id):
            raise SyncMessageError
        return ChannelConfirmed(channel_id)


def control_payload(request_id: str | None, control: Control, body: object) -> str:
    """The payload of a control."""
    return (
        f"{_CONTROL_ADDRESS}\n{json_text_with_undefined([request_id, _CONTROL_NUMBER, [int(control), body]])}"
    )


def channel_payload(channel_id: str, payload: str) -> str:
    """An ordinary payload, wrapped for a channel."""
    return f"{_DATA_ADDRESS}\n{channel_id}\n{payload}"


def channel_path_id(base_path_id: str, channel_id: str) -> str:
    """The path that a channel of a socket at ``base_path_id`` is."""
    return f"{base_path_id}/{channel_id}" if base_path_id else channel_id


def is_channel_id(channel_id: str) -> bool:
    """Whether this is the form of a channel id, its length aside."""
    return not _has_forbidden_character(channel_id) and all(
        part not in ("", ".", "..") for part in channel_id.split("/")
    )


def split_channel_payload(remainder: str) -> tuple[str, str]:
    """The channel id and the ordinary payload of the remainder of a data payload.

    Raises:
        SyncMessageError: no channel id, or a malformed one.
        SyncOverflowError: ``channels``, the channel id is too long.
    """
    channel_id, separator, payload = remainder.partition("\n")
    if not separator:
        raise SyncMessageError
    if utf8_length(channel_id) > MAX_CHANNEL_ID_BYTES:
        raise SyncOverflowError("channels")
    if not is_channel_id(channel_id):
        raise SyncMessageError
    return channel_id, payload


def parse_control(remainder: str) -> tuple[str | None, Control, Any]:
    """The request id, control and body of the remainder of a control payload.

    A channel id that is too long passes: whether it matters depends on what was said before.

    Raises:
        SyncMessageError: not a control.
    """
    try:
        parts = parse_json_with_undefined(remainder)
    except ValueError as error:
        raise SyncMessageError from error
    if not (isinstance(parts, list) and len(parts) == 3 and _is_number(parts[1], _CONTROL_NUMBER)):
        raise SyncMessageError
    request_id, _, content = parts
    if not (isinstance(content, list) and len(content) == 2):
        raise SyncMessageError
    for control in Control:
        if _is_number(content[0], control) and _CONTROL_CHECKS[control](request_id, content[1]):
            return request_id, control, content[1]
    raise SyncMessageError


def _is_number(thing: object, number: int) -> bool:
    return isinstance(thing, (int, float)) and not isinstance(thing, bool) and thing == number


def _is_hello(request_id: object, body: object) -> bool:
    return isinstance(request_id, str) and _is_number(body, CHANNELS_VERSION)


def _is_subscribe(request_id: object, body: object) -> bool:
    return isinstance(request_id, str) and _may_be_channel_id(body)


def _is_unsubscribe(request_id: object, body: object) -> bool:
    return request_id is None and _may_be_channel_id(body)


def _may_be_channel_id(body: object) -> bool:
    return isinstance(body, str) and (utf8_length(body) > MAX_CHANNEL_ID_BYTES or is_channel_id(body))


_CONTROL_CHECKS: Final = {
    Control.HELLO: _is_hello,
    Control.SUBSCRIBE: _is_subscribe,
    Control.UNSUBSCRIBE: _is_unsubscribe,
}
