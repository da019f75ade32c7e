"""Delivers the trust store and the revocation list to the gateway until it has taken them.

What is to be delivered is what the certificate authority says now, compared with what the gateway has acknowledged: a
revocation needs no entry in a queue that a crash could lose.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

from chassis.peers import PeerUnavailable
from sandbox.answers import PeerRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.gateway_client import Gateway

_TRUST_STORE = "trust-store"
_AUTHORITY = "tpp-issuing"
_CRL = f"crl:{_AUTHORITY}"


class TrustSource(Protocol):
    """The certificate authority, as far as trust goes."""

    def tpp_trust_anchors(self) -> list[str]:
        """Return as PEM whom a bank trusts for TPPs."""

    def crl(self, ca_name: str) -> bytes:
        """Return the revocation list in force (DER); a new one after a revocation and before the next update is due."""


class Acknowledgements(Protocol):
    """Remembers what the gateway has taken."""

    def acknowledged(self, subject: str) -> str | None:
        """Return the digest of what was delivered last."""

    def acknowledge(self, subject: str, sha256: str) -> None:
        """Note that the gateway has taken it."""


class TrustDelivery:
    """Keeps the gateway's trust in step with the certificate authority."""

    def __init__(self, *, source: TrustSource, gateway: Gateway, acknowledgements: Acknowledgements) -> None:
        """Deliver nothing yet."""
        self._source = source
        self._gateway = gateway
        self._acknowledgements = acknowledgements

    def deliver_all(self) -> None:
        """Deliver everything, whatever was acknowledged before: a gateway may have got a new database.

        Raises `PeerUnavailable` or `PeerRefused`.
        """
        self._deliver(only_changes=False)

    def deliver_changes(self) -> bool:
        """Deliver what the gateway has not acknowledged; return whether there was anything. Raises as `deliver_all`."""
        return self._deliver(only_changes=True)

    def try_delivery(self) -> bool:
        """Deliver what is due if the gateway takes it now, else leave it to the next round; return whether it has all."""
        try:
            self.deliver_changes()
        except (PeerUnavailable, PeerRefused):
            return False
        return True

    def is_list_taken(self) -> bool:
        """Answer whether the gateway has acknowledged the revocation list in force."""
        return self._acknowledgements.acknowledged(_CRL) == _digest(self._source.crl(_AUTHORITY).hex())

    def state(self) -> list[tuple[str, bool]]:
        """Return what is to be delivered, and whether the gateway has acknowledged it as it is now."""
        return [(subject, self._acknowledgements.acknowledged(subject) == digest) for subject, digest, _ in self._steps()]

    def _deliver(self, *, only_changes: bool) -> bool:
        steps = self._steps()
        due = [step for step in steps if not only_changes or self._acknowledgements.acknowledged(step[0]) != step[1]]
        for subject, digest, deliver in due:
            deliver()
            self._acknowledgements.acknowledge(subject, digest)
        return bool(due)

    def _steps(self) -> list[tuple[str, str, Callable[[], None]]]:
        anchors = self._source.tpp_trust_anchors()
        crl = self._source.crl(_AUTHORITY)
        # The store first: a list is taken only from an issuer that is trusted.
        return [
            (_TRUST_STORE, _digest(*anchors), lambda: self._gateway.put_trust_store(anchors=anchors, intermediates=())),
            (_CRL, _digest(crl.hex()), lambda: self._gateway.put_crl(crl)),
        ]


def _digest(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
