"""The tables of consents and of the accesses counted against them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    Table,
    bindparam,
    false,
    insert,
    select,
    text,
    update,
)

from bank_backend.accounts.model import AccountRights
from bank_backend.consents.listing_store import listed
from bank_backend.consents.model import Consent, ConsentStatus
from bank_backend.consents.wire import access_as_json, access_from_json
from bank_backend.database import METADATA, one_at_a_time
from chassis.sql.statements import Change, Query
from psd2.ids import AccountId, ConsentId, PsuId, TenantId

if TYPE_CHECKING:
    from bank_backend.consents.listing import ConsentPlace
    from bank_backend.database import Connection

consents = Table(
    "consents",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("tenant", String(80), ForeignKey("tenants.id"), nullable=False),
    Column("access", JSON, nullable=False),
    Column("recurring", Boolean, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("frequency_per_day", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Column("psu", String(64)),
    # NULL: not approved yet, or every account of the PSU.
    Column("rights", JSON(none_as_null=True)),
    Column("received_at", Float, nullable=False),
    Column("last_action", Date, nullable=False),
    Column("combined", Boolean, nullable=False, server_default=false()),
    Column("authorised_at", Float),
    Index("ix_consents_psu", "tenant", "psu", "status"),
)

consent_uses = Table(
    "consent_uses",
    METADATA,
    Column("consent", String(36), ForeignKey("consents.id"), primary_key=True),
    # What was read: `balances:<account id>`; `accounts:` is the list.
    Column("reading", String(120), primary_key=True),
    # The day it was counted for; a consent for one access counts under `once`.
    Column("day", String(10), primary_key=True),
    Column("used", Integer, nullable=False),
)

# One statement counts and checks, so that calls at the same time never pass the limit together; a consent that a restored
# snapshot has taken away meanwhile counts nothing.
_COUNT: Final = text(
    "INSERT INTO consent_uses (consent, reading, day, used) SELECT id, :reading, :day, 1 FROM consents WHERE id = :consent "
    "ON CONFLICT (consent, reading, day) DO UPDATE SET used = consent_uses.used + 1 WHERE consent_uses.used < :most"
)


_OF_ID: Final = select(consents).where(consents.c.tenant == bindparam("tenant"), consents.c.id == bindparam("id"))
_BY_ID: Final = Query(_OF_ID)
_BY_ID_LOCKED: Final = Query(_OF_ID.with_for_update())
_ADD: Final = Change(insert(consents))
_SAVE: Final = Change(update(consents).where(consents.c.id == bindparam("wanted")))
_VALID_RECURRING: Final = Query(
    select(consents)
    .where(
        consents.c.tenant == bindparam("tenant"),
        consents.c.psu == bindparam("psu"),
        consents.c.status == ConsentStatus.VALID.value,
        consents.c.recurring.is_(True),
    )
    .with_for_update()
)
_READINGS: Final = select(consent_uses.c.reading).where(
    consent_uses.c.consent == bindparam("consent"), consent_uses.c.day == bindparam("day")
)


class SqlConsentStore:
    """Consents in the bank's database, inside the caller's transaction."""

    def add(self, connection: Connection, consent: Consent) -> None:
        """Write a new consent."""
        asked = {"id": consent.id, "tenant": consent.tenant, "received_at": consent.received_at.timestamp()}
        _ADD.run(connection, asked | _state(consent))

    def save(self, connection: Connection, consent: Consent) -> None:
        """Write the consent's new state over its old one."""
        _SAVE.run(connection, _state(consent) | {"wanted": consent.id})

    def find(self, connection: Connection, tenant: TenantId, consent_id: str) -> Consent | None:
        """Return the tenant's consent, or None."""
        row = _BY_ID.first(connection, tenant=tenant, id=consent_id)
        return None if row is None else _consent(row)

    def find_locked(self, connection: Connection, tenant: TenantId, consent_id: str) -> Consent | None:
        """Return the tenant's consent, locked until the transaction ends, or None."""
        row = _BY_ID_LOCKED.first(connection, tenant=tenant, id=consent_id)
        return None if row is None else _consent(row)

    def of_psu(
        self, connection: Connection, tenant: TenantId, psu: PsuId, *, after: ConsentPlace | None, limit: int
    ) -> list[Consent]:
        """Return so many of the consents that this PSU has signed, open ones first, then the newest, behind a place."""
        return [_consent(row) for row in connection.execute(listed(consents, tenant, psu, after=after, limit=limit))]

    def valid_recurring(self, connection: Connection, tenant: TenantId, psu: PsuId) -> list[Consent]:
        """Return the recurring consents of this PSU for this TPP that are valid; one caller at a time for a PSU."""
        # Two consents that it approves at once would not see each other valid (PostgreSQL).
        one_at_a_time(connection, "recurring consents", tenant, psu)
        return [_consent(row) for row in _VALID_RECURRING.all(connection, tenant=tenant, psu=psu)]

    def count_use(self, connection: Connection, consent_id: ConsentId, reading: str, *, day: str, most: int) -> bool:
        """Count one reading unless that would pass `most`; tell whether it was counted."""
        values = {"consent": consent_id, "reading": reading, "day": day, "most": most}
        return connection.execute(_COUNT, values).rowcount == 1

    def readings(self, connection: Connection, consent_id: ConsentId, *, day: str) -> set[str]:
        """Return what has been read under one day's count."""
        return set(connection.execute(_READINGS, {"consent": consent_id, "day": day}).scalars())


def _state(consent: Consent) -> dict[str, object]:
    """Return what may change: the other columns are of the day that it came."""
    return {
        "access": access_as_json(consent.access),
        "recurring": consent.recurring,
        "valid_until": consent.valid_until,
        "frequency_per_day": consent.frequency_per_day,
        "status": consent.status.value,
        "psu": consent.psu,
        "rights": None if consent.rights is None else [_right_as_json(right) for right in consent.rights],
        "last_action": consent.last_action,
        "combined": consent.combined,
        "authorised_at": None if consent.authorised_at is None else consent.authorised_at.timestamp(),
    }


def _right_as_json(right: AccountRights) -> dict[str, object]:
    return {
        "account": right.account_id,
        "balances": right.balances,
        "transactions": right.transactions,
        "ownerName": right.owner_name,
    }


def _consent(row: Row[tuple[object, ...]]) -> Consent:
    return Consent(
        id=ConsentId(row.id),
        tenant=TenantId(row.tenant),
        access=access_from_json(row.access),
        recurring=row.recurring,
        valid_until=row.valid_until,
        frequency_per_day=row.frequency_per_day,
        status=ConsentStatus(row.status),
        psu=None if row.psu is None else PsuId(row.psu),
        rights=None if row.rights is None else tuple(_right(right) for right in row.rights),
        received_at=datetime.fromtimestamp(row.received_at, UTC),
        last_action=row.last_action,
        combined=row.combined,
        authorised_at=None if row.authorised_at is None else datetime.fromtimestamp(row.authorised_at, UTC),
    )


def _right(body: dict[str, object]) -> AccountRights:
    return AccountRights(
        account_id=AccountId(str(body["account"])),
        balances=bool(body["balances"]),
        transactions=bool(body["transactions"]),
        owner_name=bool(body["ownerName"]),
    )
