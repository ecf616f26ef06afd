from __future__ import annotations

import pytest

from durabase._listeners import IdPool, Listener, Listeners, ListenerTree, undefined_arguments
from durabase.types import UNDEFINED


def test_a_pool_counts_and_gives_freed_ids_again_first_freed_first() -> None:
    pool = IdPool()
    assert [pool.take() for _ in range(3)] == ["0", "1", "2"]
    pool.release("1")
    pool.release("0")
    assert [pool.take() for _ in range(3)] == ["1", "0", "3"]


def test_a_pool_gives_a_new_id_when_reuse_is_not_wanted() -> None:
    pool = IdPool()
    pool.release("7")
    assert pool.take(False) == "0"
    assert pool.take(True) == "7"


@pytest.mark.parametrize(
    ("released", "kept"),
    [("007", True), ("", False), ("x1", False), ("-1", False), ("1\n", False), ("٣", False)],
)
def test_a_pool_keeps_only_ids_of_ascii_digits(released: str, kept: bool) -> None:
    pool = IdPool()
    pool.release(released)
    assert (pool.take() == released) is kept


def test_a_pool_keeps_at_most_a_thousand() -> None:
    pool = IdPool()
    for number in range(1001):
        pool.release(str(5000 + number))
    assert [pool.take() for _ in range(1001)] == [str(5000 + number) for number in range(1000)] + ["0"]


def _called(listeners: Listeners, tree: ListenerTree, *ids: object) -> list[str]:
    """The names of those that are called for an event, in order."""
    names: list[str] = []
    for leaf in tree.leaves(ids):
        for listener in leaf.values():
            listener(names)
    return names


def _named(name: str) -> Listener:
    return lambda names, *_: names.append(name)


def test_exact_ids_come_before_wildcards_depth_first() -> None:
    tree = ListenerTree(3)
    listeners = Listeners(None)
    paths = [(t, r, c) for c in (None, "c") for t in (None, "t") for r in (None, "r")]
    for path in paths:
        listeners.add(tree, path, _named("".join(each or "*" for each in path)))
    expected = ["trc", "tr*", "t*c", "t**", "*rc", "*r*", "**c", "***"]
    assert _called(listeners, tree, "t", "r", "c") == expected
    assert _called(listeners, tree, "t", "x", "c") == ["t*c", "t**", "**c", "***"]
    assert _called(listeners, tree, UNDEFINED, UNDEFINED, UNDEFINED) == ["***"]


def test_listeners_of_one_path_are_called_in_order_of_addition() -> None:
    tree = ListenerTree(1)
    listeners = Listeners(None)
    for name in "bca":
        listeners.add(tree, ("t",), _named(name))
    assert _called(listeners, tree, "t") == ["b", "c", "a"]


def test_none_in_an_event_means_any_id() -> None:
    tree = ListenerTree(2)
    listeners = Listeners(None)
    for cell in ("a", UNDEFINED, "b"):
        listeners.add(tree, ("t", cell), _named(str(cell)))
    listeners.add(tree, ("u", "a"), _named("other"))
    assert _called(listeners, tree, "t", None) == ["a", "UNDEFINED", "b"]


def test_ids_are_shared_by_all_trees_and_reused() -> None:
    one, other = ListenerTree(1), ListenerTree()
    listeners = Listeners(None)
    assert listeners.add(one, ("t",), print) == "0"
    assert listeners.add(other, (), print) == "1"
    assert listeners.remove("0")
    assert not listeners.remove("0")
    assert listeners.add(other, (), print) == "0"
    assert (one.count, other.count, listeners.count) == (0, 2, 2)


def test_paths_are_counted_and_forgotten_with_their_last_listener() -> None:
    tree = ListenerTree(2)
    listeners = Listeners(None)
    first = listeners.add(tree, ("t", "a"), print)
    second = listeners.add(tree, ("t", "a"), print)
    listeners.add(tree, ("t", "b"), print)
    assert tree.path_count() == 2
    listeners.remove(first)
    assert tree.path_count() == 2
    listeners.remove(second)
    assert tree.path_count() == 1
    assert tree.leaves(("t", "a")) == []


def test_a_tree_without_ids_has_one_path_at_most() -> None:
    tree = ListenerTree()
    assert tree.path_count() == 0
    Listeners(None).add(tree, (), print)
    assert tree.path_count() == 1


def test_a_call_has_subject_ids_and_arguments() -> None:
    tree = ListenerTree(1)
    listeners = Listeners("subject")
    calls: list[tuple[object, ...]] = []
    listeners.add(tree, (None,), lambda *args: calls.append(args))
    listeners.call(tree, ("t",), 1, 2)
    assert calls == [("subject", "t", 1, 2)]


def test_a_listener_that_is_removed_while_it_is_due_is_not_called() -> None:
    tree = ListenerTree()
    listeners = Listeners(None)
    calls: list[str] = []

    def remove_next(_subject: object) -> None:
        calls.append("first")
        listeners.remove("1")

    listeners.add(tree, (), remove_next)
    listeners.add(tree, (), lambda _subject: calls.append("second"))
    listeners.add(tree, (), lambda _subject: calls.append("third"))
    listeners.call(tree, ())
    assert calls == ["first", "third"]


def test_an_exception_stops_a_call() -> None:
    tree = ListenerTree()
    listeners = Listeners(None)
    calls: list[str] = []
    listeners.add(tree, (), lambda _subject: 1 / 0)
    listeners.add(tree, (), lambda _subject: calls.append("later"))
    with pytest.raises(ZeroDivisionError):
        listeners.call(tree, ())
    assert calls == []


def test_call_all_calls_all_and_raises_the_first_exception_with_the_others_noted() -> None:
    tree = ListenerTree()
    listeners = Listeners(None)
    listeners.call_all(tree)
    calls: list[str] = []
    listeners.add(tree, (), lambda _subject: 1 / 0)
    listeners.add(tree, (), lambda _subject: calls.append("later"))
    listeners.add(tree, (), lambda _subject: {}["missing"])
    with pytest.raises(ZeroDivisionError) as raised:
        listeners.call_all(tree)
    assert calls == ["later"]
    assert "missing" in "".join(raised.value.__notes__)


def test_a_direct_call_expands_wildcards_by_what_exists() -> None:
    rows = {"t": ["r1", "r2"], "u": ["r3"]}
    tree = ListenerTree(2, (lambda: rows, lambda t: rows[t]), lambda t, r: (t + r,))
    listeners = Listeners("subject")
    calls: list[tuple[object, ...]] = []
    all_rows = listeners.add(tree, (None, None), lambda *args: calls.append(args[1:]))
    listeners.call_directly(all_rows)
    assert calls == [("t", "r1", "tr1"), ("t", "r2", "tr2"), ("u", "r3", "ur3")]
    calls.clear()
    exact = listeners.add(tree, ("x", "y"), lambda *args: calls.append(args[1:]))
    listeners.call_directly(exact)
    assert calls == [("x", "y", "xy")]


def test_a_direct_call_of_a_wildcard_that_cannot_be_expanded_does_nothing() -> None:
    tree = ListenerTree(1, (), undefined_arguments(1))
    listeners = Listeners(None)
    calls: list[object] = []
    wild = listeners.add(tree, (None,), lambda *args: calls.append(args))
    listeners.call_directly(wild)
    listeners.call_directly("99")
    assert calls == []
    exact = listeners.add(tree, ("t",), lambda *args: calls.append(args[1:]))
    listeners.call_directly(exact)
    assert calls == [("t", UNDEFINED)]


def test_a_direct_call_without_description_has_ids_only() -> None:
    tree = ListenerTree()
    listeners = Listeners("subject")
    calls: list[object] = []
    listeners.call_directly(listeners.add(tree, (), lambda *args: calls.append(args)))
    assert calls == [("subject",)]
