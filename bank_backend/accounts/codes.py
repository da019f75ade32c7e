"""A movement as its account's holder sees it: the other side, and the transaction codes (BG IG 1.3.8 §14.24, ISO 20022)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bank_backend.ledger.statements import StatementLine

# SWIFT MT940 field 61, subfield 6: transaction type identification codes; the family of ISO 20022's code decides.
_STANDING_ORDER, _CHARGES, _INTEREST, _OTHER = "STO", "CHG", "INT", "MSC"
_BY_SUB_FAMILY: Final = {"STDO": _STANDING_ORDER, "XBST": _STANDING_ORDER, "CHRG": _CHARGES, "INTR": _INTEREST}
_BY_FAMILY: Final = {
    "ICDT": "TRF", "RCDT": "TRF", "IRCT": "TRF", "RRCT": "TRF", "RDDT": "DDT", "IDDT": "DDT", "MDOP": _CHARGES,
}  # fmt: skip


# What an issued transfer is called by its payee too: within a bank, priority, cross-border.
_BOTH_WAYS: Final = frozenset({"BOOK", "PRCT", "XBCT"})


@dataclass(frozen=True, slots=True)
class Counterparty:
    """The other side of a movement; empty where it has no name, no account, no known bank."""

    is_creditor: bool
    name: str
    account: str
    agent: str


def counterparty_of(line: StatementLine) -> Counterparty:
    """Return the creditor of what was debited, the debtor of what was credited (§14.24)."""
    said = line.details
    if line.amount_minor < 0:
        agent = said.creditor_agent if said else ""
        return Counterparty(is_creditor=True, name=line.creditor_name, account=line.creditor_iban, agent=agent)
    agent = said.debtor_agent if said else ""
    return Counterparty(is_creditor=False, name=line.debtor_name, account=line.debtor_iban, agent=agent)


def transaction_code(line: StatementLine) -> str:
    """Return ISO 20022's code as this side sees it: what the payer issued, the payee received."""
    code = line.code
    if line.amount_minor <= 0:
        return code
    if code.startswith("PMNT-IRCT-"):
        return "PMNT-RRCT-ESCT"
    if code.startswith("PMNT-ICDT-"):
        sub_family = code.rpartition("-")[2]
        return f"PMNT-RCDT-{sub_family if sub_family in _BOTH_WAYS else 'ESCT'}"
    return code


def swift_type(code: str) -> str:
    """Return the type of a movement in MT940's terms."""
    _, family, sub_family = code.split("-")
    return _BY_SUB_FAMILY.get(sub_family) or _BY_FAMILY.get(family, _OTHER)


def proprietary_code(code: str) -> str:
    """Return the bank's own code: what its MT940 says of the movement (§14.24)."""
    return f"N{swift_type(code)}"
