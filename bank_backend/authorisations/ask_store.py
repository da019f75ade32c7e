"""What PSUs were asked in their bank apps, counted in the bank's database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import Integer, bindparam, func, select

from bank_backend.authorisations.model import SIGNED
from bank_backend.authorisations.store import WAITING, authorisations
from bank_backend.database import one_at_a_time
from bank_backend.personalities.model import ScaApproach
from bank_backend.sca.model import MethodType
from bank_backend.sca.tables import challenges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.database import Connection
    from psd2.ids import PsuId, TenantId

_MOST: Final = bindparam("most", type_=Integer)
_ASKED: Final = (
    select(challenges.c.sent_at)
    .join(authorisations, authorisations.c.id == challenges.c.authorisation)
    .where(
        challenges.c.tenant == bindparam("tenant"),
        challenges.c.psu == bindparam("psu"),
        challenges.c.type == MethodType.PUSH.value,
        challenges.c.sent_at > bindparam("since"),
        authorisations.c.approach == ScaApproach.DECOUPLED.value,
        authorisations.c.status.not_in([status.value for status in SIGNED]),
    )
    .order_by(challenges.c.sent_at.desc())
    .limit(_MOST)
)
_WAITING: Final = select(func.count()).select_from(select(authorisations.c.id).where(*WAITING).limit(_MOST).subquery())


class SqlAskStore:
    """Counts inside the caller's transaction."""

    def lock(self, connection: Connection, tenant: TenantId, psu: PsuId) -> None:
        """Let the transactions that ask one PSU go one after the other."""
        one_at_a_time(connection, "asks", tenant, psu)

    def asked_since(
        self, connection: Connection, tenant: TenantId, psu: PsuId, since: datetime, *, most: int
    ) -> Sequence[datetime]:
        """Return when it was asked, without its having said yes, newest first."""
        values = {"tenant": tenant, "psu": psu, "since": since.timestamp(), "most": most}
        return [datetime.fromtimestamp(sent_at, UTC) for sent_at in connection.scalars(_ASKED, values)]

    def waiting(self, connection: Connection, tenant: TenantId, psu: PsuId, now: datetime, *, most: int) -> int:
        """Return how many requests wait in its app now, counting no further than `most`."""
        values = {"tenant": tenant, "psu": psu, "now": now.timestamp(), "most": most}
        return int(connection.execute(_WAITING, values).scalar_one())
