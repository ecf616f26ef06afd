"""Tables as HTML: what they show, sorting, turning pages, and drawing only the cells that change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import reacton
from reacton import ipyvuetify as v

from durabase.store import Store
from durabase.ui import Provider, use_cell
from durabase.ui.components import (
    ExtraRowCell,
    SortedTableInHtmlTable,
    TableInHtmlTable,
    ValuesInHtmlTable,
)

from ._pages import drawings


class Page:
    """The HTML that a component makes."""

    def __init__(self, element: Any, store: Store) -> None:
        drawings.clear()
        self._box, self._context = reacton.render(
            Provider(store=store, children=[element]), handle_error=False
        )

    def _all(self, tag: str) -> list[Any]:
        return [widget for widget in all_within(self._box) if getattr(widget, "tag", "") == tag]

    def rows(self) -> list[list[str]]:
        return [[text_of(cell) for cell in row.children] for row in self._all("tr")]

    def caption(self) -> str:
        (caption,) = self._all("caption")
        return text_of(caption)

    def click(self, tag: str, text: str) -> None:
        (widget,) = [widget for widget in self._all(tag) if text_of(widget) == text]
        widget.fire_event("click", {})

    def is_disabled(self, text: str) -> bool:
        (widget,) = [widget for widget in self._all("button") if text_of(widget) == text]
        return bool(widget.attributes["disabled"])

    def close(self) -> None:
        self._context.close()


def all_within(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from all_within(child)


def text_of(widget: Any) -> str:
    return widget if isinstance(widget, str) else "".join(map(text_of, widget.children))


@pytest.fixture
def store() -> Store:
    return Store().set_content(
        [
            {
                "pets": {
                    "fido": {"species": "dog", "sold": True},
                    "felix": {"species": "cat", "price": 4.5},
                    "rex": {"species": "ant", "tags": [1]},
                }
            },
            {"open": True, "name": None},
        ]
    )


@reacton.component
def Shout(table_id: str, row_id: str) -> Any:
    drawings[row_id] += 1
    return v.Html(tag="b", children=[str(use_cell(table_id, row_id, "species")).upper()])


def test_a_table(store: Store) -> None:
    page = Page(TableInHtmlTable("pets"), store)
    assert page.rows() == [
        ["Id", "species", "sold", "price", "tags"],
        ["fido", "dog", "true", "", ""],
        ["felix", "cat", "", "4.5", ""],
        ["rex", "ant", "", "", "[1]"],
    ]
    store.set_cell("pets", "felix", "price", 5).del_row("pets", "fido")
    assert page.rows() == [
        ["Id", "species", "price", "tags"],
        ["felix", "cat", "5", ""],
        ["rex", "ant", "", "[1]"],
    ]
    page.close()
    assert set(store.get_listener_stats().values()) == {0}


def test_columns_of_one_s_own(store: Store) -> None:
    element = TableInHtmlTable(
        "pets",
        custom_cells={"sold": "Sold?", "gone": "Gone"},
        extra_cells_after=[ExtraRowCell("Shout", Shout)],
        id_column=False,
    )
    page = Page(element, store)
    assert page.rows() == [
        ["Sold?", "Gone", "Shout"],
        ["true", "", "DOG"],
        ["", "", "CAT"],
        ["", "", "ANT"],
    ]
    store.set_cell("pets", "fido", "species", "wolf").set_cell("pets", "fido", "sold", False)
    assert page.rows()[1] == ["false", "", "WOLF"]
    assert drawings == {"fido": 2, "felix": 1, "rex": 1}
    page.close()


def test_sorting_by_a_click(store: Store) -> None:
    element = SortedTableInHtmlTable("pets", "species", custom_cells=["species"], sort_on_click=True)
    page = Page(element, store)
    assert page.rows() == [["Id", "↑ species"], ["rex", "ant"], ["felix", "cat"], ["fido", "dog"]]
    page.click("th", "↑ species")
    assert [row[0] for row in page.rows()] == ["Id", "fido", "felix", "rex"]
    page.click("th", "Id")
    assert [row[0] for row in page.rows()] == ["↑ Id", "felix", "fido", "rex"]
    page.close()


def test_turning_pages(store: Store) -> None:
    page = Page(SortedTableInHtmlTable("pets", limit=2, paginator=True, custom_cells=[]), store)
    assert (page.rows()[1:], page.caption()) == ([["felix"], ["fido"]], "←→ 1 to 2 of 3 rows")
    assert (page.is_disabled("←"), page.is_disabled("→")) == (True, False)
    page.click("button", "→")
    assert (page.rows()[1:], page.caption()) == ([["rex"]], "←→ 3 to 3 of 3 rows")
    assert (page.is_disabled("←"), page.is_disabled("→")) == (False, True)
    store.del_row("pets", "rex").del_row("pets", "fido")
    assert (page.rows()[1:], page.caption()) == ([["felix"]], "1 row")
    store.del_tables()
    assert (page.rows()[1:], page.caption()) == ([], "0 rows")
    page.close()


def test_values(store: Store) -> None:
    page = Page(ValuesInHtmlTable(), store)
    assert page.rows() == [["Id", "Value"], ["open", "true"], ["name", "null"]]
    store.set_value("name", "Pets").del_value("open")
    assert page.rows() == [["Id", "Value"], ["name", "Pets"]]
    page.close()
