"""The way to a code: PKCE, state, issuer."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.unit.tpp_client.fakes import ISSUER, METADATA, answer
from tpp_client.authorization import (
    AuthorizationAttempt,
    authorization_url,
    begin_authorization,
    process_authorization_response,
    s256_challenge,
)
from tpp_client.discovery import ServerMetadata, process_discovery_response
from tpp_client.errors import AuthorizationRefused, AuthorizationResponseRejected

CALLBACK = "https://localhost:8446/callback"


@pytest.fixture
def metadata() -> ServerMetadata:
    return process_discovery_response(answer(200, METADATA), issuer=ISSUER)


@pytest.fixture
def attempt() -> AuthorizationAttempt:
    return begin_authorization(client_id="PSDDE-BAFIN-100001", redirect_uri=CALLBACK, scope="AIS:c1")


def redirect(attempt: AuthorizationAttempt, **changes: str | None) -> str:
    fields: dict[str, str | None] = {"code": "c0de", "state": attempt.state, "iss": ISSUER}
    kept = {name: value for name, value in (fields | changes).items() if value is not None}
    return f"{CALLBACK}?{urlencode(kept)}"


def test_s256_is_that_of_the_rfc() -> None:
    """RFC 7636 appendix B."""
    assert s256_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_url_carries_the_challenge_and_never_the_verifier(metadata: ServerMetadata, attempt: AuthorizationAttempt) -> None:
    """RFC 7636 §4.3."""
    url = authorization_url(metadata, attempt)

    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert query["code_challenge"] == s256_challenge(attempt.verifier)
    assert query["code_challenge_method"] == "S256"
    assert query["scope"] == "AIS:c1"
    assert attempt.verifier not in url


def test_each_attempt_has_its_own_secrets() -> None:
    """State and verifier are fresh, differ from each other, and the verifier has 43 characters or more (RFC 7636 §4.1)."""
    one, two = (begin_authorization(client_id="c", redirect_uri=CALLBACK, scope="s") for _ in range(2))

    assert len({one.state, one.verifier, two.state, two.verifier}) == 4
    assert len(one.verifier) >= 43


def test_secrets_stay_out_of_the_repr(metadata: ServerMetadata, attempt: AuthorizationAttempt) -> None:
    """A log that shows an object shows no secret."""
    code = process_authorization_response(metadata, attempt, redirect(attempt))

    assert attempt.state not in repr(code)
    assert attempt.verifier not in repr(code)
    assert "c0de" not in repr(code)


def test_an_honest_redirect_gives_the_code(metadata: ServerMetadata, attempt: AuthorizationAttempt) -> None:
    """RFC 6749 §4.1.2."""
    assert process_authorization_response(metadata, attempt, redirect(attempt)).value == "c0de"


@pytest.mark.parametrize("state", [None, "", "somebody else's", "stäte"])
def test_a_forged_state_is_rejected(metadata: ServerMetadata, attempt: AuthorizationAttempt, state: str | None) -> None:
    """RFC 6749 §10.12."""
    with pytest.raises(AuthorizationResponseRejected, match="state"):
        process_authorization_response(metadata, attempt, redirect(attempt, state=state))


@pytest.mark.parametrize("issuer", [None, "https://attacker.example", ISSUER + "/"])
def test_a_mix_up_is_rejected(metadata: ServerMetadata, attempt: AuthorizationAttempt, issuer: str | None) -> None:
    """RFC 9207 §2.4: compared as plain strings, and absent is wrong where the server promises it."""
    with pytest.raises(AuthorizationResponseRejected, match="issuer"):
        process_authorization_response(metadata, attempt, redirect(attempt, iss=issuer))


def test_a_redirect_to_another_address_is_rejected(metadata: ServerMetadata, attempt: AuthorizationAttempt) -> None:
    """Only the redirect URI that was asked for takes codes."""
    elsewhere = redirect(attempt).replace("8446", "8447")
    with pytest.raises(AuthorizationResponseRejected, match="another address"):
        process_authorization_response(metadata, attempt, elsewhere)


def test_a_parameter_twice_is_rejected(metadata: ServerMetadata, attempt: AuthorizationAttempt) -> None:
    """RFC 6749 §3.1: nobody could say which of two codes counts."""
    with pytest.raises(AuthorizationResponseRejected, match="twice"):
        process_authorization_response(metadata, attempt, redirect(attempt) + "&code=other")


def test_a_redirect_without_code_or_error_is_rejected(metadata: ServerMetadata, attempt: AuthorizationAttempt) -> None:
    """RFC 6749 §4.1.2."""
    with pytest.raises(AuthorizationResponseRejected, match="neither"):
        process_authorization_response(metadata, attempt, redirect(attempt, code=None))


def test_a_refusing_psu_is_an_honest_no(metadata: ServerMetadata, attempt: AuthorizationAttempt) -> None:
    """RFC 6749 §4.1.2.1."""
    with pytest.raises(AuthorizationRefused) as caught:
        process_authorization_response(metadata, attempt, redirect(attempt, code=None, error="access_denied"))

    assert caught.value.error == "access_denied"


def test_an_error_under_a_forged_state_is_not_believed(metadata: ServerMetadata, attempt: AuthorizationAttempt) -> None:
    """Nothing in a forged redirect is used, its error neither."""
    with pytest.raises(AuthorizationResponseRejected):
        process_authorization_response(metadata, attempt, redirect(attempt, error="access_denied", state="forged"))
