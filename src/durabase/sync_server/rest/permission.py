"""What whoever sends a request may do in a room: read, and write what the room's rules allow."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final, NamedTuple

from durabase.mergeable import MergeableStore
from durabase.sync_server.access import ANYBODY, Access, Level
from durabase.sync_server.authority import Validate
from durabase.sync_server.rest.problems import ProblemError
from durabase.sync_server.rules import Refused, Rules

__all__ = ["EVERYTHING", "Permission"]

_NO_RULES: Final = Rules()


class Permission(NamedTuple):
    """Somebody's access, the rules of the room, and what an authoritative room's program says itself."""

    access: Access = ANYBODY
    rules: Rules | None = None
    validate: Validate | None = None

    def check_reading(self) -> None:
        """Complain if this access may not even read.

        Raises:
            ProblemError: 403.
        """
        if self.access.level < Level.READ:
            raise ProblemError(HTTPStatus.FORBIDDEN, "no access to this room")

    def check_writing(self) -> None:
        """Complain if this access may write nothing at all.

        Raises:
            ProblemError: 403.
        """
        self.check_reading()
        if (self.rules or _NO_RULES).writes_nothing(self.access):
            detail = f"an access of level {self.access.level} may not write in this room"
            raise ProblemError(HTTPStatus.FORBIDDEN, detail)

    def refusals(self, store: MergeableStore) -> list[ProblemError]:
        """The problem with the running transaction, 403, if the rules do not allow all of it.

        Raises:
            Exception: what a check of the rules raises.
        """
        if self.rules is None:
            return []
        changes = store._get_encoded_transaction_mergeable_changes(False)
        refused = [_path_of(one) for one in self.rules.refuses(self.access, changes)]
        if not refused:
            return []
        detail = f"the rules of the room do not let you write {refused[0]}; nothing was changed"
        return [ProblemError(HTTPStatus.FORBIDDEN, detail, refused=refused[:20])]


EVERYTHING: Final = Permission()
"""That of everybody, in a room that asks nobody who they are."""


def _path_of(refused: Refused) -> list[Any]:
    if refused.kind == "value":
        return ["values", refused.cell_id]
    return ["tables", refused.table_id, "rows", refused.row_id, "cells", refused.cell_id]
