"""What documents of the kinds `acme-accounts` and `acme-certificates` may say."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from gateway.acme.model import KeyType
from gateway.certificates.names import ServerHost  # noqa: TC001 - read by pydantic
from gateway.configuration.bodies import DocumentBody
from gateway.configuration.model import NAME
from gateway.trust.addresses import AddressRefused, read_location

MOST_NAMES: Final = 50
_MOST_PEM: Final = 200_000
_MOST_URL: Final = 500
_FEWEST_KEY_BYTES: Final = 16
_CONTACT: Final = re.compile(r"mailto:[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,255}")


def _directory(text: str) -> str:
    try:
        location = read_location(text)
    except AddressRefused as error:
        raise ValueError(str(error)) from error
    if not location.is_encrypted:
        raise ValueError("has to begin with https:// (RFC 8555 §6.1): over plain HTTP anybody on the way could answer")
    return text


def _contact(text: str) -> str:
    if not _CONTACT.fullmatch(text):
        raise ValueError("is no address of the kind that CAs take: mailto:operations@bank.example (RFC 8555 §7.3)")
    return text


def _hmac_key(text: str) -> str:
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        key = b""
    if len(key) < _FEWEST_KEY_BYTES:
        raise ValueError("is no key in base64url, as the CA shows it, of 16 bytes at least (RFC 8555 §7.3.4)")
    return text


def _no_wildcard(name: str) -> str:
    if name.startswith("*."):
        raise ValueError("is a wildcard, which no CA proves over HTTP (RFC 8555 §7.1.3): name each host")
    return name


def _account(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError("is no name of a document")
    return name


class ExternalAccountBody(DocumentBody):
    """What the CA gives its customers to bind a new account to theirs."""

    key_id: Annotated[str, Field(min_length=1, max_length=_MOST_URL)]
    hmac_key: Annotated[
        str,
        Field(max_length=_MOST_URL, description="base64url, as the CA shows it"),
        AfterValidator(_hmac_key),
    ]
    algorithm: Literal["HS256", "HS384", "HS512"] = "HS256"


class AcmeAccountBody(DocumentBody):
    """An account at a CA that speaks ACME; its key is made when it is first needed, and kept sealed."""

    directory: Annotated[
        str, Field(max_length=_MOST_URL, description="https address of the CA's directory"), AfterValidator(_directory)
    ]
    terms_of_service_agreed: Annotated[bool, Field(description="that you agree to the terms which the directory names")] = False
    contact: Annotated[list[Annotated[str, AfterValidator(_contact)]], Field(max_length=5)] = Field(default_factory=list)
    ca_bundle: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=_MOST_PEM,
            description="PEM of the CAs that vouch for the directory's own TLS; otherwise those of the operating system",
        ),
    ] = None
    external_account: ExternalAccountBody | None = None


class AcmeCertificateBody(DocumentBody):
    """A certificate to be had and kept: its versions come into `certificates` under the same name."""

    account: Annotated[str, AfterValidator(_account), Field(description="of acme-accounts")]
    names: Annotated[
        list[Annotated[ServerHost, AfterValidator(_no_wildcard)]],
        Field(min_length=1, max_length=MOST_NAMES, description="each leads to the welcome listener on port 80"),
    ]
    key_type: Annotated[KeyType, Field(description="a new key of this type for each version")] = KeyType.EC_P256
    renew_before_days: Annotated[
        float, Field(ge=1 / 24, le=180, description="lead time; never more than half of a certificate's life")
    ] = 30
    renewal_information: Annotated[bool, Field(description="renew earlier where the CA suggests it (RFC 9773)")] = True
