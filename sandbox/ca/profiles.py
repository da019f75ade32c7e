"""Certificate profiles: `certs/profiles.toml` parsed once into frozen types.

A value that makes no sense is refused with file, table and key named; nothing is issued under a doubtful profile.
"""

from __future__ import annotations

import json
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from psd2.qualified import QcType
from sandbox.ca.errors import InvalidProfiles
from sandbox.ca.keys import KeyAlgorithm, KeyRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chassis.home import Home

FILE_NAME: Final = "profiles.toml"
_CHECKOUT_FILE = Path(__file__).resolve().parents[2] / "certs" / FILE_NAME
_MAX_FILE_BYTES: Final = 65_536
_MINUTES_A_DAY: Final = 1_440

Days = Annotated[int, Field(ge=1, le=7_300)]
PolicyOid = Annotated[str, Field(pattern=r"^[0-2](\.(0|[1-9]\d*))+$")]


class KeyUsageBit(StrEnum):
    """Bits of keyUsage by their names in RFC 5280 §4.2.1.3."""

    DIGITAL_SIGNATURE = "digitalSignature"
    CONTENT_COMMITMENT = "contentCommitment"
    KEY_ENCIPHERMENT = "keyEncipherment"
    DATA_ENCIPHERMENT = "dataEncipherment"
    KEY_AGREEMENT = "keyAgreement"
    KEY_CERT_SIGN = "keyCertSign"
    CRL_SIGN = "cRLSign"


class Purpose(StrEnum):
    """Extended key usages by their names in RFC 5280 §4.2.1.12."""

    SERVER_AUTH = "serverAuth"
    CLIENT_AUTH = "clientAuth"
    OCSP_SIGNING = "OCSPSigning"


class QcPurpose(StrEnum):
    """What a qualified certificate is for, as the profile writes it."""

    WEB = "web"
    ESEAL = "eseal"

    @property
    def qc_type(self) -> QcType:
        """The QcType statement that says so (EN 319 412-5 §4.2.3)."""
        return QcType.WEB if self is QcPurpose.WEB else QcType.ESEAL


class AuthorityName(StrEnum):
    """The certificate authorities; `SELF` and `ANY` stand for issuers in profiles only."""

    ROOT = "root"
    TPP_ISSUING = "tpp-issuing"
    SERVER_ISSUING = "server-issuing"
    INTERNAL = "internal"


class ProfileName(StrEnum):
    """The kinds of end-entity certificate."""

    QWAC = "qwac"
    QSEAL = "qseal"
    SERVER = "server"
    INTERNAL_SERVER = "internal-server"
    INTERNAL_CLIENT = "internal-client"
    OCSP_SIGNER = "ocsp-signer"


_SIGNING_BITS: Final = frozenset({KeyUsageBit.KEY_CERT_SIGN, KeyUsageBit.CRL_SIGN})


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Operator(_Table):
    """Who runs the authorities: country and organisation in their names."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    organisation: Annotated[str, Field(min_length=1, max_length=64)]


class CrlRules(_Table):
    """How long a CRL is valid, when it is signed anew, and how long expired certificates stay on it."""

    valid_hours: Annotated[int, Field(ge=1, le=720)]
    renew_hours: Annotated[int, Field(ge=1, le=720)]
    keep_expired_days: Annotated[int, Field(ge=1, le=3_650)]

    @model_validator(mode="after")
    def _require_renewal_in_time(self) -> Self:
        if self.renew_hours >= self.valid_hours:
            raise ValueError(f"renew_hours: {self.renew_hours} must be less than valid_hours, {self.valid_hours}")
        return self


class OcspRules(_Table):
    """How long an OCSP answer may be relied on."""

    valid_minutes: Annotated[int, Field(ge=1, le=10_080)]


class Limits(_Table):
    """What one TPP may hold."""

    certificates_per_tpp: Annotated[int, Field(ge=1, le=10_000)]


class AuthorityProfile(_Table):
    """One certificate authority."""

    name: AuthorityName
    issuer: Literal["self", "root"]
    common_name: Annotated[str, Field(min_length=1, max_length=64)]
    key: KeyAlgorithm
    valid_days: Days
    backdated_days: Annotated[int, Field(ge=0, le=7_300)]
    path_length: Annotated[int, Field(ge=0, le=3)]
    key_usage: frozenset[KeyUsageBit]
    policies: tuple[PolicyOid, ...] = ()

    @model_validator(mode="after")
    def _require_signing_bits(self) -> Self:
        if self.key_usage != _SIGNING_BITS:
            raise ValueError('key_usage: an authority has ["keyCertSign", "cRLSign"]')
        return self


class LeafProfile(_Table):
    """One kind of end-entity certificate."""

    name: ProfileName
    issuer: AuthorityName | Literal["any"]
    key: KeyAlgorithm
    valid_days: Days
    backdated_minutes: Annotated[int, Field(ge=0, le=_MINUTES_A_DAY)]
    renew_days: Annotated[int, Field(ge=1, le=3_650)]
    renew_every_days: Annotated[int | None, Field(ge=1, le=3_650)] = None
    key_usage: Annotated[frozenset[KeyUsageBit], Field(min_length=1)]
    extended_key_usage: tuple[Purpose, ...] = ()
    policies: tuple[PolicyOid, ...] = ()
    qc_type: QcPurpose | None = None
    qc_sscd: bool = False
    domain: bool = False
    ocsp_no_check: bool = False

    @model_validator(mode="after")
    def _require_sense(self) -> Self:
        if self.renew_days >= self.valid_days:
            raise ValueError(f"renew_days: {self.renew_days} must be less than valid_days, {self.valid_days}")
        if self.renew_every_days is not None and self.renew_every_days >= self.valid_days:
            raise ValueError(f"renew_every_days: {self.renew_every_days} must be less than valid_days, {self.valid_days}")
        if self.key_usage & _SIGNING_BITS:
            raise ValueError("key_usage: only authorities sign certificates and CRLs")
        if self.ocsp_no_check and Purpose.OCSP_SIGNING not in self.extended_key_usage:
            raise ValueError('ocsp_no_check: only with extended_key_usage = ["OCSPSigning"] (RFC 6960 §4.2.2.2.1)')
        return self

    @model_validator(mode="after")
    def _require_qualified_sense(self) -> Self:
        if self.qc_type is not None and not self.policies:
            raise ValueError("policies: a qualified certificate names its policy (EN 319 412-5 §5)")
        if self.qc_type is QcPurpose.WEB and not self.domain:
            raise ValueError("domain: a website certificate has a DNS name (EN 319 412-4 §4.1)")
        if self.qc_type is QcPurpose.WEB and self.qc_sscd:
            raise ValueError("qc_sscd: not on website certificates (EN 319 412-5 §5, table 2)")
        return self


class Profiles(_Table):
    """The whole file."""

    authority: Operator
    crl: CrlRules
    ocsp: OcspRules
    csr: KeyRules
    limits: Limits
    authorities: dict[AuthorityName, AuthorityProfile]
    profiles: dict[ProfileName, LeafProfile]

    @model_validator(mode="after")
    def _require_all_tables(self) -> Self:
        for table, names, found in (("authorities", AuthorityName, self.authorities), ("profiles", ProfileName, self.profiles)):
            missing = [name for name in names if name not in found]
            if missing:
                raise ValueError(f"[{table}.{missing[0]}]: the table is missing")
        return self

    @model_validator(mode="after")
    def _require_shorter_than_issuer(self) -> Self:
        for profile in self.profiles.values():
            issuers = list(self.authorities.values()) if profile.issuer == "any" else [self.authorities[profile.issuer]]
            longest = min(issuer.valid_days - issuer.backdated_days for issuer in issuers)
            if profile.valid_days > longest:
                raise ValueError(f"[profiles.{profile.name}] valid_days: {profile.valid_days}, its issuer lives {longest} days")
        return self


def profiles_path(home: Home) -> Path:
    """Return the home's own profiles if it has any, else those that come with the code."""
    own = home.certs / FILE_NAME
    packaged = Path(__file__).with_name(FILE_NAME)
    return next(path for path in (own, packaged, _CHECKOUT_FILE) if path == _CHECKOUT_FILE or path.is_file())


def load_profiles(path: Path) -> Profiles:
    """Read `path`. Raises InvalidProfiles, which names file, table and key."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise InvalidProfiles(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > _MAX_FILE_BYTES:
        raise InvalidProfiles(f"{path}: larger than {_MAX_FILE_BYTES} bytes")
    try:
        tables = _named(tomllib.loads(content.decode()))
        # By way of JSON: strict about types, yet an array may become a tuple and a string an enum member.
        return Profiles.model_validate_json(json.dumps(tables, default=str))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidProfiles(f"{path}: is no TOML: {error}") from error
    except ValidationError as error:
        raise InvalidProfiles("; ".join(_complaint(path, dict(fault)) for fault in error.errors())) from error


def _named(tables: dict[str, object]) -> dict[str, object]:
    """Tell each profile its own name, which the file gives as the table's."""
    for group in ("authorities", "profiles"):
        named = tables.get(group)
        if isinstance(named, dict):
            tables[group] = {
                name: {**table, "name": name} if isinstance(table, dict) else table for name, table in named.items()
            }
    return tables


def _complaint(path: Path, fault: Mapping[str, object]) -> str:
    location = fault["loc"] if isinstance(fault["loc"], tuple) else ()
    depth = 2 if location[:1] in {("authorities",), ("profiles",)} else 1
    table = ".".join(str(part) for part in location[:depth])
    key = ".".join(str(part) for part in location[depth:])
    where = " ".join(part for part in (f"[{table}]" if table else "", key) if part)
    what = str(fault["msg"]).removeprefix("Value error, ")
    return f"{path}: {where}: {what}" if key or not where else f"{path}: {where} {what}"
