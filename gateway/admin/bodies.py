"""The bodies that the control API takes (docs/architecture.md §3.4), read into the domain's own types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from gateway.audit.reader import MOST_RECORDS, AuditFilter, Cursor
from gateway.audit.summary import MOST_BUCKETS
from gateway.register.model import RegisterRefusal, Tpp, TppStatus
from psd2.roles import PspRole, UnknownRole, parse_role

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_ENTRIES: Final = 200
LATEST_SECONDS: Final = 10_000_000_000  # the year 2286
_CURSOR = re.compile(r"[0-9]{4}-[0-9T:.+Z-]{10,36}_([0-9a-f-]{0,36}|~)")
Name = Annotated[str, StringConstraints(min_length=1, max_length=140, strip_whitespace=True)]
_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]


class Body(BaseModel):
    """A body, or a query, that holds what it may and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TppBody(Body):
    """`PUT /tpps/{authorisation number}`."""

    name: Name
    country: Name
    nca_id: Name
    nca_name: Name
    roles: Annotated[list[Name], Field(max_length=8)]
    status: TppStatus = TppStatus.ACTIVE

    def tpp(self, authorisation_number: str) -> Tpp:
        """Return the TPP that the body describes; raises `RegisterRefusal`."""
        return Tpp(
            authorisation_number=authorisation_number,
            name=self.name,
            country=self.country,
            nca_id=self.nca_id,
            nca_name=self.nca_name,
            roles=_roles(self.roles),
            status=self.status,
        )


class TrustStoreBody(Body):
    """`PUT /trust-stores/tpp`: CA certificates in PEM."""

    anchors: Annotated[list[_Text], Field(max_length=MOST_ENTRIES)]
    intermediates: Annotated[list[_Text], Field(max_length=MOST_ENTRIES)] = []


class BlockBody(Body):
    """`PUT /certificates/{sha256}/block`."""

    reason: str


def _cursor(text: str) -> Cursor:
    if not _CURSOR.fullmatch(text):
        raise ValueError("is no place in the log: send the `next` of an answer as it came")
    return Cursor.parse(text)


_Cursor = Annotated[Cursor, BeforeValidator(_cursor), WithJsonSchema({"type": "string"})]


class RequestsQuery(Body):
    """The query of `GET /requests`; what is left out takes any. `since` and `before` are places of earlier answers."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    tpp: Name | None = None
    outcome: Literal["admitted", "refused", "failed", "aborted"] | None = None
    reason: Name | None = None
    text: Name | None = None
    certificate: _Sha256 | None = None
    since: _Cursor | None = None
    before: _Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_RECORDS)] = 100

    @property
    def wanted(self) -> AuditFilter:
        """Return the filter that the query describes."""
        return AuditFilter(
            tpp=self.tpp,
            outcome=self.outcome,
            reason=self.reason,
            text=self.text,
            certificate=self.certificate,
            since=self.since,
            before=self.before,
        )


class SummaryQuery(Body):
    """The query of `GET /requests/summary`: calls since a moment (epoch seconds), in steps of so many seconds."""

    tpp: Name | None = None
    since: Annotated[float, Field(ge=0, le=LATEST_SECONDS)]
    step: Annotated[float, Field(ge=1, le=31 * 86_400)]

    def require_bounded(self, now: float) -> None:
        """Raise `RegisterRefusal` where that would be too many buckets."""
        if (now - self.since) / self.step >= MOST_BUCKETS:
            raise RegisterRefusal("step", f"makes more than {MOST_BUCKETS} buckets: choose a longer one, or a later since")


def tpp_json(tpp: Tpp) -> dict[str, object]:
    """Return a TPP as the control API tells it."""
    return {
        "authorisation_number": tpp.authorisation_number,
        "name": tpp.name,
        "country": tpp.country,
        "nca_id": tpp.nca_id,
        "nca_name": tpp.nca_name,
        "roles": sorted(tpp.roles),
        "status": tpp.status,
    }


def _roles(names: Iterable[str]) -> frozenset[PspRole]:
    roles = set()
    for place, name in enumerate(names):
        try:
            roles.add(parse_role(name))
        except UnknownRole as error:
            raise RegisterRefusal(f"roles[{place}]", str(error)) from error
    return frozenset(roles)
