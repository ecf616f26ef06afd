"""What an authoritative room's own rules say of an edit, before it is made."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from durabase.mergeable import MergeableStore
from durabase.mergeable._shapes import as_public
from durabase.sync_server.authority import Edit as ProposedEdit
from durabase.sync_server.authority import Proposal, Validate
from durabase.sync_server.rest.problems import ProblemError

__all__ = ["judge", "proposed_edits"]

_logger = logging.getLogger(__name__)


def proposed_edits(store: MergeableStore) -> list[ProposedEdit]:
    """What the running transaction changes, cell by cell."""
    log = store._log
    cells = [
        ProposedEdit(table_id, row_id, cell_id, None, as_public(new))
        for table_id, rows in log.cells.items()
        for row_id, row in rows.items()
        for cell_id, (old, new) in row.items()
        if old != new or type(old) is not type(new)
    ]
    values = [
        ProposedEdit(None, None, None, value_id, as_public(new))
        for value_id, (old, new) in log.values.items()
        if old != new or type(old) is not type(new)
    ]
    return cells + values


def judge(store: MergeableStore, edits: list[ProposedEdit], validate: Validate) -> None:
    """Complain if the program refuses any of these edits, of a store to which they are still to be made.

    Raises:
        ProblemError: 422, with what was refused and why.
    """
    proposal = Proposal("", store, edits, {})
    try:
        if edits:
            validate(proposal)
    except Exception:
        _logger.exception("validate failed; the edit is refused")
        proposal.refuse_all("it could not be checked")
    if proposal.refused:
        told = [{"path": _path_of(edit), "detail": why} for edit, why in proposal.refused.items()]
        detail = f"{told[0]['detail']} at {told[0]['path']}; nothing was changed"
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, invalid=told[:20])


def _path_of(edit: ProposedEdit) -> list[Any]:
    if edit.table_id is None:
        return ["values", edit.value_id]
    return ["tables", edit.table_id, "rows", edit.row_id, "cells", edit.cell_id]
