"""Names of Cloudflare's modules that a program uses and that are not here, found in its source. Pure."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

from durabase.workers.compat.finder import complaint

__all__ = ["Finding", "unsupported_names"]

_REFUSED: Final = {
    ("pyodide.code", "run_js"): "pyodide.code.run_js: there is no JavaScript here",
    ("workers", "WorkflowEntrypoint"): "workers.WorkflowEntrypoint: workflows are not supported here",
}
_CAUGHT: Final = frozenset({"ImportError", "ModuleNotFoundError", "AttributeError", "Exception"})


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """What is wrong in a line of a file."""

    line: int
    text: str


def unsupported_names(source: str) -> list[Finding]:
    """Find what a module takes from ``workers``, ``js``, ``pyodide`` or ``asgi`` that they do not have here.

    What the program itself is prepared to miss (``try: … except ImportError``) is not meant.

    Raises:
        SyntaxError: it is no Python.
    """
    finder = _Finder()
    finder.visit(ast.parse(source))
    return sorted(finder.found)


class _Finder(ast.NodeVisitor):
    """Follows what names are bound to which of the modules."""

    def __init__(self) -> None:
        self.found: set[Finding] = set()
        self._modules: dict[str, str] = {}

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._use(node.lineno, alias.name, None)
            name = alias.asname or alias.name.partition(".")[0]
            self._modules[name] = alias.name if alias.asname else name

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names if node.module and not node.level else ():
            self._use(node.lineno, str(node.module), alias.name)
            self._modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if (module := self._module_of(node.value)) is not None:
            self._use(node.lineno, module, node.attr)
        self.generic_visit(node)

    def visit_Try(self, node: ast.Try) -> None:
        prepared = any(_catches(handler) for handler in node.handlers)
        before = set(self.found)
        for statement in node.body:
            self.visit(statement)
        if prepared:
            self.found = before
        for later in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(later)

    def _module_of(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Name):
            return self._modules.get(node.id)
        if isinstance(node, ast.Attribute) and (outer := self._module_of(node.value)) is not None:
            return f"{outer}.{node.attr}"
        return None

    def _use(self, line: int, module: str, name: str | None) -> None:
        text = _REFUSED.get((module, name or "")) or complaint(module, name)
        if text is not None:
            self.found.add(Finding(line, text))


def _catches(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or (isinstance(kind, ast.Name) and kind.id in _CAUGHT) for kind in kinds)
