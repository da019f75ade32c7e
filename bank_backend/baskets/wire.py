"""Signing baskets as JSON (BG IG 1.3.8 §8.1 to §8.3)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints

from bank_backend.authorisations.model import ResourceKind
from bank_backend.baskets.model import MOST_MEMBERS, Member
from bank_backend.bodies import Body, read_tpp_body
from bank_backend.errors import FormatError

if TYPE_CHECKING:
    from bank_backend.baskets.model import Basket

_Id = Annotated[str, StringConstraints(min_length=1, max_length=36)]
_Ids = Annotated[list[_Id], Field(min_length=1, max_length=MOST_MEMBERS)]


class BasketBody(Body):
    """`signingBasket`: at least one entry of either kind."""

    paymentIds: _Ids | None = None  # noqa: N815 - wire name
    consentIds: _Ids | None = None  # noqa: N815 - wire name


@dataclass(frozen=True, slots=True)
class Grouping:
    """What is to be grouped; `paths` say where in the request each stands."""

    members: tuple[Member, ...]
    paths: tuple[str, ...]

    @property
    def has_consents(self) -> bool:
        """Whether consents are among it."""
        return any(member.kind is ResourceKind.AIS for member in self.members)

    @property
    def digest(self) -> str:
        """A digest that is equal for two requests that group the same in the same order."""
        text = "\n".join(f"{member.kind}:{member.resource}" for member in self.members)
        return hashlib.sha256(text.encode()).hexdigest()


def parse_basket(data: bytes) -> Grouping:
    """Read the body of `POST /v1/signing-baskets`; raises `FormatError`."""
    body = read_tpp_body(data, BasketBody)
    named = [
        (Member(kind, resource), f"{field}[{place}]")
        for kind, field, ids in (
            (ResourceKind.PIS, "paymentIds", body.paymentIds or []),
            (ResourceKind.AIS, "consentIds", body.consentIds or []),
        )
        for place, resource in enumerate(ids)
    ]
    _require_some_once(named)
    return Grouping(tuple(member for member, _ in named), tuple(path for _, path in named))


def _require_some_once(named: list[tuple[Member, str]]) -> None:
    if not 0 < len(named) <= MOST_MEMBERS:
        raise FormatError(f"a signing basket has 1 to {MOST_MEMBERS} entries, not {len(named)}", path="paymentIds")
    seen: set[Member] = set()
    for member, path in named:
        if member in seen:
            raise FormatError(f"{path} names {member.resource} a second time", path=path)
        seen.add(member)


def basket_as_json(basket: Basket) -> dict[str, object]:
    """Write `signingBasketResponse-200`."""
    content = {"payments": basket.of_kind(ResourceKind.PIS), "consents": basket.of_kind(ResourceKind.AIS)}
    return {name: ids for name, ids in content.items() if ids} | {"transactionStatus": basket.status.value}
