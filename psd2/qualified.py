"""What qualified certificate statements say (EN 319 412-5, TS 119 495 §5); `psd2.qcstatements` reads and writes them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psd2.roles import PspRole


class MalformedQcStatements(ValueError):
    """The qcStatements extension cannot be understood, not even as one of the known variants."""


class UnencodableQcStatements(ValueError):
    """Statements that no correct certificate may carry, so none is written."""


class QcType(StrEnum):
    """What a qualified certificate is for (EN 319 412-5 §4.2.3); the value is the object identifier."""

    ESIGN = "0.4.0.1862.1.6.1"
    ESEAL = "0.4.0.1862.1.6.2"
    WEB = "0.4.0.1862.1.6.3"


class QcVariant(StrEnum):
    """Departures from TS 119 495 that certificates in the field show, by the name we report."""

    FLAT_ROLES = "flat-roles"  # object identifiers and names of all roles in one SEQUENCE
    UNWRAPPED = "unwrapped"  # statements without the outer SEQUENCE OF
    EMPTY_VALUE = "empty-value"  # an empty string after a statement that has no value
    ROLE_NAME = "role-name"  # right object identifier, wrong or missing name
    ROLE_UNKNOWN = "role-unknown"  # a role that PSD2 does not know; it grants nothing
    STRING_TYPE = "string-type"  # a PrintableString or IA5String where UTF8String belongs


@dataclass(frozen=True, slots=True)
class PdsLocation:
    """Where the PKI disclosure statement is, and in which ISO 639-1 language (EN 319 412-5 §4.3.4)."""

    url: str
    language: str


@dataclass(frozen=True, slots=True)
class Psd2Statement:
    """What a TPP may do, and who says so (TS 119 495 §5.2)."""

    roles: frozenset[PspRole]
    nca_name: str
    nca_id: str


@dataclass(frozen=True, slots=True)
class QcStatements:
    """The statements of one certificate; `variants` names every malformed encoding met while reading."""

    compliance: bool = False
    types: frozenset[QcType] = frozenset()
    sscd: bool = False
    pds: tuple[PdsLocation, ...] = ()
    psd2: Psd2Statement | None = None
    variants: tuple[str, ...] = ()
