"""Personality, clock, snapshots, faults, more people and those brought in, over HTTP."""

from __future__ import annotations

import html
import io
import zipfile
from typing import TYPE_CHECKING, cast

import pytest

from sandbox.portal.pages.brought_in import MOST_FILE_BYTES
from tests.support.portal import PortalUnderTest, without_form_token
from tests.support.register import NUMBER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.levers import LeversInMemory
    from tests.support.personalities import PersonalitiesInMemory

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


def sent(*files: tuple[str, bytes]) -> dict[str, object]:
    """Return a form with these files in it."""
    return {"files": [(io.BytesIO(content), name) for name, content in files]}


def refused(portal: PortalUnderTest, path: str, form: dict[str, object]) -> str:
    """Send a form that is refused at its field; returns the page."""
    answer = portal.post(f"{HERE}/{path}", form)
    page = html.unescape(answer.get_data(as_text=True))
    assert (answer.status_code, 'aria-invalid="true"' in page) == (422, True)
    return page


def test_another_personality_is_chosen(portal: PortalUnderTest) -> None:
    """Each stands there with what it does, and the bank's own is marked."""
    page = text_of(portal)
    assert "Standard (standard): Offers all." in page
    assert 'checked id="personality-0" name="personality" type="radio" value="standard"' in page

    page = post(portal, "personality", {"personality": "strict"})

    assert "Your bank answers as strict from now on." in page
    assert 'checked id="personality-1"' in page


@pytest.mark.parametrize("wanted", ["", "none-of-them", "../../x"])
def test_a_personality_that_the_bank_does_not_offer_is_refused(portal: PortalUnderTest, wanted: str) -> None:
    """At the field, and the bank answers as before."""
    assert f"there is no personality {wanted!r}" in refused(portal, "personality", {"personality": wanted})

    assert 'checked id="personality-0"' in text_of(portal)


def test_one_that_is_gone_is_told(portal: PortalUnderTest) -> None:
    """The operator may have taken the file away since."""
    cast("PersonalitiesInMemory", portal.services.personalities).chosen[NUMBER] = "our-first-bank"

    page = text_of(portal)

    assert "<code>our-first-bank</code>, is not offered any more" in page
    assert "checked id=" not in page


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ([("data.json", b'{"psus": []}')], "json"),
        ([("anything", b"PK\x03\x04")], "csv"),
        ([("PSUS.csv", b"psu,name\n"), ("accounts.csv", b"iban\n")], "csv"),
    ],
)
def test_data_is_brought_in(
    portal: PortalUnderTest, levers: LeversInMemory, files: list[tuple[str, bytes]], wanted: str
) -> None:
    """JSON and archives as they are; CSV files are put into an archive, called as the bank calls them."""
    assert "Brought in: 1 people, 1 accounts, 3 transactions." in post(portal, "import", sent(*files))

    assert levers.told == [("import", wanted)]
    if len(files) > 1:
        with zipfile.ZipFile(io.BytesIO(levers.brought_in)) as archive:
            assert {name: archive.read(name) for name in archive.namelist()} == {
                "psus.csv": b"psu,name\n",
                "accounts.csv": b"iban\n",
            }
    else:
        assert levers.brought_in == files[0][1]


def test_lines_that_are_wrong_are_told_one_by_one(portal: PortalUnderTest) -> None:
    """In a table, each with its file, line and column; what a file says is text and no markup."""
    page = refused(portal, "import", sent(("data.json", b"faulty")))

    assert "<caption>1 mistake</caption>" in page
    assert '<th scope="row">transactions</th><td data-label="Line" class="number">17</td>' in page
    raw = portal.post(f"{HERE}/import", sent(("data.json", b"faulty"))).get_data(as_text=True)
    assert "&#39;ten&#39; is no amount" in raw


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ([], "Choose a file"),
        ([("data.json", b"")], "data.json is empty"),
        ([("data.json", b"a" * (MOST_FILE_BYTES + 1))], "more than 10,240 KiB"),
        ([("a.csv", b"a" * MOST_FILE_BYTES), ("b.csv", b"b")], "more than 10,240 KiB"),
        ([("a.json", b"{}"), ("psus.csv", b"psu\n")], "one JSON file, one ZIP archive, or CSV files only"),
        ([("psus.csv", b"psu\n"), ("PSUS.CSV", b"psu\n")], "Two of the files have one name"),
        ([(f"{number}.csv", b"a") for number in range(5)], "at most 4 files"),
    ],
)
def test_files_that_can_not_be_test_data_never_reach_the_bank(
    portal: PortalUnderTest, levers: LeversInMemory, files: list[tuple[str, bytes]], fault: str
) -> None:
    assert fault in refused(portal, "import", sent(*files))
    assert levers.told == []


def test_only_who_is_signed_in_sends_large_files(portal: PortalUnderTest, levers: LeversInMemory) -> None:
    """And nobody more than the edge lets through; each page says its own bound."""
    large = sent(("data.json", b"a" * 100_000))
    nobody = portal.browser()
    assert portal.post(f"{HERE}/import", large, browser=nobody).status_code == 413

    answer = portal.post(f"{HERE}/import", sent(("data.json", b"a" * (MOST_FILE_BYTES + 65_536))))
    assert (answer.status_code, "more than 10,304 KiB" in answer.get_data(as_text=True)) == (413, True)
    answer = portal.post(f"{HERE}/clock", {"by": "P" * 100_000})
    assert (answer.status_code, "more than 64 KiB" in answer.get_data(as_text=True)) == (413, True)
    assert levers.told == []


@pytest.mark.parametrize(("path", "form"), [("personality", {"personality": "strict"}), ("import", {})])
def test_nobody_changes_how_anothers_bank_answers_or_what_is_in_it(
    portal: PortalUnderTest, levers: LeversInMemory, path: str, form: dict[str, object]
) -> None:
    """Another's is as unknown as one that never was; without the forms' token it is nobody's form."""
    files = {} if path == "personality" else sent(("data.json", b"{}"))
    assert portal.call("POST", f"{HERE}/{path}", data={**form, **files}).status_code == 400
    stranger = portal.browser()
    portal.sign_in_as("eve@evil.example", browser=stranger)
    answers = []
    for here in (HERE, HERE.replace(NUMBER, "PSDFR-ACPR-1")):
        files = {} if path == "personality" else sent(("data.json", b"{}"))
        answer = portal.post(f"{here}/{path}", {**form, **files}, browser=stranger)
        answers.append((answer.status_code, without_form_token(answer)))

    assert answers[0] == answers[1]
    assert answers[0][0] == 404
    assert levers.told == []
    assert cast("PersonalitiesInMemory", portal.services.personalities).chosen == {}
