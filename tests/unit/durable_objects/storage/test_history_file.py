"""Entries of a history: appended, read, cut off by a crash, folded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from durabase.durable_objects.storage.history_file import Entry, EntryKind, HistoryFile
from durabase.durable_objects.storage.write_ahead_log import BEGINNING, LogPosition
from durabase.errors import StorageFileError

SIZE = 512
PLACE = LogPosition(b"saltsalt", 5)


def page(text: str) -> bytes:
    return text.encode().ljust(SIZE, b"\0")


def changes(number: int, pages: int = 3, kind: EntryKind = EntryKind.CHANGES) -> Entry:
    return Entry(kind, number, 1000 + number, pages, PLACE)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[HistoryFile]:
    """Three pages, of which the second changes twice; then the third goes, and the first changes."""
    with closing(HistoryFile(tmp_path / "x.history")) as file:
        file.append(changes(1, kind=EntryKind.IMAGE), {1: page("a1"), 2: page("b1"), 3: page("c1")})
        file.append(changes(2), {2: page("b2")})
        file.append(changes(3), {2: page("b3")})
        file.append(changes(4, pages=2), {1: page("a4")})
        yield file


def state(file: HistoryFile, number: int) -> list[str]:
    """The pages after an entry."""
    count, places = file.places(number)
    assert sorted(places) == list(range(1, count + 1))
    return [file.page(places[number]).rstrip(b"\0").decode() for number in range(1, count + 1)]


def entries(file: HistoryFile) -> list[tuple[str, int]]:
    return [(entry.kind.name, entry.number) for entry in file.entries]


STATES = {1: ["a1", "b1", "c1"], 2: ["a1", "b2", "c1"], 3: ["a1", "b3", "c1"], 4: ["a4", "b3"]}


def test_a_new_file_has_an_origin_of_its_own_that_stays(tmp_path: Path) -> None:
    origins = []
    for name in ("one", "other", "one"):
        with closing(HistoryFile(tmp_path / name)) as file:
            assert file.entries == []
            assert file.places(9) == (0, {})
            origins.append(file.origin)
    assert [len(origin) for origin in origins] == [16] * 3
    assert origins[0] == origins[2] != origins[1]


def test_every_state_can_be_had_again_also_of_a_file_that_is_opened_again(file: HistoryFile) -> None:
    with closing(HistoryFile(file.path)) as again:
        assert again.entries == file.entries
        assert again.entries[0].position == PLACE
        assert [entry.time_ms for entry in again.entries] == [1001, 1002, 1003, 1004]
        for one in (file, again):
            assert {number: state(one, number) for number in STATES} == STATES
            assert state(one, 0) == []
            assert state(one, 99) == STATES[4]


def test_states_are_entries_with_pages(file: HistoryFile) -> None:
    for kind in (EntryKind.RESTORED, EntryKind.CLOSED, EntryKind.PINNED):
        file.append(Entry(kind, 4, 0))
    assert [entry.number for entry in file.states()] == [1, 2, 3, 4]
    assert state(file, 4) == STATES[4]


def test_what_was_before_an_image_is_not_in_the_state_after_it(file: HistoryFile) -> None:
    file.append(changes(5, pages=1, kind=EntryKind.IMAGE), {1: page("a5")})
    file.append(changes(6, pages=2), {2: page("b6")})
    assert state(file, 6) == ["a5", "b6"]


def test_a_database_is_written_without_a_log_and_of_its_length(file: HistoryFile, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    target.write_bytes(b"what was there before" * 1000)
    file.write_database(3, target)
    data = target.read_bytes()
    assert data == page("a1")[:18] + b"\1\1" + page("a1")[20:] + page("b3") + page("c1")
    file.write_database(4, target)
    assert target.stat().st_size == 2 * SIZE
    file.write_database(0, target)
    assert target.read_bytes() == b""
    file.append(changes(5, pages=4), {1: page("a5")})  # SQLite does not write pages that nothing is in
    file.write_database(5, target)
    assert target.stat().st_size == 4 * SIZE


@pytest.mark.parametrize("cut", [1, 4, 20, 60])
def test_an_entry_that_was_cut_off_is_dropped(file: HistoryFile, cut: int) -> None:
    whole = file.path.stat().st_size
    file.append(changes(5), {3: page("c5")})
    data = file.path.read_bytes()
    assert len(data) - whole > 60
    file.path.write_bytes(data[:-cut])
    with closing(HistoryFile(file.path)) as again:
        assert [number for _, number in entries(again)] == [1, 2, 3, 4]
        assert file.path.stat().st_size == whole
        again.append(changes(5), {3: page("other")})
        assert state(again, 5) == ["a4", "b3", "other"]


def test_a_last_entry_that_is_not_what_was_written_is_dropped(file: HistoryFile) -> None:
    data = bytearray(file.path.read_bytes())
    data[-6] ^= 1
    file.path.write_bytes(data)
    with closing(HistoryFile(file.path)) as again:
        assert [number for _, number in entries(again)] == [1, 2, 3]
        assert state(again, 3) == STATES[3]


def test_a_head_that_was_cut_off_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"durabase hist")
    with closing(HistoryFile(path)) as file:
        assert len(file.origin) == 16
        file.append(changes(1), {1: page("a")})
    with closing(HistoryFile(path)) as file:
        assert entries(file) == [("CHANGES", 1)]


def test_damage_in_the_middle_is_told_when_it_is_needed(file: HistoryFile, tmp_path: Path) -> None:
    second = file.entries[1]
    data = bytearray(file.path.read_bytes())
    data[second.offset + 10] ^= 1
    file.path.write_bytes(data)
    assert state(file, 1) == STATES[1]
    with pytest.raises(StorageFileError, match=r"x\.history is damaged: entry 2"):
        file.places(2)
    with pytest.raises(StorageFileError, match="entry 2"):
        file.write_database(4, tmp_path / "copy")
    with pytest.raises(StorageFileError, match="entry 2"):
        file.fold({4})
    assert file.path.read_bytes() == bytes(data)
    assert state(file, 1) == STATES[1]


def test_a_file_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "x.history"
    path.write_bytes(b"durabase history 2\n" + bytes(100))
    with pytest.raises(
        StorageFileError, match=r"x\.history is no history of an object, or of a later version"
    ):
        HistoryFile(path)
    assert path.stat().st_size == 119


@pytest.mark.parametrize(
    ("kept", "left"),
    [
        ({1, 2, 3, 4}, [("IMAGE", 1), ("CHANGES", 2), ("CHANGES", 3), ("CHANGES", 4)]),
        ({1, 4}, [("IMAGE", 1), ("CHANGES", 4)]),
        ({3, 4}, [("IMAGE", 3), ("CHANGES", 4)]),
        ({2}, [("IMAGE", 2)]),
        ({4}, [("IMAGE", 4)]),
        (set(), []),
    ],
)
def test_folding_leaves_the_states_that_are_kept(
    file: HistoryFile, kept: set[int], left: list[tuple[str, int]]
) -> None:
    origin = file.origin
    file.fold(kept)
    assert entries(file) == left
    assert {number: state(file, number) for number in kept} == {number: STATES[number] for number in kept}
    assert not list(file.path.parent.glob("*.folding"))
    file.append(changes(5), {1: page("a5"), 2: page("b5"), 3: page("c5")})
    with closing(HistoryFile(file.path)) as again:
        assert again.origin == origin
        assert entries(again) == [*left, ("CHANGES", 5)]
        assert state(again, 5) == ["a5", "b5", "c5"]


def test_folding_a_history_without_a_first_image_makes_none_of_what_is_no_whole(tmp_path: Path) -> None:
    with closing(HistoryFile(tmp_path / "x")) as file:
        file.append(changes(1, pages=1), {1: page("a1")})
        file.append(changes(2, pages=2), {2: page("b2")})
        file.fold({2})
        assert entries(file) == [("CHANGES", 2)]
        assert state(file, 2) == ["a1", "b2"]


def test_which_of_the_other_entries_stay(file: HistoryFile) -> None:
    file.append(Entry(EntryKind.RESTORED, 2, 0, 1))
    file.append(Entry(EntryKind.RESTORED, 3, 0, 2))
    for number in (0, 2, 4):
        file.append(Entry(EntryKind.PINNED, number, 0))
    file.append(Entry(EntryKind.CLOSED, 100, 1))
    file.fold({4})
    # The last restore, pins of what is kept and of the beginning, and that it was closed, if it still is.
    others = [("RESTORED", 3), ("PINNED", 0), ("PINNED", 4)]
    assert entries(file) == [("IMAGE", 4), *others, ("CLOSED", 100)]
    file.append(changes(5, pages=2), {1: page("a5")})
    file.fold({4, 5})
    assert entries(file) == [("IMAGE", 4), *others, ("CHANGES", 5)]


def test_the_surplus_is_what_folding_would_not_leave(file: HistoryFile) -> None:
    file.append(Entry(EntryKind.CLOSED, 100, 1))
    size = file.path.stat().st_size
    assert file.surplus({1, 2, 3, 4}) == 0
    each = [file.surplus({1, 2, 3, 4} - {number}) for number in STATES]
    assert all(each)
    assert file.surplus(set()) == sum(each)
    file.fold({1, 3, 4})
    assert size - file.path.stat().st_size == each[1]  # its page is another one in the state after it


def test_an_entry_without_pages_goes_up_to_the_beginning() -> None:
    entry = Entry(EntryKind.PINNED, 7, 8)
    assert (entry.pages, entry.position, entry.length) == (0, BEGINNING, 0)
