"""How far certificates by ACME have come, at the control API, and a next try before its time (docs/certificates.md)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, Protocol

from flask import Blueprint, Response, abort, jsonify, request
from pydantic import BaseModel

from gateway.acme.kind import ACME_ACCOUNTS, ACME_CERTIFICATES
from gateway.acme.schedule import renewal_time
from gateway.admin.configuration_bodies import ChangeQuery
from gateway.admin.operations import operation
from gateway.certificates.kind import CERTIFICATES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gateway.acme.model import AcmeCertificate, Progress
    from gateway.configuration.service import Configuration
    from gateway.configuration.snapshot import Snapshot
    from psd2.clock import Clock

State = Literal["waiting", "ordering", "in_force", "failing"]


class Keeping(Protocol):
    """Where the progress of certificates is kept."""

    def progress(self, name: str) -> Progress:
        """Return how far a certificate has come."""

    def hasten(self, name: str, now: datetime) -> None:
        """Let the next try wait no longer."""


class AcmeCertificateAnswer(BaseModel):
    """One certificate: what is in force of it, when it is renewed, and how the last try went."""

    name: str
    account: str
    directory: str
    names: list[str]
    state: State
    sha256: str | None
    not_after: str | None
    renews_at: str | None
    obtained_at: str | None
    tried_at: str | None
    next_try_at: str | None
    failures: int
    failure: str | None


class AcmeAnswer(BaseModel):
    """All that are wanted, by name."""

    certificates: list[AcmeCertificateAnswer]


def acme_blueprint(configuration: Configuration, keeping: Keeping, clock: Clock) -> Blueprint:
    """Return the resources."""
    api = Blueprint("acme", __name__)

    @api.get("/acme")
    @operation("Tell how far each certificate has come that is ordered by ACME", answer=AcmeAnswer)
    def get_acme() -> Response:
        answer = AcmeAnswer(certificates=list(_listed(configuration.snapshot(), keeping, clock.now())))
        return jsonify(answer.model_dump())

    @api.post("/acme/<name>/try")
    @operation("Try a certificate's order again without waiting", query=ChangeQuery, statuses=(HTTPStatus.ACCEPTED,))
    def post_try(name: str) -> tuple[Response, HTTPStatus]:
        ChangeQuery.model_validate(request.args.to_dict())
        if name not in configuration.snapshot().of(ACME_CERTIFICATES):
            abort(HTTPStatus.NOT_FOUND, f"there is no {ACME_CERTIFICATES.name}/{name}")
        keeping.hasten(name, clock.now())
        return jsonify({"name": name}), HTTPStatus.ACCEPTED

    return api


def order_failures(configuration: Configuration, keeping: Keeping) -> dict[str, int]:
    """Return how often the order of each certificate has failed in a row."""
    return {name: keeping.progress(name).failures for name in configuration.snapshot().of(ACME_CERTIFICATES)}


def _listed(snapshot: Snapshot, keeping: Keeping, now: datetime) -> Iterator[AcmeCertificateAnswer]:
    for name, wanted in sorted(snapshot.of(ACME_CERTIFICATES).items()):
        yield _answer(wanted, snapshot, keeping.progress(name), now)


def _answer(wanted: AcmeCertificate, snapshot: Snapshot, progress: Progress, now: datetime) -> AcmeCertificateAnswer:
    stored = snapshot.of(CERTIFICATES).get(wanted.name)
    standing = stored.current if stored else None
    return AcmeCertificateAnswer(
        name=wanted.name,
        account=wanted.account,
        directory=snapshot.of(ACME_ACCOUNTS)[wanted.account].directory,
        names=list(wanted.names),
        state=_state(progress, now, stands=standing is not None),
        sha256=standing.sha256 if standing else None,
        not_after=_moment(standing.not_after if standing else None),
        renews_at=_moment(renewal_time(wanted, standing, progress) if standing else None),
        obtained_at=_moment(progress.obtained_at),
        tried_at=_moment(progress.tried_at),
        next_try_at=_moment(progress.next_try_at if progress.failures else None),
        failures=progress.failures,
        failure=progress.failure,
    )


def _state(progress: Progress, now: datetime, *, stands: bool) -> State:
    if progress.leased_until is not None and now < progress.leased_until:
        return "ordering"
    if progress.failures:
        return "failing"
    return "in_force" if stands else "waiting"


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
