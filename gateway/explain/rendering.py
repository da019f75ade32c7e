"""The answer to `POST /explain`: what the gateway would answer, and every check with its verdict and what was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.admission.stages import Stage
from gateway.audit.evidence import established
from gateway.explain.clauses import CLAUSES
from gateway.explain.dry_run import Verdict
from psd2.certificates import MalformedCertificate, parse_certificate
from psd2.qc_variants import VARIANT_WORDS
from psd2.qualified import QcVariant

if TYPE_CHECKING:
    from gateway.admission.refusal import Refusal
    from gateway.admission.request import Leaf
    from gateway.audit.row import Record
    from gateway.explain.dry_run import DryRun

_NOT_SENT: Final = "a dry run sends nothing on: what the service checks itself (consent, SCA, the body) is not asked"
_WITHHELD: Final = "told to the certificate's holder only: present it in TLS, with its key, instead of pasting it"
_SHOWING: Final = frozenset({Verdict.PASSED, Verdict.FAILED})


def explanation(run: DryRun, record: Record, *, leaf: Leaf | None, is_proved: bool) -> dict[str, Any]:
    """Return the answer; `record` is what the audit record would be, as its TPP may see it."""
    first = run.first
    return {
        "verdict": "refused" if first is not None else "admitted",
        "answer": _answer(first) if first is not None else None,
        "request": {name: record.get(name) for name in ("method", "path", "deployment", "route")},
        "certificate": _certificate(leaf, is_proved=is_proved) if leaf is not None else None,
        "checks": [_check(stage, run, record) for stage in Stage],
    }


def _answer(refusal: Refusal) -> dict[str, Any]:
    return {"status": refusal.status, "code": refusal.code, "reason": refusal.reason, "text": refusal.public_text}


def _check(stage: Stage, run: DryRun, record: Record) -> dict[str, Any]:
    verdict = run.verdicts.get(stage, Verdict.NOT_ASKED)
    refusal = run.refusals.get(stage) or run.remarks.get(stage)
    check: dict[str, Any] = {"check": stage, "label": stage.label, "verdict": verdict, "clause": CLAUSES[stage]}
    check["seen"] = established(stage, record) if verdict in _SHOWING else []
    if refusal is not None:
        ground = refusal.ground
        check |= {"clause": ground.clause, "reason": ground.reason, "text": refusal.public_text, "hint": refusal.hint}
    note = _note(stage, verdict, run)
    return check | {"note": note} if note else check


def _note(stage: Stage, verdict: Verdict, run: DryRun) -> str | None:
    if verdict is Verdict.WITHHELD:
        return _WITHHELD
    if stage in {Stage.FORWARDING, Stage.SERVICE}:
        return _NOT_SENT
    return "the service is told, and decides what becomes of it" if stage in run.remarks else None


def _certificate(leaf: Leaf, *, is_proved: bool) -> dict[str, Any]:
    """Describe the certificate that was judged, each departure of its statements' encoding named."""
    try:
        variants = parse_certificate(leaf.der).variants
    except MalformedCertificate as error:
        return {"sha256": leaf.sha256, "proved": is_proved, "unreadable": str(error), "departures": []}
    named = [QcVariant(variant) for variant in variants]
    departures = [
        {"variant": variant, "text": words.text, "right": words.right, "clause": words.clause}
        for variant, words in ((variant, VARIANT_WORDS[variant]) for variant in named)
    ]
    return {"sha256": leaf.sha256, "proved": is_proved, "departures": departures}
