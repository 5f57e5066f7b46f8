"""A server in a process of its own, and a reader with a browser before it who sees whatever goes wrong."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from playwright.sync_api import Browser, Page, Playwright, Route, expect

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 120_000  # milliseconds; shared runners are slow at times
# A browser of the system's; no sandbox, since a container has none to offer.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb"]

expect.set_options(timeout=PATIENCE)


@contextmanager
def served(index: Path, feedback: Path) -> Iterator[str]:
    """Serve the articles of `seeds` and give the page's address."""
    command = [sys.executable, "-m", "rag", "chat", "--corpus", "seeds", "--index", str(index), "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*command, "--feedback", str(feedback)], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            said = []
            for line in process.stdout:
                said.append(line)
                if address := re.search(r"http://127\.0\.0\.1:\d+/", line):
                    yield address[0]
                    return
            raise AssertionError(f"the server did not start: {''.join(said)}")
        finally:
            process.terminate()


@contextmanager
def busy(address: str, askers: int = 8) -> Iterator[None]:
    """Keep the server answering other people's questions, so that one's own takes its time."""
    done = threading.Event()

    def ask() -> None:
        number = 0
        while not done.is_set():
            number += 1
            body = json.dumps({"question": f"How many shots did scene {number} of {threading.get_ident()} need?"})
            request = Request(f"{address}api/ask", body.encode(), {"Content-Type": "application/json"})
            with suppress(HTTPError), urlopen(request) as response:
                response.read()

    with ThreadPoolExecutor(askers) as pool:
        for _ in range(askers):
            pool.submit(ask)
        try:
            yield
        finally:
            done.set()


def browser_of(playwright: Playwright) -> Browser:
    """Start the system's browser."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
    return playwright.chromium.launch(args=ARGUMENTS)


@dataclass
class Reader:
    """Someone at the page, and what went wrong before their eyes."""

    page: Page
    troubles: list[str] = field(default_factory=list)

    @classmethod
    def at(cls, browser: Browser, address: str, locale: str = "en-US", **options: Any) -> "Reader":
        """Open the page in a context of its own, and wait until it speaks the reader's language."""
        context = browser.new_context(locale=locale, **options)
        context.set_default_timeout(PATIENCE)
        reader = cls(context.new_page())
        page, troubles = reader.page, reader.troubles

        def refuse(route: Route) -> None:
            troubles.append(f"asked {route.request.url}")
            route.abort()

        context.route(re.compile(f"^(?!data:|blob:|{re.escape(address)})"), refuse)
        page.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("response", lambda got: troubles.append(f"{got.status} {got.url}") if got.status >= 400 else None)
        # The hostile texts call this.
        page.add_init_script("window.evil = () => { window.ran = true; }; window.alert = window.evil;")
        page.goto(address)
        expect(page.locator("#own input[type=file]")).to_be_attached()
        return reader

    def ask(self, question: str) -> None:
        """Ask a question and wait for what is said to it."""
        rows = self.page.locator("#chat .bot-row")
        before = rows.count()
        self.page.locator("#question textarea").fill(question)
        self.page.keyboard.press("Enter")
        expect(rows).to_have_count(before + 1)
        expect(self.page.locator("#chat .working")).to_have_count(0)

    @property
    def last(self) -> Any:
        """Return the last reply."""
        return self.page.locator("#chat .bot-row").last

    def leave(self) -> None:
        """Close the page; nothing may have gone wrong."""
        ran = self.page.evaluate("window.ran === true")
        self.page.context.close()
        assert not ran, "a text was run as a script"
        assert self.troubles == []
