"""What every persister has in common: load, save, follow both ways, one action at a time.

A persister ties one store to one place. The place is known only through four functions that a
subclass overrides; this module decides when they are called and what happens with the results, as
TinyBase 10.0.1 does. It knows no place and no format, and does no I/O of its own.

Where the original can lose what is stored, this does not:

* A load that *failed* (the place could not be read, or holds something that is no content) leaves
  the place alone: automatic saving is withheld, and says so once through ``on_ignored_error``, until
  a load succeeds or the caller decides by calling :meth:`Persister.save`. What was edited meanwhile
  is merged with what that load finds, if the store can merge, and then saved. A place that answers
  that it holds nothing (``UNDEFINED``, or ``None``) did not fail.
* Edits made while a load is under way are kept, on top of what was loaded, and saved when it is done;
  the original replaces them by what was loaded.
* After a save that failed, the next one that succeeds is followed by one of everything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, TypeAlias, cast

from durabase._codec import js_string
from durabase.errors import ContentError, PersisterError, StoreTypeError
from durabase.persisters._access import MergeableAccess, PlainAccess, StoreAccess
from durabase.persisters._auto_load import AutoLoad, PersisterListener
from durabase.persisters._auto_save import AutoSave
from durabase.persisters._errors import IgnoredErrorHandler, IgnoredErrors
from durabase.persisters._queue import Action, ActionQueue
from durabase.persisters._status import Persists, Status, StatusBoard
from durabase.persisters._steps import Completion, Steps, start_steps
from durabase.types import UNDEFINED, Id

if TYPE_CHECKING:
    from durabase.mergeable import MergeableStore
    from durabase.store import Store

__all__ = ["IgnoredErrorHandler", "Persister", "PersisterListener", "Persists", "Status"]

GetContent: TypeAlias = Callable[[], list[Any]]
StatusListener: TypeAlias = Callable[[Any, "Status"], object]


class Persister:
    """Keeps a store and one place in step.

    Every method that acts starts at once and returns a :class:`Completion`, which may be awaited or
    dropped. Over plain functions all is done when the call returns; over asynchronous ones an event
    loop must be running. Errors of the place, of listeners and of scheduled actions never come out of
    these methods; they go to ``on_ignored_error``, or into the log as warnings.

    Subclasses override :meth:`get_persisted`, :meth:`set_persisted` and, to follow the place,
    :meth:`add_persister_listener` and :meth:`del_persister_listener`.

    Args:
        store: what is persisted.
        persists: the kinds of store that this persister takes.
        on_ignored_error: is called with each error that is not raised.
        queue: shared by persisters whose actions must not overlap.

    Raises:
        StoreTypeError: ``store`` is not of a kind that this persister takes.
    """

    _saves_only_changes = False
    """Whether a save of changes costs as much as they are, not as much as all content."""
    _keeps_unsaved_edits = True
    """Whether what could not be saved is saved, as part of everything, at the next occasion."""

    def __init__(
        self,
        store: Store,
        *,
        persists: Persists = Persists.STORE_ONLY,
        on_ignored_error: IgnoredErrorHandler | None = None,
        queue: ActionQueue | None = None,
    ) -> None:
        self._store = store
        self._access = self._make_access(store, persists)
        self._ignored_errors = IgnoredErrors(type(self).__name__, on_ignored_error)
        self._queue = ActionQueue() if queue is None else queue
        self._board = StatusBoard()
        self._loads = 0
        self._saves = 0
        self._load_error: Exception | None = None
        self._is_applying = False
        self._stops = 0
        self._auto_load = AutoLoad(self)
        self._auto_save = AutoSave(self)
        self._destruction: Completion[Self] | None = None

    def _make_access(self, store: Store, persists: Persists) -> StoreAccess:
        is_mergeable = store.is_mergeable()
        if persists is Persists.MERGEABLE_STORE_ONLY and not is_mergeable:
            raise StoreTypeError(f"{type(self).__name__} needs a MergeableStore, not a Store")
        if is_mergeable and persists is not Persists.STORE_ONLY:
            return MergeableAccess(cast("MergeableStore", store))
        return PlainAccess(store)

    # The place: what subclasses override

    def get_persisted(self) -> object:
        """Read the place.

        Returns:
            Encoded content or changes, or ``UNDEFINED`` if nothing is there yet; or an awaitable of it.

        Raises:
            Exception: whatever keeps the place from being read.
        """
        raise NotImplementedError

    def set_persisted(self, get_content: GetContent, changes: list[Any] | None = None) -> object:
        """Write to the place: ``changes``, or if there are none everything that ``get_content()`` gives.

        Returns:
            Nothing, which says that it is written; or an awaitable that ends when it is.
        """
        raise NotImplementedError

    def add_persister_listener(self, listener: PersisterListener) -> object:
        """Begin to call ``listener`` when the place changes; return a handle, or an awaitable of one."""
        return None

    def del_persister_listener(self, handle: Any) -> object:
        """Stop calling the listener of this handle."""
        return None

    # What a persister does

    def load(self, initial_content: Any = None) -> Completion[Self]:
        """Put what is persisted into the store, or ``initial_content`` if nothing is, or if reading fails.

        Does nothing while a save is under way.
        """
        self._check_alive()
        return start_steps(self._and_self(self._load_steps(initial_content)))

    def save(self) -> Completion[Self]:
        """Write the whole content, even if loading failed before. Does nothing while a load is under way."""
        self._check_alive()
        if self._board.status is not Status.LOADING:
            self._load_error = None
        return start_steps(self._and_self(self._save_steps(None)))

    def start_auto_load(self, initial_content: Any = None) -> Completion[Self]:
        """Follow the place: listen to it, and load once, as :meth:`load` does."""
        self._check_alive()
        return start_steps(self._and_self(self._auto_load.start_steps(initial_content)))

    def stop_auto_load(self) -> Completion[Self]:
        """Stop following the place; what it reported before is ignored from now on."""
        return start_steps(self._and_self(self._auto_load.stop_steps()))

    def is_auto_loading(self) -> bool:
        """Whether the place is being followed."""
        return self._auto_load.is_on()

    def start_auto_save(self) -> Completion[Self]:
        """Follow the store: save all of it once, and from then on the changes of each transaction."""
        self._check_alive()
        return start_steps(self._and_self(self._auto_save.start_steps()))

    def stop_auto_save(self) -> Completion[Self]:
        """Stop following the store."""
        return start_steps(self._and_self(self._auto_save.stop_steps()))

    def is_auto_saving(self) -> bool:
        """Whether the store is being followed."""
        return self._auto_save.is_on()

    def start_auto_persisting(
        self, initial_content: Any = None, start_save_first: bool = False
    ) -> Completion[Self]:
        """:meth:`start_auto_load`, then :meth:`start_auto_save`; or the other way round."""
        self._check_alive()
        starts = [self._auto_load.start_steps(initial_content), self._auto_save.start_steps()]
        return start_steps(self._start_both_steps(_in_order(starts, start_save_first)))

    def stop_auto_persisting(self, stop_save_first: bool = False) -> Completion[Self]:
        """:meth:`stop_auto_load`, then :meth:`stop_auto_save`; or the other way round."""
        self._stops += 1
        stops = [self._auto_load.stop_steps(), self._auto_save.stop_steps()]
        return start_steps(self._and_self(*_in_order(stops, stop_save_first)))

    def schedule(self, *actions: Callable[[], object]) -> Completion[Self]:
        """Run functions, plain or asynchronous, after everything that waits in the queue."""
        self._check_alive()
        guarded = [lambda action=action: self._guarded_steps(action) for action in actions]
        return start_steps(self._and_self(self._enqueue_steps(*guarded)))

    def destroy(self) -> Completion[Self]:
        """Stop for good: drop what waits, end following, wait for the action that is running.

        May be called again. Any other acting method raises :class:`PersisterError` afterwards.
        """
        if self._destruction is None:
            self._destruction = Completion()
            ending = start_steps(self._destroy_steps())
            ending.add_done_callback(self._end_destruction)
        return self._destruction

    # What can be asked

    def get_store(self) -> Store:
        """The store that is persisted."""
        return self._store

    def get_status(self) -> Status:
        """What this persister is doing."""
        return self._board.status

    def get_stats(self) -> dict[str, int]:
        """How many loads and saves were begun: ``{"loads": …, "saves": …}``."""
        return {"loads": self._loads, "saves": self._saves}

    def add_status_listener(self, listener: StatusListener) -> Id:
        """Call ``listener(persister, status)`` whenever the status changes; returns the listener's id."""
        return self._board.add_listener(lambda status: self._call_status_listener(listener, status))

    def del_listener(self, listener_id: Id) -> Store:
        """Remove a status listener; returns the store."""
        self._board.del_listener(listener_id)
        return self._store

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.destroy()

    # Loading

    def _load_steps(self, initial_content: Any) -> Steps[None]:
        if self._board.status is not Status.SAVING:
            self._begin_loading()
            try:
                yield from self._enqueue_steps(lambda: self._read_steps(initial_content))
            finally:
                self._end_action()
            yield from self._auto_save.after_load_steps()

    def _read_steps(self, initial_content: Any) -> Steps[None]:
        try:
            content = yield self.get_persisted()
            self._put_persisted(content, initial_content)
        except Exception as error:
            if not isinstance(error, _NothingPersistedError):
                self._load_error = error
            self._report(error)
            if initial_content is not None:
                self._set_initial_content(initial_content)

    def _put_persisted(self, content: Any, initial_content: Any) -> None:
        if content is None:
            raise _NothingPersistedError("null")
        if isinstance(content, (list, tuple)):
            self._apply_loaded(list(content))
        elif content is not UNDEFINED:
            raise ContentError(js_string(content))
        elif initial_content is not None:
            self._set_initial_content(initial_content)
        self._load_error = None

    def _apply_loaded(self, content: list[Any]) -> None:
        self._apply_with(self._put_and_keep_edits, content)
        self._access.check_taken(content)

    def _put_and_keep_edits(self, content_or_changes: list[Any]) -> None:
        edits = self._auto_save.take_edits_while_loading()
        if self._load_error is not None or self._auto_save.has_unsaved_edits:
            self._access.merge(content_or_changes, edits)
        else:
            self._access.apply(content_or_changes)

    def _set_initial_content(self, initial_content: Any) -> None:
        try:
            self._apply_with(self._access.set_initial_content, initial_content)
        except Exception as error:
            self._report(error)

    def _apply_with(self, put: Callable[[Any], None], content: Any) -> None:
        was_applying, self._is_applying = self._is_applying, True
        try:
            put(content)
        finally:
            self._is_applying = was_applying

    def _begin_loading(self) -> None:
        self._board.set(Status.LOADING)
        self._loads += 1

    def _end_action(self) -> None:
        self._board.set(Status.IDLE)

    def _apply_steps(self, content_or_changes: list[Any]) -> Steps[None]:
        yield from self._guarded_steps(lambda: self._apply_with(self._put_and_keep_edits, content_or_changes))

    def _had_mutated(self) -> bool:
        """Whether mutator listeners changed the store since this was last asked."""
        store: Any = self._store
        return bool(store.is_mergeable() and store._had_mutated())

    # Saving

    def _save_steps(self, changes: list[Any] | None) -> Steps[None]:
        if self._board.status is not Status.LOADING:
            self._board.set(Status.SAVING)
            self._saves += 1
            try:
                yield from self._enqueue_steps(lambda: self._write_steps(changes))
            finally:
                self._end_action()
            yield from self._auto_load.after_save_steps()

    def _write_steps(self, changes: list[Any] | None) -> Steps[None]:
        if changes is None:
            self._auto_save.has_unsaved_edits = False
        try:
            yield self.set_persisted(self._access.get_content, changes)
        except Exception as error:
            self._auto_save.note_unsaved_edits()
            self._report(error)

    def _adds_to_save(self, changes: list[Any]) -> bool:
        """Whether changes have become part of a save that has begun and has not written yet."""
        return False

    # Both, and the end

    def _start_both_steps(self, starts: list[Steps[None]]) -> Steps[Self]:
        stops = self._stops
        for start in starts:
            if stops == self._stops:  # or it was stopped while the first start was waiting
                yield from start
        return self

    def _destroy_steps(self) -> Steps[None]:
        running = self._queue.active_action(self)
        self._queue.drop(self)
        yield self.stop_auto_persisting()
        if running is not None:
            yield running
        yield from self._guarded_steps(self._release)

    def _end_destruction(self, ending: Completion[None]) -> None:
        destruction = cast("Completion[Any]", self._destruction)
        try:
            ending.result()
        except BaseException as error:  # whoever awaits the end must hear of it
            destruction.set_exception(error)
        else:
            destruction.set_result(self)

    def _release(self) -> object:
        """What a subclass does last when it is destroyed; may return an awaitable."""
        return None

    # Helpers

    def _and_self(self, *parts: Steps[None]) -> Steps[Self]:
        """The parts one after the other, and then this persister as the result."""
        for part in parts:
            yield from part
        return self

    def _enqueue_steps(self, *actions: Action) -> Steps[None]:
        return self._queue.schedule_steps(self, *actions)

    def _guarded_steps(self, action: Callable[[], object]) -> Steps[None]:
        try:
            yield action()
        except Exception as error:
            self._report(error)

    def _is_destroyed(self) -> bool:
        return self._destruction is not None

    def _check_alive(self) -> None:
        if self._destruction is not None:
            raise PersisterError(f"this {type(self).__name__} has been destroyed")

    def _call_status_listener(self, listener: StatusListener, status: Status) -> None:
        try:
            listener(self, status)
        except Exception as error:
            self._report(error)

    def _report(self, error: Exception) -> None:
        self._ignored_errors.report(error)


class _NothingPersistedError(ContentError):
    """The place holds ``null``: reported like the original does, but there is nothing to lose."""


def _in_order(pair: list[Steps[None]], is_reversed: bool) -> list[Steps[None]]:
    return pair[::-1] if is_reversed else pair
