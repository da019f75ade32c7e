"""Back from the bank: the PSU's answer becomes a code or an error, for the browser that began, once."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from gateway.oauth.bank import InteractionStatus
from gateway.oauth.model import secret_sha256
from gateway.register.model import TppStatus
from gateway.tables.oauth import authorization_codes, authorization_requests
from psd2.roles import PspRole
from tests.support.authorization import ISSUER, OTHER_NUMBER, REDIRECT_URI, answer_of, authorization_url, client, tpp

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.authorization import AuthorizationWorld


def test_an_approval_becomes_a_code(world: AuthorizationWorld) -> None:
    """303 to the client with code, state and iss, and nothing else (RFC 6749 §4.1.2, RFC 9207)."""
    world.authorize()
    world.bank.settle(InteractionStatus.APPROVED)

    answer = answer_of(world.resume())

    assert set(answer) == {"code", "state", "iss"}
    assert (answer["state"], answer["iss"]) == ("af0ifjsldkj", ISSUER)


def test_a_code_has_256_bits_and_is_kept_as_a_hash(world: AuthorizationWorld) -> None:
    """Who reads the database can redeem nothing."""
    code = world.code()

    assert len(code) == 43
    with world.engine.connect() as connection:
        rows = connection.execute(select(authorization_codes)).all()
    assert [row.sha256 for row in rows] == [secret_sha256(code)]
    assert code not in repr(rows)


def test_a_redirect_uri_with_a_query_keeps_it(world: AuthorizationWorld) -> None:
    """RFC 6749 §3.1.2: the answer is appended to what the client registered."""
    uri = "https://tpp.example/callback?bank=7&mode=a%20b"
    world.register.save_client(client(redirect_uris=(uri,)))
    world.authorize(redirect_uri=uri)
    world.bank.settle(InteractionStatus.APPROVED)

    assert world.resume().headers["Location"].startswith(f"{uri}&code=")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (InteractionStatus.REJECTED, "the PSU refused"),
        (InteractionStatus.EXPIRED, "the PSU did not decide in time"),
        (InteractionStatus.FAILED, "the PSU could not be authenticated"),
    ],
)
def test_anything_but_an_approval_is_access_denied(world: AuthorizationWorld, status: InteractionStatus, said: str) -> None:
    """And leaves no code."""
    world.authorize()
    world.bank.settle(status)

    answer = answer_of(world.resume())

    assert answer == {"error": "access_denied", "error_description": said, "state": "af0ifjsldkj", "iss": ISSUER}
    with world.engine.connect() as connection:
        assert not connection.execute(select(authorization_codes)).all()


def test_an_undecided_psu_goes_back_to_the_bank(world: AuthorizationWorld) -> None:
    """Who comes back too early, by the back button or a bookmark, is not lost."""
    world.authorize()

    assert world.resume().headers["Location"] == f"{ISSUER}/psu/interaction-1"


def test_the_way_back_belongs_to_the_browser_that_began(world: AuthorizationWorld) -> None:
    """RFC 9700 §4.7: with somebody else's link a PSU would finish the attacker's authorisation, or he the PSU's."""
    world.authorize()
    world.bank.settle(InteractionStatus.APPROVED)

    answer = world.resume(browser=world.new_browser())

    assert answer.status_code == 403
    assert "Location" not in answer.headers
    assert "begun in another browser" in answer.text
    assert "code" in answer_of(world.resume())


def test_another_browsers_cookie_does_not_help(world: AuthorizationWorld) -> None:
    """The cookie has to be the one of this very request, not just any."""
    stranger = world.new_browser()
    world.authorize()
    world.bank.settle(InteractionStatus.APPROVED)
    link = world.bank.begun[-1].return_url
    world.authorize(browser=stranger)

    assert world.front(link, browser=stranger).status_code == 403


def cookie_header(answer: TestResponse) -> str:
    return answer.headers["Set-Cookie"]


def test_the_cookie_is_out_of_reach(world: AuthorizationWorld) -> None:
    """`__Host-`, Secure, HttpOnly, SameSite=Lax, the whole origin, gone after the time a PSU has."""
    attributes = cookie_header(world.authorize()).split("; ")

    assert attributes[0].startswith("__Host-authorization=")
    assert len(attributes[0].partition("=")[2]) == 43
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=900"} <= set(attributes)
    assert not [attribute for attribute in attributes if attribute.startswith("Domain")]


def test_two_tabs_of_one_browser_do_not_disturb_each_other(world: AuthorizationWorld) -> None:
    """The browser keeps its cookie, so that both requests can be finished."""
    world.authorize()
    first = world.bank.begun[-1].return_url
    world.authorize(scope="PIS:payment-1")
    world.bank.settle(InteractionStatus.APPROVED, interaction="interaction-1")
    world.bank.settle(InteractionStatus.APPROVED, interaction="interaction-2")

    assert "code" in answer_of(world.front(first))
    assert "code" in answer_of(world.resume())


def posted_elsewhere(world: AuthorizationWorld, **changes: str) -> TestResponse:
    """Return the answer to another site's form: browsers send our cookie with none of them (SameSite=Lax)."""
    form = urlsplit(authorization_url(**changes)).query
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://tpp.example"}
    return world.front(f"{ISSUER}/authorize", method="POST", data=form, headers=headers, browser=world.new_browser())


def test_a_form_of_another_site_does_not_disturb_the_other_tabs(world: AuthorizationWorld) -> None:
    """It comes without the cookie, and goes round by a GET that has it."""
    world.authorize()
    first = world.bank.begun[-1].return_url

    posted = posted_elsewhere(world, state="a b&c")

    assert posted.status_code == 303
    assert "Set-Cookie" not in posted.headers
    world.front(f"{ISSUER}{posted.headers['Location']}")
    world.bank.settle(InteractionStatus.APPROVED, interaction="interaction-1")
    world.bank.settle(InteractionStatus.APPROVED, interaction="interaction-2")
    assert "code" in answer_of(world.front(first))
    assert answer_of(world.resume())["state"] == "a b&c"


def test_a_long_form_of_another_site_is_taken_as_it_came(world: AuthorizationWorld) -> None:
    """No address holds it; that the other tabs have to begin again is the lesser evil."""
    assert posted_elsewhere(world, request="a" * 9_000, state="s").headers.get("Location", "").startswith(REDIRECT_URI)


@pytest.mark.parametrize("value", ["", "x", "a" * 42, "a" * 44, "a" * 42 + "!"])
def test_a_malformed_cookie_is_replaced(world: AuthorizationWorld, value: str) -> None:
    """Only a secret that we could have made ourselves is taken up again."""
    browser = world.new_browser()
    browser.set_cookie("__Host-authorization", value, domain="localhost", path="/")

    assert f"__Host-authorization={value};" not in cookie_header(world.authorize(browser=browser))


def test_a_link_that_names_nothing_is_a_page(world: AuthorizationWorld) -> None:
    """There is no client to send the browser to."""
    answer = world.front(f"{ISSUER}/authorize/resume/{'a' * 43}")

    assert answer.status_code == 404
    assert "Location" not in answer.headers


def test_a_double_click_is_harmless(world: AuthorizationWorld) -> None:
    """A browser that asks twice keeps the second answer: its code works, the first one's does not any more."""
    world.authorize()
    world.bank.settle(InteractionStatus.APPROVED)

    first, second = answer_of(world.resume())["code"], answer_of(world.resume())["code"]

    assert world.redeem(first).get_json()["error"] == "invalid_grant"
    assert world.redeem(second).status_code == 200


def test_coming_back_after_the_end_gives_no_second_code(world: AuthorizationWorld) -> None:
    """One authorisation, one redeemed code: the back button shows that all is done, and the tokens stay."""
    tokens = world.tokens()

    answer = world.resume()

    assert answer.status_code == 409
    assert "All done" in answer.text
    assert world.introspect(tokens["access_token"])["active"] is True


def test_who_comes_back_too_late_gets_no_code(world: AuthorizationWorld) -> None:
    """The client is told, so that it can begin again."""
    world.authorize()
    world.bank.settle(InteractionStatus.APPROVED)
    world.clock.advance(dt.timedelta(seconds=900))

    answer = answer_of(world.resume())

    assert (answer["error"], answer["error_description"]) == ("access_denied", "the PSU did not finish in time")


def test_who_comes_back_just_in_time_gets_one(world: AuthorizationWorld) -> None:
    """The limit is the configured one and not less."""
    world.authorize()
    world.bank.settle(InteractionStatus.APPROVED)
    world.clock.advance(dt.timedelta(seconds=899))

    assert "code" in answer_of(world.resume())


def test_a_tpp_blocked_meanwhile_gets_no_code(world: AuthorizationWorld) -> None:
    """The request is judged again: minutes have passed."""
    world.authorize()
    world.bank.settle(InteractionStatus.APPROVED)
    world.register.save_tpp(tpp(status=TppStatus.BLOCKED))

    assert answer_of(world.resume())["error"] == "unauthorized_client"


def test_a_role_lost_meanwhile_gets_no_code(world: AuthorizationWorld) -> None:
    """As above."""
    world.authorize()
    world.bank.settle(InteractionStatus.APPROVED)
    world.register.save_tpp(tpp(roles=frozenset({PspRole.PI})))

    assert answer_of(world.resume())["error"] == "invalid_scope"


def test_a_client_deleted_meanwhile_is_not_sent_to(world: AuthorizationWorld) -> None:
    """Its redirect URI is nobody's any more."""
    world.authorize()
    world.bank.settle(InteractionStatus.APPROVED)
    world.register.delete_client("client-1")

    assert world.resume().status_code == 400


def test_a_redirect_uri_deregistered_meanwhile_is_not_sent_to(world: AuthorizationWorld) -> None:
    """Neither is one that the client has taken back."""
    world.authorize()
    world.bank.settle(InteractionStatus.APPROVED)
    world.register.save_client(client(redirect_uris=("https://tpp.example/other",)))

    assert world.resume().status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"tenant": OTHER_NUMBER},
        {"resource": "consent-2"},
        {"kind": "pis"},
        {"id": "interaction-9"},
        {"psu": None},
    ],
)
def test_an_answer_to_another_question_gives_no_code(world: AuthorizationWorld, change: dict[str, str | None]) -> None:
    """What the PSU has approved must be what the client asked for, of this tenant, by somebody."""
    world.authorize()
    world.bank.settle(InteractionStatus.APPROVED)
    standing = world.bank.interactions["interaction-1"]
    world.bank.interactions["interaction-1"] = replace(standing, **change)  # type: ignore[arg-type]

    assert answer_of(world.resume())["error"] == "server_error"


def test_a_bank_out_of_reach_loses_nothing(world: AuthorizationWorld) -> None:
    """The PSU has decided already: a page that can be loaded again, and then the code."""
    world.authorize()
    world.bank.settle(InteractionStatus.APPROVED)
    world.bank.is_down = True
    waiting = world.resume()
    world.bank.is_down = False

    assert waiting.status_code == 503
    assert "Location" not in waiting.headers
    assert "code" in answer_of(world.resume())


def test_a_head_request_uses_nothing_up(world: AuthorizationWorld) -> None:
    """Link previews send HEAD."""
    world.authorize()
    world.bank.settle(InteractionStatus.APPROVED)

    assert world.front(world.bank.begun[-1].return_url, method="HEAD").status_code == 405


def test_the_one_time_id_is_kept_as_a_hash(world: AuthorizationWorld) -> None:
    """As is the browser's secret."""
    cookie = cookie_header(world.authorize()).partition("=")[2].partition(";")[0]
    one_time_id = world.bank.begun[0].return_url.rpartition("/")[2]

    with world.engine.connect() as connection:
        row = connection.execute(select(authorization_requests)).one()
    assert (row.sha256, row.browser_sha256) == (secret_sha256(one_time_id), secret_sha256(cookie))
    assert one_time_id not in repr(row)
    assert cookie not in repr(row)
