"""The forms that shape a tenant. What they hold is judged by the bank, whose refusals are put at the fields they name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from flask import request
from wtforms import Field, MultipleFileField, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.widgets import CheckboxInput, ListWidget

from sandbox.portal.forms import PortalForm
from sandbox.portal.pages.brought_in import MOST_FILE_BYTES, read_files
from sandbox.portal.pages.choices import choices_of

if TYPE_CHECKING:
    from sandbox.tenants.personalities import Choice

_NUMBERS: Final = frozenset({"calls", "milliseconds", "status", "seed", "personas", "accounts", "transactions", "months"})
_LONGEST_NUMBER: Final = 12
KINDS: Final = {
    "latency": "The answer comes late",
    "error": "An error in the place of the bank",
    "drop-answer": "The work is done, the answer never comes",
    "reject-payment": "Payments are rejected",
}
PEOPLE: Final = (
    "salaried", "student", "freelancer", "retired", "family", "company", "signatories", "multi-currency", "card", "overdrawn",
    "blocked", "new", "merchant",
)  # fmt: skip


class LeverForm(PortalForm):
    """A form whose fields are the members of what the bank is asked; one left empty is left out."""

    def document(self) -> dict[str, object]:
        """Return what to ask the bank: numbers as numbers where they are some, all else as it was typed."""
        return {field.name: _typed(field) for field in self if _typed(field) not in ("", [], None)}

    def refuse_as_told(self, detail: str) -> None:
        """Put the bank's refusal at the fields that it names, or at the first field."""
        names = [field.name for field in self]
        for part in detail.split("; "):
            name, _, reason = part.partition(": ")
            self.refuse(name if name in names and reason else names[0], reason if name in names and reason else part)


def _typed(field: Field) -> object:
    data = field.data
    if isinstance(data, str):
        text = data.strip()
        if field.name in _NUMBERS and text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER:
            return int(text)
        return text
    return data


class ClockForm(LeverForm):
    """How far to put the clock forward."""

    by = StringField("Put it forward by", description="An ISO 8601 duration: P1D is a day, P1M a month, PT12H twelve hours.")


class SnapshotForm(LeverForm):
    """The name of a snapshot."""

    name = StringField("Name", description="Letters, digits, points, hyphens and underscores, for example before-payments.")


class FaultForm(LeverForm):
    """A fault."""

    kind = SelectField("What goes wrong", choices=choices_of(KINDS), validate_choice=False)
    method = SelectField(
        "Method",
        choices=choices_of({"*": "Any", **{name: name for name in ("GET", "POST", "PUT", "DELETE")}}),
        validate_choice=False,
    )
    path = StringField(
        "Path",
        description="As /v1/accounts/{account-id}/balances, where braces stand for any id, or /v1/payments/** for all below.",
    )
    calls = StringField("For so many calls", description="Leave it empty: until you clear it.")
    milliseconds = StringField("Milliseconds late", description="For late and dropped answers, up to 60000.")
    status = StringField("HTTP status", description="For errors: 400 to 599.")
    code = StringField(
        "Code", description="For errors, in tppMessages: SERVICE_BLOCKED, say. Left empty it follows from the status."
    )
    reason = StringField("Reason", description="For rejected payments: ISO 20022, such as AC04 or AM04.")


class PersonalityForm(LeverForm):
    """How the bank answers."""

    personality = RadioField(
        "How your bank answers", description="In force with the next call; what was made before stays.", validate_choice=False
    )

    def offering(self, choice: Choice) -> Self:
        """Offer what the bank offers, and mark what it has, or what was just asked for."""
        offered = {each.name: f"{each.title} ({each.name}): {each.description}" for each in choice.offered}
        self.personality.choices = choices_of(offered)
        self.personality.data = self.personality.data or choice.chosen
        return self


class ImportForm(LeverForm):
    """Test data in the place of what is there."""

    files = MultipleFileField(
        "Files",
        description=(
            "JSON, a ZIP archive of CSV files, or the CSV files themselves (psus, accounts, transactions, balances): "
            f"at most {MOST_FILE_BYTES // 1024:,} KiB together."
        ),
    )

    def sent(self) -> tuple[bytes, str]:
        """Return the content and its format; raises `UploadRefused`."""
        return read_files(request.files.getlist(self.files.name))

    def refuse_as_told(self, detail: str) -> None:
        """Put the bank's refusal at the one field: it speaks of lines, not of fields."""
        self.refuse(self.files.name, detail)


class ShapeForm(LeverForm):
    """People to make."""

    seed = StringField("Seed", description="A whole number. The same seed and shape make the same people.")
    country = StringField("Country", description="Whose IBANs and names, such as FR. Left empty: your TPP's own.")
    kinds = SelectMultipleField(
        "Kinds of people",
        choices=choices_of({kind: kind for kind in PEOPLE}),
        description="Left empty: one of each.",
        option_widget=CheckboxInput(),
        widget=ListWidget(),
        validate_choice=False,
    )
    personas = StringField("How many", description="Up to 50. Left empty: one of each kind.")
    months = StringField("Months back", description="1 to 36. Left empty: 13.")
    transactions = StringField("Transactions each", description="About so many. Left empty: what is usual for the kind.")
