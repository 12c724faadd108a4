# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A browser, a web server and the explorer's page for the tests of the site."""

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from explorer_page import opened

#: Path of Debian's package.
CHROMIUM = Path("/usr/bin/chromium")
#: Options without a sandbox, because tests may run as root, and without connections to other hosts.
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium, as a Playwright ``Browser``."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.is_file():
        pytest.skip(f"{CHROMIUM} is missing: apt-get install chromium")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        yield chromium
        chromium.close()


class QuietHandler(SimpleHTTPRequestHandler):
    """A request handler that prints nothing."""

    def log_message(self, format: str, *arguments: Any) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def server(built_book: Path) -> Iterator[str]:
    """The address of a local web server for the site."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=built_book)) as running:
        thread = Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def explorer(built_book: Path) -> str:
    """The address of the explorer's page on the disk."""
    return (built_book / "explorer.html").as_uri()


@pytest.fixture
def context(browser) -> Iterator[Any]:
    """A new browser context without network; an error in a script fails the test."""
    new = browser.new_context(viewport={"width": 1400, "height": 1000}, offline=True)
    errors: list[str] = []
    new.on("weberror", lambda error: errors.append(str(error.error)))
    yield new
    new.close()
    assert not errors


@pytest.fixture
def page(context, explorer):
    """The explorer, drawn."""
    return opened(context, explorer)
