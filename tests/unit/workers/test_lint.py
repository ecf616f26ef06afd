"""What is found in sources without running them."""

from __future__ import annotations

from textwrap import dedent

import pytest

from durabase.workers.lint import Finding, unsupported_names


def found(source: str) -> list[tuple[int, str]]:
    return [(finding.line, finding.text) for finding in unsupported_names(dedent(source))]


@pytest.mark.feature("S-DX-4")
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "from js import DOMParser",
            "js.DOMParser: this JavaScript global is not offered here; use the module html.parser",
        ),
        ("import js\njs.Math", "js.Math: this JavaScript global is not offered here; use the module math"),
        (
            "import js as j\nj.Intl",
            "js.Intl: this JavaScript global is not offered here; use the package babel",
        ),
        ("from workers import Nope", "workers.Nope: there is no such name here"),
        ("import workers\nworkers.Nope", "workers.Nope: there is no such name here"),
        (
            "from workers import WorkflowEntrypoint",
            "workers.WorkflowEntrypoint: workflows are not supported here",
        ),
        ("from workers.gate import BaseOptions", "workers.gate: there is no such module here"),
        ("import pyodide.webloop", "pyodide.webloop: there is no such module here"),
        ("from pyodide import webloop", "pyodide.webloop: there is no such name here"),
        ("from pyodide import ffi\nffi.nope", "pyodide.ffi.nope: there is no such name here"),
        ("import pyodide.ffi\npyodide.ffi.nope()", "pyodide.ffi.nope: there is no such name here"),
        (
            "def f():\n  from pyodide.code import run_js",
            "pyodide.code.run_js: there is no JavaScript here",
        ),
        (
            "try:\n  pass\nfinally:\n  from js import nope",
            "js.nope: this JavaScript global is not offered here",
        ),
        (
            "try:\n  from js import nope\nexcept KeyError: pass",
            "js.nope: this JavaScript global is not offered here",
        ),
    ],
)
def test_what_is_not_there(source: str, expected: str) -> None:
    assert found(source) == [(len(source.splitlines()) - source.endswith("pass"), expected)]


@pytest.mark.parametrize(
    "source",
    [
        "from js import WebSocketPair, console\nconsole.log(WebSocketPair.new())",
        "import js\njs.WebSocket.new('x').anything",
        "from workers import *\nimport workers.wsgi, asgi\nworkers.wsgi.fetch",
        "from pyodide.ffi import to_js, create_proxy\nfrom pyodide.http import pyfetch",
        "from pyodide import ffi, __version__\nffi.to_js",
        "import json\njson.nope",
        "from . import js\nfrom .js import nope",
        "try:\n  from js import nope\nexcept (ImportError, KeyError):\n  nope = None",
        "try:\n  from js import nope\nexcept:\n  pass",
    ],
)
def test_what_is_there_or_not_meant(source: str) -> None:
    assert found(source) == []


def test_each_line_once_and_in_order() -> None:
    source = """
        import js
        js.b, js.a, js.b
        js.a
    """
    text = "this JavaScript global is not offered here"
    assert found(source) == [(3, f"js.a: {text}"), (3, f"js.b: {text}"), (4, f"js.a: {text}")]
    assert Finding(1, "b") < Finding(2, "a")


def test_what_is_no_python() -> None:
    with pytest.raises(SyntaxError):
        unsupported_names("def")
