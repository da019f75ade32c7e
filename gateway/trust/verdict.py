"""What a judgement of a certificate says: trusted until a moment, or distrusted for one reason."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from chassis.told.vouched_certificates import Vouched
from gateway.trust.rules import Profile

if TYPE_CHECKING:
    from psd2.certificates import Psd2Certificate


class Distrust(StrEnum):
    """Why a certificate is refused, as the audit log and the TPP read it."""

    MALFORMED = "mtls.malformed"
    BLOCKED = "mtls.blocked"
    UNTRUSTED = "mtls.untrusted"
    CHAIN = "mtls.chain"
    EKU = "mtls.eku"
    EXPIRED = "mtls.expired"
    NOT_YET_VALID = "mtls.not_yet_valid"
    REVOKED = "mtls.revoked"
    REVOCATION_UNKNOWN = "mtls.revocation_unknown"
    NOT_A_QWAC = "mtls.not_a_qwac"
    NOT_A_QSEALC = "signature.not_a_seal"


class Distrusted(Exception):
    """A certificate that opens nothing; the message is for the log, and `holds_until` ends this verdict (epoch seconds).

    `authorisation_number` is the TPP's where a trusted authority vouches for it: the log of that TPP shows the refusal.
    """

    def __init__(self, distrust: Distrust, detail: str, *, holds_until: float = math.inf) -> None:
        """Say why, and until when a new judgement would say the same."""
        super().__init__(detail)
        self.distrust = distrust
        self.holds_from = -math.inf
        self.holds_until = holds_until
        self.authorisation_number: str | None = None

    def again(self) -> Distrusted:
        """Return the same to raise anew: one that is remembered must not gather a traceback each time it is raised."""
        copy = Distrusted(self.distrust, str(self), holds_until=self.holds_until)
        copy.authorisation_number = self.authorisation_number
        return copy


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """That a certificate was not revoked: told by `method` (`crl` or `ocsp`) as of a moment, and believed until another.

    Times are epoch seconds.
    """

    method: str
    as_of: float
    known_until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """A certificate that was judged good, and the time in which that holds (epoch seconds, half open).

    `status` is what is known of its revocation, None where nothing is and nothing has to be. `issuers` are the SHA-256
    (hex) of the CAs above it, its own issuer first, the anchor last. `profile` is what the store's authorities issue.
    `registrant` is the TPP for whose client it was registered, where no authority but the register vouches for it.
    """

    certificate: Psd2Certificate
    profile: Profile = Profile.PSD2
    status: Status | None
    issuers: tuple[str, ...] = ()
    holds_from: float
    holds_until: float
    registrant: str | None = None

    @property
    def vouched(self) -> Vouched | None:
        """By whose word it stands for a TPP, None for partners who are none."""
        if self.registrant is not None:
            return Vouched.REGISTERED
        return Vouched.QWAC if self.profile is Profile.PSD2 else None

    @property
    def authorisation_number(self) -> str | None:
        """The TPP's: by the word of its authority, or of the register."""
        certificate = self.psd2_certificate
        return self.registrant if certificate is None else certificate.authorisation_number

    @property
    def psd2_certificate(self) -> Psd2Certificate | None:
        """The certificate whose word on number and roles counts: other authorities may write there whatever they like."""
        return self.certificate if self.vouched is Vouched.QWAC else None
