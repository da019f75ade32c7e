"""What outcomes and results are called, and which page of the portal helps with which refusal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from sandbox.calls.model import Outcome, Result
from sandbox.portal.pages.paths import tpp_path

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.calls.model import Explanation
    from sandbox.tpps.model import Tpp


@dataclass(frozen=True, slots=True)
class Word:
    """A word, the tag that it stands in (`look.css`), and a sign that says the same without colour."""

    text: str
    tag: str
    sign: str = ""


OUTCOME_WORDS: Final = {
    Outcome.ADMITTED: Word("answered", "good"),
    Outcome.REFUSED: Word("refused", "bad"),
    Outcome.FAILED: Word("failed", "warn"),
    Outcome.ABORTED: Word("broken off", ""),
}
RESULT_WORDS: Final = {
    Result.PASSED: Word("passed", "good", "✓"),
    Result.FAILED: Word("ended here", "bad", "✗"),
    Result.NOT_REACHED: Word("not reached", "", "·"),
    Result.NOT_ASKED: Word("not asked for here", "", "○"),
}


@dataclass(frozen=True, slots=True)
class Help:
    """A page of the portal on which the cause can be put right."""

    path: str
    text: str


_DOCTOR: Final = "/doctor"
# By the reason's beginning, the longest first; the path is below the TPP's own, but for the doctor, who is there for everybody.
_HELP: Final = (
    ("mtls.untrusted", _DOCTOR, "Ask the doctor who issued it"),
    ("mtls.chain", _DOCTOR, "Ask the doctor what stands in the way"),
    ("mtls.malformed", _DOCTOR, "Ask the doctor what is wrong with it"),
    ("mtls.not_a_qwac", _DOCTOR, "Ask the doctor what it lacks"),
    ("mtls.expired", "/certificates", "Renew the certificate"),
    ("mtls.revoked", "/certificates/new?kind=qwac", "Have a new QWAC issued"),
    ("mtls.blocked", "", "See why the operator has blocked it"),
    ("mtls.self_signed", "/client", "See how your client authenticates"),
    ("mtls.", "/certificates", "See your certificates"),
    ("signature.missing", "/data/workbench", "Choose a bank that takes requests unsigned"),
    ("signature.certificate_revoked", "/certificates/new?kind=qseal", "Have a new QSealC issued"),
    ("signature.certificate_expired", "/certificates", "Renew the QSealC"),
    ("signature.certificate_untrusted", _DOCTOR, "Ask the doctor who issued it"),
    ("signature.certificate_", "/certificates", "See your certificates"),
    ("signature.not_a_seal", "/certificates", "See your certificates"),
    ("signature.other_tpp", "/certificates", "See your certificates"),
    ("psd2.role", "", "See your roles"),
    ("tpp.", "", "See what is registered"),
    ("client.redirect_uri", "/change", "Change your redirect URIs"),
    ("client.certificate_mismatch", "", "See what is registered"),
    ("client.blocked", "", "See what is registered"),
    ("client.", "/client", "See how your client is registered"),
    ("assertion.", "/client", "See your client's keys"),
    ("jose.", "/client", "See your client's keys"),
    ("par.required", "/client", "See your client's profile"),
    ("par.", "/first-call", "See a request that works"),
    ("dpop.", "/client", "See whether your client's tokens are bound to a key"),
    ("ciba.client", "/client", "See your client's grant types"),
    ("consent.", "/first-call", "Make a new consent"),
    ("token.dpop_as_bearer", "/client", "See whether your client's tokens are bound to a key"),
    ("token.", "/first-call", "Fetch a token, step by step"),
    ("grant.", "/first-call", "Fetch a token, step by step"),
    ("oauth.", "/first-call", "See a request that works"),
    ("request.", "/first-call", "See a request that works"),
    ("route.", "/first-call", "See a request that works"),
    ("http.", "/first-call", "See a request that works"),
    ("psu.", "/data", "See your personas"),
    ("sca.", "/inbox", "Open the inbox"),
    ("payment.", "/data", "See your personas' accounts"),
)


def clock_time(at: datetime) -> Markup:
    """Return a time to the second as `<time>`: 3 Mar, 14:05:09 (UTC)."""
    when = at.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        when.isoformat(timespec="milliseconds"), f"{when.day} {when:%b, %H:%M:%S}"
    )


def help_with(explanation: Explanation | None, tpp: Tpp | None) -> Help | None:
    """Return where the cause of a refusal can be put right, if the portal has such a page."""
    if explanation is None or explanation.reason is None:
        return None
    reason = explanation.reason
    path, text = next(((path, text) for start, path, text in _HELP if reason.startswith(start)), (None, ""))
    if path is None or (tpp is None and path != _DOCTOR):
        return None
    return Help(path if tpp is None or path == _DOCTOR else f"{tpp_path(tpp)}{path}", text)
