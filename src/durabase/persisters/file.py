"""A store in a file: JSON text as TinyBase 10.0.1 writes it, all of it on every save.

The file is replaced as a whole, never written in place, so that a reader or a crash of this process
finds the old text or the new one. A missing or empty file means that nothing is persisted yet.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from durabase._codec import json_text_with_undefined, parse_json_with_undefined, unique_id, utf8
from durabase.clock import SystemClock, TimerClock, TimerHandle
from durabase.persisters.base import IgnoredErrorHandler, Persister, PersisterListener, Persists
from durabase.types import UNDEFINED

if TYPE_CHECKING:
    from durabase.store import Store

__all__ = ["FilePersister"]

_POLL_SECONDS: Final = 0.05
_Signature: TypeAlias = tuple[int, int, int] | None


class FilePersister(Persister):
    """Keeps a store, of either kind, in a file.

    Reading and writing happen within the calls that cause them. A symbolic link is followed, and the mode
    of an existing file is kept. While loading automatically, the file is looked at every 50 milliseconds;
    a text that this persister itself wrote last is no change.

    Args:
        store: what is persisted.
        path: the file. Its folder must exist.
        on_ignored_error: is called with each error that is not raised.
        clock: wakes the persister to look at the file.
    """

    def __init__(
        self,
        store: Store,
        path: str | os.PathLike[str],
        *,
        on_ignored_error: IgnoredErrorHandler | None = None,
        clock: TimerClock | None = None,
    ) -> None:
        super().__init__(store, persists=Persists.STORE_OR_MERGEABLE_STORE, on_ignored_error=on_ignored_error)
        self._path = Path(path)
        self._clock = SystemClock() if clock is None else clock
        self._known_text: str | None = None

    def get_file_path(self) -> Path:
        """The path as it was given."""
        return self._path

    def get_persisted(self) -> Any:
        """Read and parse the file.

        Raises:
            OSError: it can't be read.
            ValueError: it is no JSON in UTF-8.
        """
        text = self._read()
        self._known_text = text
        return parse_json_with_undefined(text) if text else UNDEFINED

    def set_persisted(self, get_content: Callable[[], list[Any]], changes: list[Any] | None = None) -> None:
        """Replace the file by one with the whole content.

        Raises:
            OSError: it can't be written.
        """
        text = json_text_with_undefined(get_content())
        _replace_file(self._path, utf8(text))
        self._known_text = text

    def add_persister_listener(self, listener: PersisterListener) -> _Watch:
        """Begin to look at the file."""
        return _Watch(self._clock, self._path, lambda: self._tell_if_changed(listener))

    def del_persister_listener(self, handle: _Watch) -> None:
        """Stop looking at the file."""
        handle.cancel()

    def _read(self) -> str:
        """The text of the file, empty if there is none."""
        try:
            return self._path.read_bytes().decode("utf-8")
        except FileNotFoundError:
            return ""

    def _tell_if_changed(self, listener: PersisterListener) -> None:
        try:
            text = self._read()
        except (OSError, UnicodeDecodeError):
            listener()  # the load that follows reports what is wrong
        else:
            if text not in ("", self._known_text):
                listener()


class _Watch:
    """Looks at a file again and again, and calls ``on_change`` when it may have changed."""

    __slots__ = ("_clock", "_on_change", "_path", "_signature", "_timer")

    def __init__(self, clock: TimerClock, path: Path, on_change: Callable[[], None]) -> None:
        self._clock = clock
        self._path = path
        self._on_change = on_change
        self._signature = _signature_of(path)
        self._timer: TimerHandle | None = clock.call_later(_POLL_SECONDS, self._look)

    def cancel(self) -> None:
        """Stop looking."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = self._clock.call_later(_POLL_SECONDS, self._look)
        signature = _signature_of(self._path)
        if signature != self._signature:
            self._signature = signature
            self._on_change()


def _signature_of(path: Path) -> _Signature:
    """What tells one state of a file from another: time, size and identity; ``None`` without a file."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino


def _replace_file(path: Path, data: bytes) -> None:
    target = Path(os.path.realpath(path))
    draft = target.with_name(f"{target.name}.{unique_id()}.tmp")
    try:
        draft.write_bytes(data)
        _copy_mode(target, draft)
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _copy_mode(source: Path, target: Path) -> None:
    try:
        mode = source.stat().st_mode
    except FileNotFoundError:
        return
    target.chmod(mode & 0o7777)
