"""A worker's configuration: ``wrangler.toml``, ``wrangler.jsonc`` or ``wrangler.json``."""

from durabase.workers.config.classes import ObjectClassConfig
from durabase.workers.config.diagnostics import Diagnostics
from durabase.workers.config.load import load_config
from durabase.workers.config.model import (
    AssetsConfig,
    Config,
    DevConfig,
    DurableObjectBinding,
    KvBinding,
    ServiceBinding,
)

__all__ = [
    "AssetsConfig",
    "Config",
    "DevConfig",
    "Diagnostics",
    "DurableObjectBinding",
    "KvBinding",
    "ObjectClassConfig",
    "ServiceBinding",
    "load_config",
]
