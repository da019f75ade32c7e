"""What people see of an exchange, and what they never see."""

from __future__ import annotations

from tests.unit.tpp_client.fakes import EDGE, answer
from tpp_client.readable import exchange_of, readable_url, shortened
from tpp_client.signing_keys import new_signing_key
from tpp_client.wire import HttpResponse, form_request, json_request

SECRET = "kQ8fSkZ3nB0YlT6wVd2mRr9xHc5uJ1eG"


def test_a_token_exchange_shows_no_whole_secret() -> None:
    """Code, verifier, tokens: the first six characters at most."""
    asked = form_request(f"{EDGE}/token", {"grant_type": "authorization_code", "code": SECRET, "code_verifier": SECRET})
    body = answer(200, {"access_token": SECRET, "refresh_token": SECRET, "expires_in": 300}).body

    exchange = exchange_of(HttpResponse(request=asked, status=200, body=body))

    assert SECRET not in str(exchange.as_json())
    assert exchange.asked == {"grant_type": "authorization_code", "code": "kQ8fSk…", "code_verifier": "kQ8fSk…"}
    assert exchange.answered == {"access_token": "kQ8fSk…", "refresh_token": "kQ8fSk…", "expires_in": "300"}


def test_redirects_show_their_parameters_shortened() -> None:
    """A code in a URL is as good as a code in a body."""
    redirect = f"https://localhost:8446/callback?code={SECRET}&state={SECRET}&iss=https%3A%2F%2Flocalhost%3A8441"
    asked = json_request("POST", f"{EDGE}/sandbox/v1/psu-interactions", {"url": redirect, "psu": "anna.weber"})

    exchange = exchange_of(HttpResponse(request=asked, status=200, body=answer(200, {"redirect": redirect}).body))

    assert SECRET not in str(exchange.as_json())
    assert exchange.answered["redirect"] == readable_url(redirect)
    assert readable_url(redirect) == "https://localhost:8446/callback?code=kQ8fSk…&state=kQ8fSk…&iss=https://localhost:8441"


def test_short_secrets_are_not_shown_whole() -> None:
    """Six of eight characters would be most of it."""
    assert shortened("12345678") == "12…"
    assert shortened("123") == "…"


def test_errors_are_shown_in_words() -> None:
    """The code of an error is no secret."""
    refused = answer(401, {"tppMessages": [{"code": "TOKEN_INVALID", "text": "no"}], "reason": "token.cnf_mismatch"})
    problem = answer(404, {"title": "Unknown", "code": "psu.unknown"})

    assert exchange_of(refused).answered == {"tppMessages": "TOKEN_INVALID: no", "reason": "token.cnf_mismatch"}
    assert exchange_of(problem).answered["code"] == "psu.unknown"


def test_lists_are_counted_and_bytes_ignored() -> None:
    """A page of transactions is a number; a page of HTML is nothing."""
    report = {"accounts": [{}], "transactions": {"booked": [{}, {}], "pending": list[object]()}}

    assert exchange_of(answer(200, report)).answered == {
        "accounts": "1",
        "booked": "2",
        "pending": "0",
    }
    assert exchange_of(answer(200, b"\xff<html>")).answered == {}


def test_debtor_and_creditor_are_told_apart() -> None:
    """Two IBANs in one body keep their names."""
    accounts = {"debtorAccount": {"iban": "DE1"}, "creditorAccount": {"iban": "DE2"}}
    asked = json_request("POST", f"{EDGE}/v1/payments/sepa-credit-transfers", accounts)

    assert exchange_of(HttpResponse(request=asked, status=201)).asked == {"debtor": "DE1", "creditor": "DE2"}


def test_what_was_signed_is_shown_without_its_signature() -> None:
    """Claims for the eye; a state in them is as secret as one beside them, and the signature would let it be sent again."""
    compact = new_signing_key().signed(
        {"aud": "https://localhost:8441", "state": SECRET}, header={"typ": "oauth-authz-req+jwt"}
    )
    asked = form_request(f"{EDGE}/par", {"client_id": "c", "request": compact})

    exchange = exchange_of(HttpResponse(request=asked, status=201))

    assert exchange.signed == {"request": "ES256 oauth-authz-req+jwt: aud=https://localhost:8441 state=kQ8fSk…"}
    assert compact.rpartition(".")[2] not in str(exchange.as_json())


def test_a_signed_answer_in_a_redirect_is_a_secret() -> None:
    """It holds the code."""
    assert SECRET not in readable_url(f"https://localhost:8446/callback?response={SECRET}")


def test_what_only_looks_signed_is_passed_over() -> None:
    """Two dots make no message."""
    asked = form_request(f"{EDGE}/par", {"request": "a.b.c", "client_assertion": "x"})

    assert exchange_of(HttpResponse(request=asked, status=400)).signed == {}
