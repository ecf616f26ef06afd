"""The live table as the browser sees it: its traits and messages, without a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from durabase.store import Store
from durabase.types import Row
from durabase.ui.widget import LiveTable

from ._pages import home_of, wait_until

PETS = {
    "fido": {"species": "dog", "sold": True},
    "felix": {"species": "cat", "age": None},
    "rex": {"species": "ant", "tags": [1, {"a": "b"}]},
}


class Browser:
    """What a browser has of a widget, and what it may send."""

    def __init__(self, widget: LiveTable, monkeypatch: pytest.MonkeyPatch) -> None:
        self.widget = widget
        self.refusals: list[str] = []
        monkeypatch.setattr(widget, "send", lambda message: self.refusals.append(message["why"]))

    def page(self) -> Any:
        return json.loads(self.widget.get_state()["page"])

    def ids(self) -> list[str]:
        return [row_id for row_id, _ in self.page()["rows"]]

    def set(self, **state: Any) -> None:
        self.widget.set_state(state)

    def send(self, message: Any) -> None:
        data = {"method": "custom", "content": message}
        self.widget._handle_msg({"content": {"data": data}, "buffers": []})


@pytest.fixture
def store() -> Store:
    return Store().set_table("pets", PETS)


@pytest.fixture
def widget(store: Store) -> Iterator[LiveTable]:
    shown = LiveTable(store, "pets", new_row={"species": "dog"})
    yield shown
    shown.close()
    assert set(store.get_listener_stats().values()) == {0}


@pytest.fixture
def browser(widget: LiveTable, monkeypatch: pytest.MonkeyPatch) -> Browser:
    return Browser(widget, monkeypatch)


def test_it_shows_the_table_and_follows_it(store: Store, browser: Browser) -> None:
    assert browser.page() == {
        "columns": ["species", "sold", "age", "tags"],
        "rows": [[row_id, row] for row_id, row in PETS.items()],
        "total": 3,
    }
    store.set_cell("pets", "fido", "sold", 1).del_row("pets", "rex")
    page = browser.page()
    assert page["rows"] == [["fido", {"species": "dog", "sold": 1}], ["felix", PETS["felix"]]]
    assert page["rows"][0][1]["sold"] is not True


def test_it_turns_pages_and_sorts(browser: Browser) -> None:
    browser.set(limit=2)
    assert browser.ids() == ["fido", "felix"]
    browser.set(offset=2)
    assert browser.ids() == ["rex"]
    browser.set(offset=0, sort_by="species")
    assert browser.ids() == ["rex", "felix"]
    browser.set(descending=True)
    assert browser.ids() == ["fido", "felix"]
    browser.set(sort_by=None)
    assert browser.ids() == ["rex", "felix"]
    assert browser.page()["total"] == 3


@pytest.mark.parametrize("value", ["wolf", 5, 1.5, False, None, [1], {"a": 1}])
def test_a_cell_is_set(store: Store, browser: Browser, value: Any) -> None:
    browser.send({"kind": "set", "row": "fido", "cell": "species", "value": value})
    assert store.get_cell("pets", "fido", "species") == value
    assert browser.page()["rows"][0][1]["species"] == value
    assert browser.refusals == []


def test_cells_and_rows_are_deleted_and_added(store: Store, browser: Browser) -> None:
    browser.send({"kind": "set", "row": "fido", "cell": "sold"})
    browser.send({"kind": "delete", "row": "felix"})
    browser.send({"kind": "add"})
    *_, (new_id, new) = store.get_table("pets").items()
    assert store.get_table("pets") == {
        "fido": {"species": "dog"},
        "rex": PETS["rex"],
        new_id: {"species": "dog"},
    }
    assert len(new_id) >= 11
    assert browser.ids() == ["fido", "rex", new_id]
    assert (new, browser.refusals) == ({"species": "dog"}, [])


@pytest.mark.parametrize(
    "message",
    [
        None,
        "set",
        [],
        {},
        {"kind": "clear"},
        {"kind": ["set"]},
        {"kind": "set", "row": "fido"},
        {"kind": "set", "row": 1, "cell": "species", "value": 1},
        {"kind": "delete"},
    ],
)
def test_what_is_no_edit_is_refused(store: Store, browser: Browser, message: Any) -> None:
    browser.send(message)
    assert browser.refusals == ["this is no edit"]
    assert store.get_table("pets") == PETS


def test_what_the_store_does_not_take_is_refused(store: Store, browser: Browser) -> None:
    store.set_tables_schema({"pets": {"species": {"type": "string"}}})
    browser.send({"kind": "set", "row": "fido", "cell": "species", "value": 5})
    browser.send({"kind": "set", "row": "gone", "cell": "species", "value": "dog"})
    assert browser.refusals == ["the store does not take this"] * 2
    assert store.get_row_ids("pets") == ["fido", "felix", "rex"]


def test_a_table_to_look_at_is_not_edited(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    row: Row = {"a": 1}
    widget = LiveTable(store, "pets", editable=False, new_row=row, cell_ids=["sold"])
    browser = Browser(widget, monkeypatch)
    browser.set(editable=True, can_add=True)
    browser.send({"kind": "delete", "row": "fido"})
    assert browser.refusals == ["this table can't be edited"]
    assert browser.page()["rows"] == [["fido", {"sold": True}], ["felix", {}], ["rex", {}]]


def test_only_what_is_shown_can_be_edited(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser(LiveTable(store, "pets", cell_ids=["sold"]), monkeypatch)
    browser.send({"kind": "set", "row": "fido", "cell": "species", "value": "wolf"})
    browser.send({"kind": "add"})
    assert browser.refusals == ["this column is not shown", "rows can't be added"]


def test_a_table_of_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store().set_table("pets", PETS)
    with home_of(store) as home:
        browser = Browser(LiveTable(home, "pets"), monkeypatch)
        browser.send({"kind": "delete", "row": "felix"})
        home.call(store.del_row, "pets", "fido")
        wait_until(lambda: browser.ids() == ["rex"])
        browser.widget.close()
        assert home.call(store.get_listener_stats)["table"] == 0
