"""What some movements tell beyond the usual: of a card purchase, a foreign agent, a purpose (BG IG 1.3.8 §14.24, §14.28)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bank_backend.ledger.batch_parts import BatchPart, part_as_json, part_from_json
from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPurchase:
    """Where and how a card was used. `original` is what the merchant charged, where that is another currency.

    `merchant_category` is ISO 18245's code, `phone` is written like `+49-305772`.
    `markup_percent` is what the bank adds for converting it, such as `1.75`; the fee is part of the amount billed.
    """

    masked_pan: str
    merchant_category: str = ""
    acceptor_id: str = ""
    terminal_id: str = ""
    town: str = ""
    country: str = ""
    phone: str = ""
    original: Money | None = None
    markup_fee: Money | None = None
    markup_percent: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """Each is empty where the movement has none. Agents are BICs; the purpose is ISO 20022's code, such as `SALA`."""

    debtor_agent: str = ""
    creditor_agent: str = ""
    ultimate_debtor: str = ""
    ultimate_creditor: str = ""
    purpose: str = ""
    structured_reference: str = ""
    additional_information: str = ""
    # Of a batch booked in one sum: how many payments it holds, and which; a batch that was brought in may not say which.
    batch_size: int | None = None
    batch: tuple[BatchPart, ...] = ()
    card: CardPurchase | None = None


def particulars_as_json(particulars: Particulars | None) -> dict[str, Any] | None:
    """Return what the books keep: only what is said; None where nothing is."""
    if particulars is None:
        return None
    body = _said(particulars)
    if particulars.card is not None:
        body["card"] = _card_as_json(particulars.card)
    if particulars.batch:
        body["batch"] = [part_as_json(part) for part in particulars.batch]
    return body or None


def particulars_from_json(body: Mapping[str, Any] | None) -> Particulars | None:
    """Read what the books have kept."""
    if body is None:
        return None
    card, batch = body.get("card"), body.get("batch") or ()
    nested = {
        "card": None if card is None else _card_from_json(card),
        "batch": tuple(part_from_json(part) for part in batch),
    }
    return Particulars(**{**_known(Particulars, body), **nested})


def _card_as_json(card: CardPurchase) -> dict[str, Any]:
    body = _said(card)
    for name, amount in (("original", card.original), ("markup_fee", card.markup_fee)):
        if amount is not None:
            body[name] = [amount.minor, amount.currency]
    if card.markup_percent is not None:
        body["markup_percent"] = str(card.markup_percent)
    return body


def _card_from_json(body: Mapping[str, Any]) -> CardPurchase:
    values = _known(CardPurchase, body)
    for name in ("original", "markup_fee"):
        if name in values:
            values[name] = Money(*values[name])
    if "markup_percent" in values:
        values["markup_percent"] = Decimal(values["markup_percent"])
    return CardPurchase(**values)


def _said(about: Particulars | CardPurchase) -> dict[str, Any]:
    # Not `asdict`, which copies what is frozen: a seed has a thousand purchases.
    return {name: value for name in about.__slots__ if (value := getattr(about, name)) not in (None, "", ())}


def _known(kind: type[Particulars | CardPurchase], body: Mapping[str, Any]) -> dict[str, Any]:
    # What a later revision has added to the books is no reason to fail.
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in body.items() if name in names}
