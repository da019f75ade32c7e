"""What the certificate authority asks of its records; `sandbox.ca.store` keeps them in a database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from sandbox.ca.crl import PublishedCrl, RevokedEntry
    from sandbox.ca.model import CertificateRecord, CertificateStatus, RevocationReason
    from sandbox.ca.quota import Life

    # Signs a list of these entries under a number above the one given (None: there was no list yet).
    CrlSigner = Callable[[Sequence[RevokedEntry], int | None], PublishedCrl]


@dataclass(frozen=True, slots=True)
class Revocation:
    """One certificate to revoke."""

    serial: str
    reason: RevocationReason
    at: datetime


class Issuing(Protocol):
    """What one TPP has been issued, and the next certificate: counted and recorded in one step, whichever process asks."""

    def count_valid(self, *, now: datetime) -> int:
        """Count the TPP's certificates that are neither expired nor revoked."""

    def lives(self, *, issued_after: datetime, ended_after: datetime) -> Sequence[Life]:
        """Return the lives of the TPP's certificates that were issued or end after these times, whatever their status."""

    def add(self, record: CertificateRecord) -> None:
        """Record one more."""


class CertificateRecords(Protocol):
    """Certificates issued, their status, and the newest CRL of each authority."""

    def add(self, records: Sequence[CertificateRecord]) -> None:
        """Record certificates, all or none."""

    def get(self, serial: str) -> CertificateRecord | None:
        """Return a certificate's record."""

    def listed(self, *, tpp: str | None, limit: int) -> list[CertificateRecord]:
        """Return records, newest first; `tpp` None means everybody's and the platform's own."""

    def statuses(self, serials: Iterable[str]) -> dict[str, CertificateStatus]:
        """Return the status of those of `serials` that are on record."""

    def issuing(self, tpp: str, authorisation_number: str) -> AbstractContextManager[Issuing]:
        """Be alone in issuing to this TPP while the block runs; what was added is on record when it has ended well."""

    def is_compromised(self, key_sha256: str) -> bool:
        """Tell whether a certificate over this key was revoked because the key was compromised."""

    def crl(self, ca: str) -> PublishedCrl | None:
        """Return the newest CRL of `ca`."""

    def publish_crl(
        self, ca: str, sign: CrlSigner, *, revocation: Revocation | None, unexpired_at: datetime
    ) -> PublishedCrl | None:
        """Revoke, collect what is revoked and had not expired at `unexpired_at`, sign, keep: one at a time for each `ca`.

        Returns None, and changes nothing, if the certificate to revoke is not there or not valid.
        """
