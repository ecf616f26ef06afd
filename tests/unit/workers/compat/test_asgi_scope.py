"""The part of a scope that comes from the request."""

from __future__ import annotations

from durabase.web import Request
from durabase.workers.compat.asgi_scope import request_scope


def test_all_of_a_request() -> None:
    request = Request(
        "https://Host:8443/a%2Fb%20%C3%A4?q=%20&r", method="put", headers=[("X-A", "1"), ("b", "€ä")]
    )
    env = object()
    assert request_scope(request, env) == {
        "asgi": {"spec_version": "2.0", "version": "3.0"},
        "http_version": "1.1",
        "method": "PUT",
        "scheme": "https",
        "path": "/a/b ä",
        "raw_path": b"/a%2Fb%20%C3%A4",
        "query_string": b"q=%20&r",
        "root_path": "",
        "headers": [(b"x-a", b"1"), (b"b", b"?\xe4")],
        "server": ("host", 8443),
        "client": None,
        "env": env,
        "state": {},
    }
    assert type(request_scope(request, env)["method"]) is str


def test_the_port_is_that_of_the_scheme_if_none_is_named() -> None:
    assert request_scope(Request("https://h/"), None)["server"] == ("h", 443)
    assert request_scope(Request("http://h/"), None)["server"] == ("h", 80)
