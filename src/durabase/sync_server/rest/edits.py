"""Edits of a room: several at once, all or nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from durabase._collector import CollectorPause
from durabase.mergeable import MergeableStore
from durabase.sync_server.authority import Edit as ProposedEdit
from durabase.sync_server.rest.conditions import UNCONDITIONAL, Conditions, entity_tag
from durabase.sync_server.rest.judgement import judge, proposed_edits
from durabase.sync_server.rest.permission import EVERYTHING, Permission
from durabase.sync_server.rest.problems import ProblemError
from durabase.sync_server.rest.refusals import refusals
from durabase.sync_server.rest.resources import Resource, resource_of
from durabase.types import Id

__all__ = ["Edit", "Outcome", "apply_edits", "edits_of", "tag_of"]

_logger = logging.getLogger(__name__)

_METHODS: Final = ("PUT", "PATCH", "POST", "DELETE")
_MEMBERS: Final = frozenset(("method", "path", "body", "ifMatch", "ifNoneMatch"))


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit, and under which conditions."""

    method: str
    resource: Resource
    body: Any = None
    conditions: Conditions = UNCONDITIONAL


class Outcome(NamedTuple):
    """What an edit did: 201 if it created something, else 204; the id of a row that it added."""

    status: HTTPStatus
    row_id: Id | None

    def member(self) -> dict[str, Any]:
        """As a transaction's answer has it."""
        told = {"status": int(self.status)}
        return told if self.row_id is None else {**told, "id": self.row_id}


def tag_of(store: MergeableStore, resource: Resource) -> str | None:
    """The entity tag of a resource; ``None`` if it is not there."""
    return entity_tag(*resource.hashes(store)) if resource.exists(store) else None


def edits_of(body: Any) -> list[Edit]:
    """The edits of a transaction's body.

    Raises:
        ProblemError: it has another shape.
    """
    if not isinstance(body, list) or not body:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "a transaction is an array of at least one edit")
    edits = []
    for index, edit in enumerate(body):
        with _located(index, body):
            edits.append(_edit_of(edit))
    return edits


def apply_edits(
    store: MergeableStore, edits: Sequence[Edit], permission: Permission = EVERYTHING
) -> list[Outcome]:
    """Make all edits in one transaction.

    Conditions are those of the state before the first edit. The program of an authoritative room is asked
    before anything is done, of what a trial has shown that would be changed.

    Raises:
        ProblemError: one can't be made, and so none was.
    """
    for index, edit in enumerate(edits):
        if edit.conditions != UNCONDITIONAL:
            with _located(index, edits):
                edit.conditions.check(tag_of(store, edit.resource))
    if permission.validate is None:
        return _transact(store, edits, permission)
    proposed: list[ProposedEdit] = []
    outcomes = _transact(store, edits, permission, lambda: proposed.extend(proposed_edits(store)))
    judge(store, proposed, permission.validate)
    _transact(store, [_settled(*pair) for pair in zip(edits, outcomes, strict=True)], permission)
    return outcomes


def _settled(edit: Edit, outcome: Outcome) -> Edit:
    """The edit as it was tried: a row that was added gets the id that it had then."""
    if outcome.row_id is None:
        return edit
    return Edit("PUT", resource_of([*edit.resource.steps, outcome.row_id]), edit.body)


def _transact(
    store: MergeableStore,
    edits: Sequence[Edit],
    permission: Permission,
    look: Callable[[], None] | None = None,
) -> list[Outcome]:
    """Make all edits, or none; also none if this is a trial, of which ``look`` sees the end."""
    outcomes: list[Outcome] = []
    problems: list[ProblemError] = []

    def is_undone(_: object) -> bool:
        if not problems:
            problems.extend(refusals(store) or _refused(permission, store))
        if look is not None:
            look()
        if problems or look is not None:
            store._edits.accept_encoded(True)  # or objects and arrays would not be set back
            return True
        return False

    try:
        with CollectorPause(), store.transaction(is_undone):
            _make_all(store, edits, outcomes, problems)
    finally:
        store._edits.accept_encoded(False)
    if problems:
        raise problems[0]
    return outcomes


def _refused(permission: Permission, store: MergeableStore) -> list[ProblemError]:
    """What the rules refuse. A check that fails refuses everything."""
    try:
        return permission.refusals(store)
    except Exception:
        _logger.exception("a check of the rules failed; the edit is refused")
        return [ProblemError(HTTPStatus.FORBIDDEN, "the rules of the room could not be checked")]


def _make_all(
    store: MergeableStore, edits: Sequence[Edit], outcomes: list[Outcome], problems: list[ProblemError]
) -> None:
    """Make the edits up to the first that can't be made: an exception must not end the transaction."""
    try:
        for index, edit in enumerate(edits):
            with _located(index, edits):
                outcomes.append(_make(store, edit))
    except ProblemError as problem:
        problems.append(problem)


def _make(store: MergeableStore, edit: Edit) -> Outcome:
    resource = edit.resource
    is_new = not resource.exists(store)
    row_id = resource.write(store, edit.method, edit.body)
    created = row_id is not None or (is_new and edit.method != "DELETE")
    return Outcome(HTTPStatus.CREATED if created else HTTPStatus.NO_CONTENT, row_id)


def _edit_of(given: Any) -> Edit:
    if not isinstance(given, dict) or not given.keys() <= _MEMBERS:
        raise _misshapen(f"an edit is an object with some of {sorted(_MEMBERS)}")
    method, path = given.get("method"), given.get("path")
    if method not in _METHODS:
        raise _misshapen(f"its method is one of {', '.join(_METHODS)}")
    if not isinstance(path, list) or not all(isinstance(step, str) for step in path):
        raise _misshapen('its path is an array of strings, as ["values", "open"]')
    if ("body" in given) is (method == "DELETE"):
        raise _misshapen("it has a body, unless it is a DELETE")
    conditions = Conditions(given.get("ifMatch"), given.get("ifNoneMatch"))
    if not all(condition is None or isinstance(condition, str) for condition in conditions):
        raise _misshapen("its conditions are text, as headers have it")
    return Edit(method, resource_of(path), given.get("body"), conditions)


def _misshapen(expected: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, expected)


@contextmanager
def _located(index: int, edits: Sized) -> Iterator[None]:
    """Have a problem say which of several edits has it."""
    try:
        yield
    except ProblemError as problem:
        if len(edits) > 1:
            problem.members.setdefault("edit", index)
        raise
