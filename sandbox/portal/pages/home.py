"""The first page: on plain HTTP the welcome page, signed out what this is, signed in one's TPPs and next steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Blueprint, render_template

from sandbox.ca.model import CertificateStatus, TppCertificateKind
from sandbox.portal.listeners import PublicListener, current_listener, require_listener
from sandbox.portal.pages.welcome import address_rows, welcome_page
from sandbox.portal.visitor import current_visitor
from sandbox.tpps.model import TppStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sandbox.ca.model import CertificateRecord
    from sandbox.services import Services
    from sandbox.tpps.model import Tpp

_SOON_DAYS = 14
_KINDS = {TppCertificateKind.QWAC: "QWAC", TppCertificateKind.QSEAL: "QSealC"}


@dataclass(frozen=True, slots=True)
class Remaining:
    """How long a TPP's certificates of one kind last: the one that lasts longest counts."""

    kind: TppCertificateKind
    days: int | None

    @property
    def name(self) -> str:
        """What the kind is called."""
        return _KINDS[self.kind]

    @property
    def is_short(self) -> bool:
        """Whether it is time to renew."""
        return self.days is not None and self.days < _SOON_DAYS


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do next with a TPP, and where."""

    text: str
    path: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A TPP as the first page tells of it."""

    tpp: Tpp
    path: str
    remaining: tuple[Remaining, ...]
    next_step: NextStep


def blueprint(services: Services) -> Blueprint:
    """Return the first page of either listener."""
    pages = Blueprint("home", __name__)
    pages.before_request(require_listener(PublicListener.WELCOME, PublicListener.PORTAL))

    def home() -> str:
        if current_listener() is PublicListener.WELCOME:
            return welcome_page(services)
        visitor = current_visitor()
        if visitor is None:
            return render_template("home/signed_out.html", addresses=services.addresses, rows=address_rows(services.addresses))
        now, register = services.clock.now(), services.register
        tpps = register.of_organisation(visitor.organisation.id)
        standings = [standing(tpp, register.certificates(tpp), now) for tpp in tpps]
        return render_template("home/signed_in.html", standings=standings)

    pages.add_url_rule("/", view_func=home)
    return pages


def standing(tpp: Tpp, certificates: Sequence[CertificateRecord], now: datetime) -> Standing:
    """Return how a TPP stands, and what comes next."""
    path = f"/tpps/{quote(str(tpp.authorisation_number), safe='')}"
    remaining = tuple(_remaining(kind, certificates, now) for kind in _KINDS)
    return Standing(tpp=tpp, path=path, remaining=remaining, next_step=_next_step(tpp, remaining, path))


def _remaining(kind: TppCertificateKind, certificates: Sequence[CertificateRecord], now: datetime) -> Remaining:
    ends = [
        record.not_after
        for record in certificates
        if record.profile == kind
        and record.status is CertificateStatus.VALID
        and record.fault is None
        and record.not_after > now
    ]
    return Remaining(kind, (max(ends) - now).days if ends else None)


def _next_step(tpp: Tpp, remaining: tuple[Remaining, ...], path: str) -> NextStep:
    if tpp.status is TppStatus.BLOCKED:
        return NextStep("Blocked by the operator: see why", path)
    if tpp.status is TppStatus.REGISTERING:
        return NextStep("Finish the registration", path)
    qwac = next(each for each in remaining if each.kind is TppCertificateKind.QWAC)
    if qwac.days is None:
        return NextStep("Get a QWAC", f"{path}/certificates/new?kind={qwac.kind}")
    for each in remaining:
        if each.is_short:
            return NextStep(f"Renew the {each.name}", f"{path}/certificates")
    return NextStep("Make a call", f"{path}/first-call")
