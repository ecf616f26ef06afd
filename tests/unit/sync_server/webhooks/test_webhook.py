"""Addresses that are told, and signatures as Standard Webhooks has them."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from durabase.sync_server import Webhook, new_webhook_secret

URL = "https://example.com/hook"
SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
"""That of the specification's own example."""
EXAMPLE = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}')


def test_the_example_of_the_specification() -> None:
    assert Webhook(URL, SIGNING).headers(*EXAMPLE) == {
        "content-type": "application/json",
        "webhook-id": EXAMPLE[0],
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


def test_each_of_several_secrets_signs() -> None:
    other = new_webhook_secret()
    signatures = Webhook(URL, [other, SIGNING]).headers(*EXAMPLE)["webhook-signature"].split(" ")
    assert signatures[1] == SIGNATURE
    assert [signatures[0]] == Webhook(URL, other).headers(*EXAMPLE)["webhook-signature"].split(" ")


def test_new_secrets_are_good_and_differ() -> None:
    one, other = new_webhook_secret(), new_webhook_secret()
    assert one != other
    assert len(base64.b64decode(one.removeprefix("whsec_"))) == 32


def test_a_secret_is_not_shown() -> None:
    assert SIGNING not in repr(Webhook(URL, SIGNING))


def test_what_may_be_secret_in_a_url_is_not_told() -> None:
    assert Webhook("https://ann:pass@h.example:1/hook?key=1#2", SIGNING).place == "https://h.example:1/hook"


def test_a_queue_has_the_name_of_its_url() -> None:
    assert (
        Webhook(URL, SIGNING).name
        == Webhook(URL, new_webhook_secret()).name
        != Webhook(f"{URL}2", SIGNING).name
    )


@pytest.mark.parametrize(
    ("url", "secret", "complaint"),
    [
        ("example.com", SIGNING, "begins with https"),
        ("ftp://example.com", SIGNING, "begins with https"),
        ("https://", SIGNING, "begins with https"),
        (URL, [], "needs a secret"),
        (URL, "", "24 to 64 bytes"),
        (URL, "hunter2", "24 to 64 bytes"),
        (URL, SIGNING.removeprefix("whsec_"), "24 to 64 bytes"),
        (URL, "whsec_AAAA", "24 to 64 bytes"),
        (URL, "whsec_" + "!" * 40, "24 to 64 bytes"),
        (URL, [SIGNING, "whsec_" + base64.b64encode(bytes(65)).decode()], "24 to 64 bytes"),
    ],
)
def test_what_is_none_is_refused(url: str, secret: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Webhook(url, secret)
