"""The request log's pages: a TPP's own calls and no others', filtered, counted, explained."""

from __future__ import annotations

import html
import json
import re
import shlex
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.call_log import REFUSED
from tests.support.portal import PortalUnderTest, without_form_token

if TYPE_CHECKING:
    from pathlib import Path

OTHER_NUMBER = "PSDFR-ACPR-12345"
TOLD = {"text": "The consent has expired.", "hint": "Make a new one.", "clause": "BG IG 1.3.8 §14.11"}


@pytest.fixture
def portal(tmp_path: Path) -> PortalUnderTest:
    """Lend a portal with a developer signed in."""
    portal = PortalUnderTest(tmp_path)
    portal.sign_in_as("anna@acme.example")
    return portal


def owned_number(portal: PortalUnderTest) -> str:
    return str(portal.owned_tpp().authorisation_number)


def text_of(portal: PortalUnderTest, path: str, status: int = 200) -> str:
    answer = portal.get(path)
    assert answer.status_code == status, answer.text
    return without_form_token(answer)


def test_a_tpp_without_calls_is_led_to_its_first(portal: PortalUnderTest) -> None:
    """Saying what will happen."""
    number = owned_number(portal)
    page = text_of(portal, f"/tpps/{number}/requests")
    assert f'href="/tpps/{number}/first-call"' in page
    assert "No calls in the last hour" in page


def test_own_calls_are_listed_newest_first_with_their_reasons_in_words(portal: PortalUnderTest) -> None:
    """And counted in the chart, which has its table."""
    number = owned_number(portal)
    older = portal.call_log.add(number, seconds_ago=-5)
    newer = portal.call_log.add(number, seconds_ago=-9, **REFUSED)
    portal.world.clock.advance(timedelta(seconds=60))

    page = text_of(portal, f"/tpps/{number}/requests")

    assert page.index(newer) < page.index(older)
    assert "The client certificate has expired." in page
    assert "2 calls in the last hour, 1 refused, 0 failed." in page
    assert "The same as a table" in page


def test_calls_of_other_tpps_are_not_shown(portal: PortalUnderTest) -> None:
    """Not in the list, whatever the query asks for, not in the counts, not one by one."""
    number = owned_number(portal)
    foreign = portal.call_log.add(OTHER_NUMBER, seconds_ago=-5, **REFUSED)
    portal.world.clock.advance(timedelta(seconds=60))

    page = text_of(portal, f"/tpps/{number}/requests?tpp={OTHER_NUMBER}&tpp=")

    assert foreign not in page
    assert "No calls in the last hour" in page
    assert portal.get(f"/tpps/{OTHER_NUMBER}/requests").status_code == 404
    assert portal.get(f"/tpps/{OTHER_NUMBER}/requests/news").status_code == 404
    nobody = foreign[:-4] + ("0000" if not foreign.endswith("0000") else "1111")
    assert text_of(portal, f"/requests/{foreign}", 404).replace(foreign, nobody) == text_of(portal, f"/requests/{nobody}", 404)


def test_calls_of_an_earlier_holder_of_the_number_are_not_shown(portal: PortalUnderTest) -> None:
    """What was before the registration belongs to somebody else."""
    earlier = portal.call_log.add("PSDDE-BAFIN-100001", seconds_ago=3600)
    number = owned_number(portal)

    assert earlier not in text_of(portal, f"/tpps/{number}/requests?since=2000-01-01T00:00:00_")
    assert portal.get(f"/requests/{earlier}").status_code == 404


def test_nobody_sees_anything_without_signing_in(portal: PortalUnderTest) -> None:
    """Every page leads to the sign-in."""
    number = owned_number(portal)
    call = portal.call_log.add(number, seconds_ago=-5)
    stranger = portal.browser()
    for path in (f"/tpps/{number}/requests", f"/tpps/{number}/requests/news", "/requests?id=x", f"/requests/{call}"):
        answer = portal.get(path, browser=stranger)
        assert (answer.status_code, "/sign-in" in answer.headers["Location"]) == (303, True)


def test_one_call_shows_its_stages_and_what_helps(portal: PortalUnderTest) -> None:
    """The failed one with text, fix, clause and the page that helps; the private detail stays out."""
    number = owned_number(portal)
    call = portal.call_log.add(number, seconds_ago=-5, **REFUSED)

    page = text_of(portal, f"/requests/{call}")

    assert "Certificate trusted" in page
    assert "Renew it (portal: Certificates, Renew; terminal: sandbox cert renew NAME)." in page
    assert "RFC 5280 §4.1.2.5" in page
    assert f'href="/tpps/{number}/certificates"' in page
    assert "ended here" in page
    assert "private" not in page
    assert "expired at noon" not in page


def test_one_call_can_be_asked_about_anew(portal: PortalUnderTest) -> None:
    """By the client's command and by curl, with the TPP's name, its files and the call filled in."""
    number = owned_number(portal)

    page = html.unescape(text_of(portal, f"/requests/{portal.call_log.add(number, seconds_ago=-5, **REFUSED)}"))

    assert "tpp explain GET '/v1/accounts' --tpp acme</code>" in page
    assert "--cert certs/tpps/acme/qwac.crt --key certs/tpps/acme/qwac.key" in page
    assert "https://localhost:9003/explain" in page
    assert """-d '{"method": "GET", "path": "/v1/accounts"}'</code>""" in page


def test_what_a_caller_wrote_stays_one_word_of_the_shell(portal: PortalUnderTest) -> None:
    """Whoever pastes the commands runs nothing that a call's path says."""
    number, path = owned_number(portal), "/v1/'; touch $(pwd)/x; `id` \\\" & #"
    page = html.unescape(text_of(portal, f"/requests/{portal.call_log.add(number, seconds_ago=-5, path=path)}"))

    asked, curl = re.findall(r"<code>((?:tpp|curl) .*?)</code>", page, re.DOTALL)

    assert shlex.split(asked) == ["tpp", "explain", "GET", path, "--tpp", "acme"]
    assert json.loads(shlex.split(curl)[-1]) == {"method": "GET", "path": path}


@pytest.mark.parametrize(
    "told",
    [{"method": ""}, {"method": "FOO;id"}, {"path": ""}, {"path": "*"}, {"path": "/v1/\u202ex"}, {"path": "/" + "x" * 600}],
)
def test_what_is_no_question_is_not_offered(portal: PortalUnderTest, told: dict[str, str]) -> None:
    number = owned_number(portal)
    assert "tpp explain" not in text_of(portal, f"/requests/{portal.call_log.add(number, seconds_ago=-5, **told)}")


def test_a_call_of_nobody_names_no_tpp_to_ask_as(portal: PortalUnderTest) -> None:
    missing = {"outcome": "refused", "status": 401, "reason": "mtls.missing"}
    owned_number(portal)
    assert "tpp explain" not in text_of(portal, f"/requests/{portal.call_log.add(None, **missing)}")


def test_who_has_to_sign_is_led_to_a_bank_that_asks_for_less(portal: PortalUnderTest) -> None:
    number = owned_number(portal)
    unsigned = {"outcome": "refused", "status": 401, "reason": "signature.missing"}
    page = text_of(portal, f"/requests/{portal.call_log.add(number, seconds_ago=-5, **unsigned)}")
    assert f'href="/tpps/{number}/data/workbench"' in page


def test_the_page_of_one_call_stands_under_requests(portal: PortalUnderTest) -> None:
    """Its address is not below the TPP's; the tab is marked all the same, and no other but the TPPs of the navigation."""
    number = owned_number(portal)
    for path in (f"/requests/{portal.call_log.add(number, seconds_ago=-5)}", f"/tpps/{number}/requests"):
        marked = re.findall(r'<a href="([^"]+)" aria-current="page">', text_of(portal, path))
        assert marked == ["/", f"/tpps/{number}/requests"]


def test_nothing_above_the_end_of_a_call_was_not_reached(portal: PortalUnderTest) -> None:
    """A revoked certificate was trusted before the list was looked at."""
    number = owned_number(portal)
    revoked = {"outcome": "refused", "status": 401, "reason": "mtls.revoked", "revocation": None}

    page = text_of(portal, f"/requests/{portal.call_log.add(number, seconds_ago=-5, **revoked)}")

    above, below = page.split("How far it came")[1].split("ended here")
    assert "not reached" not in above
    assert above.index("Certificate trusted") < above.index("Certificate not revoked")
    assert "Certificate is a QWAC" in below
    assert below.index("not reached") > 0


def test_a_refusal_of_the_bank_is_explained_in_its_words(portal: PortalUnderTest) -> None:
    """And attributed to it."""
    number = owned_number(portal)
    told = {"outcome": "refused", "status": 401, "reason": "consent.expired", "upstream": "bank", "told": TOLD}
    page = text_of(portal, f"/requests/{portal.call_log.add(number, seconds_ago=-5, **told)}")
    assert "Said by the bank" in page
    assert "Make a new one." in page
    assert f'href="/tpps/{number}/first-call"' in page


def test_a_call_of_nobody_is_shown_to_whoever_knows_its_id(portal: PortalUnderTest) -> None:
    """As long as it came in where TPPs do: what goes on at the portal is nobody's business."""
    missing = {"outcome": "refused", "status": 401, "reason": "mtls.missing"}
    nobodys = portal.call_log.add(None, **missing)
    portals = portal.call_log.add(None, listener="portal", path="/tpps/secret")

    assert "No client certificate was presented." in text_of(portal, f"/requests/{nobodys}")
    assert portal.get(f"/requests/{portals}").status_code == 404


def test_a_call_is_looked_up_by_its_id(portal: PortalUnderTest) -> None:
    """Spaces around it are forgiven, anything else is told."""
    call = portal.call_log.add(None)
    found = portal.get(f"/requests?id=%20{call}%20")
    assert (found.status_code, found.headers["Location"]) == (303, f"/requests/{call}")
    assert "No such call" in text_of(portal, "/requests?id=..%2F..%2Fetc", 404)
    assert "&lt;script&gt;" in text_of(portal, "/requests?id=<script>alert(1)</script>", 404)


def test_calls_are_filtered(portal: PortalUnderTest) -> None:
    """By outcome, reason and a part of method and path; what was typed stays in the form."""
    number = owned_number(portal)
    good = portal.call_log.add(number, seconds_ago=-5, method="POST", path="/v1/consents")
    bad = portal.call_log.add(number, seconds_ago=-6, **REFUSED)

    def shown(query: str) -> tuple[bool, bool]:
        page = text_of(portal, f"/tpps/{number}/requests?{query}")
        return good in page, bad in page

    assert shown("") == (True, True)
    assert shown("outcome=refused") == (False, True)
    assert shown("reason=mtls.expired") == (False, True)
    assert shown("text=post") == (True, False)
    assert shown("text=nothing+like+this") == (False, False)
    assert shown("outcome=nonsense&before=nonsense&since=nonsense&span=nonsense") == (True, True)
    assert 'value="&#34;&gt;&lt;b&gt;"' in text_of(portal, f"/tpps/{number}/requests?text=%22%3E%3Cb%3E")


def test_a_long_log_is_turned_page_by_page(portal: PortalUnderTest) -> None:
    """Each call once."""
    number = owned_number(portal)
    calls = [portal.call_log.add(number, seconds_ago=-each) for each in range(1, 41)]
    first = text_of(portal, f"/tpps/{number}/requests")
    (older,) = {part.split('"')[0] for part in first.split('href="') if "before=" in part.split('"')[0]}
    second = text_of(portal, older.replace("&amp;", "&"))
    assert [each in first for each in calls] == [False] * 10 + [True] * 30
    assert [each in second for each in calls] == [True] * 10 + [False] * 30


def test_news_are_only_what_is_new(portal: PortalUnderTest) -> None:
    """204 while there is nothing; then the rows, and where to go on."""
    number = owned_number(portal)
    portal.call_log.add(number, seconds_ago=-5)
    page = text_of(portal, f"/tpps/{number}/requests")
    (news,) = [part.split('"')[0].replace("&amp;", "&") for part in page.split('hx-get="')[1:]]

    assert portal.get(news).status_code == 204
    newer = portal.call_log.add(number, seconds_ago=-8)
    fragment = text_of(portal, news)
    assert newer in fragment
    assert fragment.count("<tr>") == 1
    (again,) = [part.split('"')[0].replace("&amp;", "&") for part in fragment.split('hx-get="')[1:]]
    assert portal.get(again).status_code == 204


def test_what_a_caller_wrote_is_text(portal: PortalUnderTest) -> None:
    """A path, a request id, a certificate's subject."""
    number = owned_number(portal)
    hostile = "<img src=x onerror=alert(1)>"
    call = portal.call_log.add(
        number,
        seconds_ago=-5,
        path=f"/{hostile}",
        tpp_request_id=hostile,
        certificate={"subject": hostile, "authorisation_number": number},
        **REFUSED,
    )
    for path in (f"/tpps/{number}/requests", f"/requests/{call}"):
        page = text_of(portal, path)
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page
