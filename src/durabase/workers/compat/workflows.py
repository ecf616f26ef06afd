"""The module ``workers.workflows``: importable, though workflows are not there."""

from __future__ import annotations

__all__ = ["NonRetryableError"]


class NonRetryableError(Exception):
    """What a step of a workflow raises that must not be tried again."""
