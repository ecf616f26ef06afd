"""Problems as answers."""

from __future__ import annotations

import json
from http import HTTPStatus

from durabase.errors import ServerError
from durabase.sync_server.rest.problems import ProblemError


def test_a_problem_says_what_its_status_is_called_and_what_is_wrong() -> None:
    error = ProblemError(HTTPStatus.NOT_FOUND, "no row 'a'; expected one of 3")
    assert isinstance(error, ServerError)
    response = error.response()
    assert (response.status, response.headers.get("content-type")) == (404, "application/problem+json")
    assert json.loads(response.body_bytes() or b"") == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "no row 'a'; expected one of 3",
    }


def test_it_may_have_further_members_and_headers() -> None:
    error = ProblemError(
        HTTPStatus.CONFLICT, "é", {"retry-after": "1"}, refused=[{"path": ["t"], "found": None}], detail_of=1
    )
    response = error.response()
    assert response.headers.get("retry-after") == "1"
    assert response.headers.get("content-type") == "application/problem+json"
    told = json.loads(response.body_bytes() or b"")
    assert (told["detail"], told["refused"], told["detail_of"]) == ("é", [{"path": ["t"], "found": None}], 1)
