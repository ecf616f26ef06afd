"""What is said of bindings to products that are not there."""

from __future__ import annotations

from durabase.workers.bindings.missing import missing_bindings
from durabase.workers.config import Config


def test_each_name_is_told_its_product_and_file() -> None:
    config = Config("/p/wrangler.toml", "app", "/p/a.py", unsupported={"DB": "d1_databases", "Q": "queues"})
    assert missing_bindings(config) == {
        "DB": "d1_databases (configured in /p/wrangler.toml) is not supported here",
        "Q": "queues (configured in /p/wrangler.toml) is not supported here",
    }
