"""Account reports as SWIFT text: MT940 of what is booked, MT942 with what is pending (BG IG 1.3.8 §6.5.4; SWIFT UHB cat. 9)."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from bank_backend.accounts.codes import counterparty_of, swift_type, transaction_code
from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from bank_backend.accounts.reports import AccountStatement
    from bank_backend.ledger.statements import StatementLine

# Character set X of SWIFT FIN.
_ALLOWED: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")
# Letters that a reader spells out rather than strips of their marks.
_SPELLED: Final = {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "æ": "ae", "Æ": "Ae"} | {
    "ø": "o", "Ø": "O", "å": "aa", "Å": "Aa", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "þ": "th", "&": "+",
}  # fmt: skip
_MOST_CHARACTERS, _MOST_LINES = 65, 6
_MOST_COUNTED: Final = 99_999
_LINE_END: Final = "\r\n"


def mt940(statements: Sequence[AccountStatement]) -> bytes:
    """Return a customer statement message for each account."""
    return _messages(_statement_lines(statement) for statement in statements)


def mt942(statements: Sequence[AccountStatement], *, at: datetime) -> bytes:
    """Return an interim transaction report for each account; `at` is when it is told."""
    return _messages(_interim_lines(statement, at) for statement in statements)


def _messages(messages: Iterator[Iterator[str]]) -> bytes:
    return "".join(f"{line}{_LINE_END}" for message in messages for line in (*message, "-")).encode("ascii")


def _statement_lines(statement: AccountStatement) -> Iterator[str]:
    if statement.opening is None or statement.closing is None:
        msg = "a customer statement tells balances: without a right to them an interim report is due"
        raise ValueError(msg)
    yield from _head(statement)
    yield f":60F:{_balance(statement.opening, statement.since)}"
    for line in statement.booked:
        yield from _entry(line)
    yield f":62F:{_balance(statement.closing, statement.until)}"


def _interim_lines(statement: AccountStatement, at: datetime) -> Iterator[str]:
    yield from _head(statement)
    yield f":34F:{statement.account.currency}{_amount(Money(0, statement.account.currency))}"
    yield f":13D:{at:%y%m%d%H%M}+0000"
    lines = [*statement.pending, *statement.booked]
    for line in lines:
        yield from _entry(line)
    for tag, sign in (("90D", -1), ("90C", 1)):
        amounts = [line.amount_minor for line in lines if line.amount_minor * sign > 0]
        total = Money(abs(sum(amounts)), statement.account.currency)
        yield f":{tag}:{min(len(amounts), _MOST_COUNTED)}{total.currency}{_amount(total)}"


def _head(statement: AccountStatement) -> Iterator[str]:
    yield f":20:{statement.until:%Y%m%d}{statement.account.currency}"
    yield f":25:{statement.account.iban}"
    yield f":28C:{statement.sequence:05d}/00001"


def _entry(line: StatementLine) -> Iterator[str]:
    """Yield field 61 and its field 86; a pending movement is told by its value date."""
    entered = line.booking_date or line.value_date
    mark = "D" if line.amount_minor < 0 else "C"
    amount = _amount(Money(abs(line.amount_minor), line.currency))
    reference = _plain(line.end_to_end_id.replace("//", "/"))[:16].strip(" /") or "NONREF"
    own = f"//{line.number}" if line.number is not None else ""
    kind = f"N{swift_type(transaction_code(line))}"
    yield f":61:{line.value_date:%y%m%d}{entered:%m%d}{mark}{amount}{kind}{reference}{own}"
    yield from _wrapped(":86:", _information(line))


def _information(line: StatementLine) -> str:
    """Return what field 86 says, under SWIFT's code words."""
    other = counterparty_of(line)
    parts = {
        "EREF": _word(line.end_to_end_id),
        "MARF": _word(line.mandate_id),
        "CSID": _word(line.creditor_id),
        "CNTP": "/".join((other.account, other.agent, _word(other.name), "")) if other.name or other.account else "",
        "REMI": f"USTD//{_word(line.remittance)}/" if line.remittance else "",
    }
    return "".join(f"/{code}/{text}" for code, text in parts.items() if text)


def _word(text: str) -> str:
    return _plain(text).replace("/", " ").strip()


def _wrapped(tag: str, text: str) -> Iterator[str]:
    """Yield the field's lines; one that began with a colon or a hyphen would be taken for the next field, or the end."""
    rest = text or "NONREF"
    for number in range(_MOST_LINES):
        room = _MOST_CHARACTERS - (len(tag) if number == 0 else 0)
        if number and rest[0] in ":-":
            rest = f".{rest[1:]}"
        yield (tag if number == 0 else "") + rest[:room].rstrip()
        rest = rest[room:].lstrip()
        if not rest:
            return


def _balance(amount: Money, day: date) -> str:
    mark = "D" if amount.minor < 0 else "C"
    return f"{mark}{day:%y%m%d}{amount.currency}{_amount(Money(abs(amount.minor), amount.currency))}"


def _amount(amount: Money) -> str:
    """Return the amount as SWIFT writes it: a comma always, no thousands."""
    text = amount.decimal.replace(".", ",")
    return text if "," in text else f"{text},"


def _plain(text: str) -> str:
    """Return the text in SWIFT's characters: letters without their marks, anything else a full stop."""
    spelled = "".join(_SPELLED.get(character, character) for character in text)
    bare = (one for one in unicodedata.normalize("NFKD", spelled) if not unicodedata.combining(one))
    return "".join(one if one in _ALLOWED else "." for one in bare)
