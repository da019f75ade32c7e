"""How many certificates one TPP gets, right or wrong on purpose: revoked ones stay on the CRL, which the gateway must take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sandbox.ca.errors import IssuingLimitReached

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

# Entries of one list, with serial numbers of 20 octets and a reason each: 15 of the 16 MiB that the gateway takes.
MOST_ON_A_LIST: Final = 290_000
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Life:
    """When a certificate was issued, and when it ends or has ended."""

    issued_at: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuingLimits:
    """For each authorisation number: certificates in any 24 hours, and such as may stand on a CRL at a time."""

    per_day: int = 50
    unexpired: int = 200


def require_quota(lives: Sequence[Life], limits: IssuingLimits, *, now: datetime, keep_expired: timedelta) -> None:
    """Raise IssuingLimitReached, and say when there is room again, unless one more certificate is within `limits`.

    An expired certificate counts until it leaves the CRL, `keep_expired` after its end.
    """
    recent = sorted(life.issued_at + _DAY for life in lives if life.issued_at > now - _DAY)
    if len(recent) >= limits.per_day:
        # Room comes when so many have aged out that one fewer than the limit is left.
        raise IssuingLimitReached(
            f"{len(recent)} certificates were issued to this TPP in the last 24 hours, the most is {limits.per_day}",
            retry_at=recent[len(recent) - limits.per_day],
        )
    standing = sorted(life.not_after + keep_expired for life in lives if life.not_after + keep_expired > now)
    if len(standing) >= limits.unexpired:
        raise IssuingLimitReached(
            f"{len(standing)} certificates of this TPP have not expired, revoked ones counted, the most is {limits.unexpired}",
            retry_at=standing[len(standing) - limits.unexpired],
        )
