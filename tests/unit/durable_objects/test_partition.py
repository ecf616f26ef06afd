"""Which partition an object belongs to."""

from __future__ import annotations

from durabase.durable_objects.ids import IdMint
from durabase.durable_objects.partition import WHOLE, Partition, partition_of


def test_every_object_belongs_to_one_partition_and_each_gets_its_share() -> None:
    keys = [IdMint("w-C").from_name(str(number)).key for number in range(1000)]
    parts = [Partition(index, 4) for index in range(4)]
    for key in keys:
        assert [part.owns(key) for part in parts].count(True) == 1
        assert parts[partition_of(key, 4)].owns(key)
    assert all(200 < sum(part.owns(key) for key in keys) < 300 for part in parts)
    assert all(WHOLE.owns(key) for key in keys)


def test_files_of_partitions_have_names_of_their_own() -> None:
    assert WHOLE.file_name("objects") == "objects.sqlite"
    assert Partition(1, 3).file_name("objects") == "objects-1-of-3.sqlite"
