"""A TPP as its certificates tell of it (TS 119 495 §5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psd2.ncas import NCAS
from sandbox.ca.model import TppSubject

if TYPE_CHECKING:
    from sandbox.tpps.model import Tpp


def domain_of(name: str) -> str:
    """Return the domain of a TPP's QWAC: one that nobody can own (RFC 2606 §3)."""
    return f"{name}.tpp.example"


def subject_of(tpp: Tpp) -> TppSubject:
    """Return the TPP as its certificates tell of it; raises `SubjectRefused`."""
    number = tpp.authorisation_number
    return TppSubject(
        name=tpp.name,
        organisation=tpp.organisation,
        country=number.country,
        authorisation_number=str(number),
        roles=tpp.roles,
        nca_id=number.nca_id,
        nca_name=NCAS[number.nca_id].name,
        domain=domain_of(tpp.name),
    )
