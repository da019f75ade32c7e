"""The certificate authority's records in SQLite or PostgreSQL."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from chassis.sql.database import for_reading, one_at_a_time
from sandbox.ca.crl import PublishedCrl, RevokedEntry
from sandbox.ca.model import CertificateRecord, CertificateStatus, Fault, RevocationReason
from sandbox.ca.quota import Life
from sandbox.database import certificates, crls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection, Engine, RowMapping

    from sandbox.ca.records import CrlSigner, Revocation

_BATCH = 500  # values in one IN (...): SQLite takes 32,766, a readable log fewer


class CertificateStore:
    """`CertificateRecords` over an engine whose schema is current."""

    def __init__(self, engine: Engine) -> None:
        """Write and read through `engine`; reading never waits for a writer."""
        self._engine = engine
        self._readable = for_reading(engine)

    def add(self, records: Sequence[CertificateRecord]) -> None:
        """Record certificates, all or none."""
        if not records:
            return
        with self._engine.begin() as connection:
            connection.execute(insert(certificates), [_row(record) for record in records])

    def get(self, serial: str) -> CertificateRecord | None:
        """Return a certificate's record."""
        with self._readable.connect() as connection:
            row = connection.execute(select(certificates).where(certificates.c.serial == serial)).mappings().first()
        return _record(row) if row else None

    def listed(self, *, tpp: str | None, limit: int) -> list[CertificateRecord]:
        """Return records, newest first; `tpp` None means everybody's and the platform's own."""
        query = select(certificates).order_by(certificates.c.issued_at.desc(), certificates.c.serial).limit(limit)
        if tpp is not None:
            query = query.where(certificates.c.tpp == tpp)
        with self._readable.connect() as connection:
            return [_record(row) for row in connection.execute(query).mappings()]

    def statuses(self, serials: Iterable[str]) -> dict[str, CertificateStatus]:
        """Return the status of those of `serials` that are on record."""
        wanted = sorted(set(serials))
        found: dict[str, CertificateStatus] = {}
        with self._readable.connect() as connection:
            for start in range(0, len(wanted), _BATCH):
                batch = wanted[start : start + _BATCH]
                query = select(certificates.c.serial, certificates.c.status).where(certificates.c.serial.in_(batch))
                found.update((serial, CertificateStatus(status)) for serial, status in connection.execute(query))
        return found

    @contextmanager
    def issuing(self, tpp: str, authorisation_number: str) -> Iterator[SqlIssuing]:
        """Be alone in issuing to this TPP while the block runs; what was added is on record when it has ended well."""
        with self._engine.begin() as connection:
            one_at_a_time(connection, "sandbox.certificates", authorisation_number)
            yield SqlIssuing(connection, tpp, authorisation_number)

    def is_compromised(self, key_sha256: str) -> bool:
        """Tell whether a certificate over this key was revoked because the key was compromised."""
        query = select(certificates.c.serial).where(
            certificates.c.key_sha256 == key_sha256,
            certificates.c.reason == RevocationReason.KEY_COMPROMISE.value,
        )
        with self._readable.connect() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def crl(self, ca: str) -> PublishedCrl | None:
        """Return the newest CRL of `ca`."""
        with self._readable.connect() as connection:
            row = connection.execute(select(crls).where(crls.c.ca == ca)).mappings().first()
        return _crl(row) if row and row["number"] else None

    def publish_crl(
        self, ca: str, sign: CrlSigner, *, revocation: Revocation | None, unexpired_at: datetime
    ) -> PublishedCrl | None:
        """Revoke, collect what is revoked and had not expired at `unexpired_at`, sign, keep: one at a time for each `ca`."""
        self._require_row(ca)
        with self._engine.begin() as connection:
            # The row is the lock: on PostgreSQL the next publisher waits here and then sees what this one has revoked.
            number = connection.scalar(select(crls.c.number).where(crls.c.ca == ca).with_for_update())
            if revocation is not None and not _revoke(connection, ca, revocation):
                return None
            crl = sign(_revoked(connection, ca, unexpired_at), number or None)
            connection.execute(update(crls).where(crls.c.ca == ca).values(_crl_row(crl)))
        return crl

    def _require_row(self, ca: str) -> None:
        """Have a row to lock, number 0 standing for no list yet."""
        with self._readable.connect() as connection:
            if connection.execute(select(crls.c.ca).where(crls.c.ca == ca)).first():
                return
        empty = {"ca": ca, "number": 0, "issuer_key_sha256": "", "this_update": 0.0, "next_update": 0.0, "der": b""}
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(crls).values(empty))
        except IntegrityError:
            return  # another process was faster


class SqlIssuing:
    """`Issuing`, within one transaction."""

    def __init__(self, connection: Connection, tpp: str, authorisation_number: str) -> None:
        """Count and record through `connection`."""
        self._connection = connection
        self._tpp = tpp
        self._authorisation_number = authorisation_number

    def count_valid(self, *, now: datetime) -> int:
        """Count the TPP's certificates that are neither expired nor revoked."""
        query = (
            select(func.count())
            .select_from(certificates)
            .where(certificates.c.tpp == self._tpp, certificates.c.status == CertificateStatus.VALID.value)
            .where(certificates.c.not_after > now.timestamp())
        )
        return int(self._connection.scalar(query) or 0)

    def lives(self, *, issued_after: datetime, ended_after: datetime) -> list[Life]:
        """Return the lives of the TPP's certificates that were issued or end after these times, whatever their status."""
        query = (
            select(certificates.c.issued_at, certificates.c.not_after)
            .where(certificates.c.authorisation_number == self._authorisation_number)
            .where(
                or_(
                    certificates.c.issued_at > issued_after.timestamp(),
                    certificates.c.not_after > ended_after.timestamp(),
                )
            )
        )
        return [Life(_time(issued_at), _time(not_after)) for issued_at, not_after in self._connection.execute(query)]

    def add(self, record: CertificateRecord) -> None:
        """Record one more."""
        self._connection.execute(insert(certificates), [_row(record)])


def _revoke(connection: Connection, ca: str, revocation: Revocation) -> bool:
    """Make the one transition there is: from valid to revoked."""
    result = connection.execute(
        update(certificates)
        .where(
            certificates.c.serial == revocation.serial,
            certificates.c.ca == ca,
            certificates.c.status == CertificateStatus.VALID.value,
        )
        .values(status=CertificateStatus.REVOKED.value, reason=revocation.reason.value, revoked_at=revocation.at.timestamp())
    )
    return result.rowcount == 1


def _revoked(connection: Connection, ca: str, unexpired_at: datetime) -> list[RevokedEntry]:
    query = (
        select(certificates.c.serial, certificates.c.reason, certificates.c.revoked_at)
        .where(certificates.c.ca == ca, certificates.c.status == CertificateStatus.REVOKED.value)
        .where(certificates.c.not_after > unexpired_at.timestamp())
        .order_by(certificates.c.revoked_at, certificates.c.serial)
    )
    return [
        RevokedEntry(serial=serial, reason=RevocationReason(reason), at=_time(at))
        for serial, reason, at in connection.execute(query)
    ]


def _row(record: CertificateRecord) -> dict[str, object]:
    return {
        "serial": record.serial,
        "ca": record.ca,
        "profile": record.profile,
        "tpp": record.tpp,
        "authorisation_number": record.authorisation_number,
        "subject": record.subject,
        "sha256": record.sha256,
        "key_sha256": record.key_sha256,
        "not_before": record.not_before.timestamp(),
        "not_after": record.not_after.timestamp(),
        "issued_at": record.issued_at.timestamp(),
        "status": record.status.value,
        "reason": record.reason.value if record.reason else None,
        "revoked_at": record.revoked_at.timestamp() if record.revoked_at else None,
        "fault": record.fault.value if record.fault else None,
        "replaces": record.replaces,
        "der": record.der,
    }


def _record(row: RowMapping) -> CertificateRecord:
    values: dict[str, Any] = dict(row)
    return CertificateRecord(
        **{
            **values,
            "not_before": _time(values["not_before"]),
            "not_after": _time(values["not_after"]),
            "issued_at": _time(values["issued_at"]),
            "revoked_at": _time(values["revoked_at"]) if values["revoked_at"] is not None else None,
            "status": CertificateStatus(values["status"]),
            "reason": RevocationReason(values["reason"]) if values["reason"] else None,
            "fault": Fault(values["fault"]) if values["fault"] else None,
        }
    )


def _crl_row(crl: PublishedCrl) -> dict[str, object]:
    return {
        "number": crl.number,
        "issuer_key_sha256": crl.issuer_key_sha256,
        "this_update": crl.this_update.timestamp(),
        "next_update": crl.next_update.timestamp(),
        "der": crl.der,
    }


def _crl(row: RowMapping) -> PublishedCrl:
    return PublishedCrl(
        ca=row["ca"],
        number=row["number"],
        issuer_key_sha256=row["issuer_key_sha256"],
        this_update=_time(row["this_update"]),
        next_update=_time(row["next_update"]),
        der=row["der"],
    )


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
