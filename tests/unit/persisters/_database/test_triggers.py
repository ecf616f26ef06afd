"""The statements that have PostgreSQL tell of changes. What PostgreSQL does with them: ``test_postgres``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from durabase.persisters._database.config import JsonMode, LoadTable, TabularMode
from durabase.persisters._database.triggers import Triggers

from .databases import done

MODE = TabularMode({"pets": LoadTable("p", "id", "$tableName.age>1"), 'a"b': "t"})


class Session:
    """Notes statements. ``answers``: what those give that begin so; an exception is raised."""

    def __init__(self, answers: dict[str, Any] | None = None, mode: Any = MODE) -> None:
        self.ran: list[str] = []
        self._answers = answers or {}
        self.triggers = Triggers(self._execute, mode)

    def _execute(self, sql: str, params: Sequence[Any] | None) -> Any:
        self.ran.append(sql)
        for start, answer in self._answers.items():
            if sql.startswith(start):
                if isinstance(answer, Exception):
                    raise answer
                return answer
        return []

    def those(self, start: str) -> list[str]:
        return [sql for sql in self.ran if sql.startswith(start)]


def test_the_channel_is_that_of_the_configuration_but_not_of_its_interval() -> None:
    channel = Session(mode=JsonMode()).triggers.channel
    assert channel == Session(mode=JsonMode(auto_load_interval_seconds=9)).triggers.channel
    assert channel != Session(mode=JsonMode("other")).triggers.channel
    assert channel.removeprefix("tinybase_").isdigit()


def test_which_tables_it_is_about() -> None:
    triggers = Session().triggers
    managed = [name for name in ("pets", 'a"b', "tinybase_values", "p", "t") if triggers.is_managed(name)]
    assert managed == ["pets", 'a"b', "tinybase_values"]


def test_installing_is_guarded_by_a_lock_and_ends_with_none_of_it() -> None:
    session = Session()
    assert done(session.triggers.install_steps()) is None
    first, second, *_, last = session.ran
    key = first.removeprefix("SELECT pg_advisory_lock(").partition(",")[0]
    assert -(2**31) <= int(key) < 2**31
    assert first == f"SELECT pg_advisory_lock({key},1)"
    assert second == f"SELECT pg_advisory_lock_shared({key},2)"
    assert last == f"SELECT pg_advisory_unlock({key},1)"


def test_keys_of_locks_are_signed_as_postgresql_has_them() -> None:
    """The hash in the name of the channel has 32 bits without a sign."""
    is_negative = set()
    for name in "abcdefgh":
        session = Session(mode=JsonMode(name))
        done(session.triggers.remove_steps())
        key = int(session.ran[0].removeprefix("SELECT pg_advisory_lock(").partition(",")[0])
        assert -(2**31) <= key < 2**31
        assert key % 2**32 == int(session.triggers.channel.removeprefix("tinybase_"))
        is_negative.add(key < 0)
    assert is_negative == {True, False}


def test_each_table_is_made_and_gets_triggers_with_its_condition() -> None:
    session = Session()
    done(session.triggers.install_steps())
    assert session.those("CREATE TABLE") == [
        'CREATE TABLE IF NOT EXISTS"tinybase_values"("_id"text PRIMARY KEY)',
        'CREATE TABLE IF NOT EXISTS"pets"("id"text PRIMARY KEY)',
        'CREATE TABLE IF NOT EXISTS"a""b"("_id"text PRIMARY KEY)',
    ]
    triggers = [sql for sql in session.those("CREATE OR REPLACE TRIGGER") if 'ON"pets"' in sql]
    heads = [sql.partition("EXECUTE")[0].partition("AFTER ")[2] for sql in triggers]
    new, old = "(NEW.age>1)", "(OLD.age>1)"
    assert heads == [
        f'INSERT ON"pets"FOR EACH ROW WHEN({new})',
        f'DELETE ON"pets"FOR EACH ROW WHEN({old})',
        f'UPDATE ON"pets"FOR EACH ROW WHEN({new} OR {old})',
        'TRUNCATE ON"pets"FOR EACH STATEMENT ',
    ]


def test_a_table_that_was_made_later_is_watched_by_itself() -> None:
    session = Session()
    done(session.triggers.watch_steps("pets"))
    assert len(session.ran) == 4
    with pytest.raises(KeyError):
        done(session.triggers.watch_steps("p"))


def test_restoring_takes_no_second_lock() -> None:
    session = Session()
    done(session.triggers.install_steps(is_restoring=True))
    assert "WHERE NOT EXISTS(SELECT 1 FROM pg_locks" in session.ran[1]
    assert session.ran[1].endswith("AND pid=pg_backend_pid())")


def test_event_triggers_are_made_once() -> None:
    session = Session()
    done(session.triggers.install_steps())
    made = session.those("CREATE EVENT TRIGGER")
    assert [sql.partition(" WHEN")[0].rpartition(" ")[2] for sql in made] == ["ddl_command_end", "sql_drop"]
    again = Session({"SELECT 1 FROM pg_event_trigger": [{"?column?": 1}]})
    done(again.triggers.install_steps())
    assert again.those("CREATE EVENT TRIGGER") == []


def test_who_may_not_make_event_triggers_is_told_and_has_the_rest() -> None:
    error = PermissionError("must be superuser")
    session = Session({"CREATE EVENT TRIGGER": error})
    assert done(session.triggers.install_steps()) is error
    assert len(session.those("CREATE OR REPLACE TRIGGER")) == 12
    assert session.those("SELECT pg_advisory_unlock(")


def test_the_guard_is_given_back_when_it_fails() -> None:
    session = Session({"CREATE TABLE": OSError("broken"), "DROP": OSError("broken")})
    for steps in (session.triggers.install_steps(), session.triggers.remove_steps()):
        session.ran.clear()
        with pytest.raises(OSError, match="broken"):
            done(steps)
        assert session.ran[-1].startswith("SELECT pg_advisory_unlock(")


def test_the_last_one_to_follow_takes_everything_away() -> None:
    alone, other = Session(), Session({"SELECT 1 FROM pg_locks": [{"?column?": 1}]})
    for session in (alone, other):
        done(session.triggers.remove_steps())
        assert session.ran[1].startswith("SELECT pg_advisory_unlock_shared(")
        assert session.ran[-1].startswith("SELECT pg_advisory_unlock(")
    (drop,) = alone.those("DROP")
    assert drop.count("durabase_") == 3
    assert drop.endswith("CASCADE")
    assert other.those("DROP") == []


def test_payloads_say_what_has_happened_to_which_table() -> None:
    session = Session()
    done(session.triggers.install_steps())
    changed, made, gone = session.those("CREATE OR REPLACE FUNCTION")
    channel = session.triggers.channel
    assert f"pg_notify('{channel}','d:'||TG_TABLE_NAME)" in changed
    assert f"pg_notify('{channel}','c:'||row.name)" in made
    assert f"pg_notify('{channel}','d:'||row.name)" in gone
