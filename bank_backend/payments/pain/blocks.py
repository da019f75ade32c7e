"""A pain.001 message's `PmtInf` blocks: several make one bulk, paid from one account on one day (BG IG 1.3.8 §5.3.3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_backend.errors import FormatError
from bank_backend.references import AccountReference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from bank_backend.payments.pain.grammar import Node


@dataclass(frozen=True, slots=True)
class Block:
    """A `PmtInf`, and the places that its transfers have among all of the message's."""

    node: Node
    places: range

    @property
    def transactions(self) -> list[Node]:
        """Its transfers."""
        return self.node.nodes("CdtTrfTxInf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A pain.001 message that the grammar allows. `version` is its name, such as pain.001.001.03."""

    version: str
    header: Node
    blocks: tuple[Block, ...]

    @property
    def transactions(self) -> list[Node]:
        """The transfers of all its blocks."""
        return [transaction for block in self.blocks for transaction in block.transactions]

    def block_of(self, place: int) -> Block:
        """Return the block of a transfer."""
        return next(block for block in self.blocks if place in block.places)


def blocks_of(nodes: Sequence[Node]) -> Iterator[Block]:
    """Yield the blocks of these elements."""
    start = 0
    for node in nodes:
        stop = start + len(node.nodes("CdtTrfTxInf"))
        yield Block(node, range(start, stop))
        start = stop


def execution_of(block: Node) -> tuple[date | None, datetime | None]:
    """Return the day or the moment that a block names."""
    chosen = block.at("ReqdExctnDt") or block.at("ReqdExctnDt/Dt")
    return chosen, block.at("ReqdExctnDt/DtTm")


def debtor_of(block: Node) -> AccountReference:
    """Return the account that a block is paid from; raises `FormatError` for one without IBAN."""
    iban = block.at("DbtrAcct/Id/IBAN")
    if iban is None:
        node = block.nearest("DbtrAcct/Id")
        text = f"Id in line {node.line} has no IBAN: this bank's accounts all have one"
        raise FormatError(text, path=f"{node.path}/IBAN")
    return AccountReference(str(iban), block.at("DbtrAcct/Ccy"))


def require_one_order(message: Message) -> None:
    """Raise `FormatError` for blocks that are not one order: of two accounts, of two days, or of one name.

    The PSU approves one account and one day at a time, which BG IG §5.3.3.2 leaves to the bank ("one debtor account").
    """
    first, names = message.blocks[0].node, set[str]()
    for block in message.blocks:
        node = block.node
        if debtor_of(node) != debtor_of(first):
            raise _another(node, "DbtrAcct", "pays from another account than the first PmtInf")
        if execution_of(node) != execution_of(first):
            raise _another(node, "ReqdExctnDt", "names another day than the first PmtInf")
        if node.at("PmtInfId") in names:
            raise _another(node, "PmtInfId", "names two PmtInf, which the report could not tell apart")
        names.add(node.at("PmtInfId"))


def _another(block: Node, name: str, what: str) -> FormatError:
    (node,) = block.nodes(name)
    advice = "give each a name of its own" if name == "PmtInfId" else "send it as a bulk of its own (BG IG 5.3.3.2)"
    return FormatError(f"{name} in line {node.line} {what}: {advice}", path=node.path)
