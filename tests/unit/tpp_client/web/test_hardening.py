"""What every answer of the demo app promises, whatever is asked."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import TYPE_CHECKING

import pytest

from tests.unit.tpp_client.web.conftest import ORIGIN, Browser
from tpp_client.web.browser import COOKIE
from tpp_client.web.config import DemoSettings

if TYPE_CHECKING:
    from flask import Flask

    from tests.unit.tpp_client.fake_bank import FakeBank
    from tpp_client.web.bootstrap import Services

PATHS = [
    "/",
    "/accounts",
    "/accounts/a1",
    "/payments",
    "/payments/new",
    "/payments/p1",
    "/callback",
    "/nowhere",
    "/disconnected",
]


@pytest.mark.parametrize("path", PATHS)
def test_pages_are_private_and_strict(browser: Browser, path: str) -> None:
    """Content policy without anything inline; no cache keeps a page; no address is told to another origin."""
    headers = browser.get(path).headers

    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "form-action 'self' https://localhost:8441;" in policy
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"


def test_the_cookie_is_bound_to_this_host_and_hidden_from_scripts(browser: Browser) -> None:
    """__Host-, Secure, HttpOnly, SameSite=Lax, and nothing in it but randomness."""
    cookie = SimpleCookie(browser.get("/").headers["Set-Cookie"])[COOKIE]

    assert (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, True, "Lax", "/")
    assert cookie["domain"] == ""
    assert len(cookie.value) == 43


def test_no_form_is_taken_without_its_token(app: Flask, browser: Browser, bank: FakeBank) -> None:
    """Every POST there is, with the cookie and without the token; and with another browser's token."""
    browser.connect()
    foreign = Browser(app).get("/").text.split('name="csrf_token" value="')[1].split('"')[0]
    posts = [rule.rule.replace("<payment_id>", "p1") for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    before = len(bank.calls)

    assert len(posts) == 4
    for path in posts:
        for fields in ({}, {"csrf_token": foreign}, {"csrf_token": "x"}):
            assert browser.post_raw(path, fields).status_code == 400
    assert len(bank.calls) == before


def test_a_form_from_another_page_of_the_machine_is_not_taken(app: Flask) -> None:
    """Other ports of localhost share the site: the referrer is looked at too."""
    browser = Browser(app)
    token = browser.get("/").text.split('name="csrf_token" value="')[1].split('"')[0]
    browser._headers["Referer"] = "https://localhost:8440/"

    assert browser.post_raw("/connect", {"csrf_token": token}).status_code == 400


def test_the_app_answers_to_its_own_name(app: Flask) -> None:
    """By another name the cookie would be another one, and another site could pretend to be this one."""
    client = app.test_client()

    away = client.get("/accounts?x=1", base_url="https://127.0.0.1:8446")
    assert (away.status_code, away.location) == (307, f"{ORIGIN}/accounts?x=1")
    assert client.post("/connect", base_url="https://127.0.0.1:8446").status_code == 421
    assert "Set-Cookie" not in client.get("/health", base_url="https://localhost:8448").headers


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example", "/@evil.example"])
def test_no_address_leads_away(app: Flask, path: str) -> None:
    """The redirect to the own name keeps to it."""
    response = app.test_client().get(path, base_url="https://127.0.0.1:8446")

    assert response.location is None or response.location.startswith(f"{ORIGIN}/") or response.status_code != 307


def test_a_huge_form_is_refused(browser: Browser) -> None:
    """Before it is read."""
    assert browser.post_raw("/payments/new", {"remittance": "x" * 20_000}).status_code == 413


def test_one_address_can_not_have_everything(app: Flask, services: Services) -> None:
    """Beyond the limit it waits; another address does not."""
    fast, calm = Browser(app, address="192.0.2.7"), Browser(app, address="192.0.2.8")
    for _ in range(services.settings.requests_per_minute):
        fast.get("/disconnected")

    refused = fast.get("/disconnected")
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "60"
    assert calm.get("/disconnected").status_code == 200


def test_a_stranger_leaves_nothing_behind(browser: Browser, services: Services) -> None:
    """Looking around makes no row."""
    for path in PATHS:
        browser.get(path)

    assert services.visits.count() == 0


def test_the_look_is_served_and_nothing_else_of_its_folder(browser: Browser) -> None:
    """Stylesheets, mark and htmx by name."""
    assert browser.get("/look/look.css").status_code == 200
    assert browser.get("/look/charts.py").status_code == 404
    assert browser.get("/look/../__init__.py").status_code == 404


def test_a_fault_of_ours_tells_nothing_of_itself(app: Flask, browser: Browser, bank: FakeBank) -> None:
    """A page, and the trace in the log."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    bank.answers["POST /v1/consents"] = lambda _: 1 / 0  # type: ignore[assignment, return-value]
    page = browser.post("/connect")

    assert page.status_code == 500
    assert "ZeroDivision" not in page.text


def test_detours_are_connections_only() -> None:
    """The origins stay the public ones."""
    settings = DemoSettings.model_validate({"DEMO_EDGE_ADDRESS": "edge", "public_host": "bank.example"})

    assert {origin: str(address) for origin, address in settings.detours.items()} == {"https://bank.example:8443": "edge:8443"}
    assert settings.redirect_uri == "https://bank.example:8446/callback"
