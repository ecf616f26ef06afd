"""What persisters and synchronizers are doing, shown and told as long as their components are there."""

from __future__ import annotations

from typing import Any

import pytest
import reacton
import reacton.ipywidgets as w

from durabase import ui
from durabase.persisters import CustomPersister, Status
from durabase.persisters._steps import Completion
from durabase.store import Store
from durabase.types import UNDEFINED

from ._pages import Shown, home_of, page, seen, wait_until


class Slow:
    """A persister that saves for as long as it is told to."""

    def __init__(self, store: Store | None = None) -> None:
        self.saving = Completion[None]()
        self.persister = CustomPersister(store or Store(), lambda: UNDEFINED, lambda *_: self.saving)


def test_a_status_is_shown() -> None:
    store = Store()
    saving = Completion[None]()
    persister = CustomPersister(store, lambda: UNDEFINED, lambda *_: saving)
    heard: list[Status] = []

    def use() -> str:
        ui.use_persister_status_listener(lambda _persister, status: heard.append(status), (), persister)
        return ui.use_persister_status(persister).name

    with seen(use) as shown:
        assert shown.texts() == ["'IDLE'"]
        persister.save()
        assert shown.texts() == ["'SAVING'"]
        saving.set_result(None)
        assert shown.texts() == ["'IDLE'"]
    persister.load()
    assert heard == [Status.SAVING, Status.IDLE]


@pytest.mark.parametrize("use", [ui.use_persister_status, ui.use_synchronizer_status])
def test_what_is_not_there_is_idle(use: Any) -> None:
    with seen(lambda: (use().name, use("no such id").name)) as shown:
        assert shown.texts() == ["('IDLE', 'IDLE')"]


def test_a_provided_persister_is_meant_by_its_id_or_by_nothing() -> None:
    one, other = Slow(), Slow()
    element = ui.Provider(
        persister=one.persister,
        persisters_by_id={"other": other.persister},
        children=[
            Shown("it", lambda: (ui.use_persister_status().name, ui.use_persister_status("other").name))
        ],
    )
    with page(element) as shown:
        other.persister.save()
        assert shown.texts() == ["('IDLE', 'SAVING')"]
        other.saving.set_result(None)
        one.persister.save()
        assert shown.texts() == ["('SAVING', 'IDLE')"]
        one.saving.set_result(None)


def test_another_persister_is_followed_in_place_of_the_first() -> None:
    one, other = Slow(), Slow()
    heard: list[str] = []

    @reacton.component
    def Following(name: str, persister: CustomPersister) -> Any:
        def hear(_: object, status: Status) -> None:
            heard.append(f"{name} {status.name}")

        ui.use_persister_status_listener(hear, [name], persister)
        return w.Label(value=ui.use_persister_status(persister).name)

    with page(Following("one", one.persister)) as shown:
        one.persister.save()
        shown.show(Following("two", one.persister))
        shown.show(Following("three", other.persister))
        assert shown.texts() == ["IDLE"]
        one.saving.set_result(None)
        other.persister.save()
        assert shown.texts() == ["SAVING"]
        other.saving.set_result(None)
    assert heard == ["one SAVING", "three SAVING", "three IDLE"]


def test_a_listener_that_depends_on_something_is_made_anew_with_it() -> None:
    slow, heard = Slow(), list[str]()

    @reacton.component
    def Following(name: str, dep: int) -> Any:
        ui.use_persister_status_listener(lambda *_: heard.append(name), [dep], slow.persister)
        return w.Label(value=name)

    with page(Following("a", 1)) as shown:
        shown.show(Following("b", 1))
        slow.persister.save()
        shown.show(Following("c", 2))
        slow.saving.set_result(None)
    assert heard == ["a", "c"]


def test_a_status_that_changes_on_another_thread_is_shown_soon() -> None:
    store = Store()
    with home_of(store) as home:
        slow = Slow(store)
        element = ui.Provider(
            store=home, children=[Shown("it", lambda: ui.use_persister_status(slow.persister).name)]
        )
        with page(element) as shown:
            assert shown.texts() == ["'IDLE'"]
            home.call(lambda: slow.persister.save() and None)
            wait_until(lambda: shown.texts() == ["'SAVING'"])
            home.call(slow.saving.set_result, None)
            wait_until(lambda: shown.texts() == ["'IDLE'"])
