"""Reading parameters: hypothesis looks for a text that gets past the rules."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st

from gateway.oauth.authorization_response import response_url
from gateway.oauth.parameters import MOST_VALUE_CHARACTERS, Parameters, parse_parameters
from gateway.oauth.refusals import OAuthRefused, shown

KNOWN = frozenset({"state", "scope"})
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=60)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    """Nothing else happens; what is read holds printable ASCII only."""
    parameters = Parameters({})
    with suppress(OAuthRefused):
        parameters = parse_parameters(text, known=KNOWN)

    assert set(parameters.values) <= KNOWN
    for value in parameters.values.values():
        assert 0 < len(value) <= MOST_VALUE_CHARACTERS
        assert value.isascii()
        assert value.isprintable()


@given(PRINTABLE)
def test_what_is_printable_survives(value: str) -> None:
    """There and back, as a client would send it."""
    assert parse_parameters(urlencode({"state": value}).encode(), known=KNOWN).get("state") == value


@given(st.text(max_size=400))
def test_what_is_shown_fits_an_error_description(text: str) -> None:
    """RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E, whatever a stranger sends."""
    assert all(" " <= character <= "~" and character not in '"\\' for character in shown(text))
    assert len(shown(text)) <= 123


@given(PRINTABLE, st.sampled_from(["https://tpp.example/cb", "https://tpp.example/cb?a=b&c=d%26"]))
def test_a_state_cannot_change_an_answer(state: str, redirect_uri: str) -> None:
    """Whatever it holds, it is one parameter and the rest stays as it was."""
    url = response_url(redirect_uri, issuer="https://i.example", state=state, code="abc")
    query = url.removeprefix(redirect_uri)[1:]

    read = parse_parameters(query.encode(), known=frozenset({"code", "state", "iss"}))
    assert dict(read.values) == {"code": "abc", "state": state, "iss": "https://i.example"}
    assert not read.repeated
