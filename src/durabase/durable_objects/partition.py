"""Which of several processes an object lives in, when they share the objects of one state directory."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["WHOLE", "Partition", "partition_of"]


def partition_of(key: bytes, count: int) -> int:
    """The number of the partition, of ``count``, that the object with this id's key belongs to."""
    return int.from_bytes(key[:8]) % count


@dataclass(frozen=True, slots=True)
class Partition:
    """The objects that one process has: those whose ids fall to ``index``, of ``count`` partitions."""

    index: int = 0
    count: int = 1

    def owns(self, key: bytes) -> bool:
        """Whether the object with this id's key is one of them."""
        return partition_of(key, self.count) == self.index

    def file_name(self, stem: str) -> str:
        """What a file is called that each partition has one of."""
        return f"{stem}.sqlite" if self.count == 1 else f"{stem}-{self.index}-of-{self.count}.sqlite"


WHOLE = Partition()
"""All objects, in one process."""
