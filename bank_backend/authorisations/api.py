"""Authorisation sub-resources over HTTP: start, list, SCA status (BG IG 1.3.8 §7.1, §7.4, §7.5).

Consents, payments and funds consents each hang these routes under their own path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, Protocol

from bank_backend.errors import ServiceInvalid, StatusInvalid
from bank_backend.xs2a import created, discovery_url, ok, started_links, xs2a_call

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


def add_authorisation_routes(routes: Blueprint, prefix: str, subject: Subject, services: Services) -> None:
    """Add `{prefix}/authorisations` and what is under it; `prefix` ends with `<resource>`."""
    views = _AuthorisationViews(subject, services)
    several, one = f"{prefix}/authorisations", f"{prefix}/authorisations/<authorisation>"
    routes.add_url_rule(several, "start_authorisation", views.start, methods=["POST"])
    routes.add_url_rule(several, "list_authorisations", views.several, methods=["GET"])
    routes.add_url_rule(one, "sca_status", views.sca_status, methods=["GET"])
    routes.add_url_rule(one, "update_psu_data", views.refuse_psu_data, methods=["PUT"])


class _AuthorisationViews:
    def __init__(self, subject: Subject, services: Services) -> None:
        self._subject, self._services = subject, services
        self._authorisations = services.authorisations

    def start(self, resource: str) -> Response:
        call = xs2a_call(self._subject.role)
        if not self._subject.is_undecided(call.tenant, resource):
            raise StatusInvalid("the resource waits for no authorisation: it has been decided already")
        with self._services.database.writing() as connection:
            started = self._authorisations.start(
                connection,
                tenant=call.tenant,
                kind=self._subject.kind,
                resource=resource,
                now=self._now(call, connection),
            )
        path = self._subject.path(resource)
        links = started_links(path, started, sca_oauth=discovery_url(self._services.settings))
        body = {"scaStatus": started.status.value, "authorisationId": started.id, "_links": links}
        return created(call, body, location=f"{path}/authorisations/{started.id}")

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
        return ok(call, {"scaStatus": found.status.value})

    def refuse_psu_data(self, resource: str, authorisation: str) -> NoReturn:
        xs2a_call(self._subject.role)
        text = f"no PSU data is taken for {authorisation[:40]} of {resource[:40]}: the PSU proves itself at the bank itself"
        raise ServiceInvalid(text)
