"""Stores that merge: hybrid logical clocks, stamps, hashes, and the store that uses them.

``hlc`` and ``hashes`` are of use by themselves; everything else is behind ``MergeableStore``.
"""
