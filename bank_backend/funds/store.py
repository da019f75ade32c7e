"""The table of funds consents."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Column, Date, Float, ForeignKey, Index, Row, String, Table, insert, select, update

from bank_backend.consents.listing_store import listed
from bank_backend.consents.model import ConsentStatus
from bank_backend.database import METADATA
from bank_backend.funds.model import Card, FundsConsent
from bank_backend.references import AccountReference
from psd2.ids import AccountId, ConsentId, PsuId, TenantId

if TYPE_CHECKING:
    from bank_backend.consents.listing import ConsentPlace
    from bank_backend.database import Connection

funds_consents = Table(
    "funds_consents",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("tenant", String(80), ForeignKey("tenants.id"), nullable=False),
    Column("iban", String(34), nullable=False),
    Column("currency", String(3)),
    Column("card_number", String(35), nullable=False),
    Column("card_expiry", Date),
    Column("card_information", String(140), nullable=False),
    Column("registration_information", String(140), nullable=False),
    Column("status", String(20), nullable=False),
    Column("psu", String(64)),
    Column("account_id", String(36), ForeignKey("accounts.id")),
    Column("received_at", Float, nullable=False),
    Index("ix_funds_consents_psu", "tenant", "psu", "status"),
)


class SqlFundsConsentStore:
    """Funds consents in the bank's database, inside the caller's transaction."""

    def add(self, connection: Connection, consent: FundsConsent) -> None:
        """Write a new consent."""
        connection.execute(insert(funds_consents).values(_columns(consent)))

    def save(self, connection: Connection, consent: FundsConsent) -> None:
        """Write the consent's new state over its old one."""
        connection.execute(update(funds_consents).where(funds_consents.c.id == consent.id).values(_columns(consent)))

    def find(self, connection: Connection, tenant: TenantId, consent_id: str) -> FundsConsent | None:
        """Return the tenant's consent, or None."""
        statement = select(funds_consents).where(funds_consents.c.tenant == tenant, funds_consents.c.id == consent_id)
        row = connection.execute(statement).first()
        return None if row is None else _consent(row)

    def find_locked(self, connection: Connection, tenant: TenantId, consent_id: str) -> FundsConsent | None:
        """Return the tenant's consent, locked until the transaction ends, or None."""
        statement = select(funds_consents).where(funds_consents.c.tenant == tenant, funds_consents.c.id == consent_id)
        row = connection.execute(statement.with_for_update()).first()
        return None if row is None else _consent(row)

    def of_psu(
        self, connection: Connection, tenant: TenantId, psu: PsuId, *, after: ConsentPlace | None, limit: int
    ) -> list[FundsConsent]:
        """Return so many of the consents that this PSU has signed, open ones first, then the newest, behind a place."""
        return [_consent(row) for row in connection.execute(listed(funds_consents, tenant, psu, after=after, limit=limit))]


def _columns(consent: FundsConsent) -> dict[str, object]:
    return {
        "id": consent.id,
        "tenant": consent.tenant,
        "iban": consent.account.iban,
        "currency": consent.account.currency,
        "card_number": consent.card.number,
        "card_expiry": consent.card.expiry,
        "card_information": consent.card.information,
        "registration_information": consent.registration_information,
        "status": consent.status.value,
        "psu": consent.psu,
        "account_id": consent.account_id,
        "received_at": consent.received_at.timestamp(),
    }


def _consent(row: Row[tuple[object, ...]]) -> FundsConsent:
    return FundsConsent(
        id=ConsentId(row.id),
        tenant=TenantId(row.tenant),
        account=AccountReference(row.iban, row.currency),
        card=Card(number=row.card_number, expiry=row.card_expiry, information=row.card_information),
        registration_information=row.registration_information,
        status=ConsentStatus(row.status),
        psu=None if row.psu is None else PsuId(row.psu),
        account_id=None if row.account_id is None else AccountId(row.account_id),
        received_at=datetime.fromtimestamp(row.received_at, UTC),
    )
