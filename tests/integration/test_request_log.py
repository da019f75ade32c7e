"""The request log on a whole platform: what edge, bank and authorization server refuse is explained to its TPP alone."""

from __future__ import annotations

import html
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests

from chassis.told.refusals import HEADER
from tests.support.ports import wait_until
from tests.support.tpps import fresh_number

if TYPE_CHECKING:
    from tests.support.platform import RunningPlatform

PASSWORD = "correct horse battery"
CALLBACK = "https://localhost:8446/callback"
XS2A = {"X-Request-ID": "99391c7e-ad88-49ec-a2ad-99ddcb1f7721", "PSU-IP-Address": "192.0.2.1"}
PAYMENT = {
    "instructedAmount": {"currency": "EUR", "amount": "1.00"},
    "debtorAccount": {"iban": "DE89370400440532013000"},
    "creditorName": "Bäckerei Sommer",
    "creditorAccount": {"iban": "DE89370400440532013000"},
}
SECRET = "a-secret-that-no-log-holds"


@dataclass
class Developer:
    """A browser signed in at the portal, and the TPP of its organisation."""

    platform: RunningPlatform
    browser: requests.Session
    tpp: requests.Session
    email: str
    number: str

    def page(self, path: str) -> requests.Response:
        return self.browser.get(f"{self.platform.portal_url}{path}", timeout=60)

    def post(self, path: str, **form: str) -> requests.Response:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.page("/sign-in").text)
        assert found is not None
        url = self.platform.portal_url
        return self.browser.post(f"{url}{path}", data={"csrf_token": found[1], **form}, headers={"Origin": url}, timeout=60)

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Call over the TPP's QWAC."""
        options.setdefault("headers", XS2A)
        return self.tpp.request(method, f"{self.platform.edge_url}{path}", timeout=20, **options)

    def explanation(self, answer: requests.Response) -> tuple[str, str, str]:
        """Return the stage, the speaker and the reason on the page of an answer's call."""
        page = self.page(f"/requests/{answer.headers['X-Sandbox-Request']}")
        assert page.status_code == 200
        pattern = r'Ended at: ([^.]+)\. Said by the ([^,<]+), as <span class="mono">([^<]+)</span>'
        found = re.search(pattern, page.text)
        assert found is not None, page.text
        return found[1], found[2], found[3]


def _session(platform: RunningPlatform) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.verify = str(platform.home.trust_bundle)
    return session


def _developer(platform: RunningPlatform) -> Developer:
    name, number = f"tpp-{secrets.token_hex(4)}", fresh_number()
    client = platform.register(name, number, roles="AISP,PISP")
    tpp, folder = _session(platform), platform.home.tpp(name)
    tpp.cert = (str(folder / "qwac.crt"), str(folder / "qwac.key"))
    developer = Developer(platform, _session(platform), tpp, f"{name}@acme.example", number)
    developer.post("/sign-up", name="Anna", organisation=name, email=developer.email, password=PASSWORD)
    developer.post("/sign-in", email=developer.email, password=PASSWORD)
    developer.browser.headers["Accept"] = "text/html"
    claim = re.search(r'name="csrf_token" value="([^"]+)"', developer.page("/tpps/claim").text)
    assert claim is not None
    form = {"csrf_token": claim[1], "number": number, "token": client["registration_access_token"]}
    claimed = developer.browser.post(
        f"{platform.portal_url}/tpps/claim", data=form, headers={"Origin": platform.portal_url}, timeout=60
    )
    assert claimed.url.endswith(f"/tpps/{number}"), claimed.text
    return developer


@pytest.fixture(scope="module")
def anna(platform: RunningPlatform) -> Developer:
    return _developer(platform)


@pytest.fixture(scope="module")
def bob(platform: RunningPlatform) -> Developer:
    return _developer(platform)


def require_told_as_logged(developer: Developer, answer: requests.Response) -> None:
    """Raise unless an answer of the bank tells its TPP the same as the page of its call."""
    body = answer.json()
    assert developer.explanation(answer) == ("Answered by the service", "bank", body["reason"])
    page = html.unescape(developer.page(f"/requests/{answer.headers['X-Sandbox-Request']}").text)
    assert body["hint"] in page
    assert body["clause"] in page


def test_a_refusal_of_the_gateway_is_found_and_explained(anna: Developer) -> None:
    """In the list and on the call's page."""
    answer = anna.call("GET", "/v1/accounts", headers={"Authorization": "Bearer nobodys"})
    assert answer.headers["X-Sandbox-Request"] in anna.page(f"/tpps/{anna.number}/requests").text
    assert anna.explanation(answer) == ("Access token in force", "gateway", "token.unknown")


def test_a_call_is_explained_as_it_would_end_now(anna: Developer, bob: Developer) -> None:
    """By the gateway that runs, with the certificate that it came with; nobody else is told."""
    answer = anna.call("GET", "/v1/accounts", headers={"Authorization": "Bearer nobodys"})
    call = anna.page(f"/requests/{answer.headers['X-Sandbox-Request']}").text
    link = re.search(rf'href="(/tpps/{anna.number}/requests/explain\?call=[^"]+)"', call)
    assert link is not None
    page = anna.page(link[1])
    assert (page.status_code, "The gateway would let it through now." in page.text) == (200, True)
    passed = re.findall(r"<strong>([^<]+)</strong> <span class=\"tag good\">passed</span>", page.text)
    assert {"Certificate not revoked", "TPP registered and not blocked"} <= set(passed), passed
    assert bob.page(link[1]).status_code == 404


def test_a_token_that_the_bank_wants_is_missing_where_tokens_are_judged(anna: Developer) -> None:
    """The bank's personality wants it, and the log shows the stage that it belongs to."""
    answer = anna.call("GET", "/v1/accounts")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="psd2"')
    assert anna.explanation(answer) == ("Access token in force", "bank", "token.missing")


def test_a_refusal_of_the_bank_is_explained_without_what_the_body_held(anna: Developer) -> None:
    """The field is named; its value is in the answer alone, and the header that told of it is gone."""
    payment = PAYMENT | {"creditorName": SECRET, "creditorAccount": {"iban": SECRET}}
    answer = anna.call("POST", "/v1/payments/sepa-credit-transfers", json=payment)
    assert (answer.status_code, HEADER in answer.headers) == (400, False)
    assert anna.explanation(answer) == ("Answered by the service", "bank", "request.format")
    assert "(creditorAccount.iban)" in anna.page(f"/requests/{answer.headers['X-Sandbox-Request']}").text
    unknown = anna.call("GET", "/v1/consents/nobodys")
    assert anna.explanation(unknown) == ("Answered by the service", "bank", "consent.unknown")


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"creditorAccount": {"iban": "DE00370400440532013000"}}, "creditorAccount.iban"),
        ({"instructedAmount": {"currency": "euro", "amount": "1.00"}}, "instructedAmount.currency"),
        ({"instructedAmount": {"currency": "USD", "amount": "1.00"}}, "instructedAmount.currency"),
    ],
    ids=["an IBAN", "no currency", "another currency"],
)
def test_the_answer_says_what_helps_as_the_log_does(anna: Developer, changes: dict[str, Any], path: str) -> None:
    """Reason, hint, clause beside the tppMessages, in which the field at fault stays named."""
    answer = anna.call("POST", "/v1/payments/sepa-credit-transfers", json=PAYMENT | changes)
    body = answer.json()
    assert (answer.status_code, body["tppMessages"][0]["path"]) == (400, path)
    require_told_as_logged(anna, answer)


def test_an_unknown_consent_and_a_problem_say_what_helps_too(anna: Developer) -> None:
    """The sandbox's own addresses answer with problem details."""
    require_told_as_logged(anna, anna.call("GET", "/v1/consents/nobodys"))
    problem = anna.call("GET", "/sandbox/v1/inbox?psu=%00")
    assert problem.headers["Content-Type"] == "application/problem+json"
    require_told_as_logged(anna, problem)


def test_a_refusal_of_the_authorization_server_is_explained_without_the_code(anna: Developer) -> None:
    """Code, grant, body of an interaction."""
    form = {"grant_type": "authorization_code", "code": SECRET, "redirect_uri": CALLBACK, "code_verifier": "a" * 43}
    answer = anna.call("POST", "/token", data={**form, "client_id": anna.number}, headers={})
    assert (answer.status_code, HEADER in answer.headers) == (400, False)
    assert anna.explanation(answer) == ("Answered by the service", "authorization server", "grant.code_unknown")
    other = anna.call("POST", "/token", data={"grant_type": SECRET, "client_id": anna.number}, headers={})
    assert anna.explanation(other) == ("Answered by the service", "authorization server", "oauth.grant_type")
    interaction = anna.call("POST", "/sandbox/v1/psu-interactions", json={"url": SECRET})
    assert anna.explanation(interaction)[2] == "interaction.body"


def test_what_goes_wrong_in_the_psus_browser_is_found_by_its_id_alone(anna: Developer, bob: Developer) -> None:
    """A client id is no secret: whoever sends it must not write into that TPP's log."""
    asked = {"client_id": anna.number, "response_type": "code", "scope": "AIS:x"}
    for changes, reason in (({"redirect_uri": f"https://{SECRET}.example"}, "client.redirect_uri"), ({}, "oauth.parameter")):
        query = {"redirect_uri": CALLBACK, **asked, **changes}
        url = f"{anna.platform.front_url}/authorize"
        answer = requests.get(url, params=query, verify=anna.tpp.verify, timeout=60, allow_redirects=False)
        assert HEADER not in answer.headers
        assert answer.headers["X-Sandbox-Request"] not in anna.page(f"/tpps/{anna.number}/requests").text
        for developer in (anna, bob):
            assert developer.explanation(answer)[2] == reason


def test_another_organisation_sees_nothing_of_a_call(anna: Developer, bob: Developer) -> None:
    """Neither the call nor whether there is one."""
    request_id = anna.call("GET", "/v1/accounts").headers["X-Sandbox-Request"]
    nobodys = request_id[:-1] + ("0" if request_id[-1] != "0" else "1")

    def shown(wanted: str) -> tuple[int, str]:
        answer = bob.page(f"/requests/{wanted}")
        return answer.status_code, re.sub(r'value="[^"]+"', "", answer.text.replace(wanted, ""))

    assert shown(request_id) == shown(nobodys)
    assert shown(request_id)[0] == 404
    assert bob.page(f"/tpps/{anna.number}/requests").status_code == 404
    assert bob.page(f"/tpps/{anna.number}/requests/news").status_code == 404
    assert request_id not in bob.page(f"/tpps/{bob.number}/requests?tpp={anna.number}").text


def test_the_operator_blocks_a_tpp_and_its_developers_read_why(anna: Developer, bob: Developer) -> None:
    """And sees every server well, the authorization server too, which answers to the gateway alone."""
    anna.platform.sandbox("developer", "operator", anna.email)
    servers = anna.page("/operator/servers").text
    assert servers.count(">well<") >= 5
    assert "not well" not in servers
    assert bob.page("/operator/servers").status_code == 404

    token = re.search(r'name="csrf_token" value="([^"]+)"', anna.page(f"/operator/tpps/{bob.number}").text)
    assert token is not None
    form = {"csrf_token": token[1], "reason": "tries every door"}
    url = anna.platform.portal_url
    blocked = anna.browser.post(f"{url}/operator/tpps/{bob.number}/block", data=form, headers={"Origin": url}, timeout=60)
    assert blocked.status_code == 200

    # A connection of its own each, so that every worker is asked: one that has heard of the block says nothing for the others.
    wait_until(
        lambda: all(bob.call("GET", "/v1/consents/x").status_code == 401 for _ in range(8)), seconds=30, what="the block"
    )
    assert bob.explanation(bob.call("GET", "/v1/consents/x")) == (
        "TPP registered and not blocked",
        "gateway",
        "mtls.blocked",
    )
    assert "tries every door" in bob.page(f"/tpps/{bob.number}/requests").text


def test_no_record_of_all_this_holds_what_was_secret(anna: Developer) -> None:
    """Bodies, codes, queries."""
    log = "".join(path.read_text() for path in anna.platform.home.log.glob("audit-*.jsonl"))
    assert anna.number in log
    assert SECRET not in log
