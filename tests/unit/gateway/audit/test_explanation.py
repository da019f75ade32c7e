"""A record explains its call: where it ended, what had been established, what helps, and nothing that is another's."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.admission.grounds import GROUNDS
from gateway.admission.stages import Stage
from gateway.audit.explanation import explained, explanation_of, failed_stage, stages_of, told_to_its_tpp
from gateway.audit.record import REGISTRATION
from tests.support.pki import NUMBER

OWN_TOKEN = {
    "id": "abab",
    "tpp": NUMBER,
    "client_id": NUMBER,
    "scope": "AIS:1",
    "expires": "2026-03-02T10:00:00+00:00",
    "cnf_match": True,
}


def record(**members: object) -> dict[str, Any]:
    """Return the record of a good call for accounts."""
    return {
        "ts": "2026-03-02T09:00:00.000000+00:00",
        "kind": "request",
        "request_id": "id",
        "tpp_request_id": "99391c7e-ad88-49ec-a2ad-99ddcb1f7721",
        "method": "GET",
        "path": "/v1/accounts",
        "outcome": "admitted",
        "status": 200,
        "reason": None,
        "detail": "private",
        "text": None,
        "host": "localhost",
        "tpp": NUMBER,
        "retried": False,
        "bytes": {"in": 0, "out": 7},
        "latency_ms": {"admission": 0.2, "upstream": 3.0, "total": 3.3},
        "deployment": "xs2a-accounts",
        "route": "/v1/accounts",
        "upstream": "bank",
        "asks": {"certificate": "required", "role": "PSP_AI", "scope": "AIS"},
        "listener": "edge",
        "client_ip": "127.0.0.1",
        "sni": "localhost",
        "tls": {"version": "TLSv1.3", "cipher": "TLS_AES_128_GCM_SHA256", "resumed": False},
        "certificate": {
            "sha256": "aa",
            "kind": "qwac",
            "subject": "CN=demo",
            "issuer": "CN=issuer",
            "serial": "1f",
            "not_after": "2026-03-12T09:00:00+00:00",
            "roles": "PSP_AI",
            "authorisation_number": NUMBER,
        },
        "revocation": {"method": "crl", "status": "good", "as_of": "2026-03-02T08:00:00+00:00"},
        "token": OWN_TOKEN,
    } | members


def results(of: dict[str, Any]) -> dict[str, object]:
    return {str(stage["stage"]): stage["result"] for stage in stages_of(of)}


def facts(of: dict[str, Any], stage: str) -> dict[str, str]:
    (found,) = [each for each in stages_of(of) if each["stage"] == stage]
    assert isinstance(found["established"], list)
    return {fact["what"]: fact["value"] for fact in found["established"]}


def refused(reason: str, **members: object) -> dict[str, Any]:
    return record(outcome="refused", status=GROUNDS[reason].status, reason=reason, **members)


UNCOUNTED = ("subscription", "limits")


def test_a_good_call_passed_every_stage_and_needs_no_explanation() -> None:
    """With what was established on its way."""
    assert {stage for stage, result in results(record()).items() if result != "passed"} == {
        "address",
        "conditions",
        "subscription",
        "limits",
        "signature",
    }
    assert explanation_of(record()) is None
    assert facts(record(), "certificate")["days left then"] == "10"
    assert facts(record(), "presented")["serial number"] == "1f"
    assert facts(record(), "qwac") == {"kind": "qwac"}
    assert facts(record(), "revocation") == {"status": "good", "told by": "crl", "as of": "2026-03-02T08:00:00+00:00"}
    assert facts(record(), "binding") == {"bound to this certificate": "yes (cnf matches)", "client": NUMBER}
    assert facts(record(), "service")["service took"] == "3.0 ms"


def test_a_token_that_is_bound_to_a_key_is_told_by_the_key() -> None:
    """RFC 9449 §6.1: that it is bound to no certificate is no fault, and whose key it is is its TPP's business."""
    bound = {name: value for name, value in OWN_TOKEN.items() if name != "cnf_match"} | {"jkt": "thumbprint"}
    others = record(token=bound | {"tpp": "PSDDE-BAFIN-9"})

    assert facts(record(token=bound), "binding") == {"bound to the key": "thumbprint", "client": NUMBER}
    assert facts(others, "binding") == {}
    assert told_to_its_tpp(others)["token"] == {"id": "abab"}


@pytest.mark.parametrize("reason", GROUNDS)
def test_each_ground_ends_the_call_at_its_own_stage(reason: str) -> None:
    """Nothing after it was reached; its explanation is the ground's."""
    ground = GROUNDS[reason]
    unknown: dict[Stage, dict[str, object]] = {Stage.REQUEST: {"route": None}, Stage.BLOCK_LIST: {"revocation": None}}
    call = refused(reason, **unknown.get(ground.stage, {}))

    stages = stages_of(call)
    ended = [stage["stage"] for stage in stages if stage["result"] == "failed"]
    assert ended == [ground.stage]
    assert all(stage["result"] == "not_reached" for stage in stages[ground.stage.place + 1 :])
    assert all(stage["result"] != "not_reached" for stage in stages[: ground.stage.place])
    explanation = explanation_of(call)
    assert explanation is not None
    assert (explanation.by, explanation.reason, explanation.hint) == ("gateway", reason, ground.hint)


def test_what_a_route_does_not_ask_for_is_said_to_be_so() -> None:
    """A consent needs no token, a page of the front not even a certificate."""
    consent = record(asks={"certificate": "required", "role": "PSP_AI", "scope": None}, token=None)
    front = record(asks={"certificate": "off", "role": None, "scope": None}, certificate=None, revocation=None, token=None)

    asked_of_consent = {stage for stage, result in results(consent).items() if result == "not_asked"}
    assert asked_of_consent == {"address", "conditions", "token", "binding", "scope", *UNCOUNTED, "signature"}
    asked_of_front = {stage for stage, result in results(front).items() if result == "not_asked"}
    of_certificate = {"presented", "block_list", "certificate", "revocation", "qwac", "conditions", "register"}
    assert asked_of_front == of_certificate | {"address", "token", "binding", "role", "scope", *UNCOUNTED, "signature"}


def test_of_a_registered_certificate_no_authority_was_asked() -> None:
    """It passed by its registration, which the record tells."""
    own = record(revocation={"method": REGISTRATION, "status": "not_asked"})
    result = {each["stage"]: each["result"] for each in stages_of(own)}
    assert (result["certificate"], result["revocation"], result["qwac"]) == ("passed", "not_asked", "not_asked")
    assert result["register"] == "passed"


def test_without_a_token_the_bank_decides_whether_there_must_be_one() -> None:
    """A call that it let in needed none; one that it refused ends where tokens are judged."""
    asks = {"certificate": "required", "role": "PSP_AI", "scope": "AIS", "token": "if_presented", "signature": "optional"}
    told = {"text": "t", "hint": "h", "clause": "c"}
    let_in = results(record(asks=asks, token=None))
    refused_by_bank = results(record(asks=asks, token=None, outcome="refused", status=401, reason="token.missing", told=told))

    assert {let_in[stage] for stage in ("token", "binding", "scope")} == {"not_asked"}
    assert (refused_by_bank["token"], refused_by_bank["service"]) == ("failed", "not_reached")


def test_a_signature_is_told_as_it_was_found() -> None:
    """Valid, or refused by the bank in the gateway's words; what is private of it stays in the log."""
    found = {"verdict": "valid", "text": None, "detail": "private", "certificate": {"subject": "CN=seal", "serial": "2"}}
    signed = record(signature=found)
    wrong = record(
        signature=found | {"verdict": "signature.date", "text": "Old."},
        outcome="refused",
        status=401,
        reason="signature.date",
        told={"text": "Old.", "hint": "h", "clause": "c"},
    )

    assert results(signed)["signature"] == "passed"
    assert facts(signed, "signature") == {"verdict": "valid", "seal": "CN=seal", "seal's serial number": "2"}
    assert results(wrong)["signature"] == "failed"
    assert facts(wrong, "signature")["what was found"] == "Old."
    assert "private" not in str(told_to_its_tpp(signed)["signature"])


def test_a_blocked_certificate_was_not_judged_any_further() -> None:
    """The block list is looked at first: whether it would have been trusted is not known."""
    blocked = results(refused("mtls.blocked", revocation=None))
    assert (blocked["block_list"], blocked["certificate"], blocked["revocation"]) == ("failed", "not_reached", "not_reached")


def test_a_blocked_tpp_had_a_good_certificate() -> None:
    """Its call ends at the register, although the reason is the same."""
    blocked = results(refused("mtls.blocked"))
    assert (blocked["block_list"], blocked["certificate"], blocked["qwac"], blocked["register"]) == (
        "passed",
        "passed",
        "passed",
        "failed",
    )


@pytest.mark.parametrize("reason", ["mtls.revoked", "mtls.revocation_unknown"])
def test_a_revoked_certificate_was_trusted_until_then(reason: str) -> None:
    """The list is looked at after the chain; whether it is a QWAC has not been asked yet."""
    revoked = results(refused(reason, revocation=None))
    assert (revoked["certificate"], revoked["revocation"], revoked["qwac"]) == ("passed", "failed", "not_reached")


def test_a_body_that_is_at_fault_was_read_after_admission() -> None:
    """On the way to the service."""
    assert failed_stage(refused("http.body_too_large")) is Stage.FORWARDING
    assert failed_stage(refused("http.too_slow", route=None)) is Stage.REQUEST


def test_a_refusal_of_the_service_is_explained_in_its_own_words() -> None:
    """Everything before it was passed."""
    told = {"text": "The consent has expired.", "hint": "Make a new one.", "clause": "BG IG"}
    call = record(outcome="refused", status=401, reason="consent.expired", told=told)

    explanation = explanation_of(call)

    assert explanation is not None
    assert (explanation.by, explanation.reason, explanation.text) == ("bank", "consent.expired", told["text"])
    assert failed_stage(call) is Stage.SERVICE
    assert results(call)["forwarding"] == "passed"


def test_a_reason_of_the_service_that_the_edge_has_too_is_the_services() -> None:
    """`psd2.role` told by the bank did not end the call at the edge."""
    told = {"text": "t", "hint": "h", "clause": "c"}
    assert failed_stage(record(outcome="refused", status=401, reason="psd2.role", told=told)) is Stage.SERVICE


def test_an_answer_that_refuses_without_a_word_is_said_to_do_so() -> None:
    """404 and nothing else."""
    explanation = explanation_of(record(status=404))
    assert explanation is not None
    assert "404" in explanation.text


def test_a_client_that_left_is_told_so() -> None:
    """Before the answer began, or on its way."""
    early = record(outcome="aborted", status=0, latency_ms={"admission": 1.0, "total": 1.0})
    assert failed_stage(early) is Stage.FORWARDING
    assert failed_stage(record(outcome="aborted")) is Stage.SERVICE


def test_a_handshake_that_failed_ended_there() -> None:
    """There was no request."""
    handshake = {"ts": record()["ts"], "kind": "handshake", "outcome": "failed", "reason": "tls.alert", "client_ip": "::1"}
    assert failed_stage(handshake) is Stage.TLS
    assert results(handshake)["request"] == "not_reached"


def test_the_text_of_the_answer_is_repeated_where_it_said_more() -> None:
    """The roles that were missing, for one."""
    explanation = explanation_of(refused("psd2.role", text="needs the role PSP_PI"))
    assert explanation is not None
    assert explanation.text == "needs the role PSP_PI"


def test_private_details_are_not_shown() -> None:
    """They may name others."""
    assert "private" not in str(explained(refused("token.other_tpp")))
    assert "private" not in str(stages_of(refused("token.other_tpp")))


def test_another_tpps_token_shows_nothing_of_its_owner() -> None:
    """A thief learns nothing from its own log."""
    stolen = OWN_TOKEN | {"tpp": "PSDFR-ACPR-1", "client_id": "victim-client", "scope": "AIS:victim-consent"}
    call = refused("token.cnf_mismatch", token=stolen)

    shown = f"{explained(call)} {stages_of(call)}"

    assert "abab" in shown
    assert not any(word in shown for word in ("PSDFR-ACPR-1", "victim"))


def test_a_number_that_is_only_claimed_is_shown_as_a_claim() -> None:
    """A certificate of an unknown issuer says whatever it likes."""
    forged = refused("mtls.untrusted", tpp=None, revocation=None)
    assert facts(forged, "presented")["claims the authorisation number (not believed)"] == NUMBER
