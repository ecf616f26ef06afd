from __future__ import annotations

from typing import Any

import pytest

from durabase.store import Store, StoreHooks
from durabase.types import UNDEFINED


class Hooks(StoreHooks):
    """Writes down what it is told, and raises when told to."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.fail_at: str | None = None

    def _tell(self, name: str, *args: Any) -> None:
        self.told.append((name, *args))
        if name == self.fail_at:
            raise LookupError(name)

    def pre_start(self) -> None:
        self._tell("pre_start")

    def pre_finish(self, rolled_back: bool) -> None:
        self._tell("pre_finish", rolled_back)

    def post_finish(self, rolled_back: bool) -> None:
        self._tell("post_finish", rolled_back)

    def cell_changed(self, *args: Any) -> None:
        self._tell("cell", *args)

    def value_changed(self, *args: Any) -> None:
        self._tell("value", *args)


def _watched(hooks: Hooks | None = None) -> tuple[Store, list[Any]]:
    """A store with cell t/r/c = 1 and a list of the names of those that are called."""
    store = Store(hooks).set_cell("t", "r", "c", 1)
    calls: list[Any] = hooks.told if hooks else []
    calls.clear()
    store.add_start_transaction_listener(lambda _store: calls.append("start"))
    store.add_cell_listener(None, None, None, lambda *_: calls.append("mutator"), mutator=True)
    store.add_will_finish_transaction_listener(lambda _store: calls.append("will"))
    store.add_cell_listener(None, None, None, lambda *_: calls.append("listener"))
    store.add_did_finish_transaction_listener(lambda _store: calls.append("did"))
    return store, calls


def _yes(_store: Any) -> bool:
    return True


def test_everything_happens_in_order() -> None:
    store, calls = _watched(Hooks())
    store.set_cell("t", "r", "c", 2)
    assert calls == [
        ("pre_start",),
        "start",
        ("cell", "t", "r", "c", 2, False, False),
        "mutator",
        ("pre_finish", False),
        "will",
        "listener",
        "did",
        ("post_finish", False),
    ]


def test_nested_transactions_are_one() -> None:
    store, calls = _watched()
    with store.transaction() as inside:
        assert inside is store
        store.set_cell("t", "r", "c", 2)
        with store.transaction(_yes):
            store.set_cell("t", "r", "d", 3)
        store.start_transaction().set_cell("t", "r", "e", 4).finish_transaction(_yes)
        assert calls == ["start"]
    assert calls == ["start", *["mutator"] * 3, "will", *["listener"] * 3, "did"]
    assert store.get_row("t", "r") == {"c": 2, "d": 3, "e": 4}


def test_finishing_what_was_not_started_does_nothing() -> None:
    store, calls = _watched()
    store.finish_transaction()
    assert calls == []


def test_an_exception_undoes_all_and_passes_on_and_nobody_is_told() -> None:
    store, calls = _watched(Hooks())
    store.set_tables_schema({"t": {"c": {"type": "number"}}}).set_values_schema({"v": {"type": "number"}})
    calls.clear()

    def edit() -> None:
        store.del_schema().set_cell("t", "r", "c", [1]).set_cell("t", "s", "c", 1).set_value("w", 1)
        store.del_row("t", "r")
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"), store.transaction():
        edit()
    assert store.get_content() == [{"t": {"r": {"c": 1}}}, {}]
    assert store.get_schema_json() == '[{"t":{"c":{"type":"number"}}},{"v":{"type":"number"}}]'
    assert not {"mutator", "will", "listener", "did", ("pre_finish", True)} & set(calls)
    assert calls[-1] == ("post_finish", True)
    assert store.get_transaction_log()[:3] == [False, False, {}]
    calls.clear()
    store.set_cell("t", "r", "c", 2)
    assert calls.count("did") == 1


def test_objects_and_arrays_do_not_come_back_and_are_told_as_invalid_as_in_the_original() -> None:
    store = Store().set_cell("t", "r", "c", {"a": [1]}).set_value("v", [2])
    invalid: list[Any] = []
    store.add_invalid_cell_listener(None, None, None, lambda _, *arguments: invalid.append(arguments))
    with store.transaction(_yes):
        store.set_cell("t", "r", "c", 5).del_values()
    assert store.get_content() == [{"t": {"r": {"c": 5}}}, {}]
    assert invalid == [("t", "r", "c", ['\ufffd{"a":[1]}'])]


def test_an_exception_inside_dooms_the_outermost_even_if_it_is_caught() -> None:
    store, calls = _watched()
    with store.transaction():
        store.set_cell("t", "r", "c", 2)
        with pytest.raises(ZeroDivisionError), store.transaction():
            raise ZeroDivisionError
        store.set_cell("t", "r", "d", 2)
    assert store.get_row("t", "r") == {"c": 1}
    assert calls == ["start"]


def test_an_exception_of_a_function_given_to_a_setter_undoes_its_transaction() -> None:
    store, calls = _watched()
    for write in (
        lambda: store.set_cell("t", "r", "c", lambda _cell: 1 // 0),
        lambda: store.set_value("v", lambda _value: 1 // 0),
        lambda: store.set_content(lambda: 1 // 0),  # type: ignore[arg-type,return-value]
    ):
        with pytest.raises(ZeroDivisionError):
            write()
    assert store.get_content() == [{"t": {"r": {"c": 1}}}, {}]
    assert calls == ["start"] * 3


def test_do_rollback_undoes_after_mutators_and_all_but_listeners_of_changes_are_told() -> None:
    store, calls = _watched(Hooks())
    seen: list[Any] = []
    store.add_did_finish_transaction_listener(lambda _store: seen.append(store.get_transaction_changes()))
    store.add_invalid_cell_listener(None, None, None, lambda *args: seen.append(args[1:]))

    def decide(given: Any) -> bool:
        calls.append("decide")
        assert given is store
        return given.get_cell("t", "r", "c") == 2

    with store.transaction(decide):
        store.set_cell("t", "r", "c", 2).set_cell("t", "r", "d", {5})
    assert store.get_content() == [{"t": {"r": {"c": 1}}}, {}]
    assert calls == [
        ("pre_start",),
        "start",
        ("cell", "t", "r", "c", 2, False, False),
        "mutator",
        "decide",
        ("cell", "t", "r", "c", 1, False, False),
        ("pre_finish", True),
        "will",
        ("post_finish", True),
        "did",
    ]
    assert seen == [("t", "r", "d", [{5}]), [{}, {}, 1]]


def test_do_rollback_that_says_no_keeps_all() -> None:
    store, calls = _watched()
    with store.transaction(lambda _store: 0):
        store.set_cell("t", "r", "c", 2)
    assert store.get_cell("t", "r", "c") == 2
    assert calls[-1] == "did"


def test_what_a_will_finish_listener_writes_counts_even_after_a_rollback() -> None:
    store = Store()
    changed: list[Any] = []
    store.add_will_finish_transaction_listener(lambda _store: store.set_value("w", 2))
    store.add_value_listener(None, lambda _store, *args: changed.append(args[:2]))
    with store.transaction(_yes):
        store.set_value("v", 1)
    assert store.get_values() == {"w": 2}
    assert changed == [("w", 2)]


def test_a_rollback_deletes_rows_with_defaults_that_were_added() -> None:
    store = Store().set_tables_schema({"t": {"a": {"type": "number", "default": 1}, "b": {"type": "string"}}})
    store.set_row("t", "r", {"a": 5, "b": "x"})
    with store.transaction(_yes):
        store.add_row("t", {"b": "y"})
        store.del_cell("t", "r", "a").del_cell("t", "r", "b")
    assert store.get_tables() == {"t": {"r": {"a": 5, "b": "x"}}}


def test_an_exception_of_a_start_listener_ends_the_transaction() -> None:
    store = Store(Hooks())
    bad = store.add_start_transaction_listener(lambda _store: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        store.set_value("v", 1)
    with pytest.raises(ZeroDivisionError):
        store.start_transaction()
    store.del_listener(bad).set_value("v", 2)
    assert store.get_values() == {"v": 2}


def test_an_exception_of_a_mutator_undoes_all_and_did_finish_is_not_told() -> None:
    store, calls = _watched(Hooks())

    def mutate(*_: Any) -> None:
        store.set_value("v", 1)
        raise ZeroDivisionError

    store.add_cell_listener(None, None, None, mutate, mutator=True)
    with pytest.raises(ZeroDivisionError):
        store.set_cell("t", "r", "c", 2)
    assert store.get_content() == [{"t": {"r": {"c": 1}}}, {}]
    assert ("value", "v", 1, True, False) in calls
    assert calls[-2:] == [("value", "v", UNDEFINED, False, False), ("post_finish", True)]
    assert "will" not in calls


def test_an_exception_of_do_rollback_undoes_all() -> None:
    store, _ = _watched()
    with pytest.raises(ZeroDivisionError), store.transaction(lambda _store: 1 // 0):
        store.set_cell("t", "r", "c", 2)
    assert store.get_cell("t", "r", "c") == 1


def test_an_exception_of_a_will_finish_listener_undoes_all_and_did_finish_is_told() -> None:
    hooks = Hooks()
    store, calls = _watched(hooks)
    store.add_will_finish_transaction_listener(lambda _store: 1 / 0)
    store.add_will_finish_transaction_listener(lambda _store: calls.append("will 2"))
    with pytest.raises(ZeroDivisionError):
        store.set_cell("t", "r", "c", 2)
    assert store.get_cell("t", "r", "c") == 1
    told = [call for call in calls if call[0] != "cell"]
    assert told == [
        ("pre_start",),
        "start",
        "mutator",
        ("pre_finish", False),
        "will",
        "will 2",
        ("pre_finish", True),
        ("post_finish", True),
        "did",
    ]


def test_an_exception_of_a_listener_comes_too_late_to_undo_and_stops_the_other_listeners() -> None:
    store, calls = _watched(Hooks())
    store.add_value_listener("v", lambda *_: 1 / 0)
    store.add_values_listener(lambda *_: calls.append("values"))
    store.add_did_finish_transaction_listener(lambda _store: {}["another"])
    with pytest.raises(ZeroDivisionError) as raised:
        store.set_value("v", 1)
    assert store.get_values() == {"v": 1}
    assert "values" not in calls
    assert calls[-2:] == ["did", ("post_finish", False)]
    assert "another" in "".join(raised.value.__notes__)


def test_an_exception_of_a_did_finish_listener_passes_on() -> None:
    store = Store()
    store.add_did_finish_transaction_listener(lambda _store: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        store.set_value("v", 1)
    assert store.get_values() == {"v": 1}


@pytest.mark.parametrize("fail_at", ["cell", "value", "pre_start", "pre_finish"])
def test_an_exception_of_a_hook_undoes_all(fail_at: str) -> None:
    hooks = Hooks()
    store = Store(hooks).set_cell("t", "r", "c", 1)
    hooks.fail_at = fail_at
    with pytest.raises(LookupError), store.transaction():
        store.set_cell("u", "s", "d", 2).set_value("v", 1)
    hooks.fail_at = None
    assert store.get_content() == [{"t": {"r": {"c": 1}}}, {}]
    assert store.get_table_ids() == ["t"]
    assert hooks.told[-1] == ("post_finish", True)
    assert store.set_value("v", 2).get_values() == {"v": 2}


def test_an_exception_while_undoing_is_noted_at_the_first() -> None:
    hooks = Hooks()
    store = Store(hooks).set_value("v", 1)

    def edit() -> None:
        store.set_value("v", 2)
        hooks.fail_at = "value"
        raise KeyError

    with pytest.raises(KeyError) as raised, store.transaction():
        edit()
    hooks.fail_at = None
    assert "undoing" in raised.value.__notes__[0]
    assert store.set_value("w", 2).has_value("w")


def test_an_exception_of_the_last_hook_leaves_the_store_usable() -> None:
    hooks = Hooks()
    store = Store(hooks)
    hooks.fail_at = "post_finish"
    with pytest.raises(LookupError):
        store.set_value("v", 1)
    hooks.fail_at = None
    assert store.set_value("w", 2).get_values() == {"v": 1, "w": 2}


def test_hooks_failing_after_a_rollback_do_not_hide_the_first_exception() -> None:
    hooks = Hooks()
    store = Store(hooks)

    def fail(_store: Any) -> None:
        hooks.fail_at = "pre_finish"
        raise KeyError

    store.add_will_finish_transaction_listener(fail)
    with pytest.raises(KeyError) as raised:
        store.set_value("v", 1)
    assert "pre_finish" in raised.value.__notes__[0]
    assert hooks.told[-1] == ("post_finish", True)


@pytest.mark.parametrize("kind", ["did_finish_transaction", "tables", "values"])
def test_in_the_final_phase_all_writes_are_ignored(kind: str) -> None:
    store = Store()
    results: list[Any] = []

    def write(*_: Any) -> None:
        store.set_value("x", 1).set_cell("t", "r", "x", 1).del_tables().set_tables_json("{}").set_json(
            "[{},{}]"
        )
        store.start_transaction().finish_transaction()
        with store.transaction(_yes):
            results.append(store.add_row("t", {"c": 1}))

    getattr(store, f"add_{kind}_listener")(write)
    with store.transaction():
        store.set_value("v", 1).set_cell("t", "r", "c", 1)
    assert store.get_content() == [{"t": {"r": {"c": 1}}}, {"v": 1}]
    assert results == [None]


def test_an_exception_in_a_transaction_of_the_final_phase_passes_on() -> None:
    store = Store()

    def fail(_store: Any) -> None:
        with store.transaction():
            raise KeyError

    store.add_did_finish_transaction_listener(fail)
    with pytest.raises(KeyError):
        store.set_value("v", 1)
    assert store.get_values() == {"v": 1}


def test_keyboard_interrupts_undo_and_leave_the_store_usable() -> None:
    store = Store()

    def interrupt(_store: Any) -> None:
        store.set_value("v", 1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), store.transaction():
        interrupt(store)
    assert store.get_values() == {}
    bad = store.add_will_finish_transaction_listener(interrupt)
    with pytest.raises(KeyboardInterrupt):
        store.set_value("v", 1)
    assert store.get_values() == {}
    assert store.del_listener(bad).set_value("v", 2).get_values() == {"v": 2}
