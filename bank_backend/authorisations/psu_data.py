"""What a TPP sends to further an authorisation: PSU-ID, password, method, code, confirmation (BG IG 1.3.8 §7.2, §7.3, §7.6)."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import StringConstraints

from bank_backend.authorisations.errors import require_no_corporate_id
from bank_backend.bodies import Body, read_tpp_body
from bank_backend.errors import FormatError
from psd2.ids import PsuId

if TYPE_CHECKING:
    from bank_backend.calls import TppCall

_Secret = Annotated[str, StringConstraints(min_length=1, max_length=128)]
_MethodId = Annotated[str, StringConstraints(min_length=1, max_length=35)]
_Sealed = Annotated[str, StringConstraints(max_length=4000)]

_STEPS: Final = ("psuData", "authenticationMethodId", "scaAuthenticationData", "confirmationCode")
_SEALED: Final = ("encryptedPassword", "additionalPassword", "additionalEncryptedPassword")


class PsuDataBody(Body):
    """`psuData`; this bank has one password for each PSU, and takes it as it is over mutual TLS."""

    password: _Secret | None = None
    encryptedPassword: _Sealed | None = None  # noqa: N815 - wire name
    additionalPassword: _Sealed | None = None  # noqa: N815 - wire name
    additionalEncryptedPassword: _Sealed | None = None  # noqa: N815 - wire name


class UpdateBody(Body):
    """The bodies of §7.2, §7.3 and §7.6.4, of which a request holds one; the empty one comes with a PSU-ID."""

    psuData: PsuDataBody | None = None  # noqa: N815 - wire name
    authenticationMethodId: _MethodId | None = None  # noqa: N815 - wire name
    scaAuthenticationData: _Secret | None = None  # noqa: N815 - wire name
    confirmationCode: _Secret | None = None  # noqa: N815 - wire name


@dataclass(frozen=True, slots=True, kw_only=True)
class PsuData:
    """One step. Nothing but `psu` means that the PSU is named and no more; secrets don't show when it is printed."""

    psu: PsuId | None = None
    password: str | None = field(default=None, repr=False)
    method: str | None = None
    code: str | None = field(default=None, repr=False)
    confirmation: str | None = field(default=None, repr=False)

    @property
    def is_only_psu(self) -> bool:
        """Whether the PSU is named at most."""
        return self == PsuData(psu=self.psu)


def parse_psu_data(data: bytes, call: TppCall) -> PsuData:
    """Read a request to further an authorisation; raises `FormatError`, `CorporateIdInvalid`."""
    require_no_corporate_id(call)
    body = read_tpp_body(data, UpdateBody) if data.strip() else UpdateBody()
    sent = [name for name in _STEPS if getattr(body, name) is not None]
    if len(sent) > 1:
        raise FormatError(f"{sent[0]} and {sent[1]} came in one request: send one after the other", path=sent[1])
    return PsuData(
        psu=None if call.psu_id is None else PsuId(call.psu_id),
        password=None if body.psuData is None else _password(body.psuData),
        method=None if body.authenticationMethodId is None else _method_id(body.authenticationMethodId),
        code=body.scaAuthenticationData,
        confirmation=body.confirmationCode,
    )


def wire_id(method_id: str) -> str:
    """Return a method's id as `authenticationMethodId`, which is a Max35Text: a UUID without its hyphens (BG IG §14.8)."""
    return method_id.replace("-", "")


def _method_id(text: str) -> str:
    with suppress(ValueError):
        return str(uuid.UUID(hex=text))
    return text


def _password(body: PsuDataBody) -> str:
    for name in _SEALED:
        if getattr(body, name) is not None:
            text = f"psuData.{name} is not taken: this bank has one password for each PSU, sent as psuData.password"
            raise FormatError(text, path=f"psuData.{name}")
    if body.password is None:
        raise FormatError("psuData.password is missing", path="psuData.password")
    return body.password
