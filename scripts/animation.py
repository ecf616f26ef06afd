"""Makes docs/images/offline.gif from the demo as it is: two browsers, one goes offline, edits, comes back.

`.venv/bin/python scripts/animation.py`, after `make test` has installed what it takes.
"""

import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser, Locator, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from e2e._page import KEPT, RoomPage  # noqa: E402
from e2e._server import Server  # noqa: E402

TARGET = ROOT / "docs" / "images" / "offline.gif"
LARGEST_BYTES = 1_000_000
WIDTH, HEIGHT = 480, 660
GAP, MARGIN, CAPTION = 16, 16, 48
BACKGROUND, INK = "#dfe7ea", "#17313a"
ARROW = ((0, 0), (0, 27), (6, 21), (10, 30), (15, 28), (11, 19), (19, 19))
COLOURS = 128
# The same pets each time, and not the same ones in both browsers.
SEEDED = "let seed = %d; Math.random = () => (seed = (seed * 16807) %% 2147483647) / 2147483647"


@dataclass
class Film:
    """What is on both screens, picture after picture, and for how long."""

    pages: list[RoomPage]
    pictures: list[Image.Image] = field(default_factory=list)
    milliseconds: list[int] = field(default_factory=list)
    caption: str = ""

    def show(self, milliseconds: int, target: Locator | None = None) -> None:
        """Take a picture, with a pointer on what is about to be clicked."""
        size = (2 * WIDTH + GAP + 2 * MARGIN, HEIGHT + CAPTION + MARGIN)
        picture = Image.new("RGB", size, BACKGROUND)
        pen = ImageDraw.Draw(picture)
        pen.text((size[0] / 2, CAPTION / 2), self.caption, INK, ImageFont.load_default(20), anchor="mm")
        for page, left in zip(self.pages, (MARGIN, MARGIN + WIDTH + GAP), strict=True):
            picture.paste(Image.open(BytesIO(page.page.screenshot())), (left, CAPTION))
            if target is not None and target.page == page.page:
                point_at(pen, target, left)
        self.pictures.append(picture)
        self.milliseconds.append(milliseconds)

    def click(self, target: Locator) -> None:
        """Show what is about to be clicked, click it."""
        self.show(500, target)
        target.click()

    def save(self, path: Path) -> None:
        """Write all pictures, in the colours that they have together."""
        width, height = self.pictures[0].size
        together = Image.new("RGB", (width, height * len(self.pictures)))
        for number, picture in enumerate(self.pictures):
            together.paste(picture, (0, height * number))
        palette = together.quantize(COLOURS)
        first, *others = [
            picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in self.pictures
        ]
        first.save(path, save_all=True, append_images=others, duration=self.milliseconds, loop=0)


def point_at(pen: ImageDraw.ImageDraw, target: Locator, left: int) -> None:
    """Draw the mouse's arrow over what is in the window that begins at ``left``."""
    box = target.bounding_box()
    if box is None:
        raise SystemExit("what is to be clicked is not on the page")
    x, y = left + box["x"] + box["width"] * 0.7, CAPTION + box["y"] + box["height"] * 0.6
    pen.polygon([(x + right, y + down) for right, down in ARROW], fill="white", outline="black", width=2)


def open_page(browser: Browser, url: str, seed: int, scheme: Literal["light", "dark"]) -> RoomPage:
    """A browser of its own with one window."""
    size = ViewportSize(width=WIDTH, height=HEIGHT)
    context = browser.new_context(viewport=size, color_scheme=scheme)
    context.add_init_script(SEEDED % seed)
    return RoomPage(context).open(url).expect_saved()


def play(film: Film) -> None:
    """What happens."""
    left, right = film.pages
    add_left, add_right = (each.page.get_by_role("button", name="Add a random pet") for each in (left, right))
    film.caption = "Two browsers, one room"
    film.show(1500)
    film.caption = "What one does, the other shows at once"
    film.click(add_left)
    right.expect_pet_count(2)
    film.show(1500)
    film.caption = "One goes offline"
    right.page.context.set_offline(True)
    right.expect_status("Offline", KEPT)
    film.show(1800)
    film.caption = "Both go on editing"
    film.click(add_right)
    film.show(600)
    film.click(right.page.get_by_role("button", name="Delete fido"))
    film.show(900)
    film.click(add_left)
    left.expect_saved()
    film.show(1500)
    film.caption = "Back online: both have both"
    right.page.context.set_offline(False)
    for page in film.pages:
        page.expect_saved().expect_pet_count(3)
    left.expect_pets(right.pets())
    film.show(3500)


def main() -> None:
    """Film it."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        raise SystemExit("Chromium is needed: `apt-get install chromium`")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(folder), "demo").start()
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            room = f"{server.url}/pet-shop"
            film = Film([open_page(browser, room, 11, "light"), open_page(browser, room, 5, "dark")])
            play(film)
        finally:
            browser.close()
            server.kill()
    film.save(TARGET)
    size = TARGET.stat().st_size
    if size > LARGEST_BYTES:
        raise SystemExit(f"{size} bytes are too many")
    print(f"{TARGET.relative_to(ROOT)}: {len(film.pictures)} pictures, {size} bytes")


if __name__ == "__main__":
    main()
