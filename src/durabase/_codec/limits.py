"""How far JSON goes."""

from __future__ import annotations

from typing import Final

__all__ = ["MAX_NESTING", "too_deep"]

MAX_NESTING: Final = 256
"""How deep objects and arrays may be nested in JSON text that is read or written.

JavaScript's own limit depends on its stack, and so would Python's.
"""


def too_deep() -> ValueError:
    """What to raise beyond that."""
    return ValueError(f"JSON nested more than {MAX_NESTING} deep (or containing itself)")
