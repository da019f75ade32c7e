"""Holds every Berlin Group request to the bank's personality, and lets a TPP choose its own bank's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson
from flask import Blueprint, Response, request

from bank_backend.answers import json_answer
from bank_backend.bodies import read_tpp_body
from bank_backend.calls import calling_tenant
from bank_backend.leniency import Leniency, begin_leniency, leniency_in_hand
from bank_backend.openapi.declarations import operation
from bank_backend.personalities.demands import Asked, require_all
from bank_backend.personalities.model import Demand
from bank_backend.personalities.wire import ChoiceBody, PersonalityChoice, choice_json
from bank_backend.tenants.addresses import TenantRoutes
from psd2.tpp_messages import TppMessage

if TYPE_CHECKING:
    from flask import Flask

    from bank_backend.personalities.service import Personalities
    from bank_backend.services import Services
    from psd2.ids import TenantId

_BERLIN_GROUP: Final = ("/v1/", "/v2/")
# What describes the interface is no resource of it: whoever reads it need not be a TPP yet.
_PUBLIC: Final = frozenset({"/v1/openapi.json"})
_MOST_WARNINGS: Final = 10


def hold_to_personality(app: Flask, personalities: Personalities) -> None:
    """Make `app` refuse, before any handler, what the caller's bank does not take, and warn of what it has forgiven."""

    def judge() -> None:
        begin_leniency(None)
        personalities.end_request()
        # An address that leads nowhere is nobody's to judge: it is answered 404.
        if request.url_rule is None or not request.path.startswith(_BERLIN_GROUP) or request.path in _PUBLIC:
            return
        personality = personalities.begin_request(calling_tenant(request))
        require_all(personality, Asked(request.method, request.path, request.headers))
        waives_token = personality.token is Demand.OPTIONAL
        begin_leniency(Leniency(ignores_unknown_fields=not personality.strict_bodies, waives_token=waives_token))

    def end(_: BaseException | None) -> None:
        begin_leniency(None)
        personalities.end_request()

    app.before_request(judge)
    app.after_request(_warn)
    app.teardown_request(end)


def _warn(answer: Response) -> Response:
    """Say in a successful answer which fields were ignored."""
    ignored = leniency_in_hand().ignored
    if ignored and answer.is_json and answer.status_code < 300:  # noqa: PLR2004 - success
        body = orjson.loads(answer.get_data())
        body["tppMessages"] = [*body.get("tppMessages", []), *map(_warning, ignored[:_MOST_WARNINGS])]
        answer.set_data(orjson.dumps(body))
    return answer


def _warning(path: str) -> dict[str, str]:
    text = f"{path} is not known here and was ignored"
    return TppMessage("WARNING", text, category="WARNING", path=path).as_json()


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("personalities", __name__)
    views, addresses = _Views(services.personalities), TenantRoutes(routes, services.tenants)
    addresses.add("/personality", views.get_personality, "GET")
    addresses.add("/personality", views.choose_personality, "PUT")
    app.register_blueprint(routes)


class _Views:
    def __init__(self, personalities: Personalities) -> None:
        self._personalities = personalities

    @operation("How this TPP's bank answers, and how it could", answers={200: PersonalityChoice})
    def get_personality(self, tenant: TenantId) -> Response:
        return json_answer(choice_json(self._personalities.name_of(tenant), self._personalities.every()))

    @operation("Make this TPP's bank answer like another", body=ChoiceBody, answers={200: PersonalityChoice})
    def choose_personality(self, tenant: TenantId) -> Response:
        choice = read_tpp_body(request.get_data(), ChoiceBody)
        chosen = self._personalities.choose(tenant, choice.personality)
        return json_answer(choice_json(chosen.name, self._personalities.every()))
