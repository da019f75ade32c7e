"""Keeps trust stores, CRLs and the block list; every change also tells the change feed, in the same transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from chassis.sql.database import for_reading
from gateway.admin_audit.store import record_change
from gateway.changes.kinds import ChangeKind
from gateway.changes.store import append_change, changing
from gateway.configuration.changes import WHATEVER_STANDS
from gateway.configuration.store import standing_documents
from gateway.configuration.tags import require_standing
from gateway.tables.trust import blocked_certificates, crls, trust_certificates
from gateway.trust.crl_bounds import FIELD
from gateway.trust.model import ListInForce, OutdatedCrl, TrustCertificate, TrustKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from gateway.configuration.changes import Precondition
    from gateway.configuration.versions import Version
    from gateway.trust.model import RevocationList

    Fitting = Callable[[Iterable[Version], str, Sequence[TrustCertificate]], None]


def whatever_fits(_standing: Iterable[Version], _store: str, _certificates: Sequence[TrustCertificate]) -> None:
    """Ask nothing of CAs but what they are."""


class SqlTrustStore:
    """Trust on SQLAlchemy Core."""

    def __init__(self, engine: Engine, require_fitting: Fitting = whatever_fits) -> None:
        """`require_fitting` is asked in the transaction of each delivery of CAs."""
        self._engine = engine
        self._reading = for_reading(engine)
        self._require_fitting = require_fitting

    def certificates(self, store: str) -> Sequence[TrustCertificate]:
        """Return the certificates of a trust store."""
        query = select(trust_certificates).where(trust_certificates.c.store == store)
        with self._reading.connect() as connection:
            rows = connection.execute(query)
            return [TrustCertificate(sha256=row.sha256, kind=TrustKind(row.kind), pem=row.pem) for row in rows]

    def replace(self, store: str, certificates: Sequence[TrustCertificate], at: datetime) -> None:
        """Put these certificates in the place of all that the store held; raises `TrustRefusal` where documents forbid it."""
        rows = [
            {"store": store, "sha256": certificate.sha256, "kind": certificate.kind.value, "pem": certificate.pem}
            for certificate in certificates
        ]
        with changing(self._engine) as connection:
            self._require_fitting(standing_documents(connection), store, certificates)
            before = _standing_certificates(connection, store)
            connection.execute(delete(trust_certificates).where(trust_certificates.c.store == store))
            connection.execute(insert(trust_certificates), rows)
            after = _standing_certificates(connection, store)
            record_change(connection, "trust-stores", store, before=before or None, after=after, at=at)
            append_change(connection, ChangeKind.TRUST_STORE, store, at)

    def take_crl(self, store: str, crl: RevocationList, at: datetime) -> None:
        """Put a CRL in the place of its issuer's older one, unless it is the same; raises `OutdatedCrl`."""
        with changing(self._engine) as connection:
            standing = _standing_crl(connection, store, crl.issuer)
            if standing == (crl.number, crl.sha256):
                return
            if standing is None:
                connection.execute(insert(crls).values(store=store, issuer=crl.issuer, **_crl_values(crl, at)))
            else:
                _require_newer(crl, number=standing[0], sha256=standing[1])
                place = (crls.c.store == store) & (crls.c.issuer == crl.issuer)
                connection.execute(update(crls).where(place).values(**_crl_values(crl, at)))
            before = {"number": str(standing[0]), "sha256": standing[1]} if standing else None
            after = {"number": str(crl.number), "sha256": crl.sha256}
            record_change(connection, "crls", f"{store}: {crl.issuer}", before=before, after=after, at=at)
            append_change(connection, ChangeKind.CRL, store, at)

    def lists(self, store: str) -> Sequence[ListInForce]:
        """Return what is known of a store's CRLs, without what they list."""
        octets = func.length(crls.c.serials)
        columns = [getattr(crls.c, name) for name in ("issuer", "number", "this_update", "next_update", "source", "taken_at")]
        query = select(*columns, (octets / crls.c.serial_width).label("entries")).where(crls.c.store == store)
        with self._reading.connect() as connection:
            rows = connection.execute(query.order_by(crls.c.issuer)).mappings()
            return [ListInForce(**{**row, "number": int(row["number"]), "entries": int(row["entries"])}) for row in rows]

    def blocked(self, sha256: str) -> str | None:
        """Return the reason for which a certificate is blocked, None where it is not."""
        with self._reading.connect() as connection:
            standing = _standing_block(connection, sha256)
        return standing["reason"] if standing else None

    def block(self, sha256: str, reason: str, at: datetime, expected: Precondition = WHATEVER_STANDS) -> bool:
        """Block a certificate; returns whether it was free before; raises `PreconditionFailed`."""
        values = {"reason": reason, "at": at.timestamp()}
        with changing(self._engine) as connection:
            place = blocked_certificates.c.sha256 == sha256
            before = _standing_block(connection, sha256)
            require_standing(expected, f"block-list/{sha256}", before)
            changed = connection.execute(update(blocked_certificates).where(place).values(**values)).rowcount
            if not changed:
                connection.execute(insert(blocked_certificates).values(sha256=sha256, **values))
            record_change(connection, "block-list", sha256, before=before, after={"reason": reason}, at=at)
            append_change(connection, ChangeKind.BLOCK_LIST, sha256, at)
        return not changed

    def unblock(self, sha256: str, at: datetime, expected: Precondition = WHATEVER_STANDS) -> bool:
        """Free a certificate; returns whether it was blocked; raises `PreconditionFailed`."""
        with changing(self._engine) as connection:
            before = _standing_block(connection, sha256)
            if before is not None:
                require_standing(expected, f"block-list/{sha256}", before)
            deleted = connection.execute(delete(blocked_certificates).where(blocked_certificates.c.sha256 == sha256)).rowcount
            if deleted:
                record_change(connection, "block-list", sha256, before=before, after=None, at=at)
                append_change(connection, ChangeKind.BLOCK_LIST, sha256, at)
        return bool(deleted)


def _standing_certificates(connection: Connection, store: str) -> dict[str, str]:
    query = select(trust_certificates.c.sha256, trust_certificates.c.kind).where(trust_certificates.c.store == store)
    return {row.sha256: row.kind for row in connection.execute(query)}


def _standing_block(connection: Connection, sha256: str) -> dict[str, str] | None:
    reason = connection.scalar(select(blocked_certificates.c.reason).where(blocked_certificates.c.sha256 == sha256))
    return None if reason is None else {"reason": reason}


def _standing_crl(connection: Connection, store: str, issuer: str) -> tuple[int, str] | None:
    query = select(crls.c.number, crls.c.sha256).where(crls.c.store == store, crls.c.issuer == issuer)
    row = connection.execute(query).one_or_none()
    return (int(row.number), row.sha256) if row else None


def _require_newer(crl: RevocationList, *, number: int, sha256: str) -> None:
    if crl.number < number or (crl.number == number and crl.sha256 != sha256):
        reason = f"its number is {crl.number}, a list with number {number} is in force: a new list needs a greater one"
        raise OutdatedCrl(FIELD, reason)


def _crl_values(crl: RevocationList, at: datetime) -> dict[str, object]:
    return {
        "number": str(crl.number),
        "this_update": crl.this_update.timestamp(),
        "next_update": crl.next_update.timestamp(),
        "der": crl.der,
        "sha256": crl.sha256,
        "serial_width": crl.revoked.width,
        "serials": crl.revoked.octets,
        "source": crl.source,
        "taken_at": at.timestamp(),
    }
