"""Whose a certificate is: another organisation's is as none at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.ca.model import CertificateStatus
from tests.support.portal import without_form_token
from tests.support.portal_certificates import CertificatePortal

if TYPE_CHECKING:
    from pathlib import Path


OTHERS = {"name": "globex", "authorisation_number": "PSDDE-BAFIN-200002"}


@pytest.fixture
def portal(tmp_path: Path) -> CertificatePortal:
    return CertificatePortal(tmp_path)


PAGES = ["{}", "{}.pem", "{}.zip", "{}/renew", "{}/revoke"]
FORMS = ["{}/renew", "{}/revoke"]


@pytest.mark.parametrize(("method", "path"), [*(("GET", each) for each in PAGES), *(("POST", each) for each in FORMS)])
def test_another_tpps_certificate_is_as_none_at_all(portal: CertificatePortal, method: str, path: str) -> None:
    """Under its owner's address, under one's own, of the platform itself, or made up: one answer, byte for byte."""
    stranger = portal.browser()
    portal.sign_in_as("bob@globex.example", browser=stranger)
    theirs = portal.enrolled(browser=stranger, **OTHERS)
    mine, foreign = portal.issued(), portal.issued(tpp=theirs)
    own = next(each.serial for each in portal.world.authority.certificates() if each.profile == "server")
    send = portal.get if method == "GET" else portal.post

    answers = [
        send(portal.path(path.format(foreign), tpp=theirs)),
        send(portal.path(path.format(foreign))),
        send(portal.path(path.format(own))),
        send(portal.path(path.format("00" * 20))),
        send(portal.path(path.format(mine)), browser=stranger),
        send(portal.path(path.format(mine.upper()))),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert len({without_form_token(answer) for answer in answers}) == 1
    assert {each.status for each in portal.world.authority.certificates()} == {CertificateStatus.VALID}


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("GET", "new"), ("GET", "faulty"), ("POST", "new"), ("POST", "faulty")]
)
def test_another_organisations_tpp_issues_nothing(portal: CertificatePortal, method: str, path: str) -> None:
    stranger = portal.browser()
    portal.sign_in_as("bob@globex.example", browser=stranger)
    form = {"form": "x" * 24, "way": "server", "kind": "qwac", "fault": "expired"}
    send = (
        (lambda at: portal.get(at, browser=stranger))
        if method == "GET"
        else (lambda at: portal.post(at, form, browser=stranger))
    )
    unknown = portal.path(path).replace("100001", "999999")

    answer = send(portal.path(path))

    assert answer.status_code == 404
    assert without_form_token(answer) == without_form_token(send(unknown))
    assert portal.world.register.certificates(portal.tpp) == []


def test_a_tpp_that_is_not_registered_yet_gets_no_certificate(portal: CertificatePortal) -> None:
    portal.world.bank.is_down = True
    form = {"organisation": "Second", "name": "second", "country": "DE", "nca": "DE-BAFIN", "identifier": "3"}
    portal.post(
        "/tpps/new",
        {
            **form,
            "roles": ["PSP_AI"],
            "redirect_uris": "https://a.example",
            "profile": "berlin",
            "grant_types": ["authorization_code"],
        },
    )
    path = "/tpps/PSDDE-BAFIN-3/certificates/new"

    assert portal.get(path).headers["Location"] == "/tpps/PSDDE-BAFIN-3"
    assert portal.post(path, {"form": "x" * 24, "way": "server"}).headers["Location"] == "/tpps/PSDDE-BAFIN-3"
    assert portal.world.authority.certificates("second") == []
