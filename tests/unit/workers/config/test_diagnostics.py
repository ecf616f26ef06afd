"""The tree of what is wrong, and how it is printed."""

from __future__ import annotations

from durabase.workers.config.diagnostics import Diagnostics


def test_nothing_is_wrong() -> None:
    top = Diagnostics("Top:")
    top.child("Below").note("n")
    assert not top.has_errors()
    assert top.render_errors() == top.render_warnings() == ""
    assert top.all_notes() == ["n"]


def test_a_tree_is_indented_and_only_what_has_something_is_in_it() -> None:
    top = Diagnostics("Top:")
    top.error("first\nwith more\n\nlines")
    top.child("Empty").warning("of no concern")
    below = top.child("Below")
    below.child("Deep").error("deep\ndeeper")
    assert top.render_errors() == (
        "Top:\n  - first\n    with more\n\n    lines\n  Below\n    Deep\n      - deep\n        deeper"
    )
    assert top.render_warnings() == "Top:\n  Empty\n    - of no concern"


def test_errors_below_count() -> None:
    top = Diagnostics("Top:")
    deep = top.child("Below").child("Deep")
    deep.warning("w")
    assert not top.has_errors()
    deep.error("e")
    assert top.has_errors()
    assert not top.errors


def test_notes_come_in_order_from_the_top() -> None:
    top = Diagnostics("Top:")
    top.child("One").note("b")
    top.child("Two").note("c")
    top.note("a")
    assert top.all_notes() == ["a", "b", "c"]
