"""Forms: fields in order, and both encodings of HTML, in which nothing of them is lost."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.web import Blob, File, FormData
from durabase.web.form_data import parse_form


def multipart(*parts: str) -> bytes:
    return "".join([f"--b\r\n{part}\r\n" for part in parts] + ["--b--\r\n"]).encode()


def parsed(*parts: str) -> list[tuple[str, Any]]:
    return parse_form(multipart(*parts), "multipart/form-data; boundary=b").items()


def test_what_it_is_made_of() -> None:
    assert FormData().items() == []
    assert FormData({"a": "1", "n": 5}).items() == [("a", "1"), ("n", "5")]
    assert FormData([("a", "1"), ("a", None)]).items() == [("a", "1"), ("a", "None")]


def test_reading() -> None:
    form = FormData([("a", "1"), ("b", "2"), ("a", "3")])
    assert (form["a"], form.get("a"), form.get("c"), form.get("c", "none")) == ("1", "1", None, "none")
    assert form.get_all("a") == form.getAll("a") == ["1", "3"]  # type: ignore[attr-defined]
    assert form.get_all("c") == []
    assert form.has("a")
    assert "a" in form
    assert not form.has("c")
    assert 5 not in form
    assert list(form) == form.keys() == ["a", "b", "a"]
    assert form.values() == ["1", "2", "3"]
    assert len(form) == 3
    assert repr(form) == "FormData([('a', '1'), ('b', '2'), ('a', '3')])"
    form.items().clear()
    assert len(form) == 3


def test_changes() -> None:
    form = FormData([("a", "1"), ("b", "2"), ("a", "3")])
    form["a"] = 4
    assert form.items() == [("a", "4"), ("b", "2")]
    form.set("c", "5")
    form.append("b", "6")
    del form["b"]
    form.delete("b")
    assert form.items() == [("a", "4"), ("c", "5")]
    for missing in (form.__getitem__, form.__delitem__):
        with pytest.raises(KeyError, match="b"):
            missing("b")


def test_blobs_become_files() -> None:
    form = FormData({"f": Blob("x", "t/x")})
    form.append("f", Blob("x", "t/x"), "")
    form.set("g", Blob("x", "t/x"), "n.txt")
    found = [(file.name, file.type, file.data) for file in form.values() if isinstance(file, File)]
    assert found == [("blob", "t/x", b"x"), ("", "t/x", b"x"), ("n.txt", "t/x", b"x")]


def test_files_stay_what_they_are_but_for_another_name() -> None:
    file = File("x", "n.txt", "t/x", last_modified=5)
    form = FormData({"f": file})
    form.append("g", file, "other")
    assert form["f"] is file
    renamed = form["g"]
    assert isinstance(renamed, File)
    assert (renamed.name, renamed.type, renamed.last_modified) == ("other", "t/x", 5)


def test_what_is_encoded_is_parsed_again() -> None:
    form = FormData({"a": "1\n2\r3\r\n4", 'q"\n': "ä--\r\n", "s": "\ud800"})
    form.append("f", Blob(b"\r\n\x00\xff\r\n", "x/y"), 'na"me\r.txt')
    form.append("f", File("", "ü.txt"))
    data, content_type = form.encode()
    back = parse_form(data, content_type)
    assert back.items()[:3] == [("a", "1\r\n2\r\n3\r\n4"), ('q"\r\n', "ä--\r\n"), ("s", "\ufffd")]
    files = [(file.name, file.type, file.data) for file in back.get_all("f") if isinstance(file, File)]
    assert files == [
        ('na"me\r\n.txt', "x/y", b"\r\n\x00\xff\r\n"),
        ("ü.txt", "application/octet-stream", b""),
    ]


def test_the_text_of_multipart() -> None:
    form = FormData({"a": "1"})
    form.append("f", File("x", "n.txt", "t/x"))
    data, content_type = form.encode()
    boundary = content_type.removeprefix("multipart/form-data; boundary=")
    assert data.decode() == (
        f'--{boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="f"; filename="n.txt"\r\n'
        f"Content-Type: t/x\r\n\r\nx\r\n--{boundary}--\r\n"
    )
    assert FormData().encode()[1] != FormData().encode()[1]


def test_forms_in_the_encoding_of_urls() -> None:
    form = parse_form(b"a=1&b=%C3%A4+\xff&a=", "Application/X-WWW-form-urlencoded; charset=utf-8")
    assert form.items() == [("a", "1"), ("b", "ä \ufffd"), ("a", "")]


def test_what_else_multipart_may_have() -> None:
    data = b"preamble\r\n--b\r\nCONTENT-disposition: form-data; name=a\r\n\r\n1\r\n--b--\r\nepilogue"
    assert parse_form(data, 'Multipart/Form-Data; x=y; boundary="b"').items() == [("a", "1")]
    assert parsed() == []
    assert parsed('Content-Disposition: form-data; name="ä;x"\r\nX: y\r\n\r\n\r\n--') == [("ä;x", "\r\n--")]


def test_a_file_whose_name_is_encoded_as_mail_does_it() -> None:
    head = "Content-Disposition: form-data; name=f; filename*=utf-8''%C3%A4.txt"
    [(name, file)] = parsed(f"{head}\r\n\r\nx")
    assert (name, file.name, file.data) == ("f", "ä.txt", b"x")


@pytest.mark.parametrize(
    ("data", "content_type", "complaint"),
    [
        (b"a=1", "text/plain", "this body is no form: its content type is 'text/plain'"),
        (b"a=1", "", "its content type is ''"),
        (multipart(), "multipart/form-data", "its content type is 'multipart/form-data'"),
        (b"--b\r\n\r\n", "multipart/form-data; boundary=b", "no closing boundary"),
        (b"", "multipart/form-data; boundary=b", "no closing boundary"),
        (multipart("no blank line"), "multipart/form-data; boundary=b", "no blank line after its header"),
        (multipart("\r\nno name"), "multipart/form-data; boundary=b", "has no name"),
    ],
)
def test_what_is_no_form(data: bytes, content_type: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_form(data, content_type)
