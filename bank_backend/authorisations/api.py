"""Authorisation sub-resources over HTTP: start, list, SCA status (BG IG 1.3.8 §7.1, §7.4, §7.5).

Consents, payments, cancellations, funds consents and baskets each hang these routes under their own path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from flask import request

from bank_backend.authorisations.embedded import Stepped
from bank_backend.authorisations.links import link, next_steps, started_links
from bank_backend.authorisations.model import ScaStatus
from bank_backend.authorisations.psu_data import PsuData, UpdateBody, parse_psu_data
from bank_backend.authorisations.standing import Target
from bank_backend.authorisations.wire import progress, status_as_json, stepped_as_json
from bank_backend.errors import PsuCredentialsInvalid, ScaInvalid, StatusInvalid
from bank_backend.openapi.declarations import operation
from bank_backend.openapi.parameters import PSU_HEADERS, REDIRECT_HEADERS
from bank_backend.openapi.shapes.authorising import Authorisations, AuthorisationStarted, PsuDataUpdated, ScaStatusAnswer
from bank_backend.repeats.model import Made, making_request
from bank_backend.xs2a import created, json_body, ok, tpp_domains, xs2a_call

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Blueprint, Response

    from bank_backend.authorisations.model import Authorisation, ResourceKind
    from bank_backend.authorisations.openings import Opened
    from bank_backend.calls import TppCall
    from bank_backend.database import Connection
    from bank_backend.errors import BankError
    from bank_backend.repeats.model import MakingRequest
    from bank_backend.services import Services
    from psd2.ids import TenantId
    from psd2.roles import PspRole


# Nothing has come along with the start yet, or what came was wrong.
_WAITING: Final = frozenset({ScaStatus.RECEIVED, ScaStatus.PSU_IDENTIFIED})


class Subject(Protocol):
    """The resource whose authorisations these are."""

    kind: ResourceKind
    role: PspRole

    def path(self, resource: str) -> str:
        """Return the resource's path."""

    def is_undecided(self, tenant: TenantId, resource: str) -> bool:
        """Tell whether it waits for a PSU; raises the resource's own refusal where this TPP has none such."""


def add_authorisation_routes(
    routes: Blueprint, prefix: str, subject: Subject, services: Services, *, segment: str = "authorisations"
) -> None:
    """Add `{prefix}/{segment}` and what is under it; `prefix` ends with `<resource>`."""
    views = _AuthorisationViews(subject, services, segment)
    several, one = f"{prefix}/{segment}", f"{prefix}/{segment}/<authorisation>"
    name = "" if segment == "authorisations" else f"{segment.removesuffix('-authorisations')}_"
    routes.add_url_rule(several, f"start_{name}authorisation", views.start, methods=["POST"])
    routes.add_url_rule(several, f"list_{name}authorisations", views.several, methods=["GET"])
    routes.add_url_rule(one, f"{name}sca_status", views.sca_status, methods=["GET"])
    routes.add_url_rule(one, f"update_{name}psu_data", views.update, methods=["PUT"])


class _AuthorisationViews:
    def __init__(self, subject: Subject, services: Services, segment: str) -> None:
        self._subject, self._services, self._segment = subject, services, segment
        self._authorisations = services.authorising.authorisations

    @operation(
        "Start an authorisation",
        body=UpdateBody,
        answers={201: AuthorisationStarted},
        headers=(*PSU_HEADERS, *REDIRECT_HEADERS),
    )
    def start(self, resource: str) -> Response:
        call, openings = xs2a_call(self._subject.role), self._services.authorising.openings
        is_undecided = self._subject.is_undecided(call.tenant, resource)
        data = parse_psu_data(_optional_body(), call)
        asked = self._asked(call, resource)
        if not (is_undecided or openings.has_started(asked)):
            raise StatusInvalid("the resource waits for no authorisation: it has been decided already")
        opened = openings.start(call, kind=self._subject.kind, resource=resource, domains=tpp_domains(call), asked=asked)
        stepped = self._first_step(opened, data, call)
        path, started = self._subject.path(resource), stepped.authorisation
        links = started_links(path, opened, started, segment=self._segment, front_url=self._services.settings.front_url)
        body = status_as_json(started) | {"authorisationId": started.id, "_links": links} | progress(stepped)
        location = f"{path}/{self._segment}/{started.id}"
        return created(call, body, location=location, headers=_approach(started))

    def _asked(self, call: TppCall, resource: str) -> MakingRequest:
        """Return the request without its body: of a password not even a digest is kept."""
        asked = f"{self._subject.path(resource)}/{self._segment} {call.psu_id or ''}"
        return making_request(call.tenant, Made.AUTHORISATION, x_request_id=call.x_request_id, asked=asked.encode())

    def _first_step(self, opened: Opened, data: PsuData, call: TppCall) -> Stepped:
        """Take what came along with the start; the PSU-ID alone is known already (BG IG §7.1: the extended forms)."""
        target = self._target(call, opened.started.resource, opened.started.id)
        if opened.is_repeated and opened.started.status not in _WAITING:
            return self._services.authorising.updates.standing(target)
        return Stepped(authorisation=opened.started) if data.is_only_psu else self._stepped(target, data, call)

    @operation("List authorisations", answers={200: Authorisations})
    def several(self, resource: str) -> Response:
        call = xs2a_call(self._subject.role)
        self._subject.is_undecided(call.tenant, resource)
        with self._services.database.reading() as connection:
            found = self._authorisations.of_resource(
                connection,
                tenant=call.tenant,
                kind=self._subject.kind,
                resource=resource,
                now=self._now(call, connection),
            )
        return ok(call, {"authorisationIds": [each.id for each in found]})

    def _now(self, call: TppCall, connection: Connection) -> datetime:
        return self._services.clock.now(call.tenant, connection)

    @operation("Read the status of an authorisation", answers={200: ScaStatusAnswer})
    def sca_status(self, resource: str, authorisation: str) -> Response:
        call = xs2a_call(self._subject.role)
        self._subject.is_undecided(call.tenant, resource)
        with self._services.database.reading() as connection:
            found = self._authorisations.one(
                connection,
                tenant=call.tenant,
                kind=self._subject.kind,
                resource=resource,
                authorisation_id=authorisation,
                now=self._now(call, connection),
            )
        return ok(call, status_as_json(found))

    @operation(
        "Further an authorisation by the PSU's data",
        body=UpdateBody,
        answers={200: PsuDataUpdated},
        headers=PSU_HEADERS,
    )
    def update(self, resource: str, authorisation: str) -> Response:
        call = xs2a_call(self._subject.role)
        self._subject.is_undecided(call.tenant, resource)
        stepped = self._stepped(self._target(call, resource, authorisation), parse_psu_data(_optional_body(), call), call)
        answer = ok(call, stepped_as_json(stepped, path=self._subject.path(resource), segment=self._segment))
        answer.headers.update(_approach(stepped.authorisation))
        return answer

    def _target(self, call: TppCall, resource: str, authorisation: str) -> Target:
        return Target(tenant=call.tenant, kind=self._subject.kind, resource=resource, authorisation=authorisation)

    def _stepped(self, target: Target, data: PsuData, call: TppCall) -> Stepped:
        try:
            return self._services.authorising.updates.further(target, data, call)
        except (PsuCredentialsInvalid, ScaInvalid) as refusal:
            self._point_on(refusal, target)
            raise

    def _point_on(self, refusal: BankError, target: Target) -> None:
        """Say in the refusal how it goes on: the same again, or another start (BG IG §7.2.2, §7.3)."""
        path, found = self._subject.path(target.resource), self._services.authorising.updates.found(target)
        if found.status is ScaStatus.FAILED:
            refusal.links = {"startAuthorisation": link(f"{path}/{self._segment}")}
        else:
            own = f"{path}/{self._segment}/{found.id}"
            refusal.links = {relation: link(own) for relation in next_steps(found)}


def _optional_body() -> bytes:
    """Return the request's body; one that is there has to say that it is JSON."""
    return json_body() if request.get_data() else b""


def _approach(authorisation: Authorisation) -> dict[str, str]:
    return {"ASPSP-SCA-Approach": authorisation.approach.header}
