"""The forms about a TPP: register one, change one, take one over. What they hold is judged by the register (`tpps.parsing`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wtforms import SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.widgets import CheckboxInput, ListWidget

from psd2.roles import PspRole
from sandbox.portal.forms import PortalForm
from sandbox.portal.pages.choices import choices_of
from sandbox.portal.pages.client_forms import CLIENT_FIELDS, ClientForm
from sandbox.tpps.countries import EEA, authorities_of
from sandbox.tpps.errors import RegistrationRefused
from sandbox.tpps.parsing import parse_amendment, parse_registration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wtforms import Field

    from sandbox.tpps.errors import Fault
    from sandbox.tpps.model import Amendment, RegistrationRequest, Tpp

_ROLES: Final = {
    PspRole.AI: "AISP, account information: read accounts, balances and transactions that a customer agrees to show",
    PspRole.PI: "PISP, payment initiation: start payments from a customer's account",
    PspRole.IC: "CBPII, card-based payment instruments: ask whether an account covers an amount",
}
_EEA_NCAS: Final = {nca.id: nca for code in EEA for nca in authorities_of(code)}
_URIS_HINT: Final = (
    "Where the bank sends the browser back to: one a line, at most 10, compared letter by letter. https, or http for localhost "
    "and loopback addresses only; no fragment (#…), no wildcard, no user name."
)
_LONGEST_URIS: Final = 25_000
_LONGEST_SEED: Final = 20
# Said of a field as a whole where the register speaks of JSON.
_OWN_WORDS: Final = {
    "roles": "Choose at least one role.",
    "seed": "Write a whole number from 0 to 2147483647, or leave it empty.",
    "redirect_uris": "Write at least one redirect URI and at most 10, one a line.",
}
_ANY_NCA: Final = "DE-BAFIN"  # stands in while none is chosen, so that the identifier is judged all the same


class RegistrationForm(ClientForm):
    """A TPP as it introduces itself, and its client."""

    organisation = StringField("Name of the firm", description="As in its certificates, for example Acme Payments GmbH.")
    name = StringField(
        "Short name",
        description="What its folder and files are called: small letters, digits and inner hyphens, for example acme-pay.",
    )
    country = SelectField("Home country", choices=choices_of({"": "Choose a country", **EEA}), validate_choice=False)
    nca = SelectField(
        "Competent authority",
        choices=choices_of({"": "Choose an authority", **{nca.id: f"{nca.name} ({nca.id})" for nca in _EEA_NCAS.values()}}),
        description="The NCA of its home country, which has authorised the firm (TS 119 495 annex D).",
        validate_choice=False,
    )
    identifier = StringField(
        "Authorisation number",
        description="What the authority calls the firm: 1 to 40 letters, digits or . - _, for example 123456. Make one up.",
    )
    roles = SelectMultipleField(
        "PSD2 roles",
        choices=choices_of(_ROLES),
        description="What the firm is authorised for. They stand in its certificates, and the gateway opens nothing else.",
        option_widget=CheckboxInput(),
        widget=ListWidget(),
        validate_choice=False,
    )
    redirect_uris = TextAreaField("Redirect URIs", description=_URIS_HINT)
    seed = StringField(
        "Seed of the test data (optional)",
        description="A whole number: the same number and seed make the same people, accounts and transactions again.",
    )

    def __iter__(self) -> Iterator[Field]:
        """Go through the fields as the page shows them: the firm's, then the client's."""
        return iter(sorted(self._fields.values(), key=lambda field: field.name in CLIENT_FIELDS))

    def parsed(self) -> RegistrationRequest | None:
        """Return what was asked for, or None: then each fault stands at its field."""
        number, metadata = self._number(), self.metadata()
        try:
            request = parse_registration({**self._document(), "authorisation_number": number, "client_metadata": metadata})
        except RegistrationRefused as refusal:
            _put(self, refusal.faults)
            return None
        return None if self.errors else request

    @property
    def whole_number(self) -> str:
        """What is typed so far, as the certificate will write it."""
        return f"PSD{self.nca.data or '…'}-{self.identifier.data or '…'}"

    def refuse_taken(self, field: str, text: str) -> None:
        """Put at its field that a name or number is taken."""
        _put_one(self, field, text)

    def _document(self) -> dict[str, object]:
        seed = (self.seed.data or "").strip()
        document: dict[str, object] = {
            "organisation": self.organisation.data or " ",
            "name": (self.name.data or "").strip(),
            "roles": [role for role in self.roles.data or () if role in set(_ROLES)],
            "redirect_uris": _lines(self.redirect_uris.data),
            "profile": self.profile.data,
        }
        return document if not seed else {**document, "seed": _whole_number(seed)}

    def _number(self) -> str:
        """Build the number from its parts; a whole number may be typed or pasted too."""
        nca, typed = self._chosen_nca(), (self.identifier.data or "").strip()
        if not typed:
            self.refuse("identifier", "Write the authorisation number, for example 123456.")
            return f"PSD{_ANY_NCA}-0"
        if not typed.startswith("PSD"):
            return f"PSD{nca or _ANY_NCA}-{typed}"
        if nca is not None and not typed.startswith(f"PSD{nca}-"):
            self.refuse("identifier", f"A number of {nca} begins with PSD{nca}-: write its last part alone.")
            return f"PSD{_ANY_NCA}-0"
        return typed

    def _chosen_nca(self) -> str | None:
        country, nca = self.country.data or "", _EEA_NCAS.get(self.nca.data or "")
        if country not in EEA:
            self.refuse("country", "Choose the country that the firm is authorised in.")
        if nca is None:
            only = authorities_of(country) if country in EEA and not self.nca.data else []
            if len(only) == 1:
                self.nca.data = only[0].id
                return only[0].id
            self.refuse("nca", "Choose the authority that has authorised the firm.")
            return None
        if country in EEA and nca.country != country:
            right = ", ".join(each.id for each in authorities_of(country))
            self.refuse("nca", f"{nca.id} is no authority of {EEA[country]}, which has {right}.")
        return nca.id


class AmendmentForm(PortalForm):
    """What a TPP may change of itself."""

    organisation = StringField("Name of the firm", description="Certificates issued from then on carry it.")
    redirect_uris = TextAreaField("Redirect URIs", description=_URIS_HINT)

    @classmethod
    def of(cls, tpp: Tpp) -> AmendmentForm:
        """Return the form with what holds now."""
        return cls(data={"organisation": tpp.organisation, "redirect_uris": "\n".join(tpp.redirect_uris)})

    def parsed(self) -> Amendment | None:
        """Return what was asked for, or None: then each fault stands at its field."""
        try:
            return parse_amendment({"organisation": self.organisation.data, "redirect_uris": _lines(self.redirect_uris.data)})
        except RegistrationRefused as refusal:
            _put(self, refusal.faults)
            return None


class ClaimForm(PortalForm):
    """Whose TPP it is, and what proves it."""

    number = StringField("Authorisation number", description="The whole of it, for example PSDDE-BAFIN-123456.")
    token = StringField(
        "Registration access token",
        description="registration_access_token in client.json, or in the answer to the registration.",
    )


def _whole_number(text: str) -> int | str:
    """Return the number, or the text where it is none or too long to be one: the register refuses it then."""
    return int(text) if text.isdecimal() and len(text) <= _LONGEST_SEED else text


def sentence(text: str) -> str:
    """Write a refusal as a sentence."""
    whole = text[:1].upper() + text[1:]
    return whole if whole.endswith((".", "?", "!")) else f"{whole}."


def _lines(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "")[:_LONGEST_URIS].splitlines() if line.strip()]


def _put(form: PortalForm, faults: Iterable[Fault]) -> None:
    for fault in faults:
        _put_one(form, fault.field, fault.text)


def _put_one(form: PortalForm, path: str, text: str) -> None:
    """Put a fault at its field; of several URIs, say which line."""
    name, _, place = path.partition(".")
    field = "identifier" if name == "authorisation_number" else name
    if place.isdecimal():
        form.refuse(field, f"Line {int(place) + 1}: {text}.")
    else:
        form.refuse(field, _OWN_WORDS.get(field) or sentence(text))
