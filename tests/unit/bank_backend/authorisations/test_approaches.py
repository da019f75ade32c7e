"""Which approach an authorisation takes, what the answer says of it, and the plain redirect (BG IG 1.3.8 §4.6, §4.10)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from psd2.client_cert_header import encode_client_cert
from tests.support.bank_core import ANNA, JONAS, OTHER_TENANT, TENANT, registration
from tests.support.bank_sca import CONSENTS, Tpp, consent_body, refusal
from tests.support.pki import Authority, self_issued

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.bank_sca import BankDesk

BACK, NOK = "https://localhost:8446/back?session=7", "https://localhost:8446/nok"
REDIRECT = {"TPP-Redirect-URI": BACK}
NO_REDIRECT, NOT_DECOUPLED = {"TPP-Redirect-Preferred": "false"}, {"TPP-Decoupled-Preferred": "false"}
EXPLICIT = {"TPP-Explicit-Authorisation-Preferred": "true"}
FOR_ANNA = {"PSU-ID": str(ANNA)}
SELF = {"self", "status"}


def ask(desk: BankDesk, personality: str = "standard", headers: dict[str, str] | None = None) -> TestResponse:
    """Ask a bank of this personality for a consent on Anna's account."""
    desk.bank.services.personalities.choose(TENANT, personality)
    body = consent_body(access={"balances": [{"iban": desk.iban()}]})
    return desk.tpp.post(CONSENTS, body, **(headers or {}))


def ask_for_any(desk: BankDesk, personality: str = "standard", headers: dict[str, str] | None = None) -> TestResponse:
    """Ask for a consent on whatever accounts the PSU chooses."""
    desk.bank.services.personalities.choose(TENANT, personality)
    return desk.tpp.post(CONSENTS, consent_body(), **(headers or {}))


@pytest.mark.parametrize(
    ("personality", "headers", "approach", "links"),
    [
        ("standard", {}, "REDIRECT", {"scaOAuth", "scaStatus"}),
        ("standard", REDIRECT, "REDIRECT", {"scaOAuth", "scaRedirect", "scaStatus"}),
        ("standard", {"TPP-Explicit-Authorisation-Preferred": "true"}, "REDIRECT", {"startAuthorisation"}),
        ("standard", NO_REDIRECT, "DECOUPLED", {"startAuthorisationWithPsuIdentification"}),
        ("standard", NO_REDIRECT | {"PSU-ID": ANNA}, "DECOUPLED", {"scaStatus"}),
        (
            "standard",
            NO_REDIRECT | {"PSU-ID": ANNA, "TPP-Explicit-Authorisation-Preferred": "true"},
            "DECOUPLED",
            {"startAuthorisation"},
        ),
        ("standard", {"TPP-Decoupled-Preferred": "true", "PSU-ID": ANNA}, "DECOUPLED", {"scaStatus"}),
        # Both preferred: it is up to the bank (XS2A 1.3.11, TPP-Decoupled-Preferred).
        (
            "standard",
            {"TPP-Decoupled-Preferred": "true", "TPP-Redirect-Preferred": "true"},
            "REDIRECT",
            {"scaOAuth", "scaStatus"},
        ),
        (
            "standard",
            NO_REDIRECT | {"TPP-Decoupled-Preferred": "false"},
            "EMBEDDED",
            {"startAuthorisationWithPsuIdentification", "startAuthorisationWithPsuAuthentication"},
        ),
        (
            "standard",
            NO_REDIRECT | {"TPP-Decoupled-Preferred": "false", "PSU-ID": ANNA},
            "EMBEDDED",
            {"startAuthorisationWithPsuAuthentication"},
        ),
        ("redirect-only", REDIRECT, "REDIRECT", {"scaRedirect", "scaStatus"}),
        # A preference that the bank can't fulfil is no error.
        ("redirect-only", REDIRECT | NO_REDIRECT, "REDIRECT", {"scaRedirect", "scaStatus"}),
        ("decoupled", {"TPP-Redirect-Preferred": "true", "PSU-ID": ANNA}, "DECOUPLED", {"scaStatus"}),
        (
            "embedded",
            {"TPP-Redirect-Preferred": "true", "PSU-ID": ANNA},
            "EMBEDDED",
            {"startAuthorisationWithPsuAuthentication"},
        ),
    ],
)
def test_the_answer_says_how_it_goes_on(
    desk: BankDesk, personality: str, headers: dict[str, str], approach: str, links: set[str]
) -> None:
    """The bank's order, the TPP's wishes, what is possible: header and links agree."""
    answer = ask(desk, personality, headers)

    assert answer.status_code == 201, answer.text
    assert answer.headers["ASPSP-SCA-Approach"] == approach
    assert set(answer.json["_links"]) == SELF | links  # type: ignore[index]


def test_a_choice_of_accounts_is_not_embedded(desk: BankDesk) -> None:
    """A bank-offered consent needs a dialogue with the PSU (BG IG §6.3.1): another approach is taken."""
    answer = ask_for_any(desk, headers=NO_REDIRECT | NOT_DECOUPLED)

    assert answer.headers["ASPSP-SCA-Approach"] == "DECOUPLED"


@pytest.mark.parametrize(
    ("personality", "headers", "expected"),
    [
        ("redirect-only", {}, (400, "FORMAT_ERROR", "TPP-Redirect-URI")),
        ("standard", {"PSU-ID": "nobody"}, (401, "PSU_CREDENTIALS_INVALID", "PSU-ID")),
        ("standard", {"PSU-Corporate-ID": "x"}, (401, "CORPORATE_ID_INVALID", "PSU-Corporate-ID")),
        ("standard", {"TPP-Redirect-URI": "https://evil.example/back"}, (400, "FORMAT_ERROR", "TPP-Redirect-URI")),
        (
            "standard",
            REDIRECT | {"TPP-Nok-Redirect-URI": "https://evil.example/nok"},
            (400, "FORMAT_ERROR", "TPP-Nok-Redirect-URI"),
        ),
    ],
)
def test_what_stands_in_the_way_is_said_before_anything_is_made(
    desk: BankDesk, personality: str, headers: dict[str, str], expected: tuple[int, str, str]
) -> None:
    """No consent is left behind that nobody could authorise."""
    with desk.bank.database.reading() as connection:
        before = connection.exec_driver_sql("SELECT COUNT(*) FROM consents").scalar()

    answer = ask(desk, personality, headers)

    assert refusal(answer) == expected
    with desk.bank.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM consents").scalar() == before


def test_an_embedding_bank_has_no_way_to_a_choice_of_accounts(desk: BankDesk) -> None:
    """It says so, instead of making a consent that can't be authorised."""
    answer = ask_for_any(desk, "embedded")

    assert answer.status_code in {400, 401, 405}


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("tpp.example", True),
        ("app.tpp.example", True),
        ("localhost", True),
        ("nottpp.example", False),
        ("tpp.example.evil.example", False),
        ("example", False),
    ],
)
def test_browsers_are_sent_to_the_qwacs_domain_alone(desk: BankDesk, host: str, *, is_own: bool) -> None:
    """The domain of the certificate and what lies under it (BG IG §4.10), and the developer's own machine."""
    qwac = {"X-Sandbox-Certificate": "qwac", "Client-Cert": encode_client_cert(Authority().qwac().der)}
    headers = {"TPP-Redirect-URI": f"https://{host}/back", **qwac}

    answer = ask(desk, headers=headers)

    assert (answer.status_code == 201) is is_own
    if not is_own:
        assert refusal(answer) == (400, "FORMAT_ERROR", "TPP-Redirect-URI")


@pytest.mark.parametrize("vouched", ["registered", ""])
def test_a_certificate_that_no_authority_has_issued_names_no_domain(desk: BankDesk, vouched: str) -> None:
    """Its holder writes there whatever it likes."""
    own = {"X-Sandbox-Certificate": vouched, "Client-Cert": encode_client_cert(self_issued().der)}
    answer = ask(desk, headers={"TPP-Redirect-URI": "https://tpp.example/back", **own})
    assert refusal(answer) == (400, "FORMAT_ERROR", "TPP-Redirect-URI")


@pytest.mark.parametrize(
    ("address", "is_registered"),
    [
        ("https://app.elsewhere.example/cb", True),
        ("https://app.elsewhere.example/cb?flow=7", True),
        ("https://app.elsewhere.example/other", False),
        ("https://app.elsewhere.example:8443/cb", False),
        ("https://elsewhere.example/cb", False),
        ("https://app.elsewhere.example@evil.example/cb", False),
    ],
)
def test_browsers_are_sent_where_the_tpp_has_registered(desk: BankDesk, address: str, *, is_registered: bool) -> None:
    """The very page, whatever its query says: a domain that the QWAC does not name is not the TPP's as a whole."""
    amended = replace(registration(), redirect_uris=("https://app.elsewhere.example/cb",))
    desk.bank.services.tenants.register(amended)

    answer = ask(desk, headers={"TPP-Redirect-URI": address})

    assert (answer.status_code == 201) is is_registered
    if not is_registered:
        assert refusal(answer) == (400, "FORMAT_ERROR", "TPP-Redirect-URI")


def test_a_later_start_knows_what_came_with_the_resource(desk: BankDesk) -> None:
    """PSU-ID and addresses need not be sent twice (BG IG §7.1: "not yet transmitted before")."""
    made = ask(desk, headers=EXPLICIT | FOR_ANNA | NO_REDIRECT)
    start = made.json["_links"]["startAuthorisation"]["href"]  # type: ignore[index]

    started = desk.tpp.post(start)

    assert started.headers["ASPSP-SCA-Approach"] == "DECOUPLED"
    assert started.json["scaStatus"] == "psuIdentified"  # type: ignore[index]
    assert "bank app" in started.json["psuMessage"]  # type: ignore[index]


def test_a_later_start_may_wish_otherwise(desk: BankDesk) -> None:
    """What the start says counts."""
    made = ask(desk, headers=EXPLICIT)
    start = made.json["_links"]["startAuthorisation"]["href"]  # type: ignore[index]

    started = desk.tpp.post(start, **(NO_REDIRECT | NOT_DECOUPLED))

    assert started.headers["ASPSP-SCA-Approach"] == "EMBEDDED"


def redirected(desk: BankDesk, headers: dict[str, str] | None = None) -> tuple[str, str]:
    """Ask for a consent by redirect; returns its path and the page for the browser."""
    made = ask(desk, "redirect-only", REDIRECT | (headers or {}))
    links: dict[str, Any] = made.json["_links"]  # type: ignore[index]
    return links["self"]["href"], links["scaRedirect"]["href"].removeprefix("https://localhost:8441")


def enter(desk: BankDesk, page: str) -> str:
    """Open the page as a browser does; returns the visit."""
    answer = desk.browser().get(page)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"]).removeprefix("/psu/")


def test_a_redirect_leads_back_with_the_state(desk: BankDesk) -> None:
    """The TPP's address keeps its query, and the state is added as it came (BG IG §7.6.2)."""
    consent, page = redirected(desk)
    visit = enter(desk, f"{page}?state=a%26b")

    assert desk.decide(visit).status_code == 200
    way_back = desk.bank.services.interactions.interaction(visit).return_url
    assert urlsplit(way_back)._replace(query="").geturl() == "https://localhost:8446/back"
    assert parse_qs(urlsplit(way_back).query) == {"session": ["7"], "state": ["a&b"]}
    assert desk.tpp.get(f"{consent}/status").json == {"consentStatus": "valid"}


def test_a_refusal_leads_to_the_other_address(desk: BankDesk) -> None:
    """`TPP-Nok-Redirect-URI`, with the state as well."""
    consent, page = redirected(desk, {"TPP-Nok-Redirect-URI": NOK})
    visit = enter(desk, f"{page}?state=s")

    desk.decide(visit, result="REJECTED")

    assert desk.bank.services.interactions.interaction(visit).return_url == f"{NOK}?state=s"
    assert desk.tpp.get(f"{consent}/status").json == {"consentStatus": "rejected"}


def test_a_psu_walks_through_the_redirect(desk: BankDesk) -> None:
    """Signed in and done with the bank's pages, the browser is shown the way back to the TPP."""
    _, page = redirected(desk)
    browser = desk.browser()
    visit = str(browser.get(page).headers["Location"]).removeprefix("/psu/")
    browser.log_in(visit, desk.password)

    browser.post(f"/psu/{visit}/refuse")

    assert BACK in browser.get(f"/psu/{visit}/done").text


def test_the_address_of_a_visit_under_way_leads_to_it(desk: BankDesk) -> None:
    """A page that is loaded again begins no second visit; who comes before the sign-in brings its own state."""
    _, page = redirected(desk)
    first, second = enter(desk, f"{page}?state=1"), enter(desk, f"{page}?state=2")

    assert first == second
    assert desk.bank.services.interactions.interaction(first).return_url.endswith("state=2")
    desk.browser().log_in(first, desk.password)
    assert enter(desk, f"{page}?state=3") == first
    assert desk.bank.services.interactions.interaction(first).return_url.endswith("state=2")


def test_a_state_that_makes_the_way_back_too_long_is_refused(desk: BankDesk) -> None:
    """It grows when it is encoded, and a confirmation code still has to fit into what is kept: 2,000 characters."""
    _, page = redirected(desk)
    state = quote("\N{ROCKET}" * 200)

    answer = desk.browser().get(f"{page}?state={state}")

    assert answer.status_code == 400
    assert "State is too long" in answer.text
    assert addressed(desk, f"https://localhost:8441{page}?state={'x' * 1_880}").status_code == 400
    visit = enter(desk, f"{page}?state={'x' * 1_500}")
    assert desk.bank.services.interactions.interaction(visit).return_url.endswith(f"state={'x' * 1_500}")


def test_a_decided_redirect_can_not_be_entered_again(desk: BankDesk) -> None:
    """It is decided once."""
    _, page = redirected(desk)
    desk.decide(enter(desk, page))

    assert desk.browser().get(page).status_code == 409


def test_there_is_no_page_for_what_is_no_redirect(desk: BankDesk) -> None:
    """An authorisation without a way back, or one that was never started."""
    made = ask(desk)
    authorisation = made.json["_links"]["scaStatus"]["href"].rpartition("/")[2]  # type: ignore[index]

    assert desk.browser().get(f"/psu/authorisations/{authorisation}").status_code == 404
    assert desk.browser().get("/psu/authorisations/7d1d0a3e-6a0e-4f52-9c39-0a4ed32b2a11").status_code == 404


def addressed(desk: BankDesk, address: str, *, tenant: str = TENANT, psu: str = ANNA, result: str = "APPROVED") -> TestResponse:
    """Decide headlessly on what an address names, as the authorization server passes it on."""
    body = {"tenant": tenant, "address": address, "psu": psu, "result": result}
    return desk.internal("POST", "/internal/interactions/decisions", body)


def test_a_redirect_is_decided_headlessly(desk: BankDesk) -> None:
    """The answer is where the browser would end."""
    consent, page = redirected(desk)

    answer = addressed(desk, f"https://localhost:8441{page}?state=x")

    assert answer.json == {"redirect": f"{BACK}&state=x", "scaStatus": "finalised"}
    assert desk.tpp.get(f"{consent}/status").json == {"consentStatus": "valid"}


def test_a_decoupled_authorisation_is_decided_headlessly(desk: BankDesk) -> None:
    """By the address of its resource; no browser, no redirect."""
    made = ask(desk, "decoupled", FOR_ANNA)
    links: dict[str, Any] = made.json["_links"]  # type: ignore[index]
    own = links["scaStatus"]["href"]
    assert desk.tpp.get(own).json["scaStatus"] == "psuIdentified"  # type: ignore[index]

    wrong = addressed(desk, f"https://localhost:8443{own}", psu=JONAS)
    answer = addressed(desk, f"https://localhost:8443{own}")

    assert wrong.status_code == 422
    assert answer.json == {"redirect": None, "scaStatus": "finalised"}
    assert desk.tpp.get(own).json == {"scaStatus": "finalised"}
    assert desk.tpp.get(links["status"]["href"]).json == {"consentStatus": "valid"}
    assert addressed(desk, f"https://localhost:8443{own}").status_code == 409


def test_a_decoupled_authorisation_is_refused_headlessly(desk: BankDesk) -> None:
    """The PSU's no ends the consent."""
    links: dict[str, Any] = ask(desk, "decoupled", FOR_ANNA).json["_links"]  # type: ignore[index]

    answer = addressed(desk, f"https://localhost:8443{links['scaStatus']['href']}", result="REJECTED")

    assert answer.json == {"redirect": None, "scaStatus": "failed"}
    assert desk.tpp.get(links["status"]["href"]).json == {"consentStatus": "rejected"}


def test_nobody_decides_on_anothers_authorisation(desk: BankDesk) -> None:
    """Another TPP's page and resource are as unknown as none."""
    _, page = redirected(desk)
    made = ask(desk, "decoupled", FOR_ANNA)
    own = made.json["_links"]["scaStatus"]["href"]  # type: ignore[index]

    for address in (f"https://localhost:8441{page}", f"https://localhost:8443{own}"):
        assert addressed(desk, address, tenant=OTHER_TENANT).status_code == 404
    assert desk.tpp.get(own).json["scaStatus"] == "psuIdentified"  # type: ignore[index]


@pytest.mark.parametrize("address", ["https://localhost:8441/psu/app", "https://localhost:8443/v1/consents", "https://x/"])
def test_an_address_of_something_else_is_named(desk: BankDesk, address: str) -> None:
    """What can be decided on is said."""
    answer = addressed(desk, address)

    assert answer.status_code == 422
    assert "url" in answer.json["fields"]  # type: ignore[index]


def test_only_the_gateway_decides_by_address(desk: BankDesk) -> None:
    """The portal has no business there."""
    assert desk.internal("POST", "/internal/interactions/decisions", {}, caller="portal").status_code == 403


def test_the_psu_of_a_decoupled_authorisation_can_be_named_later(desk: BankDesk) -> None:
    """`updatePsuIdentification`, and then no further: the request lies in that PSU's app (BG IG §7.2.1)."""
    made = ask(desk, headers=NO_REDIRECT)
    start = made.json["_links"]["startAuthorisationWithPsuIdentification"]["href"]  # type: ignore[index]
    started = desk.tpp.post(start)
    own = started.headers["Location"]
    assert started.json["scaStatus"] == "received"  # type: ignore[index]
    assert set(started.json["_links"]) == {"updatePsuIdentification", "scaStatus"}  # type: ignore[index]

    named = desk.tpp.call("PUT", own, {}, PSU_ID=ANNA)

    assert (named.headers["ASPSP-SCA-Approach"], named.json["scaStatus"]) == ("DECOUPLED", "psuIdentified")  # type: ignore[index]
    assert refusal(desk.tpp.call("PUT", own, {}, PSU_ID=JONAS))[:2] == (409, "STATUS_INVALID")
    password = desk.tpp.call("PUT", own, {"psuData": {"password": desk.password}}, PSU_ID=ANNA)
    assert refusal(password) == (400, "SERVICE_INVALID", "psuData")


def test_a_psu_without_the_account_is_not_asked(desk: BankDesk) -> None:
    """The authorisation has failed; whose the account is stays between the bank and its customer."""
    made = ask(desk, "decoupled", {"PSU-ID": str(JONAS)})

    assert made.status_code == 201
    assert desk.tpp.get(made.json["_links"]["scaStatus"]["href"]).json == {"scaStatus": "failed"}  # type: ignore[index]


def test_another_tpp_reads_no_list_of_authorisations(desk: BankDesk) -> None:
    """Neither the list nor a new start."""
    consent = ask(desk).json["_links"]["self"]["href"]  # type: ignore[index]
    other = Tpp(desk.app.test_client(), tenant=OTHER_TENANT)

    assert refusal(other.get(f"{consent}/authorisations"))[:2] == (403, "CONSENT_UNKNOWN")
    assert refusal(other.post(f"{consent}/authorisations"))[:2] == (403, "CONSENT_UNKNOWN")
