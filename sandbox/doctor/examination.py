"""One examination: from what was presented and what is known here to everything that can be said of it. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psd2.certificates import CertificateKind
from sandbox.doctor.admission_checks import ADMISSION_CHECKS, usable_roles
from sandbox.doctor.bundle import bundle_findings, companions
from sandbox.doctor.case import Case
from sandbox.doctor.conformity import CONFORMITY_CHECKS
from sandbox.doctor.fields import days_left, fields_of, title_of
from sandbox.doctor.model import Examination, Unchecked
from sandbox.doctor.trust_checks import TRUST_CHECKS, malformed
from sandbox.doctor.words import SERVICES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sandbox.doctor.case import Specimen, Surroundings
    from sandbox.doctor.intake import Presented
    from sandbox.doctor.model import Finding


def examine(presented: Presented, specimen: Specimen, *, surroundings: Surroundings, now: datetime) -> Examination:
    """Examine `specimen`, which is what was `presented` read; `now` is aware UTC."""
    case = Case(specimen, surroundings, now)
    return Examination(
        title=title_of(case),
        kind=specimen.psd2.kind if specimen.psd2 else CertificateKind.OTHER,
        is_seal=specimen.is_seal,
        sha256=specimen.sha256,
        examined_at=now,
        days_left=days_left(case),
        services=_services(case),
        fields=fields_of(case),
        companions=companions(presented),
        findings=(*_findings(case), *bundle_findings(presented)),
        unchecked=tuple(_unchecked(surroundings)),
    )


def _services(case: Case) -> tuple[str, ...]:
    roles = usable_roles(case, case.specimen.psd2) if case.specimen.psd2 else frozenset()
    return tuple(SERVICES[role] for role in sorted(roles))


def _findings(case: Case) -> Iterator[Finding]:
    """Yield the gateway's objections in its own order, then the rest."""
    if case.specimen.psd2 is None:
        yield malformed(case.specimen.malformed or "")
        return
    for check in (*TRUST_CHECKS, *ADMISSION_CHECKS, *CONFORMITY_CHECKS):
        yield from check(case, case.specimen.psd2)


def _unchecked(surroundings: Surroundings) -> Iterator[Unchecked]:
    if surroundings.authorities is None:
        yield Unchecked.ISSUER
    if surroundings.history is None:
        yield Unchecked.RECORDS
    yield Unchecked.GATEWAY_STATE
