"""Which of the server's keys signs, which are published, and what has to be done about them next.

Of each algorithm there is always a successor, published ahead; an old key stays until what it signed has ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from gateway.register.model import SigningAlg

# Nothing that is signed lives longer (JARM §4.1: "10 minutes" is its own proposal).
LONGEST_LIFE: Final = timedelta(minutes=10)
# A worker goes on for so long with the key that it last read.
REMEMBERED: Final = timedelta(seconds=5)
_CLOCKS_APART: Final = timedelta(minutes=1)
KEPT: Final = LONGEST_LIFE + REMEMBERED + _CLOCKS_APART


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A key of the server, without its private part. The successor has no `signs_from` yet."""

    kid: str
    alg: SigningAlg
    number: int
    jwk: Mapping[str, object]
    published_at: datetime
    signs_from: datetime | None = None
    withdrawn_at: datetime | None = None

    @property
    def is_successor(self) -> bool:
        """Whether it waits for its turn."""
        return self.signs_from is None and self.withdrawn_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long a key signs, and how long it is published before it may begin."""

    period: timedelta
    ahead: timedelta


@dataclass(frozen=True, slots=True)
class Steps:
    """What is due: algorithms to make a key for, keys that begin to sign, keys that are no longer needed."""

    make: tuple[SigningAlg, ...] = ()
    begin: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rotation:
    """A change of keys by hand: who begins, and who is taken back before its time."""

    begins: str
    withdrawn: str | None


class RotationRefused(Exception):
    """A change of keys that would leave clients behind; the message says why, and when it would not."""


def signing_key(keys: Sequence[SigningKey], alg: SigningAlg, now: datetime) -> SigningKey | None:
    """Return the key that signs: the newest whose turn has come, and never an older one in its place."""
    begun = [key for key in keys if key.alg is alg and key.signs_from is not None and key.signs_from <= now]
    newest = max(begun, key=lambda key: key.number, default=None)
    return None if newest is None or newest.withdrawn_at is not None else newest


def published_keys(keys: Sequence[SigningKey], now: datetime) -> list[SigningKey]:
    """Return the keys that anybody may meet: who signs, whose turn comes, and whose last word may still be on its way."""
    return [key for key in keys if key.withdrawn_at is None and not _is_over(key, keys, now)]


def due_steps(keys: Sequence[SigningKey], now: datetime, schedule: Schedule, algs: Collection[SigningAlg]) -> Steps:
    """Return what has to be done now. Doing it may make more due: a new key's successor is made after it has begun."""
    make, begin = [], []
    for alg in sorted(algs):
        successor = _successor(keys, alg)
        if successor is None:
            make.append(alg)
        elif _has_to_begin(successor, signing_key(keys, alg, now), now, schedule):
            begin.append(successor.kid)
    return Steps(tuple(make), tuple(begin), tuple(key.kid for key in keys if _is_over(key, keys, now)))


def rotation(keys: Sequence[SigningKey], alg: SigningAlg, now: datetime, *, ahead: timedelta, withdraw: bool) -> Rotation:
    """Return what a change by hand comes to; raises `RotationRefused`.

    `withdraw` takes the present key out of the JWKS at once, for others may have it: then nothing is waited for.
    """
    successor, present = _successor(keys, alg), signing_key(keys, alg, now)
    if successor is None:
        raise RotationRefused(f"there is no successor for {alg} yet: the authorization server makes one within a minute")
    known_from = successor.published_at + ahead
    if present is not None and not withdraw and now < known_from:
        raise RotationRefused(
            f"the next key for {alg} is published since {successor.published_at:%Y-%m-%dT%H:%M:%SZ} only: clients may know it "
            f"from {known_from:%Y-%m-%dT%H:%M:%SZ} on. If others have the present one, withdraw it"
        )
    return Rotation(successor.kid, present.kid if withdraw and present is not None else None)


def _successor(keys: Sequence[SigningKey], alg: SigningAlg) -> SigningKey | None:
    return next((key for key in keys if key.alg is alg and key.is_successor), None)


def _has_to_begin(successor: SigningKey, present: SigningKey | None, now: datetime, schedule: Schedule) -> bool:
    if present is None or present.signs_from is None:
        return True
    return now >= present.signs_from + schedule.period and now >= successor.published_at + schedule.ahead


def _is_over(key: SigningKey, keys: Sequence[SigningKey], now: datetime) -> bool:
    later = [each for each in keys if each.alg is key.alg and each.number > key.number and each.signs_from is not None]
    following = min(later, key=lambda each: each.number, default=None)
    return following is not None and following.signs_from is not None and following.signs_from + KEPT <= now
