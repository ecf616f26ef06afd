"""The demo app in Python: the same rooms, pets and prices as in the browser's own.

    make demo                                      in one terminal
    solara run examples/solara_pets.py             in another, after: pip install 'durabase[ui]'

It opens the room ``foo`` of the demo; ``DURABASE_ROOM=ws://127.0.0.1:8787/bar`` names another. Every
visitor has a store of their own here, that syncs with the room like that of any browser.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

import solara
from reacton import ipyvuetify as v
from reacton.ipyvue import use_event

from durabase import MergeableStore, Store, get_unique_id
from durabase.synchronizers.blocking import connect_blocking
from durabase.ui import (
    Provider,
    use_cell,
    use_create_mergeable_store,
    use_create_synchronizer,
    use_del_row_callback,
    use_set_cell_callback,
    use_set_row_callback,
    use_set_value_callback,
)
from durabase.ui.components import ExtraRowCell, SortedTableInHtmlTable, ValuesInHtmlTable

ROOM_URL = os.environ.get("DURABASE_ROOM", "ws://127.0.0.1:8787/foo")
NAMES = (
    "bella bubbles buddy coco daisy felix gizmo kiwi luna max milo nemo olive peanut polly rex rosie ziggy"
)


@solara.component
def Page() -> None:
    store = use_create_mergeable_store(MergeableStore)
    use_create_synchronizer(store, lambda store: connect_blocking(store, ROOM_URL))
    with Provider(store=store):
        solara.Title("Pet shop")
        solara.Markdown(f"# Pet shop\nRoom `{ROOM_URL}`")
        Pets()
        Counter()
        Species()


@solara.component
def Pets() -> None:
    with solara.Column(classes=["pets"]):
        solara.Markdown("## Pets")
        SortedTableInHtmlTable(
            "pets",
            cell_id="name",
            limit=8,
            paginator=True,
            sort_on_click=True,
            id_column=False,
            custom_cells={"name": "Name", "species": "Species"},
            extra_cells_after=[ExtraRowCell("Price", PetPrice), ExtraRowCell("Remove", DeletePet)],
        )
        add = use_set_row_callback("pets", lambda *_: get_unique_id(), random_pet)
        solara.Button("Add a random pet", on_click=add)


@solara.component
def PetPrice(table_id: str, row_id: str) -> Any:
    species = use_cell("pets", row_id, "species")
    price = use_cell("species", str(species), "price")
    return v.Html(tag="span", children=["–" if price is None else f"${price}"])


@solara.component
def DeletePet(table_id: str, row_id: str) -> Any:
    name = use_cell("pets", row_id, "name")
    return button("Delete", use_del_row_callback("pets", row_id), f"Delete {name}")


@solara.component
def Counter() -> None:
    with solara.Column(classes=["values"]):
        solara.Markdown("## Values")
        ValuesInHtmlTable()
        count_up = use_set_value_callback("counter", lambda *_: lambda counter: number(counter) + 1)
        solara.Button("Increment counter", on_click=count_up)


@solara.component
def Species() -> None:
    with solara.Column(classes=["species"]):
        solara.Markdown("## Species")
        SortedTableInHtmlTable(
            "species",
            sort_on_click=True,
            custom_cells={"price": "Price"},
            extra_cells_after=[ExtraRowCell("Change", ChangePrice)],
        )


@solara.component
def ChangePrice(table_id: str, row_id: str) -> Any:
    lower = use_set_cell_callback(
        "species", row_id, "price", lambda *_: lambda price: max(0, number(price) - 1)
    )
    higher = use_set_cell_callback("species", row_id, "price", lambda *_: lambda price: number(price) + 1)
    return v.Html(
        tag="span",
        children=[
            button("−", lower, f"Lower the price of a {row_id}"),
            button("+", higher, f"Raise the price of a {row_id}"),
        ],
    )


def random_pet(_click: object, store: Store) -> dict[str, Any]:
    pets = store.get_table("pets").values()
    unused = set(NAMES.split()) - {pet.get("name") for pet in pets}
    return {
        "name": random.choice(sorted(unused)) if unused else f"pet {len(pets) + 1}",
        "species": random.choice(store.get_row_ids("species") or ["dog"]),
    }


def number(thing: object) -> int | float:
    """What somebody has put there need not be a number."""
    return thing if isinstance(thing, int | float) else 0


def button(label: str, on_click: Callable[[], None], name: str) -> Any:
    made = v.Html(tag="button", children=[label], attributes={"aria-label": name})
    use_event(made, "click", lambda *_: on_click())
    return made
