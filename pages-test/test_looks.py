"""Every page in both schemes, on a small screen, without the script, and with names that are hostile."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

# The API refuses characters that show nothing. Unit tests put those into the database.
MARKUP = "<script>document.title='taken'</script><img/src=x/onerror=alert(1)>"
RIGHT_TO_LEFT = "\u05e9\u05dc\u05d5\u05dd"
LONG = "a" * 200


@pytest.fixture(scope="module")
def numbers(server, held):
    """A compose of each state, and the pages that show them."""
    server.submit("ed")
    hostile = server.submit(MARKUP, RIGHT_TO_LEFT, *(f"{LONG}{number}" for number in range(2000)))
    failed = server.submit("ed", "no-such-package")
    running = server.submit("ed", source=held.repository("looks"), wait=False)
    waiting = server.submit("ed", source=held.repository("looks-2"), wait=False)
    done = server.submit("ed", "ed-gui", wait=False)
    held.release("looks-2")
    return {"hostile": hostile, "failed": failed, "running": running, "waiting": waiting, "last": done}


def paths(numbers):
    n = numbers
    pages = ["/", "/queue", "/compose", "/compose?state=failed&package=ed", "/watches", "/admin", "/no-such-page"]
    pages += [f"/compose/{n[name]}" for name in ("hostile", "failed", "running", "waiting")]
    pages += ["/compose/1", "/compose/1/packages", "/compose/1/log", f"/diff?from=1&to=1", "/search?q=nothing", "/api/1/", "/composes/odcs-1"]
    return pages


def name_of(path):
    return re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-") or "home"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(server, numbers, open_page, picture, scheme):
    page = open_page(server.url, bypass_csp=True, color_scheme=scheme)
    findings = {}
    for path in paths(numbers):
        page.goto(server.url + path)
        result = Axe().run(page)
        if result.violations_count:
            findings[path] = result.generate_report()
        picture(page, f"{scheme}-{name_of(path)}")
    assert not findings, "\n".join(f"{path}:\n{report}" for path, report in findings.items())


def test_no_horizontal_scrolling_on_a_small_screen(server, numbers, open_page, picture):
    page = open_page(server.url, viewport={"width": 320, "height": 640})
    wide = {}
    for path in paths(numbers):
        page.goto(server.url + path)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 320:
            wide[path] = width
        picture(page, f"small-{name_of(path)}")
    assert not wide


def test_without_the_script(server, numbers, open_page):
    """The page shows the same texts, and its forms work."""
    path = f"{server.url}/compose/{numbers['failed']}"
    with_script, without = open_page(path), open_page(path, java_script_enabled=False)

    def texts(page):
        # The script adds buttons, and shows how long ago a time was.
        return page.locator("main :is(h1, h2, h3, p, li, th, dt):not(:has(time))").all_text_contents()

    assert texts(with_script) == texts(without)
    with without.expect_navigation():
        without.get_by_role("button", name="Make it again").click()
    expect(without.locator("h1")).to_contain_text("Compose")
    assert not without.url.endswith(f"/{numbers['failed']}")


def test_hostile_names_are_text(server, numbers, open_page):
    for path in (f"/compose/{numbers['hostile']}", "/compose", "/"):
        page = open_page(server.url + path)
        assert page.title() != "taken"
        assert page.locator("main img").count() == 0
        assert len(page.content()) < 200_000
    page = open_page(f"{server.url}/compose/{numbers['hostile']}")
    expect(page.locator("main")).to_contain_text("<script>document.title='taken'</script>")
    expect(page.locator("bdi").filter(has_text=RIGHT_TO_LEFT).first).to_be_visible()
