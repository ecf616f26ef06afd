"""Conversions that have nothing to convert, and proxies that call through."""

from __future__ import annotations

import pytest

from durabase.web import WebSocketPair
from durabase.workers.compat import pyodide, pyodide_ffi


def test_conversions_give_back_what_they_get() -> None:
    value = {"a": [1, 2]}
    assert pyodide_ffi.to_js(value, dict_converter=dict) is value


def test_lists_become_those_of_javascript_as_copies() -> None:
    value = [1, [2]]
    made = pyodide_ffi.to_js(value, depth=1)
    assert (made, made.length, made.to_py()) == (value, 2, value)
    assert made is not value
    assert made[1] is value[1]


def test_proxies_call_through() -> None:
    proxy = pyodide_ffi.create_proxy(lambda x: x + 1)
    assert proxy(1) == 2
    assert proxy.copy()(2) == 3
    proxy.destroy()
    pyodide_ffi.destroy_proxies([proxy])
    assert pyodide_ffi.create_proxy([1]).index(1) == 0
    assert pyodide_ffi.create_once_callable(len)([1]) == 1


def test_the_runtimes_objects_are_proxies_to_isinstance() -> None:
    client, _ = WebSocketPair()
    assert isinstance(client, pyodide_ffi.JsProxy)
    assert not isinstance({}, pyodide_ffi.JsProxy)


def test_every_exception_is_one_of_javascript() -> None:
    with pytest.raises(pyodide_ffi.JsException):
        raise ValueError("x")


def test_the_rest() -> None:
    assert not pyodide_ffi.jsnull
    assert pyodide.__version__
    assert not pyodide_ffi.can_run_sync()
