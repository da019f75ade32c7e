"""Whether a chain's certificates have been revoked, by CRLs and OCSP answers, and until when that is known (RFC 5280 §6.3)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from gateway.trust.ocsp_status import Answer, Question
from gateway.trust.rules import Scope, UnknownStatus
from gateway.trust.verdict import Distrust, Distrusted, Status
from psd2.thumbprints import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from cryptography import x509

    from gateway.trust.ocsp_status import OcspStatus
    from gateway.trust.rules import RevocationRules
    from gateway.trust.snapshot import CrlInForce

_LEAST_SECONDS: Final = 1.0


class OcspStatuses(Protocol):
    """What OCSP responders have said so far."""

    def status(self, question: Question, now: float, revoked: Container[int]) -> OcspStatus:
        """Return what stands, by no signer that is among `revoked`; raises `NotLoaded` where somebody has to be asked first."""


@dataclass(frozen=True, slots=True)
class _Link:
    """A certificate of the chain and the one that issued it."""

    certificate: x509.Certificate
    issuer: x509.Certificate
    is_leaf: bool

    @property
    def name(self) -> str:
        return f"serial {self.certificate.serial_number:x} of {self.issuer.subject.rfc4514_string()}"


@dataclass(frozen=True, slots=True)
class _Found:
    """What one method says of a link: the status, or the reason why there is none; and until when it says so."""

    status: Status | None
    reason: str = ""
    until: float = math.inf


class Revocation:
    """Knows by one snapshot's CRLs, and by what responders say."""

    def __init__(
        self, rules: RevocationRules, *, crls: Mapping[str, CrlInForce], ocsp: OcspStatuses | None, store: str
    ) -> None:
        """Without `ocsp`, responders count as unreachable."""
        self._rules = rules
        self._crls = crls
        self._ocsp = ocsp
        self._store = store

    def require_not_revoked(self, chain: Sequence[x509.Certificate], now: float) -> tuple[Status | None, float]:
        """Return what is known of the leaf, and until when what is known of the chain holds.

        Raises `Distrusted`, and `NotLoaded` where a responder has to be asked first.
        """
        links = [_Link(each, chain[place + 1], place == 0) for place, each in enumerate(chain[:-1])]
        for link in links:
            self._require_unlisted(link)
        statuses = [self._status(link, now) for link in links if self._must_be_known(link)]
        known_until = min((until for _, until in statuses), default=math.inf)
        return (statuses[0][0] if statuses else None), known_until

    def _must_be_known(self, link: _Link) -> bool:
        return link.is_leaf or self._rules.scope is Scope.CHAIN

    def _require_unlisted(self, link: _Link) -> None:
        """Raise for what a list names, even one that ran out or that nobody asked for: a revocation is for good."""
        crl = self._crl_of(link)
        if crl is not None and link.certificate.serial_number in crl.revoked:
            raise Distrusted(Distrust.REVOKED, f"{link.name} is in CRL {crl.number}")

    def _crl_of(self, link: _Link) -> CrlInForce | None:
        return self._crls.get(sha256_hex(link.certificate.issuer.public_bytes()))

    def _status(self, link: _Link, now: float) -> tuple[Status | None, float]:
        """Return the status, and until when the answer stays the same."""
        found = []
        if self._rules.method.asks_responders:
            found.append(self._by_responder(link, now))
        if self._rules.method.reads_lists:
            found.append(self._by_list(link, now))
        known = [each.status for each in found if each.status is not None]
        until = min((each.until for each in found), default=math.inf)
        if known or not found or self._rules.unknown is UnknownStatus.SOFT:
            return (known[0] if known else None), until
        detail = "; ".join(each.reason for each in found)
        raise Distrusted(Distrust.REVOCATION_UNKNOWN, f"{link.name}: {detail}", holds_until=until)

    def _by_list(self, link: _Link, now: float) -> _Found:
        crl = self._crl_of(link)
        if crl is None:
            return _Found(None, "there is no CRL of its issuer")
        known_until = crl.next_update + self._rules.crl.grace_seconds
        if now >= known_until:
            return _Found(None, f"CRL {crl.number} of its issuer ran out at {_moment(crl.next_update)}")
        return _Found(Status(method="crl", as_of=crl.this_update, known_until=known_until), until=known_until)

    def _by_responder(self, link: _Link, now: float) -> _Found:
        if self._ocsp is None:
            return _Found(None, "no OCSP responder can be asked here")
        crl = self._crl_of(link)
        answer = self._ocsp.status(Question(self._store, link.certificate, link.issuer), now, crl.revoked if crl else ())
        # Looked at again as soon as there may be a newer answer, not only when this one runs out.
        until = max(min(answer.refresh_at, answer.known_until), now + _LEAST_SECONDS)
        if answer.verdict is Answer.REVOKED:
            detail = f"{link.name} was revoked at {_moment(answer.revoked_at)}, says {answer.responder}"
            raise Distrusted(Distrust.REVOKED, detail, holds_until=until)
        if answer.verdict is Answer.UNKNOWN:
            # An answer was had: that its CA does not know this certificate is worse than silence, soft fail or not.
            detail = f"{link.name} is not known to {answer.responder}, which should know all that its CA has issued"
            raise Distrusted(Distrust.REVOCATION_UNKNOWN, detail, holds_until=until)
        if answer.verdict is Answer.NONE:
            return _Found(None, f"no OCSP answer: {answer.detail}", until)
        return _Found(Status(method="ocsp", as_of=answer.as_of, known_until=answer.known_until), until=until)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
