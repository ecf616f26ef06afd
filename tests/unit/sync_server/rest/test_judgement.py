"""An authoritative room's own rules hold for requests, too."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.mergeable import MergeableStore
from durabase.sync_server.authority import Proposal
from durabase.sync_server.rest.edits import Edit, apply_edits
from durabase.sync_server.rest.permission import Permission
from durabase.sync_server.rest.problems import ProblemError
from durabase.sync_server.rest.resources import resource_of
from durabase.types import UNDEFINED

FIDO = ("tables", "pets", "rows", "fido")


def edit(method: str, *path: str, body: Any = None) -> Edit:
    return Edit(method, resource_of(path), body)


def store_with_fido() -> MergeableStore:
    return MergeableStore("server").set_row("pets", "fido", {"price": 5, "toys": ["ball"]}).set_value("v", 1)


def test_the_program_sees_each_change_before_it_is_made() -> None:
    store, seen = store_with_fido(), []

    def validate(proposal: Proposal) -> None:
        seen.extend(
            (edit.cell_id or edit.value_id, proposal.before(edit), edit.thing) for edit in proposal.edits
        )

    edits = [
        edit("PUT", *FIDO, body={"price": 6, "sold": [1]}),
        edit("PUT", "values", "v", body=1),
        edit("PUT", "values", "w", body=2),
    ]
    outcomes = apply_edits(store, edits, Permission(validate=validate))
    assert [int(outcome.status) for outcome in outcomes] == [204, 204, 201]
    assert sorted(seen) == [
        ("price", 5, 6),
        ("sold", UNDEFINED, [1]),
        ("toys", ["ball"], UNDEFINED),
        ("w", UNDEFINED, 2),
    ]
    assert store.get_content() == [{"pets": {"fido": {"price": 6, "sold": [1]}}}, {"v": 1, "w": 2}]


def test_what_is_refused_is_told_and_nothing_is_done() -> None:
    store = store_with_fido()
    before = store.get_mergeable_content()

    def validate(proposal: Proposal) -> None:
        for edit in proposal.edits:
            if edit.value_id == "v":
                proposal.refuse(edit, "it stays")

    edits = [edit("DELETE", *FIDO), edit("PUT", "values", "v", body=True)]
    with pytest.raises(ProblemError, match="it stays") as caught:
        apply_edits(store, edits, Permission(validate=validate))
    assert caught.value.status == 422
    assert caught.value.members["invalid"] == [{"path": ["values", "v"], "detail": "it stays"}]
    assert store.get_mergeable_content() == before


def test_what_can_not_be_checked_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    def validate(_: Proposal) -> None:
        raise RuntimeError("no idea")

    store = store_with_fido()
    with pytest.raises(ProblemError, match="could not be checked"):
        apply_edits(store, [edit("DELETE", "values", "v")], Permission(validate=validate))
    assert store.get_values() == {"v": 1}
    assert "no idea" in caplog.text


def test_a_row_gets_the_id_that_the_program_was_told() -> None:
    store, seen = store_with_fido(), []
    post = edit("POST", "tables", "pets", "rows", body={"price": 1})
    (outcome,) = apply_edits(
        store, [post], Permission(validate=lambda it: seen.extend(one.row_id for one in it.edits))
    )
    assert [outcome.row_id] == seen == ["0"]


def test_nothing_is_told_of_a_trial() -> None:
    store, told = store_with_fido(), []
    store.add_value_listener(None, lambda *_: told.append(1))
    with pytest.raises(ProblemError):
        apply_edits(
            store, [edit("PUT", "values", "v", body=2)], Permission(validate=lambda it: it.refuse_all())
        )
    assert told == []
