"""``durabase new``: writes a project. What is in it is the templates' matter."""

from __future__ import annotations

import os
from pathlib import Path

from durabase.cli.console import Console
from durabase.templates import create_project

__all__ = ["new"]


def new(target: str, console: Console) -> int:
    """Make the project in the new directory ``target``, named like it.

    Raises:
        ConfigError: the name is not allowed, or the directory exists or can't be written.
    """
    path = Path(target)
    shown = os.path.relpath(create_project(path.name, path.parent))
    console.line(f"  Created {console.bold(shown + os.sep)}")
    console.line("    client/   the app: Vite, React, TinyBase")
    console.line("    server/   the Durable Object behind it: index.py, wrangler.toml")
    console.line()
    console.line(f"  Next:  {console.bold(f'cd {shown} && durabase dev')}")
    return 0
