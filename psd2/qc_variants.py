"""What the known departures from the encoding of qcStatements are called, what would be right, and where that stands."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from psd2.qualified import QcVariant

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class VariantWords:
    """A departure in words: `text` says what is found, `right` what belongs there, `clause` who says so."""

    text: str
    right: str
    clause: str


VARIANT_WORDS: Final[Mapping[QcVariant, VariantWords]] = MappingProxyType(
    {
        QcVariant.FLAT_ROLES: VariantWords(
            "its roles stand flat in one SEQUENCE",
            "a SEQUENCE of roles, each a SEQUENCE of object identifier and name",
            "TS 119 495 §5.2.2",
        ),
        QcVariant.UNWRAPPED: VariantWords(
            "its qcStatements lack the SEQUENCE around them",
            "qcStatements as one SEQUENCE OF QCStatement",
            "RFC 3739 §3.2.6",
        ),
        QcVariant.EMPTY_VALUE: VariantWords(
            "a statement that has no value carries an empty one",
            "QcCompliance and QcSSCD as an object identifier alone",
            "EN 319 412-5 §4.2.1, §4.2.2",
        ),
        QcVariant.ROLE_NAME: VariantWords(
            "a role's name does not fit its object identifier; the object identifier counts",
            "the names PSP_AS, PSP_PI, PSP_AI, PSP_IC beside their object identifiers",
            "TS 119 495 §5.2.2, GEN-5.2.2-5",
        ),
        QcVariant.ROLE_UNKNOWN: VariantWords(
            "it names a role that PSD2 does not know, which grants nothing",
            "the object identifiers 0.4.0.19495.1.1 to 0.4.0.19495.1.4",
            "TS 119 495 §5.2.2, GEN-5.2.2-2",
        ),
        QcVariant.STRING_TYPE: VariantWords(
            "a text of the PSD2 statement is no UTF8String",
            "UTF8String for role names, NCAName and NCAId",
            "TS 119 495 §5.2",
        ),
    }
)
