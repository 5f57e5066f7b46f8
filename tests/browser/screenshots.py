"""Draws the page for the README: light, dark, and on a phone. Run by `make screenshots`."""

import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import expect, sync_playwright

from tests.browser.harness import ROOT, Reader, browser_of, served

FOLDER = ROOT / "docs" / "screenshots"
WIDE = {"width": 1280, "height": 860}
VIEWS: dict[str, dict[str, Any]] = {
    "light": {"viewport": WIDE, "color_scheme": "light"},
    "dark": {"viewport": WIDE, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2},
}


def draw() -> None:
    """Write one picture of each view."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = browser_of(playwright)
        with served(Path(folder, "index"), Path(folder, "feedback.jsonl")) as address:
            for name, options in VIEWS.items():
                reader = Reader.at(browser, address, **options)
                expect(reader.page.locator("#examples button").first).to_be_visible()
                reader.ask("Who leads AI Studio?")
                expect(reader.page.locator("#sources .place")).to_be_attached()
                reader.page.mouse.move(0, 0)
                reader.page.locator("#question textarea").blur()
                reader.page.screenshot(path=FOLDER / f"{name}.png")
                reader.leave()
        browser.close()


if __name__ == "__main__":
    draw()
