"""Keys that are not read: each has one fate, and flags are known by their form."""

from __future__ import annotations

import pytest

from durabase.workers.config.keys import CLOUD_ONLY, FLAGS, IGNORED, NOT_INHERITED, PRODUCTS


def test_each_key_has_one_fate() -> None:
    assert not CLOUD_ONLY & PRODUCTS
    assert not IGNORED & (CLOUD_ONLY | PRODUCTS)
    assert NOT_INHERITED > PRODUCTS


@pytest.mark.parametrize(
    ("flag", "is_known"),
    [
        ("python_workers", True),
        ("disable_python_workflows", True),
        ("no_web_socket_compression", True),
        ("web_socket_auto_reply_to_close", True),
        ("web_socket_manual_reply_to_close", True),
        ("delete_all_preserves_alarm", True),
        ("rpc", True),
        ("nodejs_compat", False),
        ("no_rpc", False),
        ("xpython_workers", False),
        ("rpc2", False),
    ],
)
def test_flags_that_are_about_python_or_objects(flag: str, is_known: bool) -> None:
    assert bool(FLAGS.fullmatch(flag)) is is_known
