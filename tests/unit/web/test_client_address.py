from __future__ import annotations

import pytest

from durabase.web.client_address import counted_address, with_address


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_one_client_is_one_address_whatever_it_chooses(address: str, counted: str) -> None:
    assert counted_address(address) == counted


def test_what_a_client_says_of_its_address_is_not_believed() -> None:
    said = [("CF-Connecting-IP", "1.1.1.1"), ("cf-connecting-ip", "2.2.2.2"), ("x", "y")]
    assert with_address(said, "3.3.3.3") == [("x", "y"), ("cf-connecting-ip", "3.3.3.3")]
