"""Explains a record to the TPP whose call it was: how far it came, stage by stage, what ended it, and what helps.

Made of the record alone, so that a call of yesterday is explained by what was true then. The private detail stays out.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from gateway.admission.grounds import GROUNDS
from gateway.admission.stages import Stage
from gateway.audit.evidence import established
from gateway.audit.exchange import ABORTED, ADMITTED
from gateway.audit.record import REGISTRATION
from gateway.policies.model import MutualTls, TokenRule

if TYPE_CHECKING:
    from gateway.admission.grounds import Ground
    from gateway.audit.row import Record

_GATEWAY: Final = "gateway"
_FIRST_REFUSAL: Final = 400
_CERTIFICATE_STAGES: Final = frozenset(
    {Stage.PRESENTED, Stage.BLOCK_LIST, Stage.CERTIFICATE, Stage.REVOCATION, Stage.QWAC, Stage.REGISTER}
)
# What only an authority's certificate is asked: one that a client has registered stands for itself (RFC 8705 §2.2).
_AUTHORITY_STAGES: Final = frozenset({Stage.REVOCATION, Stage.QWAC})
# Whether there must be a token or a signature at all is the bank's to say: what it tells ends the call at our stage.
_TOLD_STAGES: Final = frozenset({Stage.TOKEN, Stage.SIGNATURE})
# Stages that few routes ask for, by what the record of their asking is called.
_ASKED_BY: Final = {Stage.ADDRESS: "address", Stage.CONDITIONS: "conditions", Stage.ROLE: "role"}
_BY_MEMBER: Final = {Stage.SIGNATURE: "signature", Stage.SUBSCRIPTION: "plan", Stage.LIMITS: "limit"}
_TOKEN_STAGES: Final = frozenset({Stage.TOKEN, Stage.BINDING, Stage.SCOPE})


class Result(StrEnum):
    """What became of a stage."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not_reached"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a call did not succeed. `by` is `gateway`, or the service that refused; `reason` None where nobody gave one."""

    by: str
    reason: str | None
    text: str
    hint: str
    clause: str


def explanation_of(record: Record) -> Explanation | None:
    """Return the explanation, None for a call that succeeded."""
    told, ground = record.get("told"), GROUNDS.get(str(record.get("reason")))
    if told is not None:
        return Explanation(by=str(record.get("upstream")), reason=record["reason"], **told)
    if ground is not None:
        text = record.get("text") or ground.text
        return Explanation(by=_GATEWAY, reason=ground.reason, text=text, hint=ground.hint, clause=ground.clause)
    return _without_ground(record)


def _without_ground(record: Record) -> Explanation | None:
    outcome, status, reason = record.get("outcome"), int(record.get("status") or 0), record.get("reason")
    if record.get("kind") == "handshake":
        hint = "Offer TLS 1.2 with ECDHE and AEAD, or TLS 1.3, and prove the key of the certificate."
        return Explanation(by=_GATEWAY, reason=reason, text="The TLS handshake failed.", hint=hint, clause="RFC 8446 §6.2")
    if outcome == ABORTED:
        text = "The client ended the connection before the answer was complete."
        hint = "Look at the client's own time limit, and at what ends its connections."
        return Explanation(by="client", reason=reason, text=text, hint=hint, clause="RFC 9110 §7.6.1")
    if outcome == ADMITTED and status >= _FIRST_REFUSAL:
        text = f"The service answered {status} and gave no further reason."
        hint = "The body of the answer says more."
        return Explanation(by=str(record.get("upstream")), reason=None, text=text, hint=hint, clause="RFC 9110 §15")
    return None


def stages_of(record: Record) -> list[dict[str, object]]:
    """Return every stage in order: its result, and what was established there."""
    failed = failed_stage(record)
    return [_stage(stage, record, failed) for stage in Stage]


def failed_stage(record: Record) -> Stage | None:
    """Return where a call ended, None for one that succeeded."""
    if explanation_of(record) is None or _has_succeeded(record):
        return None
    ground = GROUNDS.get(str(record.get("reason")))
    if ground is not None and (record.get("told") is None or ground.stage in _TOLD_STAGES):
        return _stage_of(ground, record)
    if record.get("kind") == "handshake":
        return Stage.TLS
    has_answer = "upstream" in (record.get("latency_ms") or {})
    return Stage.SERVICE if has_answer else Stage.FORWARDING


def _has_succeeded(record: Record) -> bool:
    # An answer that a fault has held back is explained, and yet nothing failed.
    return record.get("outcome") == ADMITTED and 0 < int(record.get("status") or 0) < _FIRST_REFUSAL


def _stage_of(ground: Ground, record: Record) -> Stage:
    """Return the ground's own stage, or the later one at which it came up."""
    if ground.stage is Stage.REQUEST and record.get("route") is not None:
        return Stage.FORWARDING  # a body is read after admission: what is wrong with it shows on the way to the service
    if ground.stage is Stage.BLOCK_LIST and record.get("revocation") is not None:
        return Stage.REGISTER  # the certificate was judged good: it is the TPP that is blocked
    return ground.stage


def _stage(stage: Stage, record: Record, failed: Stage | None) -> dict[str, object]:
    result = _result(stage, record, failed)
    facts = established(stage, record) if result in {Result.PASSED, Result.FAILED} else []
    return {"stage": stage.value, "label": stage.label, "result": result.value, "established": facts}


def _result(stage: Stage, record: Record, failed: Stage | None) -> Result:
    if stage is failed:
        return Result.FAILED
    if failed is not None and stage.place > failed.place:
        return Result.NOT_REACHED
    if _is_unasked(stage, record):
        return Result.NOT_ASKED
    return Result.PASSED


def _is_unasked(stage: Stage, record: Record) -> bool:
    asks = record.get("asks") or {}
    if stage is Stage.TLS:
        return record.get("tls") is None and record.get("kind") == "request"
    if stage in _CERTIFICATE_STAGES:
        is_left_out = asks.get("certificate") == MutualTls.OPTIONAL and record.get("certificate") is None
        is_registered = stage in _AUTHORITY_STAGES and (record.get("revocation") or {}).get("method") == REGISTRATION
        return asks.get("certificate") == MutualTls.OFF or is_left_out or is_registered
    if stage in _ASKED_BY:
        return not asks.get(_ASKED_BY[stage])
    if stage in _TOKEN_STAGES:
        is_left_out = asks.get("token") == TokenRule.IF_PRESENTED and record.get("token") is None
        return asks.get("scope") is None or is_left_out
    if stage in _BY_MEMBER:
        return record.get(_BY_MEMBER[stage]) is None
    return False


def told_to_its_tpp(record: Record) -> Record:
    """Return what of a record may be shown: without the private detail, and of another TPP's token its id only."""
    shown = {name: value for name, value in record.items() if name != "detail"}
    if "signature" in shown:
        shown["signature"] = {name: value for name, value in shown["signature"].items() if name != "detail"}
    token = record.get("token")
    if token is not None and token.get("tpp") != record.get("tpp"):
        shown["token"] = {name: token[name] for name in ("id", "cnf_match") if name in token}
    return shown


def explained(record: Record) -> Record:
    """Return a record as the request log's list shows it."""
    explanation = explanation_of(record)
    return told_to_its_tpp(record) | {"explanation": asdict(explanation) if explanation else None}
