from __future__ import annotations

import pytest

from durabase.durable_objects.ids import DurableObjectId, IdMint

# recorded from Cloudflare's local runtime
RECORDED = [
    ("-O", "foo", "70c3602fde87815bf7f243fe6f3409c0ddeb5bf9ca0831ffb9cdd49c59009985"),
    ("chat-demo-Room", "a", "aaa4840407384e50b564523c3a39a3bb9da9cf15fbb3b906e2c7981638558249"),
]


@pytest.mark.parametrize(("unique_key", "name", "text"), RECORDED)
@pytest.mark.feature("M-NS-2")
def test_an_id_from_a_name_is_the_one_of_the_original(unique_key: str, name: str, text: str) -> None:
    id = IdMint(unique_key).from_name(name)
    assert str(id) == id.to_string() == f"{id}" == text
    assert id.name == name


@pytest.mark.feature("M-NS-4")
def test_from_string_takes_either_case_and_has_no_name() -> None:
    mint = IdMint("w-O")
    made = mint.from_name("foo")
    again = mint.from_string(str(made).upper())
    assert again == made
    assert hash(again) == hash(made)
    assert str(again) == str(made)
    assert again.name is None


@pytest.mark.parametrize("text", ["", "a" * 63, "g" * 64, "a" * 65, None, 5])
@pytest.mark.feature("M-NS-4")
def test_what_is_no_64_digits_is_refused(text: object) -> None:
    with pytest.raises(TypeError, match="Invalid Durable Object ID: must be 64 hex digits"):
        IdMint("w-O").from_string(text)  # type: ignore[arg-type]


@pytest.mark.feature("M-NS-4")
def test_an_id_of_another_namespace_is_refused() -> None:
    foreign = str(IdMint("w-P").from_name("foo"))
    with pytest.raises(TypeError, match="is not valid for this namespace"):
        IdMint("w-O").from_string(foreign)


@pytest.mark.feature("M-NS-3")
def test_unique_ids_differ_and_are_accepted() -> None:
    mint = IdMint("w-O")
    one, other = mint.unique(), mint.unique()
    assert one != other
    assert one.name is None
    assert mint.from_string(str(one)) == one


def test_the_empty_name_is_a_name_and_a_long_one_is_not_kept() -> None:
    mint = IdMint("w-O")
    assert mint.from_name("").name == ""
    assert mint.from_name("é" * 512).name == "é" * 512
    assert mint.from_name("é" * 513).name is None
    with pytest.raises(TypeError):
        mint.from_name(5)  # type: ignore[arg-type]


@pytest.mark.feature("M-NS-8")
def test_a_jurisdiction_makes_other_ids_which_the_whole_namespace_accepts() -> None:
    whole = IdMint("w-O")
    eu, us = whole.restricted("eu"), whole.restricted("us")
    id = eu.from_name("a")
    assert id != whole.from_name("a")
    assert id.jurisdiction == "eu"
    assert whole.from_string(str(id)).jurisdiction == "eu"
    assert whole.accepts(id)
    assert not us.accepts(id)
    with pytest.raises(TypeError, match="unknown jurisdiction"):
        whole.restricted("moon")
    assert whole.restricted(None).from_name("a") == whole.from_name("a")


@pytest.mark.feature("M-NS-5")
def test_equality_is_of_the_bytes_alone() -> None:
    assert DurableObjectId(b"1" * 32, "n") == DurableObjectId(b"1" * 32)
    assert DurableObjectId(b"1" * 32) != "1"
    assert sorted([DurableObjectId(b"2" * 32), DurableObjectId(b"1" * 32)])[0].key == b"1" * 32


@pytest.mark.feature("S-NS-1")
def test_a_secret_makes_ids_that_nobody_else_can_make() -> None:
    plain, secret = IdMint("app-Room"), IdMint("app-Room", None, "s")
    assert secret.from_name("x") == IdMint("app-Room", None, "s").from_name("x")
    assert len({mint.from_name("x") for mint in (plain, secret, IdMint("app-Room", None, "t"))}) == 3
    assert secret.accepts(secret.restricted("eu").from_name("x"))
    for mint in (plain, plain.restricted("eu")):
        with pytest.raises(TypeError, match="not valid for this namespace"):
            secret.from_string(str(mint.from_name("x")))
