"""Trees of listeners, which stores without listeners share."""

from durabase.store import Store


def test_what_listens_to_one_store_hears_nothing_of_another() -> None:
    told: list[str] = []
    listened, other = Store(), Store()
    listened.add_tables_listener(lambda *_: told.append("tables"))
    listened.add_values_listener(lambda *_: told.append("values"), mutator=True)
    assert set(other.get_listener_stats().values()) == {0}
    other.set_cell("pets", "fido", "species", "dog").set_value("open", True)
    assert told == []
    listened.set_cell("pets", "fido", "species", "dog").set_value("open", True)
    assert told == ["tables", "values"]


def test_a_first_listener_that_a_listener_adds_is_called() -> None:
    told: list[object] = []
    store = Store()

    def add(*_: object) -> None:
        store.add_tables_listener(lambda *_: told.append("tables"))

    store.add_start_transaction_listener(add)
    store.set_cell("pets", "fido", "species", "dog")
    assert told == ["tables"]


def test_a_store_that_nobody_listens_to_has_no_trees_of_its_own() -> None:
    first, second = Store(), Store()
    assert first._listeners.others is second._listeners.mutators
    first.add_tables_listener(lambda *_: None)
    assert first._listeners.others is not second._listeners.others
