"""The package ``pyodide``, of which programs ask the version."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.28.2"
