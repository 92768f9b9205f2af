"""Servers, and Debian's Chromium to look at their pages.

`scripts/pages-test` sets these variables:
PAGES_PROGRAM      the program odcs-server
PAGES_TESTS_REPO   the directory of tests-repo
PAGES_DIRECTORY    a directory for the files of this run
PAGES_SCREENSHOTS  a directory for pictures of the pages. Without it, there are none.
"""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from held import Held
from nginx import Nginx
from ports import free_port
from provider import Provider
from registry import Registry
from server import Server

# The machine may have other work to do.
expect.set_options(timeout=60_000)

LOGIN = """
auth:
  mechanisms: [tokens, openid]
  openid:
    sso:
      issuer: {issuer}
      audiences: [odcs]
      user_claim: preferred_username
      client_id: odcs
access:
  admins: {{users: [alice]}}
  clients:
    releng: {{groups: [releng], target_dirs: [secret]}}
composes:
  targets:
    secret: {{readers: {{groups: [releng]}}}}
"""


@pytest.fixture(scope="session")
def directory():
    return Path(os.environ["PAGES_DIRECTORY"])


@pytest.fixture(scope="session")
def held():
    held = Held()
    yield held
    held.end()


# Nothing listens at the address of the hub.
SYSTEMS = """
koji: {{hub: "http://127.0.0.1:1/kojihub", topdir: "{topdir}"}}
images: {{registry: "{host}", insecure_registries: ["{host}"]}}
"""


@pytest.fixture(scope="session")
def registry(directory):
    registry = Registry(directory / "registry")
    yield registry
    registry.end()


@pytest.fixture(scope="session")
def server(directory, held, registry):
    """A server that asks for no credentials, builds images, and knows a hub that does not answer."""
    topdir = directory / "topdir"
    topdir.mkdir()
    server = Server(directory / "plain", held, more=SYSTEMS.format(topdir=topdir, host=registry.host))
    yield server
    held_open(held)
    server.end()


@pytest.fixture(scope="session")
def provider(directory):
    provider = Provider(directory)
    yield provider
    provider.end()


@pytest.fixture(scope="session")
def site(directory, held, provider):
    """A server below the path /odcs of nginx, at which people log in."""
    port = free_port()
    base = f"http://127.0.0.1:{port}/odcs"
    server = Server(
        directory / "site", held, f"  public_url: {base}\n  login: sso\n", LOGIN.format(issuer=provider.url)
    )
    nginx = Nginx(directory / "nginx", port, server.url)
    server.public = base
    yield server
    nginx.end()
    held_open(held)
    server.end()


def held_open(held):
    for name in list(held.gates):
        held.release(name)


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        # The sandbox of Chromium needs another user than root.
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """Opens an address in a browser of its own, and returns the page."""
    contexts = []

    def open_page(url, **options):
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda message: page.faults.append(message.text) if message.type == "error" else None)
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def picture():
    """Keeps a picture of a page, for people to look at."""

    def picture(page, name):
        if folder := os.environ.get("PAGES_SCREENSHOTS"):
            page.screenshot(path=f"{folder}/{name}.png", full_page=True)

    return picture
