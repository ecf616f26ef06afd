"""Web values without a network: headers, requests, responses, and WebSockets as programs see them."""

from durabase.web.abort_signal import AbortController, AbortError, AbortEvent, AbortSignal
from durabase.web.attribute_dict import AttributeDict
from durabase.web.blob import Blob, File
from durabase.web.byte_string import ByteString
from durabase.web.connection import Connection, OutputHold, ReadyState, SocketOwner, socket_owner
from durabase.web.form_data import FormData
from durabase.web.headers import Headers
from durabase.web.ports import SocketPort, SocketSink
from durabase.web.readable_stream import ReadableStream
from durabase.web.request import Request
from durabase.web.response import Response
from durabase.web.structured_clone import decode_value, encode_value
from durabase.web.websocket import (
    CloseEvent,
    ErrorEvent,
    MessageEvent,
    OpenEvent,
    WebSocket,
    WebSocketPair,
    WebSocketRequestResponsePair,
)

__all__ = [
    "AbortController",
    "AbortError",
    "AbortEvent",
    "AbortSignal",
    "AttributeDict",
    "Blob",
    "ByteString",
    "CloseEvent",
    "Connection",
    "ErrorEvent",
    "File",
    "FormData",
    "Headers",
    "MessageEvent",
    "OpenEvent",
    "OutputHold",
    "ReadableStream",
    "ReadyState",
    "Request",
    "Response",
    "SocketOwner",
    "SocketPort",
    "SocketSink",
    "WebSocket",
    "WebSocketPair",
    "WebSocketRequestResponsePair",
    "decode_value",
    "encode_value",
    "socket_owner",
]
