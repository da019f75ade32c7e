"""A certificate authority in a temporary home, on records in memory and a clock that stands still."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chassis.home import Home
from psd2.clock import FixedClock
from psd2.roles import PspRole
from sandbox.ca.crl import RevokedEntry
from sandbox.ca.model import CertificateStatus, RevocationReason, TppSubject
from sandbox.ca.profiles import load_profiles
from sandbox.ca.quota import Life
from sandbox.ca.service import CertificateAuthority

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sandbox.ca.crl import PublishedCrl
    from sandbox.ca.model import CertificateRecord
    from sandbox.ca.profiles import Profiles
    from sandbox.ca.records import CertificateRecords, CrlSigner, Revocation

PROFILES_FILE = Path(__file__).parents[2] / "certs" / "profiles.toml"
NOW = datetime(2026, 6, 15, 12, 30, 15, 500_000, tzinfo=UTC)
TPP = TppSubject(
    name="acme",
    organisation="Acme Payments GmbH",
    country="DE",
    authorisation_number="PSDDE-BAFIN-100001",
    roles=frozenset({PspRole.AI, PspRole.PI}),
    nca_id="DE-BAFIN",
    nca_name="Federal Financial Supervisory Authority",
    domain="tpp.acme-payments.com",
)


class MemoryRecords:
    """`CertificateRecords` in a dictionary."""

    def __init__(self) -> None:
        self.certificates: dict[str, CertificateRecord] = {}
        self.crls: dict[str, PublishedCrl] = {}
        self._issuing = threading.Lock()

    def add(self, records: Sequence[CertificateRecord]) -> None:
        for record in records:
            assert record.serial not in self.certificates, "a serial number is recorded once"
            self.certificates[record.serial] = record

    def get(self, serial: str) -> CertificateRecord | None:
        return self.certificates.get(serial)

    def listed(self, *, tpp: str | None, limit: int) -> list[CertificateRecord]:
        newest_first = sorted(self.certificates.values(), key=lambda record: record.issued_at, reverse=True)
        return [record for record in newest_first if tpp in {None, record.tpp}][:limit]

    def statuses(self, serials: Iterable[str]) -> dict[str, CertificateStatus]:
        return {serial: self.certificates[serial].status for serial in serials if serial in self.certificates}

    @contextmanager
    def issuing(self, tpp: str, authorisation_number: str) -> Iterator[MemoryIssuing]:
        with self._issuing:
            yield MemoryIssuing(self, tpp, authorisation_number)

    def is_compromised(self, key_sha256: str) -> bool:
        reasons = {record.reason for record in self.certificates.values() if record.key_sha256 == key_sha256}
        return RevocationReason.KEY_COMPROMISE in reasons

    def crl(self, ca: str) -> PublishedCrl | None:
        return self.crls.get(ca)

    def publish_crl(
        self, ca: str, sign: CrlSigner, *, revocation: Revocation | None, unexpired_at: datetime
    ) -> PublishedCrl | None:
        if revocation is not None:
            record = self.certificates.get(revocation.serial)
            if record is None or record.ca != ca or record.status is not CertificateStatus.VALID:
                return None
            status, at = CertificateStatus.REVOKED, revocation.at
            self.certificates[record.serial] = replace(record, status=status, reason=revocation.reason, revoked_at=at)
        entries = [
            RevokedEntry(record.serial, record.reason, record.revoked_at)
            for record in self.certificates.values()
            if record.ca == ca and record.reason and record.revoked_at and record.not_after > unexpired_at
        ]
        previous = self.crls.get(ca)
        self.crls[ca] = sign(entries, previous.number if previous else None)
        return self.crls[ca]


@dataclass(frozen=True)
class MemoryIssuing:
    """`Issuing` over `MemoryRecords`."""

    records: MemoryRecords
    tpp: str
    authorisation_number: str

    def count_valid(self, *, now: datetime) -> int:
        held = self.records.listed(tpp=self.tpp, limit=10_000)
        return sum(record.status is CertificateStatus.VALID and record.not_after > now for record in held)

    def lives(self, *, issued_after: datetime, ended_after: datetime) -> list[Life]:
        return [
            Life(record.issued_at, record.not_after)
            for record in self.records.certificates.values()
            if record.authorisation_number == self.authorisation_number
            and (record.issued_at > issued_after or record.not_after > ended_after)
        ]

    def add(self, record: CertificateRecord) -> None:
        self.records.add([record])


def profiles() -> Profiles:
    """Read the profiles that come with the code."""
    return load_profiles(PROFILES_FILE)


@dataclass(frozen=True)
class Setting:
    """An authority and everything that a test may turn."""

    home: Home
    clock: FixedClock
    records: CertificateRecords
    authority: CertificateAuthority

    def restarted(self, **changes: Any) -> CertificateAuthority:
        """Make a second authority on the same home and records, as another process would."""
        wiring: dict[str, Any] = {"records": self.records, "home": self.home, "clock": self.clock, "profiles": profiles()}
        return CertificateAuthority(**{**wiring, **changes})


def setting(path: Path, records: CertificateRecords | None = None, **changes: Any) -> Setting:
    """Make an authority in `path`; its hierarchy is not made yet."""
    home, clock, records = Home(path), FixedClock(NOW), records or MemoryRecords()
    wiring: dict[str, Any] = {"records": records, "home": home, "clock": clock, "profiles": profiles()}
    return Setting(home=home, clock=clock, records=records, authority=CertificateAuthority(**{**wiring, **changes}))
