"""The PSUs' SCA methods in the bank's database, inside the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Row, delete, insert, or_, select, update

from bank_backend.database import one_at_a_time
from bank_backend.psus.store import psus
from bank_backend.sca.enrolled import EnrolledMethod
from bank_backend.sca.model import MethodType
from bank_backend.sca.tables import methods
from psd2.ids import PsuId, TenantId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.database import Connection


class SqlMethodStore:
    """Methods in the bank's database; where codes go is read from the PSU itself."""

    def of_psu(self, connection: Connection, tenant: TenantId, psu: PsuId) -> list[EnrolledMethod]:
        """Return the PSU's methods in its order, unfinished ones too."""
        statement = (
            select(methods, psus.c.phone, psus.c.email)
            .join(psus, (psus.c.tenant == methods.c.tenant) & (psus.c.login == methods.c.psu))
            .where(methods.c.tenant == tenant, methods.c.psu == psu)
            .order_by(methods.c.position, methods.c.id)
        )
        return [_method(row) for row in connection.execute(statement)]

    def locked_of_psu(self, connection: Connection, tenant: TenantId, psu: PsuId) -> list[EnrolledMethod]:
        """Return the same; one caller at a time for a PSU, so that of two that take a method away one is left (PostgreSQL)."""
        one_at_a_time(connection, "methods", tenant, psu)
        return self.of_psu(connection, tenant, psu)

    def add(self, connection: Connection, enrolled: Sequence[EnrolledMethod]) -> None:
        """Write new methods."""
        connection.execute(insert(methods), [_columns(each) for each in enrolled])

    def save(self, connection: Connection, enrolled: EnrolledMethod) -> None:
        """Write the method's new state over its old one."""
        connection.execute(update(methods).where(methods.c.id == enrolled.id).values(_columns(enrolled)))

    def use_step(self, connection: Connection, method: str, step: int) -> bool:
        """Note a TOTP step as used; False where it, or a later one, has been used meanwhile."""
        is_unused = or_(methods.c.last_step.is_(None), methods.c.last_step < step)
        return connection.execute(update(methods).where(methods.c.id == method, is_unused).values(last_step=step)).rowcount == 1

    def remove(self, connection: Connection, method: str) -> None:
        """Take a method away."""
        connection.execute(delete(methods).where(methods.c.id == method))


def _columns(enrolled: EnrolledMethod) -> dict[str, object]:
    return {
        "id": enrolled.id,
        "tenant": enrolled.tenant,
        "psu": enrolled.psu,
        "type": enrolled.type.value,
        "label": enrolled.label,
        "position": enrolled.position,
        "published_secret": enrolled.published_secret,
        "sealed_secret": enrolled.sealed_secret,
        "last_step": enrolled.last_step,
        "credential": enrolled.credential,
        "sign_count": enrolled.sign_count,
        "challenge": enrolled.challenge,
        "is_enrolled": enrolled.is_enrolled,
    }


def _method(row: Row[tuple[object, ...]]) -> EnrolledMethod:
    return EnrolledMethod(
        id=row.id,
        tenant=TenantId(row.tenant),
        psu=PsuId(row.psu),
        type=MethodType(row.type),
        label=row.label,
        position=row.position,
        phone=row.phone,
        email=row.email,
        published_secret=row.published_secret,
        sealed_secret=row.sealed_secret,
        last_step=row.last_step,
        credential=row.credential,
        sign_count=row.sign_count,
        challenge=row.challenge,
        is_enrolled=row.is_enrolled,
    )
