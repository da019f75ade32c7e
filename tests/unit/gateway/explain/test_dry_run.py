"""A dry run goes the steps of admission itself: the same first refusal, every other one beside it, nobody else's secrets."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.admission.refusal import Refusal
from gateway.admission.stages import Stage
from gateway.explain.discretion import DiscreetKnowledge
from gateway.explain.dry_run import HOLDERS_OWN, DryRun, Verdict, dry_run
from gateway.register.model import AuthMethod, TppStatus
from gateway.trust.judgement import Judge
from gateway.trust.rules import Method, RevocationRules, StoreRules
from gateway.trust.snapshot import TrustSnapshot
from psd2.roles import PspRole
from tests.support.admission import CLIENT, TOKEN, Known, admitted, asking, judge_by, knowing, tpp
from tests.support.pki import DAY, NUMBER, Authority, self_issued, self_signed

if TYPE_CHECKING:
    from gateway.admission.request import Request

ROOT = Authority("Root")
QWAC = ROOT.qwac()
OTHERS = ROOT.qwac(number="PSDDE-BAFIN-200002")
NOW = dt.datetime.now(dt.UTC)
EXPIRED = ROOT.qwac(not_before=NOW - 3 * DAY, not_after=NOW - DAY)
NO_ROLES = ROOT.qwac(roles=frozenset({PspRole.PI}))
SEAL = ROOT.qseal()
JUDGE = judge_by(ROOT)
TOKENS = {"token": "required", "scopes": ["AIS"]}
LISTED = {"allowed_certificates": ["0" * 64]}


def known(**fields: Any) -> Known:
    things = knowing(judge=JUDGE, roles=["PSP_AI"], **TOKENS, **fields)
    things.issue(thumbprint=QWAC.thumbprint)
    things.issue(thumbprint=QWAC.thumbprint, scope="PIIS:1", token="narrow")
    return things


def run_of(things: Known, request: Request, **options: Any) -> DryRun:
    return dry_run(request, things, time.time(), **options)  # type: ignore[arg-type]


def ending(things: Known, request: Request) -> str | None:
    """Return the reason for which admission itself refuses."""
    try:
        admitted(things, request)
    except Refusal as refused:
        return refused.reason
    return None


REQUESTS = {
    "all right": asking(certificate=QWAC, token=TOKEN),
    "no certificate": asking(token=TOKEN),
    "nothing at all": asking(),
    "self-signed": asking(certificate=self_signed(), token=TOKEN),
    "expired": asking(certificate=EXPIRED, token=TOKEN),
    "a seal": asking(certificate=SEAL, token=TOKEN),
    "not registered": asking(certificate=OTHERS, token=TOKEN),
    "no token": asking(certificate=QWAC),
    "a wrong token": asking(certificate=QWAC, token="guessed"),
    "another certificate": asking(certificate=ROOT.qwac(), token=TOKEN),
    "no role": asking(certificate=NO_ROLES, token=TOKEN),
    "another scope": asking(certificate=QWAC, token="narrow"),
    "no such path": asking("/nothing", certificate=QWAC, token=TOKEN),
    "no such method": asking(certificate=QWAC, token=TOKEN, method="DELETE"),
    "a crooked path": asking("/things/../x", certificate=QWAC),
    "another host": asking(certificate=QWAC, token=TOKEN, host="other.example"),
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("fields", [{}, LISTED, {"ip_rules": {"deny": ["192.0.2.0/24"]}}, {"mtls": "optional"}])
def test_the_first_refusal_of_a_dry_run_is_the_one_of_admission(request_: Request, fields: dict[str, Any]) -> None:
    """Whatever is wrong: an explanation that says something else than the gateway does is worse than none."""
    things = known(**fields)
    first = run_of(things, request_).first
    assert (first.reason if first else None) == ending(things, request_)


def test_every_check_that_can_be_made_is_made() -> None:
    """An expired certificate does not hide that the token is unknown; what needs the certificate is not reached."""
    run = run_of(known(), asking(certificate=EXPIRED, token="guessed"))
    assert {stage: refusal.reason for stage, refusal in run.refusals.items()} == {
        Stage.CERTIFICATE: "mtls.expired",
        Stage.TOKEN: "token.unknown",
    }
    assert run.verdicts[Stage.PRESENTED] is run.verdicts[Stage.BLOCK_LIST] is Verdict.PASSED
    for stage in (Stage.REVOCATION, Stage.QWAC, Stage.REGISTER, Stage.BINDING, Stage.ROLE, Stage.SCOPE):
        assert run.verdicts[stage] is Verdict.NOT_REACHED


def test_what_a_route_does_not_ask_for_is_said_so() -> None:
    """No token, no role, no lists: nothing was looked at, and nothing passed."""
    run = run_of(knowing(judge=JUDGE), asking(certificate=QWAC))
    assert run.first is None
    unasked = {stage for stage, verdict in run.verdicts.items() if verdict is Verdict.NOT_ASKED}
    assert unasked == {Stage.ADDRESS, Stage.CONDITIONS, Stage.TOKEN, Stage.BINDING, Stage.ROLE, Stage.SCOPE}


def test_a_blocked_tpp_fails_at_the_register() -> None:
    """The certificate is not what the operator has blocked."""
    things = known()
    things.tpps.entries[NUMBER] = replace(tpp(), status=TppStatus.BLOCKED)
    assert run_of(things, asking(certificate=QWAC, token=TOKEN)).refusals.keys() == {Stage.REGISTER}


def test_of_a_registered_certificate_no_authority_is_asked() -> None:
    """It passes by its registration; who has registered it, a stranger with its certificate does not learn."""
    own = self_issued()
    things = knowing({"self_signed": "registered"}, judge=JUDGE)
    things.certificate_holders.entries[own.sha256] = (CLIENT,)
    method = AuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH
    things.clients.entries[CLIENT] = replace(things.clients.entries[CLIENT], token_endpoint_auth_method=method)

    run = run_of(things, asking(certificate=own))
    assert run.first is None
    assert run.verdicts[Stage.CERTIFICATE] is run.verdicts[Stage.REGISTER] is Verdict.PASSED
    assert run.verdicts[Stage.REVOCATION] is run.verdicts[Stage.QWAC] is Verdict.NOT_ASKED

    first = _discreet_run(things, asking(certificate=own)).first
    assert first is not None
    assert first.reason == "mtls.untrusted"


def _discreet_run(things: Known, request: Request) -> DryRun:
    return run_of(DiscreetKnowledge(things), request, withheld=HOLDERS_OWN)  # type: ignore[arg-type]


def _blocking(blocked: str) -> Judge:
    snapshot = TrustSnapshot(anchors=(ROOT.certificate,), crls={}, blocked=frozenset({blocked}))
    return Judge(snapshot, StoreRules(revocation=RevocationRules(method=Method.NONE)))


def test_of_a_pasted_certificate_nothing_is_told_that_the_operator_knows() -> None:
    """Blocked, listed, registered or not, subscribed: for every other certificate the answer is the same."""
    things = known(**LISTED)
    things.stores["tpp"] = _blocking(OTHERS.sha256)
    things.tpps.entries["PSDDE-BAFIN-200002"] = replace(
        tpp(), authorisation_number="PSDDE-BAFIN-200002", status=TppStatus.BLOCKED
    )
    run = _discreet_run(things, asking(certificate=OTHERS, token=TOKEN))
    plain = _discreet_run(known(), asking(certificate=ROOT.qwac(number="PSDDE-BAFIN-300003"), token=TOKEN))
    assert run.verdicts == plain.verdicts
    assert run.refusals == plain.refusals == {}
    assert {stage for stage, verdict in run.verdicts.items() if verdict is Verdict.WITHHELD} == {
        Stage.BLOCK_LIST,
        Stage.CONDITIONS,
        Stage.REGISTER,
        Stage.BINDING,
        Stage.ROLE,
    }


def test_of_a_pasted_certificate_is_told_what_it_says_itself() -> None:
    """Anybody who has it can find that out."""
    run = _discreet_run(known(), asking(certificate=EXPIRED))
    assert run.refusals[Stage.CERTIFICATE].reason == "mtls.expired"


def test_the_judge_itself_still_looks_at_the_block_list() -> None:
    """Discretion must not become blindness for those who do present the certificate."""
    judge = _blocking(QWAC.sha256)
    judge.discreet()
    things = knowing(judge=judge)
    assert ending(things, asking(certificate=QWAC)) == "mtls.blocked"
    assert QWAC.certificate.public_bytes(Encoding.DER) == QWAC.der
