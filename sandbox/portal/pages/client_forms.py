"""The part of a form that is about a TPP's OAuth client, by the names of RFC 7591; the gateway judges what they hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import orjson
from wtforms import BooleanField, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.widgets import CheckboxInput, ListWidget

from sandbox.portal.forms import PortalForm
from sandbox.portal.pages.choices import choices_of
from sandbox.tpps.client_certificate import METHOD, is_of_no_use
from sandbox.tpps.model import ClientAmendment, Profile
from sandbox.tpps.pasted_keys import KeysUnreadable, PrivateKeyPasted, read_pasted_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.tpps.errors import Fault
    from sandbox.tpps.model import Tpp

PROFILES: Final = {
    Profile.BERLIN: "Berlin Group: make a consent or payment first, then ask for a token with its id in the scope. "
    "Take this one if unsure.",
    Profile.FAPI2: "FAPI 2.0 Security Profile: authorization requests go over the back channel (PAR), and rules are "
    "stricter all round.",
    Profile.FAPI2_MESSAGE_SIGNING: "FAPI 2.0 Message Signing: the same, and your requests and the bank's answers are signed, "
    "so that either can prove later what was said. Needs a key.",
}
METHODS: Final = {
    "tls_client_auth": "Your QWAC: the certificate that is in the connection anyway is all that is asked for.",
    "private_key_jwt": "Your signature: with each request goes a fresh assertion signed by your key. Needs a key.",
    METHOD: "One particular certificate: the one that your key set names in x5c. Needs a key with its certificate, and DPoP.",
}
CIBA: Final = "urn:openid:params:grant-type:ciba"
GRANT_TYPES: Final = {
    "authorization_code": "Authorization code: the PSU decides in a browser",
    "refresh_token": "Refresh token: fresh access tokens without the PSU",
    "client_credentials": "Client credentials: a token of the TPP's own, without a PSU",
    CIBA: "CIBA: the PSU decides in its bank's app, without a browser",
}
DEFAULTS: Final[dict[str, Any]] = {
    "token_endpoint_auth_method": "tls_client_auth",
    "grant_types": [name for name in GRANT_TYPES if name != CIBA],
}
_ALGORITHMS: Final = ("PS256", "ES256", "EdDSA")
_TEXTS: Final = (
    "tls_client_auth_san_dns",
    "tls_client_auth_subject_dn",
    "jwks_uri",
    "authorization_signed_response_alg",
    "introspection_signed_response_alg",
    "backchannel_token_delivery_mode",
    "backchannel_client_notification_endpoint",
)
_TICKS: Final = ("require_signed_request_object", "dpop_bound_access_tokens")
OF_NO_USE: Final = (
    "Tick this too: without it tokens are bound to the certificate by which the client authenticates, and accounts and "
    "payments take the QWAC only."
)
_LONGEST_KEYS: Final = 40_000
_SIGNED: Final = {"": "not said: PS256", **{alg: alg for alg in _ALGORITHMS}}


class ClientForm(PortalForm):
    """How the OAuth client speaks."""

    profile = RadioField(
        "Security profile",
        choices=choices_of(PROFILES),
        default=Profile.BERLIN.value,
        description="How the client gets its tokens. Whatever it is, every call comes over mutual TLS with your QWAC.",
        validate_choice=False,
    )
    token_endpoint_auth_method = RadioField(
        "How the client authenticates",
        choices=choices_of(METHODS),
        default=DEFAULTS["token_endpoint_auth_method"],
        description="At the token, PAR, introspection and revocation endpoints (RFC 8705, RFC 7523).",
        validate_choice=False,
    )
    tls_client_auth_san_dns = StringField(
        "DNS name of that QWAC (optional)",
        description="Without one, your authorisation number in it says who you are. The QWACs of this sandbox have one, as "
        "acme.tpp.example for the TPP acme.",
    )
    tls_client_auth_subject_dn = StringField(
        "Or its whole subject (optional)",
        description="As RFC 4514 writes it: CN=acme.tpp.example,2.5.4.97=PSDDE-BAFIN-123456,O=Acme,C=DE.",
    )
    jwks = TextAreaField(
        "Public keys",
        description="A JWK Set (RFC 7517) with the public half of each key that signs for you: EC P-256, Ed25519, or RSA of "
        "2048 bits or more. Never a private key.",
    )
    jwks_uri = StringField(
        "Or where you publish them",
        description="An https address, fetched when your keys are needed (jwks_uri): one that the bank reaches, so none on "
        "your own machine. Keys change there without the portal.",
    )
    require_signed_request_object = BooleanField(
        "Take signed requests only",
        description="Unsigned authorization requests in your name are refused (RFC 9101), as Message Signing has it anyway.",
    )
    authorization_signed_response_alg = SelectField(
        "Algorithm of signed answers (JARM)",
        choices=choices_of(_SIGNED),
        description="How the bank signs its answers to authorization requests with response_mode=jwt.",
        validate_choice=False,
    )
    introspection_signed_response_alg = SelectField(
        "Algorithm of signed introspection",
        choices=choices_of(_SIGNED),
        description="How the bank signs what it tells of a token, where that is asked for (RFC 9701).",
        validate_choice=False,
    )
    dpop_bound_access_tokens = BooleanField(
        "Bind tokens to a key (DPoP)",
        description="Access tokens are bound to a key of yours instead of the certificate (RFC 9449), and outlive its renewal. "
        "For the profiles of FAPI 2.0.",
    )
    grant_types = SelectMultipleField(
        "Grant types",
        choices=choices_of(GRANT_TYPES),
        default=DEFAULTS["grant_types"],
        description="What the client may take to the token endpoint.",
        option_widget=CheckboxInput(),
        widget=ListWidget(),
        validate_choice=False,
    )
    backchannel_token_delivery_mode = SelectField(
        "How you hear of a decision (CIBA)",
        choices=choices_of({"": "not at all: no CIBA", "poll": "poll: you ask", "ping": "ping: you are told to ask"}),
        validate_choice=False,
    )
    backchannel_client_notification_endpoint = StringField(
        "Where you are pinged (CIBA)",
        description="An https address of yours that the bank reaches, so none on your own machine, unless its operator has "
        "allowed that; with the delivery mode ping only.",
    )

    @classmethod
    def of(cls, tpp: Tpp) -> ClientForm:
        """Return the form with what holds now."""
        said = {**DEFAULTS, **tpp.client_metadata}
        keys = orjson.dumps(said["jwks"], option=orjson.OPT_INDENT_2).decode() if said.get("jwks") else ""
        return cls(data={**said, "profile": tpp.profile.value, "jwks": keys})

    def amendment(self, standing: Mapping[str, Any]) -> ClientAmendment | None:
        """Return what was asked for, and what the form has no field for as it stands; None where a fault stands at a field."""
        profile, metadata = self._chosen_profile(), self.metadata()
        if profile is None or self.errors:
            return None
        kept = {name: value for name, value in standing.items() if name not in self.data}
        return ClientAmendment(profile=profile, client_metadata={**kept, **metadata})

    def metadata(self) -> dict[str, Any]:
        """Return the client's metadata without what goes without saying; a fault of the keys or grant types is put there."""
        said: dict[str, Any] = {
            "token_endpoint_auth_method": self.token_endpoint_auth_method.data or DEFAULTS["token_endpoint_auth_method"],
            "grant_types": self._grant_types(),
            "jwks": self._keys(),
            **{name: (self[name].data or "").strip() for name in _TEXTS},
            **{name: self[name].data for name in _TICKS},
        }
        if is_of_no_use(said):
            self.refuse("dpop_bound_access_tokens", OF_NO_USE)
        return {name: value for name, value in said.items() if value and value != DEFAULTS.get(name)}

    def refuse_client(self, faults: Iterable[Fault]) -> None:
        """Put at its field what the gateway does not take."""
        for fault in faults:
            name, path = _place(fault.field)
            if name in self:
                self.refuse(name, _sentence(f"{path}: {fault.text}" if path else fault.text))
            else:
                self.refuse("profile", _sentence(f"{fault.field}: {fault.text}"))

    @property
    def is_particular(self) -> bool:
        """Whether more than the profile is said, or wrong: then the rest of the form has to be looked at."""
        rest = CLIENT_FIELDS[1:]
        return any(self[name].errors or (self[name].data and self[name].data != self[name].default) for name in rest)

    def _chosen_profile(self) -> Profile | None:
        try:
            return Profile(self.profile.data or "")
        except ValueError:
            self.refuse("profile", "Choose a profile.")
            return None

    def _grant_types(self) -> list[str]:
        chosen = [name for name in GRANT_TYPES if name in set(self.grant_types.data or ())]
        if not chosen:
            self.refuse("grant_types", "Choose at least one grant type.")
        return chosen

    def _keys(self) -> dict[str, Any] | None:
        try:
            return read_pasted_keys((self.jwks.data or "")[:_LONGEST_KEYS])
        except KeysUnreadable as fault:
            self.refuse("jwks", f"{fault}.")
            if isinstance(fault, PrivateKeyPasted):
                self.jwks.data = ""  # not shown again: the page may be on somebody's screen
            return None


CLIENT_FIELDS: Final = ("profile", "token_endpoint_auth_method", "jwks", *_TICKS, "grant_types", *_TEXTS)


def _place(path: str) -> tuple[str, str]:
    """Return the member that a path begins with, and what comes after it."""
    name, _, rest = re.sub(r"\[(\d+)\]", r".\1", path).partition(".")
    return name, "" if rest == "keys" else rest  # of a JWK Set, that is all there is


def _sentence(text: str) -> str:
    """Write the gateway's words as a sentence; they speak of the member that they are about."""
    whole = f"this {text}" if text.startswith("or ") else text
    return f"{whole[:1].upper()}{whole[1:].rstrip('.')}."
