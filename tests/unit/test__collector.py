"""The garbage collector rests while something large is built, and only then."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from durabase._collector import MANY, CollectorPause


@pytest.fixture(autouse=True)
def collecting() -> Iterator[None]:
    gc.enable()
    yield
    gc.enable()


def test_it_rests_within_and_goes_on_after() -> None:
    with CollectorPause():
        assert not gc.isenabled()
        with CollectorPause():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_goes_on_after_a_failure() -> None:
    with pytest.raises(KeyError), CollectorPause():
        raise KeyError
    assert gc.isenabled()


def test_one_that_was_off_stays_off() -> None:
    gc.disable()
    with CollectorPause():
        assert not gc.isenabled()
    assert not gc.isenabled()


def test_much_that_was_built_is_looked_at_in_full_passes_only() -> None:
    gc.collect()
    with CollectorPause():
        few = [[] for _ in range(10)]  # type: ignore[var-annotated]
    assert any(thing is few for thing in gc.get_objects(generation=0))
    with CollectorPause():
        many = [[] for _ in range(MANY + 1)]  # type: ignore[var-annotated]
    assert not any(thing is many for thing in gc.get_objects(generation=0))
    assert gc.get_freeze_count() == 0


def test_circles_in_it_are_freed_by_full_passes() -> None:
    class Node:
        """Can be referred to weakly."""

    with CollectorPause():
        nodes = [Node() for _ in range(MANY)]
        for node in nodes:
            node.itself = node  # type: ignore[attr-defined]
    last = weakref.ref(nodes[-1])
    del node, nodes
    assert last() is not None
    gc.collect()
    assert last() is None
