"""``durabase new``: writes a project. What is in it is the templates' matter."""

from __future__ import annotations

import os
from pathlib import Path

from durabase.cli.console import Console
from durabase.templates import TEMPLATES, create_project

__all__ = ["new"]


def new(target: str, template: str, console: Console) -> int:
    """Make a project of the ``template`` in the new directory ``target``, named like it.

    Raises:
        ConfigError: the name is not allowed, or the directory exists or can't be written.
    """
    path = Path(target)
    shown = os.path.relpath(create_project(path.name, path.parent, template))
    console.line(f"  Created {console.bold(shown + os.sep)}")
    contents = TEMPLATES[template].contents
    width = max(map(len, contents))
    for place, what in contents.items():
        console.line(f"    {place:<{width}}   {what}")
    console.line()
    console.line(f"  Next:  {console.bold(f'cd {shown} && durabase dev')}")
    return 0
