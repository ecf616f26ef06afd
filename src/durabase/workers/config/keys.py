"""The configuration keys that are not read, by what becomes of them."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["CLOUD_ONLY", "FLAGS", "IGNORED", "NOT_INHERITED", "PRODUCTS"]

CLOUD_ONLY: Final = frozenset(
    {
        "account_id",
        "alias",
        "base_dir",
        "build",
        "cache",
        "cloudchamber",
        "compliance_region",
        "containers",
        "data_blobs",
        "define",
        "find_additional_modules",
        "first_party_worker",
        "jsx_factory",
        "jsx_fragment",
        "keep_names",
        "keep_vars",
        "legacy_env",
        "limits",
        "logfwdr",
        "logpush",
        "minify",
        "no_bundle",
        "node_compat",
        "observability",
        "pages_build_output_dir",
        "placement",
        "preserve_file_names",
        "preview_urls",
        "previews",
        "python_modules",
        "rules",
        "secrets",
        "send_metrics",
        "site",
        "streaming_tail_consumers",
        "tail_consumers",
        "text_blobs",
        "tsconfig",
        "unsafe",
        "upload_source_maps",
        "usage_model",
        "wasm_modules",
        "workers_dev",
        "zone_id",
    }
)
"""Accepted, and of no effect outside of Cloudflare."""

PRODUCTS: Final = frozenset(
    {
        "ai",
        "ai_search",
        "ai_search_namespaces",
        "analytics_engine_datasets",
        "artifacts",
        "browser",
        "d1_databases",
        "dispatch_namespaces",
        "hyperdrive",
        "images",
        "media",
        "mtls_certificates",
        "pipelines",
        "queues",
        "r2_buckets",
        "ratelimits",
        "secrets_store_secrets",
        "send_email",
        "stream",
        "unsafe_hello_world",
        "vectorize",
        "version_metadata",
        "vpc_networks",
        "vpc_services",
        "worker_loaders",
        "workflows",
    }
)
"""Bindings to products that are not there; using one raises an error."""

NOT_INHERITED: Final = PRODUCTS | {
    "cloudchamber",
    "containers",
    "define",
    "durable_objects",
    "kv_namespaces",
    "services",
    "vars",
}
"""What an environment does not take over from the top level."""

FLAGS: Final = re.compile(
    r"(no_|disable_|enable_)?(python_\w+|experimental|ctx_exports|web_socket_compression"
    r"|websocket_close_reason_byte_limit|websocket_standard_binary_type)"
    r"|web_socket_(auto|manual)_reply_to_close|delete_all_(deletes|preserves)_alarm|rpc"
)
"""The compatibility flags that are about Python or objects. All others are about JavaScript, or unknown."""

IGNORED: Final = frozenset({"$schema", "env"})
"""Accepted without a word."""
