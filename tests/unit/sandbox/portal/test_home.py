"""The first page: what it tells of one's TPPs, and what comes next with each."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sandbox.ca.model import CertificateStatus, Fault, TppCertificateKind
from sandbox.portal.pages.home import standing
from sandbox.tpps.model import TppStatus
from tests.support.portal import PortalUnderTest
from tests.support.register import NOW, NUMBER

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.ca.model import CertificateRecord
    from sandbox.tpps.model import Tpp

PATH = f"/tpps/{NUMBER}"


@pytest.fixture
def portal(tmp_path: Path) -> PortalUnderTest:
    portal = PortalUnderTest(tmp_path)
    portal.sign_in_as("anna@acme.example")
    return portal


@pytest.fixture
def tpp(portal: PortalUnderTest) -> Tpp:
    return replace(portal.owned_tpp(), status=TppStatus.ACTIVE)


def certificates(portal: PortalUnderTest, **changes: object) -> list[CertificateRecord]:
    """Return the TPP's QWAC and QSealC, the QWAC changed."""
    records = portal.world.authority.certificates("acme")
    return [replace(each, **changes) if each.profile == TppCertificateKind.QWAC else each for each in records]  # type: ignore[arg-type]


def test_without_a_tpp_it_says_what_to_do(portal: PortalUnderTest) -> None:
    page = portal.get("/").get_data(as_text=True)

    assert "Register your first TPP" in page
    assert 'href="/tpps/new"' in page


def test_a_tpp_is_told_with_what_its_certificates_have_left(portal: PortalUnderTest, tpp: Tpp) -> None:
    page = portal.get("/").get_data(as_text=True)

    assert f'href="/tpps/{tpp.authorisation_number}"' in page
    assert page.count("90 days left") == 2
    assert f'href="{PATH}/first-call"' in page


@pytest.mark.parametrize(
    ("changes", "days", "text", "path"),
    [
        ({}, 90, "Make a call", "/first-call"),
        ({"not_after": NOW + dt.timedelta(days=13, hours=23)}, 13, "Renew the QWAC", "/certificates"),
        ({"not_after": NOW + dt.timedelta(hours=5)}, 0, "Renew the QWAC", "/certificates"),
        ({"not_after": NOW}, None, "Get a QWAC", "/certificates/new?kind=qwac"),
        ({"status": CertificateStatus.REVOKED}, None, "Get a QWAC", "/certificates/new?kind=qwac"),
        ({"fault": Fault.WRONG_ROLE}, None, "Get a QWAC", "/certificates/new?kind=qwac"),
    ],
    ids=["good", "short", "today", "expired", "revoked", "faulty"],
)
def test_the_next_step(
    portal: PortalUnderTest, tpp: Tpp, *, changes: dict[str, object], days: int | None, text: str, path: str
) -> None:
    """A faulty certificate on demand counts as little as an expired one."""
    told = standing(tpp, certificates(portal, **changes), NOW)

    assert told.remaining[0].days == days
    assert (told.next_step.text, told.next_step.path) == (text, f"{PATH}{path}")


@pytest.mark.parametrize("status", [TppStatus.BLOCKED, TppStatus.REGISTERING])
def test_a_tpp_that_can_not_call_says_so_first(portal: PortalUnderTest, tpp: Tpp, status: TppStatus) -> None:
    told = standing(replace(tpp, status=status), certificates(portal), NOW)

    assert told.next_step.path == PATH


def test_another_organisation_sees_none_of_it(portal: PortalUnderTest, tpp: Tpp) -> None:
    other = portal.browser()
    portal.sign_in_as("bob@globex.example", browser=other)

    assert str(tpp.authorisation_number) not in portal.get("/", browser=other).get_data(as_text=True)


def test_strangers_are_told_what_this_is_and_how_to_begin(portal: PortalUnderTest) -> None:
    """By the pages, or with three commands from a terminal."""
    page = portal.get("/", browser=portal.browser()).get_data(as_text=True)

    for command in ("sandbox tpp register acme", "curl --cacert trust.pem https://localhost:9000/api/tpps", "tpp journey ais"):
        assert command in page
    assert 'href="/sign-up"' in page
    assert "https://localhost:9003" in page


def test_the_welcome_page_leads_to_the_portals_sign_up(portal: PortalUnderTest) -> None:
    page = portal.get("/", listener="welcome").get_data(as_text=True)

    assert 'href="https://localhost:9000/sign-up"' in page
