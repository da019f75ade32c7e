"""One request as it goes through the edge: what was established, what came of it. Its audit record is made of this."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from chassis.told.refusals import ToldRefusal
    from gateway.admission.admit import Admission
    from gateway.admission.request import Request
    from gateway.admission.signatures import SignatureVerdict
    from gateway.limits.limiter import Receipt
    from gateway.message_signatures.judgement import VerifiedSignature
    from gateway.plans.table import Entitled

ADMITTED: Final = "admitted"
REFUSED: Final = "refused"
FAILED: Final = "failed"
ABORTED: Final = "aborted"


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request as it goes through; the audit record is made of it.

    Times are seconds of a monotonic clock, but for `arrived_at`, which is the same moment as `began_at` in epoch seconds.
    """

    request: Request
    admission: Admission
    arrived_at: float
    began_at: float
    admitted_at: float | None = None
    replied_at: float | None = None
    status: int = 0
    outcome: str = ADMITTED
    reason: str | None = None
    detail: str | None = None
    text: str | None = None
    told: ToldRefusal | None = None
    refused_tpp: str | None = None
    signature: SignatureVerdict | None = None
    message_signature: VerifiedSignature | None = None
    answer_keyid: str | None = None
    entitled: Entitled | None = None
    receipt: Receipt | None = None
    limit: dict[str, object] | None = None
    limit_headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    target: str | None = None
    retried: bool = False
    sent_bytes: int = 0
    received_bytes: int = 0
    is_recorded: bool = False
