from __future__ import annotations

from collections.abc import Iterator

import pytest

from interop.clients._node import NodeHost, require_node


@pytest.fixture(scope="package")
def node() -> Iterator[NodeHost]:
    require_node()
    with NodeHost() as host:
        yield host
