"""Who wants to know what, and what is to be told (XS2A `TPP-Notification-…`, BG IG 1.3.8 §5.3.1, §6.3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from bank_backend.authorisations.model import ResourceKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from psd2.ids import TenantId

# The pauses between tries; the last repeats itself until the notification is a day old.
PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in (2, 5, 15, 60, 300, 900, 1800))
GIVE_UP_AFTER: Final = timedelta(hours=24)
# Nothing of a TPP's is queued beyond that: a receiver that is gone for good must not fill the bank's disk.
MOST_WAITING: Final = 1_000
# How many of a TPP's last deliveries can be looked at.
MOST_KEPT: Final = 200


class Content(StrEnum):
    """Which changes are told."""

    SCA = "SCA"
    PROCESS = "PROCESS"
    LAST = "LAST"


# What is told to whoever has no preference.
USUAL_CONTENT: Final = frozenset({Content.SCA, Content.PROCESS})
# The kinds of resource that are told of, by the member that holds the id, and the one that holds the status.
SUBJECTS: Final = {
    ResourceKind.PIS: ("paymentId", "transactionStatus"),
    ResourceKind.AIS: ("consentId", "consentStatus"),
    ResourceKind.BASKET: ("basketId", "transactionStatus"),
}
# The values that the specification's enumerations have: the TPP reads any other itself, where a link leads.
_SAID: Final = {
    "transactionStatus": frozenset(
        "ACCC ACCP ACSC ACSP ACTC ACWC ACWP RCVD PDNG RJCT CANC ACFC PATC PART".split()  # noqa: SIM905 - reads as it stands there
    ),
    "consentStatus": frozenset({"received", "rejected", "valid", "revokedByPsu", "expired", "terminatedByTpp"}),
    "scaStatus": frozenset(
        {
            "received",
            "psuIdentified",
            "psuAuthenticated",
            "scaMethodSelected",
            "started",
            "finalised",
            "failed",
            "exempted",
        }
    ),
}


def content_as_text(content: Iterable[Content]) -> str:
    """Write `ASPSP-Notification-Content`."""
    chosen = set(content)
    return f"status={', '.join(each.value for each in Content if each in chosen)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A TPP wants to be told of a resource. `refusal` says why it is not: the address is none that may be called."""

    tenant: TenantId
    kind: ResourceKind
    resource: str
    path: str
    uri: str
    content: frozenset[Content]
    refusal: str | None


class State(StrEnum):
    """Where a notification stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One change of status on its way. `outcome` tells what became of the last try."""

    number: int
    request_id: str
    tenant: TenantId
    resource: str
    uri: str
    body: dict[str, object]
    state: State
    attempts: int
    created_at: datetime
    next_at: datetime
    outcome: str | None


def process_body(watch: Watch, status: str) -> dict[str, object]:
    """Return the notification of a resource's status."""
    identifier, member = SUBJECTS[watch.kind]
    told = {member: status} if status in _SAID[member] else {"_links": {"status": {"href": f"{watch.path}/status"}}}
    return {identifier: watch.resource, **told}


def sca_body(watch: Watch, kind: ResourceKind, authorisation: str, status: str) -> dict[str, object]:
    """Return the notification of an authorisation's status, with the way to the resource's own."""
    identifier, _ = SUBJECTS[watch.kind]
    is_cancellation = kind is ResourceKind.CANCELLATION
    segment = "cancellation-authorisations" if is_cancellation else "authorisations"
    links = {"status": {"href": f"{watch.path}/status"}}
    told: dict[str, object] = {"scaStatus": status}
    if status not in _SAID["scaStatus"]:
        told, links["scaStatus"] = {}, {"href": f"{watch.path}/{segment}/{authorisation}"}
    name = "cancellationId" if is_cancellation else "authorisationId"
    return {identifier: watch.resource, name: authorisation, **told, "_links": links}


def pause_after(attempts: int) -> timedelta:
    """Return how long the next try waits."""
    return PAUSES[min(attempts, len(PAUSES)) - 1]
