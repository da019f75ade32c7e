"""The qualified statements in plain words: what kind of certificate, which roles, whose licence (TS 119 495 §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psd2.ncas import NCAS
from sandbox.doctor.model import Field
from sandbox.doctor.words import QC_TYPES, ROLES, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from psd2.qualified import QcStatements
    from sandbox.doctor.case import Case


def _statements(case: Case) -> QcStatements | None:
    return case.specimen.psd2.statements if case.specimen.psd2 and case.specimen.has_statements else None


def _compliance(case: Case) -> Field | None:
    statements = _statements(case)
    if statements is None or not statements.compliance:
        return None
    return Field("QcCompliance", ("yes",), "a qualified certificate under eIDAS, as its issuer states")


def _type(case: Case) -> Field | None:
    statements = _statements(case)
    if statements is None or not statements.types:
        return None
    words = [QC_TYPES[type_] for type_ in sorted(statements.types)]
    return Field("QcType", tuple(name for name, _ in words), "; ".join(meaning for _, meaning in words))


def _device(case: Case) -> Field | None:
    statements = _statements(case)
    if statements is None or not statements.sscd:
        return None
    return Field("QcSSCD", ("yes",), "its key is in a secure signature device")


def _disclosure(case: Case) -> Field | None:
    statements = _statements(case)
    if statements is None or not statements.pds:
        return None
    places = tuple(f"{shown(place.url)} ({shown(place.language)})" for place in statements.pds)
    return Field("QcPDS", places, "the issuer's disclosure statement, by language")


def _roles(case: Case) -> Field | None:
    statements = _statements(case)
    if statements is None or statements.psd2 is None:
        return None
    roles = sorted(statements.psd2.roles)
    meaning = "; ".join(ROLES[role] for role in roles) or "it grants nothing"
    return Field("PSD2 roles", tuple(role.value for role in roles), meaning)


def _authority(case: Case) -> Field | None:
    statements = _statements(case)
    if statements is None or statements.psd2 is None:
        return None
    id_, name = statements.psd2.nca_id, statements.psd2.nca_name
    nca = NCAS.get(id_)
    meaning = f"{nca.name}, which has licensed the TPP" if nca else "a competent authority that is on no list"
    return Field("NCA", (shown(id_), shown(name)), meaning)


def _variants(case: Case) -> Field | None:
    statements = _statements(case)
    if statements is None or not statements.variants:
        return None
    return Field("encoding", statements.variants, "departures from the standard that were read in spite of it")


STATEMENT_FIELDS: Final[dict[str, Callable[[Case], Field | None]]] = {
    "QcCompliance": _compliance,
    "QcType": _type,
    "QcSSCD": _device,
    "QcPDS": _disclosure,
    "PSD2 roles": _roles,
    "NCA": _authority,
    "encoding": _variants,
}
