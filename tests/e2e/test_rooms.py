"""Two browsers on one path are in sync; browsers elsewhere see nothing of it."""

from __future__ import annotations

from collections.abc import Callable

from e2e._page import RoomPage
from e2e._server import Server

NewBrowser = Callable[..., RoomPage]


def test_the_root_leads_to_a_fresh_room(demo: Server, new_browser: NewBrowser) -> None:
    first = new_browser(demo.url).expect_saved()
    second = new_browser(demo.url).expect_saved()

    assert first.page.url.startswith(f"{demo.url}/")
    assert len(first.page.url) > len(f"{demo.url}/") + 8
    assert first.page.url != second.page.url


def test_a_fresh_room_holds_the_initial_content(room: str, new_browser: NewBrowser) -> None:
    page = new_browser(room).expect_saved()

    page.expect_counter(0).expect_pet_count(1)
    assert page.pets() == ["fido\tdog\t$5\tDelete"]
    for species, price in {"dog": 5, "cat": 4, "fish": 2, "worm": 1, "parrot": 3}.items():
        page.expect_price(species, price)


def test_two_browsers_converge(room: str, new_browser: NewBrowser) -> None:
    first, second = new_browser(room).expect_saved(), new_browser(room).expect_saved()

    first.count_up(3)
    second.expect_counter(3)
    second.add_pets(2).expect_pet_count(3)
    first.expect_pet_count(3).expect_pets(second.pets())
    first.raise_price("worm")
    second.expect_price("worm", 2)
    second.delete_pet("fido")
    first.expect_pet_count(2).expect_pets(second.pets())
    first.expect_saved()
    second.expect_saved()


def test_a_newcomer_does_not_reset_what_is_there(room: str, new_browser: NewBrowser) -> None:
    first = new_browser(room).expect_saved()
    first.count_up(2).delete_pet("fido").raise_price("dog").expect_saved()

    second = new_browser(room).expect_saved()

    for page in (first, second):
        page.expect_counter(2).expect_pet_count(0).expect_price("dog", 6)


def test_another_path_sees_nothing(room: str, new_browser: NewBrowser) -> None:
    inside, below = new_browser(room).expect_saved(), new_browser(f"{room}/below").expect_saved()

    inside.count_up(5).add_pets(3).expect_saved()

    late = new_browser(f"{room}x").expect_saved()
    for page in (below, late):
        page.expect_counter(0).expect_pet_count(1)


def test_a_path_may_be_anything(room: str, new_browser: NewBrowser) -> None:
    path = f"{room}/de%20f/ü.d/"
    first, second = new_browser(path).expect_saved(), new_browser(path).expect_saved()

    first.count_up()
    second.expect_counter(1).expect_saved()


def test_the_pets_come_in_pages(room: str, new_browser: NewBrowser) -> None:
    page = new_browser(room).add_pets(9).expect_pet_count(10)

    assert len(page.pets()) == 8
    first_page = page.pets()
    page.page.locator("#pets caption button.next").click()
    assert len(page.pets()) == 2
    assert first_page + page.pets() == sorted(first_page + page.pets())


def test_the_pets_sort_by_a_click(room: str, new_browser: NewBrowser) -> None:
    page = new_browser(room).add_pets(5).expect_pet_count(6)
    by_name = page.pets()

    page.page.locator("#pets").get_by_role("columnheader", name="Name").click()

    page.expect_pets(by_name[::-1])


def test_two_windows_of_one_browser_share_its_storage(room: str, new_browser: NewBrowser) -> None:
    first = new_browser(room).expect_saved()
    second = first.open_window(room).expect_saved()

    for _ in range(5):
        first.count_up()
        second.add_pets(1)
    for page in (first, second):
        page.expect_counter(5).expect_pet_count(6).expect_saved()
    first.reload()
    first.expect_counter(5).expect_pet_count(6)


def test_the_inspector_opens(room: str, new_browser: NewBrowser) -> None:
    page = new_browser(room).page

    page.locator("aside#tinybaseInspector > img").click()
    page.locator("aside#tinybaseInspector main").get_by_text("MergeableStore").first.wait_for()
