"""Two kinds of document for tests of the configuration: shops, and the plans that they refer to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from gateway.configuration.bodies import DocumentBody, read_body
from gateway.configuration.model import Document, DocumentRefused, Fault, Kind, Kinds, Reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.configuration.snapshot import Snapshot


class PlanBody(DocumentBody):
    """What a plan says."""

    rate: Annotated[int, Field(ge=1, le=1_000, description="requests a second")]


@dataclass(frozen=True)
class Plan:
    name: str
    rate: int


class KeyBody(DocumentBody):
    """A key by its name."""

    name: str
    value: str


class ShopBody(DocumentBody):
    """What a shop says."""

    address: str
    plan: str | None = None
    sans: tuple[Annotated[str, Field(max_length=10)], ...] = ()
    secret: str | None = None
    keys: tuple[KeyBody, ...] = ()


@dataclass(frozen=True)
class Shop:
    name: str
    address: str
    plan: str | None


def _plan(document: Document) -> Plan:
    return Plan(document.name, read_body(PlanBody, document).rate)


def _shop(document: Document) -> Shop:
    body = read_body(ShopBody, document)
    if not body.address.startswith("/"):
        raise DocumentRefused([Fault("address", f"{body.address!r} is no path: begin it with /")])
    return Shop(document.name, body.address, body.plan)


def _references(shop: Shop) -> list[Reference]:
    return [Reference("plan", "plans", shop.plan)] if shop.plan else []


def _conflicts(snapshot: Snapshot) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for shop in snapshot.of(SHOPS).values():
        first = seen.setdefault(shop.address, shop.name)
        if first != shop.name:
            yield Fault("address", f"is the address of shops/{first} too", f"shops/{shop.name}")


def _words(shop: Shop, snapshot: Snapshot) -> Mapping[str, object]:
    return {"rate": snapshot.of(PLANS)[shop.plan].rate if shop.plan and shop.plan in snapshot.of(PLANS) else None}


PLANS: Kind[Plan] = Kind(
    name="plans",
    summary="How often one may come",
    parse=_plan,
    schema=PlanBody.model_json_schema,
    built_in=frozenset({"free"}),
)
SHOPS: Kind[Shop] = Kind(
    name="shops",
    summary="Where one may come",
    parse=_shop,
    schema=ShopBody.model_json_schema,
    references=_references,
    conflicts=_conflicts,
    describe=_words,
    secrets=frozenset({"secret", "keys[].value"}),
)
KINDS = Kinds((PLANS, SHOPS))
