"""Admissions that stand: a connection that asks the same again, of the same knowledge, is not judged from the beginning.

`admit` depends on the connection, on `Request.asked`, on the knowledge and on the time. The first is where this is kept,
the others are what it is kept by; and none stands longer than a second, whatever else should have been thought of.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from gateway.admission.admit import Admission, admit

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.admission.knowledge import Knowledge
    from gateway.admission.request import Request
    from gateway.trust.judgement import Judge

MOST_SECONDS: Final = 1.0
_MOST_ADMISSIONS: Final = 16
_MOST_ASKED_BYTES: Final = 2_000


class EndOfStanding:
    """The part of the configuration (`gateway.configuration.live.Part`) that ends admissions of the one before."""

    def __init__(self, knowledge: Knowledge) -> None:
        """Know whose."""
        self._knowledge = knowledge

    def prepare(self, snapshot: object) -> Callable[[], None]:
        """Return what ends them."""
        del snapshot
        return self._knowledge.changed


# An admission, the judge whose verdict it leans on, and the time in which it stands (epoch seconds, half open).
_Kept: TypeAlias = "tuple[Admission, Judge | None, float, float]"


@dataclass(slots=True)
class _Standing:
    """One connection's admissions in one state of the knowledge."""

    state: int = -1
    admissions: dict[tuple[object, ...], _Kept] = field(default_factory=dict)


def admitted(request: Request, knowledge: Knowledge, now: float, admission: Admission) -> Admission:
    """Return the admission that stands, or else `admission` as `admit` fills it; raises what `admit` raises."""
    memory = request.connection.memory
    standing = memory.get(_Standing)
    if not isinstance(standing, _Standing):
        standing = memory[_Standing] = _Standing()
    if standing.state != knowledge.state:
        standing.state = knowledge.state
        standing.admissions.clear()
    asked = request.asked
    known = standing.admissions.get(asked)
    if known is not None:
        kept, judge, since, until = known
        if since <= now < until and judge is _judge(kept, knowledge):
            return kept
    admit(request, knowledge, now, admission)
    # A proof is good for one request, so that the next one has to be judged.
    if admission.proof is None and len(request.path) + len(request.query) <= _MOST_ASKED_BYTES:
        if len(standing.admissions) >= _MOST_ADMISSIONS:
            standing.admissions.clear()
        standing.admissions[asked] = admission, _judge(admission, knowledge), now, _until(admission, now)
    return admission


def _judge(admission: Admission, knowledge: Knowledge) -> Judge | None:
    """Return who would judge the certificate now; raises `NotLoaded`."""
    route = admission.route
    return None if admission.trusted is None or route is None else knowledge.judge_of(route.trust_store)


def _until(admission: Admission, now: float) -> float:
    ends = [now + MOST_SECONDS]
    if admission.trusted is not None:
        ends.append(admission.trusted.holds_until)
    if admission.token is not None:
        ends.append(admission.token.expires_at)
    return min(ends)
