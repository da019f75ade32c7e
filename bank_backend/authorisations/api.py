"""Authorisation sub-resources over HTTP: start, list, SCA status (BG IG 1.3.8 §7.1, §7.4, §7.5).

Consents, payments and funds consents each hang these routes under their own path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, Protocol

from bank_backend.errors import ServiceInvalid, StatusInvalid
from bank_backend.xs2a import created, discovery_url, ok, started_links, xs2a_call

if TYPE_CHECKING:
    from flask import Blueprint, Response

    from bank_backend.authorisations.model import ResourceKind
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
    """Add `{prefix}/authorisations` and what is under it."""
    authorisations, database, clock = services.authorisations, services.database, services.clock

    @routes.post(f"{prefix}/authorisations")
    def start_authorisation(resource: str) -> Response:
        call = xs2a_call(subject.role)
        if not subject.is_undecided(call.tenant, resource):
            raise StatusInvalid("the resource waits for no authorisation: it has been decided already")
        with database.writing() as connection:
            started = authorisations.start(
                connection, tenant=call.tenant, kind=subject.kind, resource=resource, now=clock.now()
            )
        path = subject.path(resource)
        links = started_links(path, started, sca_oauth=discovery_url(services.settings))
        body = {"scaStatus": started.status.value, "authorisationId": started.id, "_links": links}
        return created(call, body, location=f"{path}/authorisations/{started.id}")

    @routes.get(f"{prefix}/authorisations")
    def list_authorisations(resource: str) -> Response:
        call = xs2a_call(subject.role)
        subject.is_undecided(call.tenant, resource)
        with database.reading() as connection:
            found = authorisations.of_resource(
                connection, tenant=call.tenant, kind=subject.kind, resource=resource, now=clock.now()
            )
        return ok(call, {"authorisationIds": [each.id for each in found]})

    @routes.get(f"{prefix}/authorisations/<authorisation>")
    def sca_status(resource: str, authorisation: str) -> Response:
        call = xs2a_call(subject.role)
        subject.is_undecided(call.tenant, resource)
        with database.reading() as connection:
            found = authorisations.one(
                connection,
                tenant=call.tenant,
                kind=subject.kind,
                resource=resource,
                authorisation_id=authorisation,
                now=clock.now(),
            )
        return ok(call, {"scaStatus": found.status.value})

    @routes.put(f"{prefix}/authorisations/<authorisation>")
    def update_psu_data(resource: str, authorisation: str) -> NoReturn:
        xs2a_call(subject.role)
        text = f"no PSU data is taken for {authorisation[:40]} of {resource[:40]}: the PSU proves itself at the bank "
        raise ServiceInvalid(text)
