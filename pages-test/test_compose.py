"""The life of a compose, as a person sees it on its page."""

import signal
import time

from playwright.sync_api import expect


def state(page):
    return page.locator("h1 .state")


def test_from_waiting_to_ready_without_loading_the_page_again(server, held, open_page, picture):
    number = server.submit("ed", source=held.repository("life"), wait=False)
    page = open_page(f"{server.url}/compose/{number}")
    page.evaluate("window.mark = 1")
    expect(state(page)).to_have_text("in progress")
    picture(page, "compose-in-progress")
    held.release("life")
    expect(state(page)).to_have_text("ready")
    expect(page.locator("#use")).to_be_visible()
    expect(page.locator("#live")).to_contain_text("is ready")
    assert page.evaluate("window.mark") == 1, "the page was loaded again"
    lines = page.locator("#log li").all_text_contents()
    raw = server.compose(number)["toplevel_url"] + "/pungi-stderr.log"
    assert lines == page.request.get(raw).text().splitlines()
    assert not page.faults, page.faults
    picture(page, "compose-ready")


def test_the_failure_comes_first(server, open_page, picture):
    number = server.submit("ed", "ed-dictionery", "no-such-package")
    page = open_page(f"{server.url}/compose/{number}")
    expect(state(page)).to_have_text("failed")
    headings = page.locator("h2").all_text_contents()
    assert headings[0] == "Why it failed" and headings.index("Log") > 0, headings
    findings = page.locator("section.card.bad table tbody tr")
    expect(findings.filter(has_text="no-such-package")).to_have_count(1)
    expect(findings.filter(has_text="ed-dictionery")).to_contain_text("ed-dictionary")
    expect(page.get_by_text("What to do")).to_be_visible()
    # It is above the first fold.
    assert page.locator("#failure").bounding_box()["y"] < 400
    picture(page, "compose-failed")


def test_renewed_by_the_keyboard(server, open_page):
    number = server.submit("ed")
    page = open_page(f"{server.url}/compose/{number}")
    before = server.compose(number)["time_to_expire"]
    time.sleep(1.1)  # Times have no fractions.
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "renew":
            break
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(state(page)).to_have_text("ready")
    assert page.url.endswith(f"/compose/{number}")
    assert server.compose(number)["time_to_expire"] > before


def test_canceled_and_made_again(server, held, open_page):
    number = server.submit("ed", source=held.repository("cancel"), wait=False)
    page = open_page(f"{server.url}/compose/{number}")
    page.get_by_role("button", name="Cancel").click()
    expect(state(page)).to_have_text("failed")
    held.release("cancel")
    with page.expect_navigation():
        page.get_by_role("button", name="Make it again").click()
    assert not page.url.endswith(f"/compose/{number}")
    expect(state(page)).to_have_text("ready")


def test_removed_while_open(server, open_page):
    number = server.submit("ed")
    page = open_page(f"{server.url}/compose/{number}")
    expect(page.locator("#use")).to_be_visible()
    page.get_by_role("button", name="Remove its files").click()
    for _ in range(60):
        if server.compose(number)["state_name"] == "removed":
            break
        time.sleep(0.5)
    page.reload()
    expect(state(page)).to_have_text("removed")
    expect(page.locator("#use")).to_have_count(0)


def test_the_server_dies_while_the_page_is_open(server, held, open_page):
    number = server.submit("ed", source=held.repository("death"), wait=False)
    page = open_page(f"{server.url}/compose/{number}")
    page.evaluate("window.mark = 1")
    expect(state(page)).to_have_text("in progress")
    server.end(signal.SIGKILL)
    server.start()
    held.release("death")
    server.wait(number)
    expect(state(page)).to_have_text("ready")
    assert page.evaluate("window.mark") == 1, "the page was loaded again"
    raw = server.compose(number)["toplevel_url"] + "/pungi-stderr.log"
    assert page.locator("#log li").all_text_contents() == page.request.get(raw).text().splitlines()


def test_packages_have_reasons_and_can_be_searched(server, open_page, picture):
    number = server.submit("ed", "ed-gui")
    page = open_page(f"{server.url}/compose/{number}")
    rows = page.locator("section:has(#packages) tbody tr")
    row = rows.filter(has=page.get_by_role("link", name="libed-1.1-2.x86_64", exact=True))
    expect(row).to_contain_text("required by ed")
    page.get_by_label("Name").fill("LIBED-data")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("libed-data")
    picture(page, "packages")


def test_the_log_has_lines_that_can_be_linked(server, open_page, picture):
    number = server.submit("ed")
    page = open_page(f"{server.url}/compose/{number}/log#L2")
    expect(page.locator("#L2")).to_be_in_viewport()
    picture(page, "log")


def test_keys(server, open_page):
    server.submit("ed")
    page = open_page(f"{server.url}/compose")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    first = page.locator("a[data-row]").first
    expect(first).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("ed")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Composes with the package ed")


def test_changes_between_two_composes(server, open_page, picture):
    first, second = server.submit("ed"), server.submit("ed", "ed-gui")
    page = open_page(f"{server.url}/diff?from={first}&to={second}")
    expect(page.locator("tbody tr").filter(has_text="ed-gui.x86_64")).to_contain_text("added")
    picture(page, "diff")
