"""What persisters over databases have in common, whatever the database."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.errors import StoreTypeError
from durabase.mergeable import MergeableStore
from durabase.persisters import ActionQueue, Completion, Persists
from durabase.persisters._database.config import JsonMode, TabularMode
from durabase.persisters._database.dialect import SQLITE
from durabase.persisters._database.modes import layout_of
from durabase.persisters._database.persister import DatabasePersister, mode_for
from durabase.store import Store

from .databases import Database


def persister(store: Any, database: Database, **options: Any) -> DatabasePersister:
    return DatabasePersister(
        store, database.execute, lambda execute: layout_of(JsonMode(), execute, SQLITE), **options
    )


def test_it_loads_and_saves_by_its_layout_and_tells_each_statement_before_it_runs() -> None:
    database, told = Database(), list[tuple[str, Any, int]]()
    store = Store().set_value("v", 1)
    kept = persister(
        store, database, on_sql_command=lambda sql, params: told.append((sql, params, len(database.ran)))
    )
    assert kept.save().done()
    assert [(sql, number) for sql, _, number in told] == [(sql, n) for n, sql in enumerate(database.ran)]
    assert told[0][:2] == ("BEGIN", None)
    assert ["_", '[{},{"v":1}]'] in [params for _, params, _ in told]
    again = Store()
    persister(again, database).load()
    assert again.get_values() == {"v": 1}


def test_either_kind_of_store_is_kept_unless_it_is_said_otherwise() -> None:
    for store in (Store(), MergeableStore("s")):
        persister(store, Database())
    with pytest.raises(StoreTypeError):
        persister(Store(), Database(), persists=Persists.MERGEABLE_STORE_ONLY)


def test_errors_go_to_the_handler_and_the_end_is_told_once() -> None:
    database, errors, ends = Database(), list[Exception](), list[str]()
    kept = persister(
        Store(), database, on_ignored_error=errors.append, destroy=lambda: ends.append("the end")
    )
    database.broken = "BEGIN"
    kept.load()
    kept.save()
    assert [str(error) for error in errors] == ["broken", "broken"]
    kept.destroy()
    kept.destroy()
    assert ends == ["the end"]


def test_several_may_share_a_queue() -> None:
    queue, gate = ActionQueue(), Completion[None]()
    first, second = (persister(Store(), Database(), queue=queue) for _ in range(2))
    first.schedule(lambda: gate)
    saved = second.save()
    assert not saved.done()
    gate.set_result(None)
    assert saved.done()


def test_only_plain_stores_are_kept_as_tables() -> None:
    for store in (Store(), MergeableStore("s")):
        assert mode_for(store, "mine") == JsonMode("mine")
        assert mode_for(store, None) == JsonMode()
    assert mode_for(Store(), TabularMode()) == TabularMode()
    with pytest.raises(StoreTypeError, match="JSON mode keeps either"):
        mode_for(MergeableStore("s"), TabularMode())
