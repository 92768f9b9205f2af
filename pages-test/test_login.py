"""Logins, and pages below the path of a proxy."""

import os
import re
from urllib.parse import urljoin

import pytest
from playwright.sync_api import expect


@pytest.fixture
def as_person(site, provider, open_page):
    def as_person(name, path="/"):
        provider.person = name
        page = open_page(site.public + path)
        page.get_by_role("link", name="Log in", exact=True).click()
        expect(page.locator(".who")).to_contain_text(name)
        return page

    return as_person


def test_the_login_comes_back_to_the_page(site, as_person):
    page = as_person("joe", "/queue?owner=joe")
    assert page.url == f"{site.public}/queue?owner=joe"
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert cookies["odcs-session"]["httpOnly"] and cookies["odcs-session"]["sameSite"] == "Lax"
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Log in", exact=True)).to_be_visible()


@pytest.fixture
def submit(site):
    """Asks for a compose by a person whose page is open, with a token that is made for it."""

    def submit(page, **members):
        page.goto(f"{site.public}/tokens")
        page.get_by_label("Note").fill("for a compose")
        page.get_by_role("button", name="Make the token").click()
        token = page.locator("section.card pre").text_content()
        body = {"source": {"type": "repo", "source": os.environ["PAGES_TESTS_REPO"], "packages": ["ed"]}, **members}
        headers = {"Authorization": f"Bearer {token}"}
        answer = page.request.post(f"{site.public}/api/1/composes/", data=body, headers=headers)
        assert answer.ok, answer.text()
        return answer.json()["id"]

    return submit


def test_a_token_is_made_shown_once_and_revoked(site, as_person, picture):
    page = as_person("joe")
    page.get_by_role("link", name="Tokens").click()
    page.get_by_label("Note").fill("of a test")
    page.get_by_role("button", name="Make the token").click()
    token = page.locator("section.card pre").text_content()
    assert token.startswith("odcs_")
    picture(page, "token-issued")
    answer = page.request.post(
        f"{site.public}/api/1/composes/",
        data={"source": {"type": "repo", "source": "/nowhere", "packages": ["ed"]}},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status == 400, answer.text()
    page.goto(f"{site.public}/tokens")
    assert token not in page.content()
    page.get_by_role("button", name="Revoke the token of a test").click()
    expect(page.get_by_text("You have no tokens.")).to_be_visible()


def test_the_api_reads_no_cookies(site, as_person):
    page = as_person("joe")
    assert page.request.get(f"{site.public}/api/1/me").status == 401


def test_forms_of_others_are_refused(site, as_person):
    page = as_person("joe")
    for form in ({}, {"form": "x"}):
        answer = page.request.post(f"{site.public}/logout", form=form)
        assert answer.status == 403, answer.text()
    answer = page.request.post(f"{site.public}/logout", form={}, headers={"Origin": "https://evil.example"})
    assert answer.status == 403
    page.reload()
    expect(page.locator(".who")).to_contain_text("joe")


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example/", "/%09/evil.example"])
def test_the_login_leads_to_no_other_host(site, provider, open_page, elsewhere):
    provider.person = "joe"
    page = open_page(f"{site.public}/login?return_to={elsewhere}")
    assert page.url.startswith(site.public)


def test_an_id_token_of_another_login_is_refused(site, provider, open_page):
    for claims in ({"nonce": "other"}, {"aud": "other"}, {"exp": 1}, {"iss": "https://other.example"}):
        provider.claims = claims
        try:
            page = open_page(f"{site.public}/login")
        finally:
            provider.claims = {}
        expect(page.locator("h1")).to_have_text("You are not logged in")
        assert "odcs-session" not in {cookie["name"] for cookie in page.context.cookies()}


def test_only_admins_see_the_page_of_admins(site, as_person, picture):
    page = as_person("joe")
    expect(page.get_by_role("link", name="Admin")).to_have_count(0)
    assert page.request.get(f"{site.public}/admin").status == 403
    page = as_person("alice")
    page.get_by_role("link", name="Admin").click()
    expect(page.locator("h1")).to_have_text("Administration")
    expect(page.locator("#audit ~ table tbody tr").first).to_be_visible()
    picture(page, "admin")


def test_a_private_compose_is_followed_by_a_reader_who_is_logged_in(site, held, as_person, submit, open_page):
    page = as_person("joe")
    source = {"type": "repo", "source": held.repository("private"), "packages": ["ed"]}
    number = submit(page, source=source, target_dir="secret")
    page.goto(f"{site.public}/compose/{number}")
    page.evaluate("window.mark = 1")
    expect(page.locator("h1 .state")).to_have_text("in progress")
    held.release("private")
    expect(page.locator("h1 .state")).to_have_text("ready")
    assert page.evaluate("window.mark") == 1, "the page was loaded again"
    lines = page.locator("#log li").all_text_contents()
    page.get_by_role("link", name="as text").click()
    assert page.url == f"{site.public}/compose/{number}/files/pungi-stderr.log"
    assert page.locator("body").inner_text().splitlines() == lines
    page.goto(f"{site.public}/compose/{number}")
    page.get_by_role("link", name="all files").click()
    page.get_by_role("link", name="compose.lock.json").click()
    assert page.url.endswith(f"/compose/{number}/files/compose.lock.json")
    stranger = open_page(f"{site.public}/compose/{number}")
    expect(stranger.locator("h1")).to_have_text("You are not logged in")
    assert stranger.request.get(f"{site.public}/compose/{number}/files/pungi-stderr.log").status == 401


def test_a_person_asks_again_with_changes_and_sees_it_among_the_own_composes(site, as_person, submit, picture):
    page = as_person("joe")
    number = submit(page)
    page.goto(f"{site.public}/compose/{number}")
    page.get_by_role("link", name="Ask again with changes").click()
    page.get_by_label("Packages").fill("ed\nno-such-package")
    page.get_by_label("Hours to live").fill("none")
    page.get_by_role("button", name="Ask for the compose").click()
    expect(page.get_by_role("alert")).to_contain_text("The hours to live must be a number")
    expect(page.get_by_label("Packages")).to_have_value("ed\nno-such-package")
    picture(page, "ask-again-refused")
    page.get_by_label("Hours to live").fill("2")
    page.get_by_role("button", name="Ask for the compose").click()
    expect(page.locator("h1 .state")).to_have_text("failed")
    assert page.url != f"{site.public}/compose/{number}"
    page.get_by_role("link", name="joe", exact=True).click()
    expect(page.locator("h1")).to_have_text("You are joe")
    expect(page.locator("section:has(#composes) tbody tr").first).to_contain_text("no-such-package")
    picture(page, "me")


def test_only_the_owner_sees_the_buttons(site, as_person, submit, open_page):
    page = as_person("joe")
    number = submit(page)
    page.goto(f"{site.public}/compose/{number}")
    expect(page.locator("h1 .state")).to_have_text("ready")
    expect(page.get_by_role("button", name="Remove its files")).to_be_visible()
    stranger = open_page(f"{site.public}/compose/{number}")
    expect(stranger.get_by_role("button", name="Remove its files")).to_have_count(0)
    expect(stranger.get_by_role("link", name="Log in to renew or cancel it")).to_be_visible()


def test_every_link_works_below_the_path(site, as_person):
    page = as_person("alice")
    asked, open_links = set(), {site.public + "/"}
    while open_links and len(asked) < 80:
        url = open_links.pop()
        asked.add(url)
        answer = page.request.get(url, headers={"Accept": "text/html"})
        # The last page of a list of events or of a log may be empty, and a session has no part in the API.
        assert answer.status < 400, f"{url}: {answer.status}"
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        for link in re.findall(r'(?:href|src|action|data-events)="([^"]*)"', answer.text()):
            link = urljoin(url, link.replace("&amp;", "&")).split("#")[0]
            assert link.startswith(site.public), f"{url} has {link}"
            is_form = re.search(r"/(logout|renew|delete|revoke|rotate|pause|resume|replay)$", link)
            if not is_form and "/events" not in link and "/login" not in link and link not in asked:
                open_links.add(link)
