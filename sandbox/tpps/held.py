"""A TPP's certificates as their owner sees them: how each stands, how long it lasts, what has come after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from psd2.certificates import MalformedCertificate, parse_certificate
from sandbox.ca.model import CertificateStatus
from sandbox.ca.platform_certificates import PUBLISHING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from psd2.roles import PspRole
    from sandbox.ca.model import CertificateRecord

SOON: Final = timedelta(days=30)


class Standing(StrEnum):
    """How a certificate stands today."""

    VALID = "valid"
    EXPIRES_SOON = "expires soon"
    NOT_YET_VALID = "not yet valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCertificate:
    """One certificate; `days_left` is 0 on its last day, and `successor` is what it was renewed with."""

    record: CertificateRecord
    standing: Standing
    days_left: int
    roles: tuple[PspRole, ...]
    successor: CertificateRecord | None

    @property
    def is_in_force(self) -> bool:
        """Whether it has neither ended nor been revoked."""
        return self.standing in {Standing.VALID, Standing.EXPIRES_SOON, Standing.NOT_YET_VALID}

    @property
    def is_usable(self) -> bool:
        """Whether it is a right one, and good today."""
        return self.standing in {Standing.VALID, Standing.EXPIRES_SOON} and self.record.fault is None

    @property
    def is_revocable(self) -> bool:
        """Whether revoking it would mean anything: its issuer publishes revocations."""
        return self.record.status is CertificateStatus.VALID and self.record.ca in PUBLISHING


def held_certificates(records: Sequence[CertificateRecord], *, now: datetime) -> list[HeldCertificate]:
    """Return the certificates of one TPP in the order given."""
    successors = {record.replaces: record for record in sorted(records, key=lambda each: each.issued_at) if record.replaces}
    return [
        HeldCertificate(
            record=record,
            standing=_standing(record, now),
            days_left=max((record.not_after - now).days, 0),
            roles=_roles(record),
            successor=successors.get(record.serial),
        )
        for record in records
    ]


def _standing(record: CertificateRecord, now: datetime) -> Standing:
    if record.status is CertificateStatus.REVOKED:
        return Standing.REVOKED
    if record.not_after <= now:
        return Standing.EXPIRED
    if record.not_before > now:
        return Standing.NOT_YET_VALID
    return Standing.EXPIRES_SOON if record.not_after - now <= SOON else Standing.VALID


def _roles(record: CertificateRecord) -> tuple[PspRole, ...]:
    try:
        return tuple(sorted(parse_certificate(record.der).roles))
    except MalformedCertificate:
        return ()
