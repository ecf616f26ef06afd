"""Who listens to which path, wildcards included.

A kind of listener has a fixed number of ids, its path; ``None`` in a listener's path is the
wildcard. Listeners of one kind form a :class:`ListenerTree`, all listeners of one subject (a store)
a :class:`Listeners`, which gives them ids and calls them. The order of calls is TinyBase 10.0.1's:
at each level of the path the exact id before the wildcard, depth first, and at one path in order of
addition.

It does not know what is listened to: which paths exist now and what a listener is told about them
is asked of the functions that a tree was made with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias

from durabase.types import UNDEFINED

__all__ = ["IdPool", "Listener", "ListenerTree", "Listeners", "Path", "undefined_arguments"]

Listener: TypeAlias = Callable[..., object]
Path: TypeAlias = tuple[Any, ...]
"""Ids; ``None`` is the wildcard, ``UNDEFINED`` an id of its own."""

_Leaf: TypeAlias = dict[str, Listener]
_Node: TypeAlias = dict[Any, Any]

_MAX_FREED_IDS: Final = 1000
_is_pooled = re.compile(r"[0-9]+").fullmatch


class IdPool:
    """Hands out ``"0"``, ``"1"``, … and freed ids again, those freed first at first.

    Only ids made of ASCII digits are kept for reuse, and no more than a thousand.
    """

    __slots__ = ("_freed", "_next")

    def __init__(self) -> None:
        self._freed: list[str] = []  # few; an empty deque takes ten times the memory
        self._next = 0

    def take(self, reuse: bool = True) -> str:
        """The oldest freed id, if there is one and ``reuse``; else a new one."""
        if reuse and self._freed:
            return self._freed.pop(0)
        taken = str(self._next)
        self._next += 1
        return taken

    def release(self, freed: str) -> None:
        """Keep an id for reuse."""
        if len(self._freed) < _MAX_FREED_IDS and _is_pooled(freed):
            self._freed.append(freed)


class ListenerTree:
    """The listeners of one kind, by path.

    Args:
        depth: How many ids the kind has.
        expand: For each id, a function from the ids before it to those that exist; a listener with
            a wildcard there is called for each when it is called directly. Without it, for none.
        describe: What a listener is told after the ids when it is called directly.
    """

    __slots__ = ("_root", "additions", "count", "depth", "describe", "expand")

    def __init__(
        self,
        depth: int = 0,
        expand: Sequence[Callable[..., Iterable[str]]] = (),
        describe: Callable[..., Sequence[object]] | None = None,
    ) -> None:
        self.depth = depth
        self.expand = expand
        self.describe = describe
        self.additions = 0
        """How many were added so far."""
        self.count = 0
        self._root: _Node = {}

    def add(self, path: Path, listener_id: str, listener: Listener) -> None:
        """Add a listener at a path; its id is new."""
        node = self._root
        for step in path:
            node = node.setdefault(step, {})
        node[listener_id] = listener
        self.additions += 1
        self.count += 1

    def remove(self, path: Path, listener_id: str) -> None:
        """Remove a listener that was added at this path, and branches that have become empty."""
        nodes = [self._root]
        for step in path:
            nodes.append(nodes[-1][step])
        del nodes[-1][listener_id]
        self.count -= 1
        for node, step in zip(nodes[-2::-1], reversed(path), strict=True):
            if node[step]:
                break
            del node[step]
        if not self._root:
            self._root = {}  # who is calling the group that was here does not see the next one

    def leaves(self, ids: Path) -> list[_Leaf]:
        """The groups of listeners for an event at ``ids``, in order. ``None`` in ``ids``: any id."""
        nodes: list[_Node] = [self._root]
        for step in ids:
            following: list[_Node] = []
            for node in nodes:
                if step is None:
                    following.extend(node.values())
                    continue
                if step in node:
                    following.append(node[step])
                if None in node:
                    following.append(node[None])
            nodes = following
        return nodes

    def path_count(self) -> int:
        """How many different paths are listened to."""
        nodes: list[_Node] = [self._root]
        for _ in range(self.depth):
            nodes = [child for node in nodes for child in node.values()]
        return len(nodes) if self.depth else int(bool(self._root))


class Listeners:
    """All listeners of one subject, of every kind.

    ``subject`` is the first argument of each call. ``count`` is how many there are.
    """

    __slots__ = ("_entries", "_pool", "count", "subject")

    def __init__(self, subject: object) -> None:
        self.subject = subject
        self.count = 0
        self._pool = IdPool()
        self._entries: dict[str, tuple[ListenerTree, Path, Listener]] = {}

    def add(self, tree: ListenerTree, path: Path, listener: Listener) -> str:
        """Add a listener of the tree's kind; its new id, which is unique among all kinds."""
        listener_id = self._pool.take()
        self._entries[listener_id] = (tree, path, listener)
        tree.add(path, listener_id, listener)
        self.count += 1
        return listener_id

    def remove(self, listener_id: str) -> bool:
        """Remove a listener and free its id; whether there was one. If it is due it is not called."""
        entry = self._entries.pop(listener_id, None)
        if entry is None:
            return False
        tree, path, _ = entry
        tree.remove(path, listener_id)
        self._pool.release(listener_id)
        self.count -= 1
        return True

    def call(self, tree: ListenerTree, ids: Path, *arguments: object) -> None:
        """Call those who listen to ``ids``. An exception passes on; the remaining ones are not called."""
        if tree.count:
            for listener in _due(tree, ids):
                listener(self.subject, *ids, *arguments)

    def call_all(self, tree: ListenerTree) -> None:
        """Call all listeners of a kind without ids even if some raise; the first exception passes on."""
        if not tree.count:
            return
        first: Exception | None = None
        for listener in _due(tree, ()):
            try:
                listener(self.subject)
            except Exception as error:
                if first is None:
                    first = error
                else:
                    first.add_note(f"another listener failed too: {error!r}")
        if first is not None:
            raise first

    def call_directly(self, listener_id: str) -> None:
        """Call one listener now, once for each existing path that it listens to.

        What is only known in a transaction is ``UNDEFINED`` or left out, as ``describe`` says.
        Nothing happens if there is no such listener.
        """
        entry = self._entries.get(listener_id)
        if entry is None:
            return
        tree, path, listener = entry
        for ids in _expanded(tree, path, ()):
            told = tree.describe(*ids) if tree.describe is not None else ()
            listener(self.subject, *ids, *told)


def _due(tree: ListenerTree, ids: Path) -> Iterator[Listener]:
    """Those who listen to ``ids`` when their turn comes; who is added to a group meanwhile is its last."""
    for leaf in tree.leaves(ids):
        additions = tree.additions
        due = list(leaf.items())
        for listener_id, listener in due:
            if leaf.get(listener_id) is listener:
                yield listener
            if tree.additions != additions:
                additions = tree.additions
                due += [item for item in leaf.items() if item not in due]


def _expanded(tree: ListenerTree, path: Path, ids: Path) -> Iterator[Path]:
    """The existing paths that a path with wildcards stands for."""
    position = len(ids)
    if position == len(path):
        yield ids
    elif path[position] is not None:
        yield from _expanded(tree, path, (*ids, path[position]))
    elif position < len(tree.expand):
        for found in list(tree.expand[position](*ids)):
            yield from _expanded(tree, path, (*ids, found))


def undefined_arguments(count: int) -> Callable[..., Sequence[object]]:
    """A ``describe`` for kinds of which nothing is known outside of a transaction."""
    told = (UNDEFINED,) * count
    return lambda *_ids: told
