"""Examinations as JSON, and their verdict in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.doctor.model import Level, Outcome, Unchecked
from sandbox.doctor.words import listed, refusal_text

if TYPE_CHECKING:
    from sandbox.ca.faults import Refusal
    from sandbox.doctor.model import Examination, Field, Finding


def verdict(examination: Examination) -> str:
    """Say what the certificate is good for, and how sure that is."""
    refusal = examination.refusal
    if refusal is None:
        opens = f"as a QWAC, for {listed(examination.opens)}"
        if Unchecked.ISSUER in examination.unchecked:
            return f"A gateway that trusts its issuer accepts it {opens}."
        return f"The gateway accepts it {opens}."
    if examination.outcome is Outcome.SOUND_SEAL:
        return f"It is a sound QSealC. It signs messages; in TLS the gateway answers {refusal_text(refusal)}."
    return f"The gateway refuses it: {refusal_text(refusal)}."


def gateway_says(finding: Finding) -> str:
    """Say what the gateway does about one finding."""
    if finding.refusal is not None:
        where = f" to requests for {finding.only_for}" if finding.only_for else ""
        return f"answers {refusal_text(finding.refusal)}{where}"
    return "accepts it in spite of this" if finding.level is Level.DEPARTURE else "does not look at this"


def examination_document(examination: Examination) -> dict[str, Any]:
    """Return an examination as JSON."""
    return {
        "title": examination.title,
        "kind": examination.kind.value,
        "sha256": examination.sha256,
        "examined_at": examination.examined_at.isoformat(),
        "days_left": examination.days_left,
        "outcome": examination.outcome.value,
        "refusal": _refusal(examination.refusal),
        "verdict": verdict(examination),
        "opens": list(examination.opens),
        "findings": [_finding(each) for each in examination.findings],
        "fields": _fields(examination.fields),
        "companions": _fields(examination.companions),
        "unchecked": [each.value for each in examination.unchecked],
    }


def _fields(fields: tuple[Field, ...]) -> dict[str, Any]:
    return {each.name: {"values": list(each.values), "meaning": each.meaning} for each in fields}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code.value,
        "level": finding.level.value,
        "text": finding.text,
        "right": finding.remedy,
        "clause": finding.clause or None,
        "gateway": gateway_says(finding),
        "refusal": _refusal(finding.refusal),
        "only_for": finding.only_for,
    }


def _refusal(refusal: Refusal | None) -> dict[str, Any] | None:
    return {"status": refusal.status, "code": refusal.code, "reason": refusal.reason} if refusal else None
