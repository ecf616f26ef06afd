from __future__ import annotations

from interop.clients.conftest import node

__all__ = ["node"]
