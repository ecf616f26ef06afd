from __future__ import annotations

import pytest

from durabase.web import ByteString, decode_value, encode_value


@pytest.mark.feature("M-SA-4")
def test_bytes_answer_to_what_programs_for_cloudflare_call() -> None:
    found = decode_value(encode_value({"data": memoryview(b"\0\xff")}))["data"]
    assert isinstance(found, ByteString)
    assert found == b"\0\xff"
    assert type(found.tobytes()) is type(found.to_bytes()) is bytes
    assert found.tobytes() == found.to_bytes() == found
    assert bytes(found.to_py()) == bytes(found.to_memoryview()) == found
    assert found.byteLength == 2
    assert encode_value(found) == encode_value(b"\0\xff")
