"""Every exception that durabase raises, as one tree.

::

    DurabaseError
    ├── StoreError
    │   ├── ContentError           persisted or given content has a wrong shape (code 1)
    │   ├── SchemaError
    │   ├── StoreTypeError         this persister does not take this kind of store (code 0)
    │   └── QueryError
    ├── ClockError                 no later HLC is possible (code 13)
    ├── PersisterError
    ├── SyncError
    │   ├── SyncTimeoutError       a request was not answered (codes 3 and 4)
    │   ├── SyncClosedError        the socket closed (code 5)
    │   ├── SyncMessageError       an invalid protocol message (code 14, close code 1007)
    │   ├── SyncOverflowError      a limit was exceeded (code 15, close code 1013)
    │   ├── ChannelError           a channel id is wrong or taken (codes 6 to 10)
    │   ├── AccessError            a client may not be in a room (status 403, close code 4403), in particular
    │   │   └── UnauthenticatedError  nobody vouches for it, or not any more (status 401, close code 4401)
    │   └── LimitError             a client takes too much (status 429, close code 1008), in particular
    │       └── ConnectionLimitError  too many connections (close code 1013)
    ├── ObjectError
    │   ├── ObjectResetError
    │   ├── ObjectOverloadedError
    │   ├── NoSuchObjectError      an administrator asked for a class or an object that is not there
    │   ├── RemoteError
    │   ├── StorageError
    │   │   ├── StorageInUseError  another process uses the same data
    │   │   ├── StorageFileError   a file with data is damaged, or of a later version
    │   │   └── EntryTooLargeError an entry is over a limit of the storage, by its
    │   │       ├── KeyTooLargeError
    │   │       └── ValueTooLargeError
    │   └── AlarmError
    ├── WorkerError
    │   ├── ConfigError
    │   └── WorkerLoadError
    ├── ServerError                the server can't do what was asked (a busy port, a bad handshake)
    └── ClusterError

Each carries facts: ``code`` is the original's error number, ``close_code`` the WebSocket close
code it leads to, ``status`` the HTTP status. ``str()`` of a data-wing error that has a code is the
original's text, ``tinybase:<code>`` or ``tinybase:<code>:<details>``.
"""

from __future__ import annotations

__all__ = [
    "AccessError",
    "AlarmError",
    "ChannelError",
    "ClockError",
    "ClusterError",
    "ConfigError",
    "ConnectionLimitError",
    "ContentError",
    "DurabaseError",
    "EntryTooLargeError",
    "KeyTooLargeError",
    "LimitError",
    "NoSuchObjectError",
    "ObjectError",
    "ObjectOverloadedError",
    "ObjectResetError",
    "PersisterError",
    "QueryError",
    "RemoteError",
    "SchemaError",
    "ServerError",
    "StorageError",
    "StorageFileError",
    "StorageInUseError",
    "StoreError",
    "StoreTypeError",
    "SyncClosedError",
    "SyncError",
    "SyncMessageError",
    "SyncOverflowError",
    "SyncTimeoutError",
    "UnauthenticatedError",
    "ValueTooLargeError",
    "WorkerError",
    "WorkerLoadError",
]


class DurabaseError(Exception):
    """The root of the tree. ``code`` is the original's number where it has one, else ``None``."""

    code: int | None = None
    close_code: int | None = None
    status: int | None = None

    def __init__(self, details: str = "", *, code: int | None = None) -> None:
        if code is not None:
            self.code = code
        self.details = details
        super().__init__(details)

    def __str__(self) -> str:
        if self.code is None:
            return self.details
        return f"tinybase:{self.code}:{self.details}" if self.details else f"tinybase:{self.code}"


class StoreError(DurabaseError):
    """Something about a store or its content."""


class ContentError(StoreError):
    """Persisted content is not an array."""

    code = 1


class SchemaError(StoreError):
    """A schema can't be derived or used."""


class StoreTypeError(StoreError):
    """A persister was given a kind of store it does not take."""

    code = 0


class QueryError(StoreError):
    """A query can't be built."""


class ClockError(DurabaseError):
    """No later hybrid logical clock value is possible."""

    code = 13


class PersisterError(DurabaseError):
    """A persister can't do what was asked."""


class SyncError(DurabaseError):
    """Something went wrong between two synchronizers."""


class SyncTimeoutError(SyncError):
    """A request, or with code 4 a channel control, was not answered in time."""

    code = 3


class SyncClosedError(SyncError):
    """The socket closed while something was pending."""

    code = 5


class SyncMessageError(SyncError):
    """A payload or message that the protocol does not allow."""

    code = 14
    close_code = 1007


class SyncOverflowError(SyncError):
    """A limit of the protocol was exceeded; ``details`` names it."""

    code = 15
    close_code = 1013


class ChannelError(SyncError):
    """A channel id is malformed, taken, or used in the wrong mode."""


class AccessError(SyncError):
    """A client may not be in a room."""

    status = 403
    close_code = 4403


class UnauthenticatedError(AccessError):
    """A client has not shown who it is, or what it has shown is over."""

    status = 401
    close_code = 4401


class LimitError(SyncError):
    """A client, or all that count together with it, takes more than it may."""

    status = 429
    close_code = 1008


class ConnectionLimitError(LimitError):
    """There are as many connections as there may be."""

    close_code = 1013


class ObjectError(DurabaseError):
    """Something about a Durable Object.

    Attributes:
        remote: the failure came from the callee.
        retryable: an idempotent call may be tried again with a fresh stub.
        overloaded: do not retry.
        durable_object_reset: the live instance was discarded.
    """

    remote: bool
    retryable: bool
    overloaded: bool
    durable_object_reset: bool

    def __init__(
        self,
        details: str = "",
        *,
        remote: bool = False,
        retryable: bool = False,
        overloaded: bool = False,
        durable_object_reset: bool = False,
    ) -> None:
        super().__init__(details)
        self.remote = remote
        self.retryable = retryable
        self.overloaded = overloaded
        self.durable_object_reset = durable_object_reset

    @property
    def durableObjectReset(self) -> bool:  # noqa: N802 (the name that programs for Cloudflare read)
        """``durable_object_reset``."""
        return self.durable_object_reset


class ObjectResetError(ObjectError):
    """The object was discarded while this call was waiting or running.

    ``retry_alarm``: if that was the run of an alarm, it is tried again.
    """

    def __init__(
        self,
        details: str = "",
        *,
        remote: bool = False,
        retryable: bool = False,
        retry_alarm: bool = True,
    ) -> None:
        super().__init__(details, remote=remote, retryable=retryable, durable_object_reset=True)
        self.retry_alarm = retry_alarm


class ObjectOverloadedError(ObjectError):
    """The object has too much queued work."""

    def __init__(self, details: str = "") -> None:
        super().__init__(details, overloaded=True)


class RemoteError(ObjectError, RuntimeError):
    """An exception of no builtin type was raised in the object that was called."""

    def __init__(self, details: str = "") -> None:
        super().__init__(details, remote=True)


class StorageError(ObjectError):
    """A storage operation was refused or failed."""


class NoSuchObjectError(ObjectError):
    """There is no such class, or no such object of it, for an administrator to look at or change."""

    status = 404


class StorageInUseError(StorageError):
    """Another process uses the same data: an object has one instance, so only one process may."""


class StorageFileError(StorageError):
    """A file that holds data is damaged, of a later version, or can't be opened; what others keep is not
    touched by that."""


class EntryTooLargeError(StorageError):
    """A key or value is over the storage's limit; nothing of its ``put`` was written.

    Attributes:
        key: the key.
        size: how many bytes it, or its value, takes.
        limit: how many it may.
    """

    def __init__(self, message: str, key: str, size: int, limit: int) -> None:
        super().__init__(message)
        self.key = key
        self.size = size
        self.limit = limit


class KeyTooLargeError(EntryTooLargeError):
    """A key is over the storage's limit."""

    def __init__(self, key: str, size: int, limit: int) -> None:
        message = f"Keys cannot be larger than {limit} bytes. A key of size {size} was provided."
        super().__init__(message, key, size, limit)


class ValueTooLargeError(EntryTooLargeError):
    """A value is over the storage's limit."""

    def __init__(self, key: str, size: int, limit: int) -> None:
        message = (
            f"Values cannot be larger than {limit} bytes. A value of size {size} was provided, for the key "
            f"{key!r}: split it, or raise the limit (max_value_bytes)."
        )
        super().__init__(message, key, size, limit)


class AlarmError(ObjectError):
    """An alarm can't be set."""


class WorkerError(DurabaseError):
    """Something about a worker program."""


class ConfigError(WorkerError):
    """The configuration has errors; ``details`` is the tree of them."""


class WorkerLoadError(WorkerError):
    """The program can't be imported, or lacks a class that the configuration names."""


class ServerError(DurabaseError):
    """The server can't listen or a connection can't be served."""


class ClusterError(DurabaseError):
    """Something between machines."""
