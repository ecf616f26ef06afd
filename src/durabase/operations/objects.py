"""What an administrator may do with objects: look at them, and change them, by class and name.

Whatever concerns an object's data runs as an event of the object, within its gates, so that it never sees
half of a turn; for that the object is started if it sleeps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final, TypeAlias

from durabase.durable_objects import DurableObjectId, ObjectHost, ObjectKey
from durabase.durable_objects.authors import ADMINISTRATOR, current_author
from durabase.durable_objects.events import Run
from durabase.durable_objects.hosted import ClassHost
from durabase.durable_objects.inspection import ObjectStatus, file_bytes, known_ids, status_of
from durabase.durable_objects.routing import Holder
from durabase.durable_objects.storage.history import history_path
from durabase.durable_objects.storage.sql_text import quoted
from durabase.errors import DurabaseError, NoSuchObjectError, ObjectError, ObjectResetError, StorageError
from durabase.operations.copies import ObjectCopies
from durabase.operations.past import ObjectPast
from durabase.operations.transfer import FORMAT, check_content, content_of, put_content
from durabase.operations.values import has_json_form, plain

__all__ = ["ObjectOperations"]

MAX_LISTED: Final = 1000

_READING: Final = ("SELECT", "VALUES", "WITH", "EXPLAIN", "PRAGMA")

Json: TypeAlias = dict[str, Any]


class _Undone(Exception):  # noqa: N818 - no error: the way out of a transaction
    """Ends a transaction without effect, and carries its result."""


class ObjectOperations:
    """The operations on the objects of one host.

    Args:
        host: where the objects live.

    Attributes:
        copies: makes copies of objects, and restores them.
        past: what they were, and going back to it.
    """

    def __init__(self, host: ObjectHost) -> None:
        self._host = host
        self.copies = ObjectCopies(host)
        self.past = ObjectPast(self, host)

    # Looking

    def classes(self) -> list[Json]:
        """The classes, and how many objects each has."""
        return [
            {"class": name, "storage": hosted.storage, "objects": len(known_ids(hosted))}
            for name, hosted in self._host.classes.items()
        ]

    def list(
        self, class_name: str | None = None, *, search: str = "", after: str = "", limit: int = 100
    ) -> Json:
        """Objects that keep anything or are in memory, ordered by class and id.

        Args:
            class_name: of this class only.
            search: whose names have this in them.
            after: what the last answer gave as ``cursor``.
            limit: how many at most, up to 1,000.
        """
        names = [class_name] if class_name is not None else sorted(self._host.classes)
        found = [
            (name, id)
            for name in names
            for id in known_ids(self._class(name))
            if search in (id.name or "") and (not after or f"{name} {id}" > after)
        ]
        page = [self.status(*each) for each in found[: min(limit, MAX_LISTED)]]
        more = len(found) > len(page)
        return {"objects": page, "cursor": f"{page[-1]['class']} {page[-1]['id']}" if page and more else None}

    def status(self, class_name: str, id: DurableObjectId) -> Json:
        """One object as the list has it; it is left alone."""
        status = self._status(class_name, id)
        return self._listed(class_name, status) | self._size(class_name, status)

    async def show(self, class_name: str, id: DurableObjectId) -> Json:
        """One object: its state, and what it keeps."""
        status = self._status(class_name, id)
        kept = await self._run(class_name, id, _what_is_kept)
        return self._listed(class_name, status) | {
            "storage": self._class(class_name).storage,
            **kept,
        }

    async def entries(
        self,
        class_name: str,
        id: DurableObjectId,
        *,
        prefix: str = "",
        after: str | None = None,
        limit: int = 100,
    ) -> Json:
        """Keys, from behind ``after``, and values; what JSON has no form for is ``printed``, by Python.

        ``limit`` is how many at most, up to 1,000.
        """
        self._status(class_name, id)
        limit = min(limit, MAX_LISTED)
        start = {} if after is None else {"start_after": after}

        async def look(instance: Any, ctx: Any) -> Json:
            items = list((await ctx.storage.list(prefix=prefix, limit=limit + 1, **start)).items())
            return {
                "entries": {key: plain(value) for key, value in items[:limit]},
                "printed": [key for key, value in items[:limit] if not has_json_form(value)],
                "more": len(items) > limit,
            }

        found: Json = await self._run(class_name, id, look)
        return found

    async def sql(
        self,
        class_name: str,
        id: DurableObjectId,
        query: str,
        parameters: Sequence[Any] = (),
        *,
        write: bool = False,
        limit: int | None = None,
    ) -> Json:
        """Run SQL in the object's database; only what ``write`` allows changes anything.

        Rows over ``limit`` are left out, which ``more`` tells.

        Raises:
            StorageError: the statement failed, or writes though it may not.
        """
        self._status(class_name, id)
        if not write and not query.lstrip().upper().startswith(_READING):
            raise StorageError("This statement writes: allow it to.")

        def query_it(instance: Any, ctx: Any) -> Json:
            def work() -> Json:
                cursor = ctx.storage.sql.exec(query, *parameters)
                found = list(islice(cursor.raw(), None if limit is None else limit + 1))
                cursor.close()
                rows = [[plain(value) for value in row] for row in found[:limit]]
                result = {"columns": cursor.column_names, "rows": rows, "rows_written": cursor.rows_written}
                result |= {} if limit is None else {"more": len(found) > limit}
                if write:
                    return result
                raise _Undone(result)

            try:
                done: Json = ctx.storage.transaction_sync(work)
            except _Undone as undone:
                (done,) = undone.args
            return done

        result: Json = await self._run(class_name, id, query_it)
        if result["rows_written"] and not write:
            raise StorageError("This statement writes: allow it to. Nothing was changed.")
        return result

    # Changing

    async def put_entry(self, class_name: str, id: DurableObjectId, key: str, value: Any) -> None:
        """Set one key."""
        await self._change(class_name, id, lambda storage: storage.put(key, value))

    async def delete_entry(self, class_name: str, id: DurableObjectId, key: str) -> None:
        """Delete one key."""
        await self._change(class_name, id, lambda storage: storage.delete(key))

    async def set_alarm(self, class_name: str, id: DurableObjectId, time_ms: int | None) -> None:
        """Set the alarm to a time in milliseconds since 1970, one that is past for now; ``None`` deletes it.

        Raises:
            AlarmError: the class has no handler of alarms.
        """
        if time_ms is None:
            await self._change(class_name, id, lambda storage: storage.delete_alarm())
        else:
            await self._change(class_name, id, lambda storage: storage.set_alarm(time_ms))

    async def evict(self, class_name: str, id: DurableObjectId, *, close_sockets: bool = False) -> None:
        """Let the object's instance go when its events are over; it starts anew when it is needed."""
        self._status(class_name, id)
        await self._host.evict(ObjectKey(class_name, id), close_sockets=close_sockets)

    def abort(self, class_name: str, id: DurableObjectId, reason: str = "") -> None:
        """End the object's life at once: what is under way fails, what is not committed is lost."""
        self.hosted(class_name, id)
        error = ObjectResetError(reason or "Durable Object was aborted by an administrator.")
        self._host.abort(ObjectKey(class_name, id), error)

    async def delete(self, class_name: str, id: DurableObjectId) -> None:
        """Delete all that the object keeps, its alarm and its history included, and close its sockets."""
        status = self._status(class_name, id)

        async def clear(instance: Any, ctx: Any) -> None:
            await ctx.storage.delete_all()
            await ctx.storage.delete_alarm()
            if (history := ctx.storage._store.history()) is not None:
                history.forget()
            await ctx.storage.sync()

        await self._run(class_name, status.id, clear)
        await self._host.evict(ObjectKey(class_name, id), close_sockets=True)

    # Taking elsewhere

    async def export(self, class_name: str, id: DurableObjectId) -> Json:
        """All that the object keeps, as a document, and who changed what of it, as far as that is kept.

        Raises:
            StorageError: it can't be written as one.
        """
        status = self._status(class_name, id)
        content: Json = await self._run(class_name, id, lambda _, ctx: content_of(ctx))
        past = await self.past.everything(class_name, id)
        document = {"format": FORMAT, "class": class_name, "name": status.id.name, "id": str(id), **content}
        return document | ({"changes": past} if past else {})

    async def take_in(
        self, class_name: str, id: DurableObjectId, document: Json, *, replace: bool = False
    ) -> None:
        """Let an object keep what a document has, which may be another object's; it starts anew with it.

        Raises:
            StorageError: the object keeps something already and is not to be replaced, or the document is
                none for it.
            ObjectResetError: the document can't be taken in. In all cases nothing has changed.
        """
        known = status_of(self._class(class_name), id)
        if known is not None and known.keeps_data and not replace:
            raise StorageError(f"{class_name} {id.name or id} keeps something already: delete or replace it.")
        key = ObjectKey(class_name, id)

        async def take(instance: Any, ctx: Any) -> None:
            check_content(ctx, document)
            try:
                await put_content(ctx, document)
            except Exception as error:
                self._host.abort(key, ObjectResetError(f"The document can't be taken in: {error}"))
                raise

        await self._run(class_name, id, take)
        await self._host.evict(key, close_sockets=True)

    # Finding

    def id_of(self, class_name: str, *, name: str | None = None, id: str | None = None) -> DurableObjectId:
        """The id of an object that is given by its name, or by the 64 digits.

        Raises:
            NoSuchObjectError: there is no such class.
            TypeError: neither is given, or the digits are of no id of the class.
        """
        mint = self._class(class_name).mint
        if id is not None:
            return mint.from_string(id)
        if name is None:
            raise TypeError("the name of an object is needed, or its id")
        return mint.from_name(name)

    def _class(self, class_name: str) -> ClassHost:
        found = self._host.classes.get(class_name)
        if found is None:
            known = ", ".join(sorted(self._host.classes)) or "none"
            raise NoSuchObjectError(f"There is no class {class_name}; there is: {known}.")
        return found

    def hosted(self, class_name: str, id: DurableObjectId) -> ClassHost:
        """The class of an object that there is, or of which there is a history.

        Raises:
            NoSuchObjectError: there is none.
        """
        hosted = self._class(class_name)
        if not history_path(hosted.file_of(id)).exists():
            self._status(class_name, id)
        return hosted

    def _status(self, class_name: str, id: DurableObjectId) -> ObjectStatus:
        found = status_of(self._class(class_name), id)
        if found is None:
            raise NoSuchObjectError(f"There is no object {id.name or id} of {class_name}.")
        return found

    def _listed(self, class_name: str, status: ObjectStatus) -> Json:
        return {
            "class": class_name,
            "name": status.id.name,
            "id": str(status.id),
            "state": status.state,
            "sockets": status.sockets,
            "open_events": status.open_events,
            "alarm": status.alarm,
            "has_stored_data": status.keeps_data,
        }

    def _size(self, class_name: str, status: ObjectStatus) -> Json:
        return {"file_bytes": file_bytes(self._class(class_name), status.id)}

    async def _change(self, class_name: str, id: DurableObjectId, change: Callable[[Any], Any]) -> None:
        """Change what the object keeps, and wait until that is durable."""
        self._status(class_name, id)

        async def work(instance: Any, ctx: Any) -> None:
            await change(ctx.storage)
            await ctx.storage.sync()

        await self._run(class_name, id, work)

    async def run(
        self, class_name: str, id: DurableObjectId, function: Callable[[Any, Any], Any], *, gone: bool = False
    ) -> Any:
        """Call ``function(instance, ctx)`` as an event of an object that there is, or may be ``gone``.

        Raises:
            DurabaseError: there is none, the function failed, or the object can't be started.
        """
        if not gone:
            self._status(class_name, id)
        return await self._run(class_name, id, function)

    def hold(self, class_name: str, id: DurableObjectId, holder: Holder) -> None:
        """Keep an object awake for as long as ``holder`` is there and in use."""
        self._host.hold(ObjectKey(class_name, id), holder)

    async def _run(self, class_name: str, id: DurableObjectId, function: Callable[[Any, Any], Any]) -> Any:
        """Call the function as an event of the object.

        Raises:
            DurabaseError: it failed, or the object can't be started.
        """
        try:
            return await self._host.deliver(
                ObjectKey(class_name, id), Run(partial(_as_administrator, function))
            )
        except DurabaseError:
            raise
        except Exception as error:  # the program's own
            raise ObjectError(f"{type(error).__name__}: {error}") from error


def _as_administrator(function: Callable[[Any, Any], Any], instance: Any, ctx: Any) -> Any:
    current_author.set(ADMINISTRATOR)
    return function(instance, ctx)


async def _what_is_kept(instance: Any, ctx: Any) -> Json:
    keys = ctx.storage._store.count()
    try:
        sql = ctx.storage.sql
    except StorageError:  # a class with keys and values only
        return {"keys": keys}
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'"
    names = [row.name for row in sql.exec(query) if not row.name.startswith("sqlite_")]
    tables = {name: sql.exec(f"SELECT count(*) AS n FROM {quoted(name)}").one().n for name in names}  # noqa: S608
    return {"keys": keys, "tables": tables, "bytes": sql.database_size}
