"""Every page of pages.json: in both schemes, on a small screen, without the script, and with the keyboard.

A test of ComposeFrontend compares the table with the routes of the server, so a new page needs a row.
"""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from world import PAGES, RIGHT_TO_LEFT, World


@pytest.fixture(scope="module")
def world(server, held):
    return World(server, held)


@pytest.fixture
def pages(world, site, provider, open_page):
    """Returns a function that goes through the whole table with a browser of its own for each person."""

    def pages(**options):
        for sender in dict.fromkeys(page.get("as") for page in PAGES):
            base = site.public if sender else world.server.url
            provider.person = sender
            page = open_page(f"{base}/login?return_to=/tokens" if sender else base, **options)
            if sender and page.get_by_text("You have no tokens.").count():
                page.get_by_label("Note").fill("for the looks of pages")
                page.get_by_role("button", name="Make the token").click()
            for address in world.addresses(sender):
                page.goto(base + address)
                yield address, page

    return pages


def name_of(path):
    return re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-") or "home"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(pages, picture, scheme):
    findings = {}
    for address, page in pages(bypass_csp=True, color_scheme=scheme):
        result = Axe().run(page)
        if result.violations_count:
            findings[address] = result.generate_report()
        picture(page, f"{scheme}-{name_of(address)}")
    assert not findings, "\n".join(f"{address}:\n{report}" for address, report in findings.items())


def test_no_horizontal_scrolling_on_a_small_screen(pages, picture):
    wide = {}
    for address, page in pages(viewport={"width": 320, "height": 640}):
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 320:
            wide[address] = width
        picture(page, f"small-{name_of(address)}")
    assert not wide


def texts(page):
    # The script adds buttons, and shows how long ago a time was.
    return page.locator("main :is(h1, h2, h3, p, li, th, dt, label):not(:has(time))").all_text_contents()


def test_without_the_script_each_page_has_the_same_texts(pages):
    other = {}
    # Both browsers look at the same moment, because some pages change.
    for (address, page), (_, bare) in zip(pages(), pages(java_script_enabled=False)):
        assert texts(page), address
        if texts(page) != texts(bare):
            page.reload()
            bare.reload()
        if texts(page) != texts(bare):
            other[address] = (texts(page), texts(bare))
    assert not other


CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
FOCUS = """() => {
    const element = document.activeElement, style = getComputedStyle(element);
    return element === document.body ? null : [element.dataset.stop, style.outlineStyle !== "none" && style.outlineWidth !== "0px"];
}"""
STOPS = """controls => {
    const shown = [...document.querySelectorAll(controls)].filter(element => element.checkVisibility() && !element.closest("dialog"));
    shown.forEach((element, number) => element.dataset.stop = number);
    return shown.length;
}"""


def test_the_keyboard_reaches_everything_and_the_focus_is_visible(pages):
    wrong = {}
    for address, page in pages():
        count = page.evaluate(STOPS, CONTROLS)
        reached, hidden = [], []
        for _ in range(count + 5):
            page.keyboard.press("Tab")
            focus = page.evaluate(FOCUS)
            if focus is None or focus[0] in reached:
                break
            reached.append(focus[0])
            if not focus[1]:
                hidden.append(focus[0])
        if reached != [str(number) for number in range(count)] or hidden:
            wrong[address] = (count, reached, hidden)
    assert not wrong


def test_without_the_script_forms_work(world, server, open_page):
    failed = world.numbers["failed"]
    page = open_page(f"{server.url}/compose/{failed}", java_script_enabled=False)
    with page.expect_navigation():
        page.get_by_role("button", name="Make it again").click()
    expect(page.locator("h1")).to_contain_text("Compose")
    assert not page.url.endswith(f"/{failed}")


def test_hostile_names_are_text(server, world, open_page):
    hostile = world.numbers["hostile"]
    for path in (f"/compose/{hostile}", f"/compose/{hostile}/again", "/compose", "/"):
        page = open_page(server.url + path)
        assert page.title() != "taken"
        assert page.locator("main img").count() == 0
        assert len(page.content()) < 200_000
    page = open_page(f"{server.url}/compose/{hostile}")
    expect(page.locator("main")).to_contain_text("<script>document.title='taken'</script>")
    expect(page.locator("bdi").filter(has_text=RIGHT_TO_LEFT).first).to_be_visible()
