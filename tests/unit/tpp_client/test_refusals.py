"""One refusal from three kinds of error bodies."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from tests.unit.tpp_client.fakes import answer
from tpp_client.errors import Refused, UnexpectedResponse
from tpp_client.refusals import refusal_of, require_status

SANDBOX = {"reason": "mtls.expired", "hint": "renew it", "clause": "RFC 5280 §4.1.2.5"}


def test_tpp_messages_are_read() -> None:
    """Berlin Group: the first message's code and text, and what the sandbox adds."""
    body = {"tppMessages": [{"category": "ERROR", "code": "CERTIFICATE_EXPIRED", "text": "expired"}], **SANDBOX}

    refusal = refusal_of(answer(401, body))

    assert (refusal.status, refusal.code, refusal.text) == (401, "CERTIFICATE_EXPIRED", "expired")
    assert (refusal.reason, refusal.hint, refusal.clause) == ("mtls.expired", "renew it", "RFC 5280 §4.1.2.5")
    assert str(refusal) == "401 CERTIFICATE_EXPIRED: expired [reason mtls.expired; clause RFC 5280 §4.1.2.5; hint: renew it]"


def test_oauth_errors_are_read() -> None:
    """RFC 6749 §5.2."""
    refusal = refusal_of(answer(400, {"error": "invalid_grant", "error_description": "used already"}))

    assert (refusal.code, refusal.text) == ("invalid_grant", "used already")


def test_problems_are_read() -> None:
    """RFC 9457, with our `code`."""
    refusal = refusal_of(answer(404, {"title": "Unknown", "code": "psu.unknown", "detail": "no PSU x"}))

    assert (refusal.code, refusal.text) == ("psu.unknown", "no PSU x")


def test_a_challenge_stands_in_for_a_missing_body() -> None:
    """RFC 6750 §3: the error may stand in WWW-Authenticate alone."""
    refusal = refusal_of(answer(401, b"", {"www-authenticate": 'Bearer realm="x", error="invalid_token"'}))

    assert refusal.code == "invalid_token"


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"[]", {"tppMessages": "no"}, {"error": 7}])
def test_an_unreadable_body_still_gives_the_status(body: object) -> None:
    """A proxy's HTML is no reason to lose the status."""
    refusal = refusal_of(answer(502, body))

    assert (refusal.status, refusal.code) == (502, "UNREADABLE")


def test_success_passes_and_everything_else_raises() -> None:
    """4xx and 5xx are refusals; another 2xx or 3xx than asked for is unexpected."""
    require_status(answer(201), HTTPStatus.CREATED)
    with pytest.raises(Refused):
        require_status(answer(503), HTTPStatus.CREATED)
    with pytest.raises(UnexpectedResponse, match="answered 200, 201 was expected"):
        require_status(answer(200), HTTPStatus.CREATED)
