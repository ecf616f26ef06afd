"""Calling with as many arguments as fit, and no JavaScript."""

from __future__ import annotations

import pytest

from durabase.workers.compat.pyodide_code import relaxed_call, run_js


def test_arguments_that_do_not_fit_are_left_out() -> None:
    assert relaxed_call(lambda a: a, 1, 2) == 1
    assert relaxed_call(lambda: "none", 1, 2) == "none"
    assert relaxed_call(lambda *all_of_them: all_of_them, 1, 2) == (1, 2)
    assert relaxed_call(lambda a, *, b=0: (a, b), 1, 2, b=3) == (1, 3)
    with pytest.raises(TypeError, match="missing 1 required"):
        relaxed_call(lambda a, b: (a, b), 1)


def test_there_is_no_javascript() -> None:
    with pytest.raises(NotImplementedError, match="there is no JavaScript here"):
        run_js("1")
