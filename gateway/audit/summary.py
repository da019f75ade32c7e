"""Counts a TPP's calls by time, outcome and reason, for the chart: bounded in buckets, and by the look's budget."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from gateway.audit.exchange import ABORTED, ADMITTED, FAILED, REFUSED
from gateway.audit.explanation import explanation_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.audit.row import Record

MOST_BUCKETS: Final = 200
OUTCOMES: Final = (ADMITTED, REFUSED, FAILED, ABORTED)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Calls of the `step` seconds from `at` (epoch seconds) on, by outcome."""

    at: float
    counts: Counter[str]


@dataclass(frozen=True, slots=True)
class Cause:
    """How often calls ended for a reason, and the reason in words."""

    reason: str
    count: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Buckets without a gap, oldest first; causes, most frequent first."""

    buckets: list[Bucket]
    causes: list[Cause]

    def document(self) -> dict[str, object]:
        """Return it as the control API tells it."""
        return {
            "since": self.buckets[0].at,
            "buckets": [{"at": bucket.at} | {name: bucket.counts[name] for name in OUTCOMES} for bucket in self.buckets],
            "reasons": [asdict(cause) for cause in self.causes],
        }


def summary_of(records: Iterable[Record], *, since: float, until: float, step: float) -> Summary:
    """Count `records` between two moments (epoch seconds) in buckets of `step` seconds."""
    buckets = [Bucket(since + place * step, Counter()) for place in range(_places(since, until, step))]
    reasons: Counter[str] = Counter()
    texts: dict[str, str] = {}
    for record in records:
        place = int((datetime.fromisoformat(str(record["ts"])).timestamp() - since) // step)
        outcome = record.get("outcome")
        if 0 <= place < len(buckets) and outcome in OUTCOMES:
            buckets[place].counts[outcome] += 1
            if reason := record.get("reason"):
                reasons[reason] += 1
                texts.setdefault(reason, _text(record))
    causes = [Cause(reason, count, texts[reason]) for reason, count in reasons.most_common()]
    return Summary(buckets=buckets, causes=causes)


def _text(record: Record) -> str:
    # What may differ from call to call, such as the roles of a certificate, says nothing of all of them.
    explanation = explanation_of(record | {"text": None})
    return explanation.text if explanation else str(record["reason"])


def _places(since: float, until: float, step: float) -> int:
    return min(MOST_BUCKETS, max(1, int((until - since) // step) + 1))
