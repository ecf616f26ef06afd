"""Which records somebody wants to see."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from durabase.operations.records import Record

__all__ = ["RecordFilter"]

_STATUSES: Final = frozenset(("ok", "error", "canceled"))


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """All conditions have to hold; of the values of one condition, one has to. Empty ones always hold.

    Attributes:
        status: ``ok``, ``error`` or ``canceled``; what is no event is ``ok``, but for errors and refusals.
        class_name: the class of the object, or the entrypoint.
        object: the name of the object, or its id.
        kind: the handler or method, such as ``fetch`` or ``web_socket_message``.
        method: of a request, such as ``GET``.
        search: a text that is somewhere in the record.
        sampling: which part of the records is wanted, from 0 to 1.
    """

    status: Sequence[str] = ()
    class_name: Sequence[str] = ()
    object: Sequence[str] = ()
    kind: Sequence[str] = ()
    method: Sequence[str] = ()
    search: str = ""
    sampling: float = 1.0

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]]) -> RecordFilter:
        """The filter that the parameters of a URL ask for; their names are those of the attributes.

        Raises:
            ValueError: a parameter is unknown, or has a value that makes no sense.
        """
        known = {field.name for field in fields(cls)}
        if unknown := query.keys() - known:
            raise ValueError(f"unknown filter: {', '.join(sorted(unknown))}")
        if wrong := set(query.get("status", ())) - _STATUSES:
            raise ValueError(f"status is ok, error or canceled, not {', '.join(sorted(wrong))}")
        given: dict[str, Any] = {name: tuple(values) for name, values in query.items()}
        given["search"] = "".join(query.get("search", ()))
        given["sampling"] = _share("".join(query.get("sampling", ())) or "1")
        return cls(**given)

    def wants(self, record: Record, chance: Callable[[], float] = random.random) -> bool:
        """Whether the record is wanted; ``chance`` gives a number from 0 to 1 for the sampling."""
        return (
            _holds(self.status, _status(record))
            and _holds(self.class_name, record.get("entrypoint"))
            and _holds(self.object, record.get("durableObjectName"), record.get("durableObjectId"))
            and _holds(self.kind, record.get("kind"))
            and _holds(self.method, _method(record))
            and (not self.search or self.search in json.dumps(record, ensure_ascii=False, default=str))
            and (self.sampling >= 1 or chance() < self.sampling)
        )


def _holds(wanted: Sequence[str], *found: str | None) -> bool:
    return not wanted or any(each in wanted for each in found)


def _status(record: Record) -> str:
    if record["type"] == "event":
        outcome = record["outcome"]
        return outcome if outcome in ("ok", "canceled") else "error"
    if record["type"] == "refusal":
        return "error"
    return "error" if record.get("exceptions") or record.get("level") == "error" else "ok"


def _method(record: Record) -> str | None:
    request = (record.get("event") or {}).get("request")
    return None if request is None else request["method"]


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise ValueError(f"sampling is a number from 0 to 1, not {text}")
    return share
