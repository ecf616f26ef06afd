"""``python_to_rpc`` and ``python_from_rpc``: both sides are Python here, so a copy with the same rules."""

from __future__ import annotations

from typing import Any

from durabase.durable_objects.crossing import may_cross
from durabase.web import decode_value, encode_value

__all__ = ["python_from_rpc", "python_to_rpc"]


def python_to_rpc(value: Any) -> Any:
    """Return a deep copy of what may be sent to others; functions, targets, streams, web values are the same.

    Raises:
        TypeError: something in it may not.
    """
    passed: list[Any] = []
    data = encode_value(value, passed, may_cross)
    return decode_value(data, passed)


def python_from_rpc(value: Any) -> Any:
    """Return what was received: it is Python's own already."""
    return value
