"""Stores that merge: hybrid logical clocks, stamps, hashes, and the store that uses them."""

from __future__ import annotations

from durabase.mergeable._store import MergeableStore
from durabase.mergeable.hlc import HybridClock

__all__ = ["HybridClock", "MergeableStore"]
