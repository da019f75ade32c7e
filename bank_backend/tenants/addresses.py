"""What is offered to a TPP for its own tenant and to the portal for any: one handler, two addresses.

`/sandbox/v1/…` is the calling TPP's, told by its QWAC; `/internal/tenants/{number}/…` is the portal's.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from flask import request

from bank_backend.calls import calling_tenant
from bank_backend.heavy_work import heavy
from psd2.ids import TenantId

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Blueprint

    from bank_backend.tenants.service import TenantRegistry
    from chassis.serving.turnstile import Turnstile


class TenantRoutes:
    """Adds routes of both kinds; the handler is given the tenant, which is known, and the rest of the path."""

    def __init__(self, routes: Blueprint, tenants: TenantRegistry) -> None:
        """Add to `routes`."""
        self._routes = routes
        self._tenants = tenants

    def add(self, rule: str, view: Callable[..., Any], *methods: str) -> None:
        """Offer `view(tenant, …)` at a path such as `/snapshots/<name>`."""

        @wraps(view)
        def own(**rest: str) -> Any:  # noqa: ANN401 - a Flask view
            return view(self._known(calling_tenant(request)), **rest)

        @wraps(view)
        def any_tenants(number: str, **rest: str) -> Any:  # noqa: ANN401 - a Flask view
            return view(self._known(TenantId(number)), **rest)

        name = view.__name__.lstrip("_")
        self._routes.add_url_rule(f"/sandbox/v1{rule}", f"own_{name}", own, methods=methods)
        self._routes.add_url_rule(f"/internal/tenants/<path:number>{rule}", f"any_{name}", any_tenants, methods=methods)

    def add_heavy(self, rule: str, view: Callable[..., Any], *methods: str, gate: Turnstile) -> None:
        """Offer a view that keeps a processor busy for seconds, behind a gate that leaves threads for everything else."""

        @wraps(view)
        def gated(tenant: TenantId, **rest: str) -> Any:  # noqa: ANN401 - a Flask view
            with heavy(gate, "test data are being worked on"):
                return view(tenant, **rest)

        self.add(rule, gated, *methods)

    def _known(self, tenant: TenantId) -> TenantId:
        return self._tenants.tenant(tenant).id
