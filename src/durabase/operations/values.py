"""Stored values as JSON has them."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["has_json_form", "plain"]


def plain(value: Any) -> Any:
    """The value if it can be written as JSON, else what Python prints of it."""
    return value if has_json_form(value) else repr(value)


def has_json_form(value: Any) -> bool:
    """Whether JSON can have it."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
