"""The live table's own page in a real browser, with a small host in place of a notebook."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from durabase.store import Store
from durabase.ui.widget import LiveTable

TRAITS = ("page", "sort_by", "descending", "offset", "limit", "editable", "can_add")
HOST = """
async ([source, state]) => {
  const listeners = {};
  const tell = (name, ...told) => [...(listeners[name] ?? [])].forEach((listen) => listen(...told));
  const take = (changed) => {
    Object.assign(state, changed);
    Object.keys(changed).forEach((name) => tell(`change:${name}`));
  };
  let changes = {};
  window.host = {
    take,
    say: (message) => tell('msg:custom', message),
    count: () => Object.values(listeners).flat().length,
  };
  const model = {
    get: (name) => state[name],
    set: (name, value) => (changes[name] = value),
    save_changes: async () => {
      const saved = changes;
      changes = {};
      take(await kernelTakes({state: saved}));
    },
    send: async (message) => {
      const {refusal, ...changed} = await kernelTakes({message});
      take(changed);
      refusal && window.host.say(refusal);
    },
    on: (name, listen) => (listeners[name] ??= []).push(listen),
    off: (name, listen) => (listeners[name] = listeners[name].filter((each) => each !== listen)),
  };
  const module = await import(URL.createObjectURL(new Blob([source], {type: 'text/javascript'})));
  window.host.end = await module.default.render({model, el: document.body});
}
"""


class Notebook:
    """A widget in a page, and the kernel in this process."""

    def __init__(self, page: Page, store: Store, **options: Any) -> None:
        self.page = page
        self.widget = LiveTable(store, "pets", **options)
        self._refusal: dict[str, Any] | None = None
        setattr(self.widget, "send", self._refuse)  # noqa: B010 (a method is replaced)
        page.expose_function("kernelTakes", self._take)
        page.evaluate(HOST, [LiveTable._esm, self._state()])

    def _state(self) -> dict[str, Any]:
        state = self.widget.get_state()
        return {name: state[name] for name in TRAITS}

    def _refuse(self, message: dict[str, Any]) -> None:
        self._refusal = message

    def _take(self, sent: dict[str, Any]) -> dict[str, Any]:
        self._refusal = None
        if "state" in sent:
            self.widget.set_state(sent["state"])
        else:
            data = {"method": "custom", "content": sent["message"]}
            self.widget._handle_msg({"content": {"data": data}, "buffers": []})
        return self._state() | ({"refusal": self._refusal} if self._refusal else {})

    def tell(self) -> None:
        """Bring what Python has changed to the page, once the event loop has had its turn."""
        self.page.evaluate("() => 1")
        self.page.evaluate("(state) => host.take(state)", self._state())

    def rows(self) -> list[str]:
        return self.page.locator("tbody th").all_inner_texts()

    def cell(self, name: str) -> Any:
        return self.page.get_by_label(name, exact=True)


@pytest.fixture
def notebook(browser: Browser) -> Iterator[Callable[..., Notebook]]:
    context = browser.new_context()
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield lambda store, **options: Notebook(page, store, **options)
    assert page.evaluate("() => (host.end(), host.count())") == 0
    context.close()
    assert errors == []


def pets() -> Store:
    return Store().set_table(
        "pets",
        {
            "fido": {"name": "Fido", "age": 3, "sold": False},
            "felix": {"name": "Felix", "age": 5, "tags": ["shy"]},
            "rex": {"name": "Rex", "age": None},
        },
    )


def test_cells_are_edited_as_what_they_are(notebook: Callable[..., Notebook]) -> None:
    store = pets()
    shown = notebook(store)
    for cell, text in {
        "name of fido": "7",
        "age of fido": "4",
        "age of rex": "2.5",
        "tags of felix": '["bold"]',
        "tags of rex": "none",
    }.items():
        shown.cell(cell).fill(text)
        shown.cell(cell).press("Enter")
    shown.cell("sold of fido").check()
    expect(shown.cell("sold of fido")).to_be_checked()
    assert store.get_table("pets") == {
        "fido": {"name": "7", "age": 4, "sold": True},
        "felix": {"name": "Felix", "age": 5, "tags": ["bold"]},
        "rex": {"name": "Rex", "age": 2.5, "tags": "none"},
    }


def test_what_does_not_fit_is_said_and_set_back(notebook: Callable[..., Notebook]) -> None:
    store = pets().set_tables_schema({"pets": {"name": {"type": "string"}, "age": {"enum": [3, 5]}}})
    shown = notebook(store)
    shown.cell("age of fido").fill("old")
    shown.cell("age of fido").press("Enter")
    expect(shown.page.get_by_role("status")).to_have_text("age of fido is of another kind")
    expect(shown.cell("age of fido")).to_have_value("3")
    shown.cell("age of fido").fill("4")
    shown.cell("age of fido").press("Enter")
    expect(shown.page.get_by_role("status")).to_have_text("Not done: the store does not take this")
    expect(shown.cell("age of fido")).to_have_value("3")
    assert store.get_cell("pets", "fido", "age") == 3


def test_rows_come_and_go(notebook: Callable[..., Notebook]) -> None:
    store = pets()
    shown = notebook(store, new_row={"name": "new"})
    shown.cell("Delete felix").click()
    expect(shown.page.locator("footer span").first).to_have_text("1 to 2 of 2")
    shown.page.get_by_role("button", name="Add a row").click()
    expect(shown.page.locator("tbody tr")).to_have_count(3)
    assert [row["name"] for row in store.get_table("pets").values()] == ["Fido", "Rex", "new"]


def test_what_others_change_is_shown_and_who_types_is_not_disturbed(
    notebook: Callable[..., Notebook],
) -> None:
    store = pets()
    shown = notebook(store)
    shown.cell("name of fido").press("Control+a")
    shown.cell("name of fido").press_sequentially("Fidel")
    store.set_cell("pets", "fido", "name", "Rufus").set_cell("pets", "rex", "age", 9).del_row("pets", "felix")
    shown.tell()
    assert shown.rows() == ["fido", "rex"]
    expect(shown.cell("age of rex")).to_have_value("9")
    expect(shown.cell("name of fido")).to_have_value("Fidel")
    expect(shown.cell("name of fido")).to_be_focused()
    shown.cell("name of fido").press("Escape")
    expect(shown.cell("name of fido")).to_have_value("Rufus")


def test_it_sorts_and_turns_pages(notebook: Callable[..., Notebook]) -> None:
    shown = notebook(pets(), limit=2, editable=False)
    name = shown.page.get_by_role("columnheader", name="name")
    name.get_by_role("button").click()
    expect(name).to_have_attribute("aria-sort", "ascending")
    assert shown.rows() == ["felix", "fido"]
    name.get_by_role("button").click()
    expect(name).to_have_attribute("aria-sort", "descending")
    assert shown.rows() == ["rex", "fido"]
    shown.cell("Next page").click()
    expect(shown.page.locator("footer span").first).to_have_text("3 to 3 of 3")
    assert shown.rows() == ["felix"]
    expect(shown.cell("Next page")).to_be_disabled()
    expect(shown.cell("name of felix")).to_be_disabled()
    assert json.loads(shown.widget.page)["total"] == 3
