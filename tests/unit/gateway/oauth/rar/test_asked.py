"""What a request asks for, by scope or by authorization details (BG IG §13.1, RFC 9396 §3)."""

from __future__ import annotations

import pytest

from gateway.oauth.parameters import Parameters
from gateway.oauth.rar.asked import Asked, read_asked, require_may_ask
from gateway.oauth.refusals import OAuthRefused
from gateway.oauth.scope import Service
from psd2.roles import PspRole
from tests.support.authorization import tpp

NAMED = '[{"type": "funds_confirmation", "identifier": "4711"}]'


@pytest.mark.parametrize(
    ("parameters", "service", "resource"),
    [
        ({"scope": "PIS:4711"}, Service.PIS, "4711"),
        ({"scope": "accounts"}, Service.AIS, None),
        ({"authorization_details": NAMED}, Service.PIIS, "4711"),
    ],
)
def test_scope_or_details_say_what_is_asked(parameters: dict[str, str], service: Service, resource: str | None) -> None:
    """Each says it alone."""
    asked = read_asked(Parameters(parameters))

    assert (asked.service, asked.resource) == (service, resource)


@pytest.mark.parametrize("parameters", [{}, {"scope": "accounts", "authorization_details": NAMED}, {"scope": "accounts AIS:1"}])
def test_neither_and_both_are_refused(parameters: dict[str, str]) -> None:
    """The refusal names `scope`."""
    with pytest.raises(OAuthRefused, match=r"^scope: "):
        read_asked(Parameters(parameters))


def test_a_choice_of_accounts_takes_the_role_of_account_information() -> None:
    """Whoever asks for `accounts` is an AISP."""
    payments_only = tpp(roles=frozenset({PspRole.PI}))

    with pytest.raises(OAuthRefused, match="needs the role PSP_AI"):
        require_may_ask(Asked(service=Service.AIS), payments_only, types=(), location="https://localhost:8443")
