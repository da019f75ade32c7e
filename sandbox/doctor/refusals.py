"""The gateway's refusals of a certificate, by reason (docs/refusals.md). A test holds them to the gateway's own."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from psd2.tpp_messages import MessageCode
from sandbox.ca.faults import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

MALFORMED: Final = "mtls.malformed"
UNTRUSTED: Final = "mtls.untrusted"
EKU: Final = "mtls.eku"
EXPIRED: Final = "mtls.expired"
NOT_YET_VALID: Final = "mtls.not_yet_valid"
CHAIN: Final = "mtls.chain"
REVOKED: Final = "mtls.revoked"
NOT_A_QWAC: Final = "mtls.not_a_qwac"
TPP_UNKNOWN: Final = "tpp.unknown"
BLOCKED: Final = "mtls.blocked"
ROLE: Final = "psd2.role"

_CODES: Final = {
    MALFORMED: MessageCode.CERTIFICATE_INVALID,
    UNTRUSTED: MessageCode.CERTIFICATE_INVALID,
    EKU: MessageCode.CERTIFICATE_INVALID,
    EXPIRED: MessageCode.CERTIFICATE_EXPIRED,
    NOT_YET_VALID: MessageCode.CERTIFICATE_INVALID,
    CHAIN: MessageCode.CERTIFICATE_INVALID,
    REVOKED: MessageCode.CERTIFICATE_REVOKED,
    NOT_A_QWAC: MessageCode.CERTIFICATE_INVALID,
    TPP_UNKNOWN: MessageCode.CERTIFICATE_INVALID,
    BLOCKED: MessageCode.CERTIFICATE_BLOCKED,
    ROLE: MessageCode.ROLE_INVALID,
}

REFUSALS: Final[Mapping[str, Refusal]] = MappingProxyType(
    {reason: Refusal(status=code.status, code=code.value, reason=reason) for reason, code in _CODES.items()},
)
