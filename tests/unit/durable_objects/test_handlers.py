from __future__ import annotations

from typing import Any

import pytest

from durabase._names import js_names
from durabase.durable_objects.handlers import HandlerTable, fitting_arguments


class Base:
    def fetch(self, request: Any) -> Any:
        return ("base", request)

    def webSocketMessage(self, ws: Any, message: Any) -> Any:
        return ("base", ws, message)


def test_the_most_derived_spelling_wins() -> None:
    class Snake(Base):
        def web_socket_message(self, ws: Any) -> Any:
            return ("snake", ws)

    class Camel(Snake):
        def webSocketMessage(self) -> Any:  # type: ignore[override]
            return "camel"

    for cls, name, result in (
        (Base, "webSocketMessage", ("base", 1, 2)),
        (Snake, "web_socket_message", ("snake", 1)),
        (Camel, "webSocketMessage", "camel"),
    ):
        handler = HandlerTable(cls).web_socket_message
        assert handler is not None
        assert handler.name == name
        assert handler.bound(cls())(1, 2) == result


def test_what_a_class_does_not_have() -> None:
    class Without(Base):
        fetch = None  # type: ignore[assignment]

    table = HandlerTable(Without)
    assert (table.fetch, table.alarm, table.web_socket_close, table.web_socket_error) == (None,) * 4


def test_both_spellings_in_one_body_are_refused_unless_they_are_one() -> None:
    class Both:
        def web_socket_close(self) -> None: ...
        def webSocketClose(self) -> None: ...

    with pytest.raises(TypeError, match="defines both web_socket_close and webSocketClose"):
        HandlerTable(Both)

    @js_names
    class Same:
        def web_socket_close(self) -> str:
            return "same"

    handler = HandlerTable(Same).web_socket_close
    assert handler is not None
    assert handler.bound(Same())(1, 2, 3, 4) == "same"


def test_arguments_fit_the_signature() -> None:
    class Various:
        @staticmethod
        def alarm() -> str:
            return "static"

        def web_socket_close(self, *everything: Any) -> Any:
            return everything

        def web_socket_error(self, ws: Any, error: Any, more: Any = 5) -> Any:
            return (ws, error, more)

    table, various = HandlerTable(Various), Various()
    assert table.alarm
    assert table.alarm.bound(various)("info") == "static"
    assert table.web_socket_close
    assert table.web_socket_close.bound(various)(1, 2, 3, 4) == (1, 2, 3, 4)
    assert table.web_socket_error
    assert table.web_socket_error.bound(various)(1, 2) == (1, 2, 5)


def test_fitting_arguments() -> None:
    assert fitting_arguments(lambda: None) == 0
    assert fitting_arguments(lambda a, b=1, *, c=2: None) == 2
    assert fitting_arguments(lambda *a: None) > 100
    assert fitting_arguments(dict.get) > 1
