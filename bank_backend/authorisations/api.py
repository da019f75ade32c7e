"""Authorisation sub-resources over HTTP: start, list, SCA status (BG IG 1.3.8 §7.1, §7.4, §7.5).

Consents, payments, cancellations, funds consents and baskets each hang these routes under their own path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, Protocol

from bank_backend.authorisations.links import started_links
from bank_backend.authorisations.messages import psu_message
from bank_backend.errors import ServiceInvalid, StatusInvalid
from bank_backend.openapi.declarations import operation
from bank_backend.openapi.parameters import PSU_HEADERS, REDIRECT_HEADERS
from bank_backend.openapi.shapes.authorising import AuthorisationStarted, Authorisations, PsuDataUpdated, ScaStatusAnswer
from bank_backend.xs2a import created, ok, tpp_domains, xs2a_call

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Blueprint, Response

    from bank_backend.authorisations.model import ResourceKind
    from bank_backend.calls import TppCall
    from bank_backend.database import Connection
    from bank_backend.services import Services
    from psd2.ids import TenantId
    from psd2.roles import PspRole


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
    routes.add_url_rule(one, f"update_{name}psu_data", views.refuse_psu_data, methods=["PUT"])


class _AuthorisationViews:
    def __init__(self, subject: Subject, services: Services, segment: str) -> None:
        self._subject, self._services, self._segment = subject, services, segment
        self._authorisations = services.authorisations

    @operation("Start an authorisation", answers={201: AuthorisationStarted}, headers=(*PSU_HEADERS, *REDIRECT_HEADERS))
    def start(self, resource: str) -> Response:
        call = xs2a_call(self._subject.role)
        if not self._subject.is_undecided(call.tenant, resource):
            raise StatusInvalid("the resource waits for no authorisation: it has been decided already")
        opened = self._services.openings.start(call, kind=self._subject.kind, resource=resource, domains=tpp_domains(call))
        path, front_url = self._subject.path(resource), self._services.settings.front_url
        links = started_links(path, opened, opened.started, segment=self._segment, front_url=front_url)
        body = {"scaStatus": opened.started.status.value, "authorisationId": opened.started.id, "_links": links}
        if message := psu_message(opened.started):
            body["psuMessage"] = message
        location = f"{path}/{self._segment}/{opened.started.id}"
        return created(call, body, location=location, headers={"ASPSP-SCA-Approach": opened.approach.header})

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
        message = psu_message(found)
        return ok(call, {"scaStatus": found.status.value} | ({"psuMessage": message} if message else {}))

    @operation("Further an authorisation by the PSU's data", answers={200: PsuDataUpdated}, headers=PSU_HEADERS)
    def refuse_psu_data(self, resource: str, authorisation: str) -> NoReturn:
        xs2a_call(self._subject.role)
        text = f"no PSU data is taken for {authorisation[:40]} of {resource[:40]}: the PSU proves itself at the bank itself"
        raise ServiceInvalid(text)
