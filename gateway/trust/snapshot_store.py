"""Reads a trust snapshot from the gateway's database, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from sqlalchemy import select

from chassis.sql.database import for_reading
from gateway.tables.trust import blocked_certificates, crls, trust_certificates
from gateway.trust.model import TrustKind
from gateway.trust.serials import RevokedSerials
from gateway.trust.snapshot import CrlInForce, TrustSnapshot

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


def read_snapshot(engine: Engine, store: str) -> TrustSnapshot:
    """Return the present state of a trust store; raises `sqlalchemy.exc.SQLAlchemyError`."""
    with for_reading(engine).begin() as connection:
        return TrustSnapshot(
            anchors=_certificates(connection, store, TrustKind.ANCHOR),
            intermediates=_certificates(connection, store, TrustKind.INTERMEDIATE),
            crls=_crls(connection, store),
            blocked=frozenset(connection.scalars(select(blocked_certificates.c.sha256))),
        )


def _certificates(connection: Connection, store: str, kind: TrustKind) -> tuple[x509.Certificate, ...]:
    query = select(trust_certificates.c.pem).where(trust_certificates.c.store == store, trust_certificates.c.kind == kind.value)
    return tuple(x509.load_pem_x509_certificate(pem.encode("ascii")) for pem in connection.scalars(query))


def _crls(connection: Connection, store: str) -> dict[str, CrlInForce]:
    # Signatures were checked when the lists were taken, and their serial numbers laid out (gateway.trust.crl).
    query = select(crls.c.issuer, crls.c.number, crls.c.this_update, crls.c.next_update, crls.c.serial_width, crls.c.serials)
    return {
        row.issuer: CrlInForce(
            number=int(row.number),
            this_update=row.this_update,
            next_update=row.next_update,
            revoked=RevokedSerials(row.serial_width, row.serials),
        )
        for row in connection.execute(query.where(crls.c.store == store))
    }
