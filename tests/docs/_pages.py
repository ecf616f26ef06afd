"""The pages of the documentation, and how their examples run.

All blocks of a page that are marked ``python`` run in order, as one program: in one module of their own,
in an empty folder. They may use ``await`` at the top level, as in a notebook. A line that ends in
``# -> value`` is a claim, and is checked. What stands in a file, after ``<!-- file: NAME -->``, belongs to
the session of the page: see ``_sessions``.

A page that says ``<!-- server: demo -->`` gets a server of its own, ``durabase demo``, and one that says
``<!-- server: postgres -->`` an empty PostgreSQL database. In the examples the address is written as users
see it (``USERS_ADDRESSES``), and is replaced by the real one.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, MappingProxyType, ModuleType
from typing import Any

ROOT = Path(__file__).parents[2]
OF_THE_PROJECT = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]
PAGES = [*OF_THE_PROJECT, *sorted((ROOT / "docs").rglob("*.md"))]
USERS_ADDRESSES = {"demo": "127.0.0.1:8787", "postgres": "postgresql://localhost/pets"}
SERVERS_OF_README = ["demo"]
"""Its readers would see the marker."""

_MARKER = re.compile(r"^<!-- server: (\w+) -->$", re.MULTILINE)
_BLOCK = re.compile(r"^(?P<file><!-- file: .*-->\n)?```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_CLAIM = re.compile(r"^(?P<indent>\s*)(?P<expression>\S.*?)\s+# -> (?P<expected>.+)$")


@dataclass(frozen=True)
class Block:
    """An example: its code, and the number of the line before it."""

    page: Path
    line: int
    code: str


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks_of(page: Path, text: str | None = None) -> list[Block]:
    text = page.read_text(encoding="utf-8") if text is None else text
    return [
        Block(page, text.count("\n", 0, found.start("code")), found["code"])
        for found in _BLOCK.finditer(text)
        if not found["file"]
    ]


def servers_of(page: Path) -> list[str]:
    if page.name == "README.md":
        return SERVERS_OF_README
    return _MARKER.findall(page.read_text(encoding="utf-8"))


def run_blocks(blocks: list[Block], addresses: Mapping[str, str] = MappingProxyType({})) -> None:
    """Run examples one after the other; errors tell the page's own lines. ``addresses``: by server."""
    module = ModuleType("example")
    module.__dict__["_check_claim"] = _check_claim
    sys.modules[module.__name__] = module  # where annotations of classes are looked up
    try:
        with asyncio.Runner() as runner:
            for block in blocks:
                result = eval(_compiled(block, addresses), module.__dict__)  # noqa: S307
                if inspect.iscoroutine(result):
                    runner.run(result)
    finally:
        del sys.modules[module.__name__]


def _compiled(block: Block, addresses: Mapping[str, str]) -> CodeType:
    code_text = block.code
    for server, address in addresses.items():
        code_text = code_text.replace(USERS_ADDRESSES[server], address)
    lines = [_with_check(line) for line in code_text.splitlines()]
    source = "\n" * block.line + "\n".join(lines) + "\n"
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code: CodeType = compile(source, name_of(block.page), "exec", flags=flags, dont_inherit=True)
    return code


def _with_check(line: str) -> str:
    claim = _CLAIM.match(line)
    if claim is None:
        return line
    return f"{claim['indent']}_check_claim(({claim['expression']}), ({claim['expected']}))"


def _check_claim(value: Any, expected: Any) -> None:
    assert value == expected, f"the page says {expected!r}, it is {value!r}"


def sections_of(page: Path) -> Iterator[tuple[str, str]]:
    """The sections of second order, each with its heading."""
    parts = re.split(r"^## (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    yield from zip(parts[1::2], parts[2::2], strict=True)
