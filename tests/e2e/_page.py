"""The demo's page as its users see it."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, WebSocket, expect

SAVED = "Saved on the server"
KEPT = "Kept in this browser"
_NETWORK_ERROR = re.compile(r"WebSocket connection to|net::ERR_|Failed to load resource")


class RoomPage:
    """One window of one browser. What it asks for, it waits for."""

    def __init__(self, context: BrowserContext, page: Page | None = None) -> None:
        self.context = context
        self.page = page or context.new_page()
        self.errors: list[str] = []
        self.sockets: list[WebSocket] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._hear)
        self.page.on("websocket", lambda socket: self.sockets.append(socket))

    def _hear(self, message: ConsoleMessage) -> None:
        # A server that is away is said to be so on the console; anything else is a fault.
        if message.type == "error" and not _NETWORK_ERROR.search(message.text):
            self.errors.append(message.text)

    def open(self, url: str) -> RoomPage:
        self.page.goto(url)
        return self

    def open_window(self, url: str) -> RoomPage:
        """A second window of the same browser."""
        window = RoomPage(self.context)
        window.errors = self.errors
        return window.open(url)

    def close(self) -> None:
        self.context.close()

    def reload(self) -> None:
        self.page.reload()

    def count_up(self, times: int = 1) -> RoomPage:
        for _ in range(times):
            self.page.get_by_role("button", name="Increment counter").click()
        return self

    def add_pets(self, count: int) -> RoomPage:
        for _ in range(count):
            self.page.get_by_role("button", name="Add a random pet").click()
        return self

    def delete_pet(self, name: str) -> RoomPage:
        self.page.get_by_role("button", name=f"Delete {name}").click()
        return self

    def raise_price(self, species: str) -> RoomPage:
        self.page.get_by_role("button", name=f"Raise the price of a {species}").click()
        return self

    def pets(self) -> list[str]:
        return self.page.locator("#pets tbody tr").all_inner_texts()

    def expect_counter(self, count: int) -> RoomPage:
        expect(self.page.locator("#values tbody td")).to_have_text(str(count))
        return self

    def expect_pet_count(self, count: int) -> RoomPage:
        rows = "1 row" if count == 1 else f"{count} rows"
        expect(self.page.locator("#pets caption")).to_have_text(re.compile(rf"(^|of ){rows}$"))
        return self

    def expect_pets(self, pets: list[str]) -> RoomPage:
        expect(self.page.locator("#pets tbody tr")).to_have_text([re.compile(_loosely(pet)) for pet in pets])
        return self

    def expect_price(self, species: str, price: int) -> RoomPage:
        row = self.page.locator("#species tbody tr").filter(has_text=species)
        expect(row.locator("td").first).to_have_text(str(price))
        return self

    def expect_status(self, connection: str, place: str) -> RoomPage:
        expect(self.page.locator("#status span")).to_have_text([connection, place])
        return self

    def expect_saved(self) -> RoomPage:
        return self.expect_status("Online", SAVED)


def _loosely(row: str) -> str:
    return r"\s*".join(re.escape(cell.strip()) for cell in row.split("\t"))
