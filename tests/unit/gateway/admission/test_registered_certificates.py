"""Self-signed certificates that clients have registered: let in by their hash where a route takes them, for nothing else."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.admission.roles import granted_roles
from gateway.register.model import AuthMethod, ClientStatus, TppStatus
from gateway.trust.snapshot import TrustSnapshot
from psd2.roles import PspRole
from tests.support.admission import CLIENT, TOKEN, Known, admitted, asking, judge_by, knowing, refusal, tpp
from tests.support.pki import DAY, NUMBER, Authority, Issued, self_issued

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = dt.datetime.now(dt.UTC)
ROOT = Authority("Root")
# Of another number, and of roles that the register may not grant: whatever it says of its holder, nobody vouches for it.
OWN = self_issued(number="PSDES-BDE-300003")
METHOD = AuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH
TAKING = {"self_signed": "registered"}


def known(route: dict[str, Any] | None = None, *, certificate: Issued = OWN, **fields: Any) -> Known:
    """Return what is known where the client has registered the certificate, and the route takes such."""
    told = knowing(TAKING | (route or {}), judge=judge_by(ROOT), **fields)
    told.certificate_holders.entries[certificate.sha256] = (CLIENT,)
    told.clients.entries[CLIENT] = replace(told.clients.entries[CLIENT], token_endpoint_auth_method=METHOD)
    return told


def test_its_holder_is_the_tpp_whose_client_has_registered_it() -> None:
    """Not the one that it names; its roles are the register's, for it has none."""
    told = known({"roles": ["PSP_AI"]})
    told.tpps.entries[NUMBER] = replace(tpp(), roles=frozenset({PspRole.AI}))

    admission = admitted(told, asking(certificate=OWN))

    assert (admission.tpp, admission.certificate) == (told.tpps.entries[NUMBER], None)
    assert admission.trusted is not None
    assert admission.trusted.authorisation_number == NUMBER
    assert granted_roles(admission.trusted, admission.tpp) == {PspRole.AI}
    assert refusal(known({"roles": ["PSP_AS"]}), asking(certificate=OWN)).reason == "psd2.role"


def test_a_token_is_bound_to_it_as_to_any() -> None:
    """And to no other."""
    told = known({"scopes": ["AIS"]})
    told.issue(thumbprint=OWN.thumbprint)
    assert admitted(told, asking(certificate=OWN, token=TOKEN)).token is not None
    told.issue(thumbprint=ROOT.qwac().thumbprint)
    assert refusal(told, asking(certificate=OWN, token=TOKEN)).reason == "token.cnf_mismatch"


def _without(change: Callable[[Known], None]) -> Known:
    told = known()
    change(told)
    return told


def _blocked_certificate(told: Known) -> None:
    snapshot = TrustSnapshot(anchors=(ROOT.certificate,), intermediates=(), crls={}, blocked=frozenset({OWN.sha256}))
    told.stores["tpp"]._snapshot = snapshot


def _client(**changes: Any) -> Callable[[Known], None]:
    def change(told: Known) -> None:
        told.clients.entries[CLIENT] = replace(told.clients.entries[CLIENT], **changes)

    return change


WRONG: dict[str, tuple[Callable[[Known], None], str]] = {
    "registered by nobody": (lambda told: told.certificate_holders.entries.clear(), "mtls.untrusted"),
    "of a client that is gone": (lambda told: told.clients.entries.clear(), "mtls.untrusted"),
    "of a blocked client": (_client(status=ClientStatus.BLOCKED), "mtls.untrusted"),
    "of a client that authenticates otherwise": (
        _client(token_endpoint_auth_method=AuthMethod.TLS_CLIENT_AUTH),
        "mtls.untrusted",
    ),
    "blocked by the operator": (_blocked_certificate, "mtls.blocked"),
    "of a blocked TPP": (
        lambda told: told.tpps.entries.update({NUMBER: replace(tpp(), status=TppStatus.BLOCKED)}),
        "mtls.blocked",
    ),
    "of a TPP that is gone": (lambda told: told.tpps.entries.clear(), "tpp.unknown"),
}


@pytest.mark.parametrize(("change", "reason"), WRONG.values(), ids=WRONG.keys())
def test_one_that_is_nobodys_is_refused(change: Callable[[Known], None], reason: str) -> None:
    """Whatever was registered once."""
    assert refusal(_without(change), asking(certificate=OWN)).reason == reason


FAULTY: dict[str, dict[str, Any]] = {
    "mtls.expired": {"not_before": NOW - 3 * DAY, "not_after": NOW - DAY},
    "mtls.not_yet_valid": {"not_before": NOW + DAY},
    "mtls.eku": {"usages": [ExtendedKeyUsageOID.SERVER_AUTH]},
    "mtls.chain": {"key": rsa.generate_private_key(65537, 1024)},  # noqa: S505 - weak, which is the point
}


@pytest.mark.parametrize("reason", FAULTY)
def test_what_it_says_of_its_own_key_holds(reason: str) -> None:
    """In which time, and for what, though it was registered (RFC 8705 §2.2 spares it a chain, no more)."""
    certificate = self_issued(**FAULTY[reason])
    assert refusal(known(certificate=certificate), asking(certificate=certificate)).reason == reason


@pytest.mark.parametrize("self_signed", ["off", None])
def test_where_a_qwac_is_wanted_its_owner_hears_so(self_signed: str | None) -> None:
    """As no stranger does, whose certificate is just not trusted."""
    strict = known({"self_signed": self_signed})
    refused = refusal(strict, asking(certificate=OWN))
    assert (refused.reason, refused.status, refused.code) == ("mtls.self_signed", 401, "CERTIFICATE_INVALID")
    assert "QWAC" in refused.public_text
    assert refusal(strict, asking(certificate=self_issued())).reason == "mtls.untrusted"


def test_a_routes_lists_hold_for_it_too() -> None:
    """And where a certificate that is no good is ignored, so is one that the route does not take."""
    assert admitted(known({"allowed_certificates": [OWN.sha256]}), asking(certificate=OWN)).trusted is not None
    assert refusal(known({"allowed_issuers": ["0" * 64]}), asking(certificate=OWN)).reason == "mtls.not_allowed"
    ignoring = known({"self_signed": "off", "mtls": "optional", "invalid_certificate": "ignore"})
    admission = admitted(ignoring, asking(certificate=OWN))
    assert (admission.trusted, admission.tpp) == (None, None)


def test_what_an_authority_has_issued_is_judged_by_its_word() -> None:
    """A revoked or expired QWAC comes in by no registration."""
    expired = ROOT.qwac(not_before=NOW - 3 * DAY, not_after=NOW - DAY)
    assert refusal(known(certificate=expired), asking(certificate=expired)).reason == "mtls.expired"
    admission = admitted(known(certificate=(good := ROOT.qwac())), asking(certificate=good))
    assert admission.certificate is not None
