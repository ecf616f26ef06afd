"""What is wrong with a configuration, as a tree of errors, warnings and notes.

Knows nothing of files or of what the keys mean. It is printed as wrangler prints its own:
a title, and below it, indented, one line for each finding.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Diagnostics"]


class Diagnostics:
    """One node of the tree. ``errors`` forbid going on, ``warnings`` and ``notes`` do not."""

    __slots__ = ("children", "errors", "notes", "title", "warnings")

    def __init__(self, title: str) -> None:
        self.title = title
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self.notes: list[str] = []
        self.children: list[Diagnostics] = []

    def error(self, text: str) -> None:
        """Add an error. Further lines of ``text`` are indented like the first."""
        self.errors.append(text)

    def warning(self, text: str) -> None:
        """Add a warning."""
        self.warnings.append(text)

    def note(self, text: str) -> None:
        """Add something worth knowing that needs no change."""
        self.notes.append(text)

    def child(self, title: str) -> Diagnostics:
        """Return a new node below this one."""
        node = Diagnostics(title)
        self.children.append(node)
        return node

    def has_errors(self) -> bool:
        """Tell whether this node or one below has an error."""
        return bool(self.errors) or any(node.has_errors() for node in self.children)

    def all_notes(self) -> list[str]:
        """Return the notes of the whole tree."""
        return [*self.notes, *(note for node in self.children for note in node.all_notes())]

    def render_errors(self) -> str:
        """Return the tree of errors as text, empty when there are none."""
        return "\n".join(self._render(lambda node: node.errors))

    def render_warnings(self) -> str:
        """Return the tree of warnings as text, empty when there are none."""
        return "\n".join(self._render(lambda node: node.warnings))

    def _render(self, pick: Callable[[Diagnostics], list[str]]) -> list[str]:
        lines = [line for text in pick(self) for line in _bullet(text)]
        for node in self.children:
            lines += [f"  {line}" for line in node._render(pick)]
        return [self.title, *lines] if lines else []


def _bullet(text: str) -> list[str]:
    first, *rest = text.split("\n")
    return [f"  - {first}", *(f"    {line}".rstrip() for line in rest)]
