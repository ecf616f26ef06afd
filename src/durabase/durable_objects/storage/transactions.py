"""The ``txn`` that a transaction's closure gets: the storage, as long as the transaction lasts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from durabase._names import js_names
from durabase.durable_objects.storage.store import ObjectStore
from durabase.errors import StorageError

if TYPE_CHECKING:
    from durabase.durable_objects.storage.kv import DurableObjectStorage

__all__ = ["Transaction"]


@js_names
class Transaction:
    """What may be done in a transaction. The storage itself may be used as well: it means the same."""

    def __init__(self, storage: DurableObjectStorage, store: ObjectStore) -> None:
        self._storage = storage
        self._store = store
        self._savepoint = store.savepoint()
        self._rolled_back = False
        self._ended = False

    def get(self, *arguments: Any, **options: Any) -> Any:
        """As the storage's ``get``."""
        return self._method("get", self._storage.get)(*arguments, **options)

    def list(self, *arguments: Any, **options: Any) -> Any:
        """As the storage's ``list``."""
        return self._method("list", self._storage.list)(*arguments, **options)

    def put(self, *arguments: Any, **options: Any) -> Any:
        """As the storage's ``put``."""
        return self._method("put", self._storage.put)(*arguments, **options)

    def delete(self, *arguments: Any, **options: Any) -> Any:
        """As the storage's ``delete``."""
        return self._method("delete", self._storage.delete)(*arguments, **options)

    def get_alarm(self, *arguments: Any, **options: Any) -> Any:
        """As the storage's ``get_alarm``."""
        return self._method("getAlarm", self._storage.get_alarm)(*arguments, **options)

    def set_alarm(self, *arguments: Any, **options: Any) -> Any:
        """As the storage's ``set_alarm``."""
        return self._method("setAlarm", self._storage.set_alarm)(*arguments, **options)

    def delete_alarm(self, *arguments: Any, **options: Any) -> Any:
        """As the storage's ``delete_alarm``."""
        return self._method("deleteAlarm", self._storage.delete_alarm)(*arguments, **options)

    def delete_all(self) -> Any:
        """Not possible here.

        Raises:
            StorageError: always.
        """
        raise StorageError("Cannot call deleteAll() within a transaction")

    def rollback(self) -> None:
        """Undo everything the transaction wrote; it may then return normally."""
        if not self._rolled_back:
            self._rolled_back = True
            self._store.release(self._savepoint, rolled_back=True)

    def end(self) -> None:
        """The closure is over; the transaction can't be used any more."""
        self._ended = True
        if not self._rolled_back:
            self._store.release(self._savepoint, rolled_back=False)

    def _method(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        if self._ended:
            raise StorageError(
                f"Cannot call {name}() on transaction that has already committed: "
                "did you move txn outside of the closure?"
            )
        if self._rolled_back:
            raise StorageError(f"Cannot {name}() on rolled back transaction")
        return method
