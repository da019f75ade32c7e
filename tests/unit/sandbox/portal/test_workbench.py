"""Clock, snapshots, faults and more people, over HTTP."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, cast

import pytest

from tests.support.portal import PortalUnderTest
from tests.support.register import NUMBER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.levers import LeversInMemory

HERE = f"/tpps/{NUMBER}/data/workbench"


@pytest.fixture
def portal(tmp_path: Path) -> PortalUnderTest:
    """Lend a portal with a developer signed in, who owns a TPP."""
    portal = PortalUnderTest(tmp_path)
    portal.sign_in_as("anna@acme.example")
    portal.owned_tpp()
    return portal


@pytest.fixture
def levers(portal: PortalUnderTest) -> LeversInMemory:
    """Lend the TPP's bank."""
    return cast("LeversInMemory", portal.services.levers)


def text_of(portal: PortalUnderTest, path: str = HERE) -> str:
    answer = portal.get(path)
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.get_data(as_text=True))


def post(portal: PortalUnderTest, path: str, form: dict[str, object] | None = None) -> str:
    """Send a form that succeeds; returns the page that it leads to."""
    answer = portal.post(f"{HERE}/{path}", form)
    assert (answer.status_code, answer.headers["Location"]) == (303, HERE), answer.text
    return text_of(portal)


def test_the_page_shows_everything_and_test_data_leads_there(portal: PortalUnderTest) -> None:
    page = text_of(portal)

    for words in ("2026-11-18 10:26 UTC", "None is kept yet", "None is set", "More people", "format=csv"):
        assert words in page
    assert HERE in text_of(portal, f"/tpps/{NUMBER}/data")


def test_the_clock_is_put_forward(portal: PortalUnderTest, levers: LeversInMemory) -> None:
    page = post(portal, "clock", {"by": "P1D"})

    assert "The clock shows 2026-11-19 10:26 UTC. Scheduled tasks that have run: 2." in page
    assert levers.told == [("advance", "P1D")]


@pytest.mark.parametrize(
    ("path", "form", "fault", "kept"),
    [
        ("clock", {"by": "tomorrow"}, "no ISO 8601 duration", 'value="tomorrow"'),
        ("faults", {"kind": "latency", "method": "*", "path": "/sandbox/x"}, "no path of the interface", 'value="/sandbox/x"'),
    ],
)
def test_what_the_bank_refuses_stands_at_its_field(
    portal: PortalUnderTest, path: str, form: dict[str, object], fault: str, kept: str
) -> None:
    """And what was typed is kept."""
    answer = portal.post(f"{HERE}/{path}", form)

    page = html.unescape(answer.get_data(as_text=True))
    assert answer.status_code == 422
    assert fault in page
    assert kept in page
    assert 'aria-invalid="true"' in page


def test_a_snapshot_is_taken_and_restored_after_a_confirmation(portal: PortalUnderTest, levers: LeversInMemory) -> None:
    """Asking shows what goes; only the form that follows restores."""
    assert "before is kept." in post(portal, "snapshots", {"name": "before"})

    assert "Restore before?" in text_of(portal, f"{HERE}/snapshots/before/restore")
    assert levers.told == []
    assert "before is restored" in post(portal, "snapshots/before/restore")
    assert levers.told == [("restore", "before")]
    assert "before is deleted." in post(portal, "snapshots/before/delete")
    assert portal.get(f"{HERE}/snapshots/before/restore").status_code == 404
    assert "there is no snapshot 'before'" in post(portal, "snapshots/before/restore")


def test_a_reset_asks_first(portal: PortalUnderTest, levers: LeversInMemory) -> None:
    assert "Reset to new?" in text_of(portal, f"{HERE}/reset")
    assert levers.told == []

    assert "The bank is as new: 16 people" in post(portal, "reset")
    assert levers.told == [("reset", None)]


def test_faults_are_set_and_cleared(portal: PortalUnderTest, levers: LeversInMemory) -> None:
    """Numbers go to the bank as numbers, what is empty not at all; one is cleared, or all."""
    error = {"kind": "error", "method": "*", "path": "/v1/**", "status": "503", "calls": "2", "code": "", "reason": ""}
    page = post(portal, "faults", error)
    assert "An error in the place of the bank" in page
    assert {name: levers.set[0].get(name) for name in ("status", "calls", "code")} == {"status": 503, "calls": 2, "code": None}

    post(portal, "faults", error)
    assert "Faults cleared: 1." in post(portal, "faults/clear", {"fault": levers.set[0]["id"]})
    assert len(levers.set) == 1
    post(portal, "faults/clear")
    assert levers.set == []


def test_people_are_made(portal: PortalUnderTest, levers: LeversInMemory) -> None:
    assert "1 people are new" in post(portal, "people", {"seed": "4", "country": "PL", "kinds": ["salaried", "card"]})

    assert levers.told == [("generate", {"seed": 4, "country": "PL", "kinds": ["salaried", "card"]})]


@pytest.mark.parametrize(("wanted", "content_type"), [("json", "application/json"), ("csv", "application/zip")])
def test_the_data_is_taken_out(portal: PortalUnderTest, wanted: str, content_type: str) -> None:
    answer = portal.get(f"{HERE}/export?format={wanted}")

    assert (answer.status_code, answer.content_type) == (200, content_type)
    assert "attachment" in answer.headers["Content-Disposition"]


def test_nobody_shapes_anothers_bank(portal: PortalUnderTest, levers: LeversInMemory) -> None:
    """Another organisation's TPP is as unknown as one that never was; a form without its token is nobody's."""
    answer = portal.call("POST", f"{HERE}/reset", data={})
    assert answer.status_code == 400
    stranger = portal.browser()
    portal.sign_in_as("eve@evil.example", browser=stranger)

    assert portal.get(HERE, browser=stranger).status_code == 404
    assert portal.post(f"{HERE}/reset", browser=stranger).status_code == 404
    assert levers.told == []
