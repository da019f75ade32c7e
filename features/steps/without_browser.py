"""PSUs asked in their bank app, and tokens that are bound to a key."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from behave import given, then, when

from features.tpps import ANNA, CLOCK
from tpp_client.accounts import process_accounts_response
from tpp_client.authorisations import authorisations_request, process_authorisations_response
from tpp_client.backchannel import (
    GRANT_TYPE,
    BackchannelRequest,
    backchannel_request,
    backchannel_token_request,
    process_backchannel_response,
)
from tpp_client.documents import document_of
from tpp_client.dpop import DpopKey
from tpp_client.refusals import require_status
from tpp_client.sandbox_api import psu_interaction_request
from tpp_client.wire import json_request

if TYPE_CHECKING:
    from features.tpps import Tpp
    from tpp_client.wire import HttpResponse
    from tpp_client.xs2a import Xs2a

_ACCOUNTS = "/v1/accounts"


@dataclass(frozen=True)
class Asking:
    """A client of a TPP's that has registered for asking PSUs, and its key."""

    tpp: Tpp
    client_id: str
    key: DpopKey

    @property
    def edge(self) -> str:
        """Where the bank's interface is."""
        return self.tpp.xs2a.edge.rstrip("/")

    def begun(self, consent: str) -> BackchannelRequest:
        """Have the PSU asked."""
        answer = backchannel_request(
            self.tpp.transport,
            f"{self.edge}/bc-authorize",
            client_id=self.client_id,
            scope=f"AIS:{consent}",
            psu=ANNA,
            binding_message="W4SCT",
        )
        return process_backchannel_response(answer)

    def approved(self, consent: str) -> None:
        """Be the PSU, who approves what it was asked last."""
        address = f"/v1/consents/{consent}/authorisations"
        newest = process_authorisations_response(authorisations_request(self.tpp.xs2a, address))[-1]
        answer = psu_interaction_request(self.tpp.xs2a, url=f"{self.edge}{address}/{newest}", psu=ANNA)
        require_status(answer, HTTPStatus.OK)

    def polled(self, begun: BackchannelRequest) -> HttpResponse:
        """Ask for the tokens."""
        endpoint = self.tpp.metadata.token_endpoint
        return backchannel_token_request(self.tpp.transport, endpoint, begun, client_id=self.client_id, key=self.key)


@given("a TPP that asks PSUs in their bank app")
def step(context: Any) -> None:
    tpp = context.register.shared()
    metadata = {
        "profile": "fapi2",
        "grant_types": [GRANT_TYPE],
        "backchannel_token_delivery_mode": "poll",
        "dpop_bound_access_tokens": True,
    }
    answer = tpp.transport.send(json_request("POST", f"{tpp.xs2a.edge.rstrip('/')}/register", metadata))
    require_status(answer, HTTPStatus.CREATED)
    context.asking = Asking(tpp, document_of(answer).text("client_id"), DpopKey(CLOCK))


@given("it has asked a PSU for access to its accounts")
def step(context: Any) -> None:
    context.consent = context.asking.tpp.consent()
    context.begun = context.asking.begun(context.consent)


@given("it was given a token that is bound to its key")
def step(context: Any) -> None:
    asking = context.asking
    context.consent = asking.tpp.consent()
    begun = asking.begun(context.consent)
    asking.approved(context.consent)
    answer = asking.polled(begun)
    require_status(answer, HTTPStatus.OK)
    assert document_of(answer).text("token_type") == "DPoP"
    context.token = document_of(answer).text("access_token")


@when("it polls before the PSU has decided, and after the PSU has approved")
def step(context: Any) -> None:
    context.first = context.asking.polled(context.begun)
    context.asking.approved(context.consent)
    time.sleep(context.begun.interval)  # as the server asks: sooner it would say slow_down
    context.second = context.asking.polled(context.begun)


@when("it reads the accounts with a proof by its key")
def step(context: Any) -> None:
    context.answer = _read(context, context.asking.key)


@when("its token is presented with a proof by another key")
def step(context: Any) -> None:
    context.answer = _read(context, DpopKey(CLOCK))


@when("it reads the accounts twice with the same proof")
def step(context: Any) -> None:
    asking = context.asking
    headers = asking.key.headers("GET", f"{asking.edge}{_ACCOUNTS}", context.token)
    require_status(_read_with(context, headers), HTTPStatus.OK)
    context.answer = _read_with(context, headers)


@then("it was told to wait first, and got a token then")
def step(context: Any) -> None:
    assert document_of(context.first).text("error") == "authorization_pending", context.first.body
    require_status(context.second, HTTPStatus.OK)


@then("it sees the accounts")
def step(context: Any) -> None:
    assert process_accounts_response(context.answer)


@then("it is told to come with a proof")
def step(context: Any) -> None:
    assert context.answer.headers["www-authenticate"].startswith("DPoP "), context.answer.headers


def _read(context: Any, key: DpopKey) -> HttpResponse:
    return _read_with(context, key.headers("GET", f"{context.asking.edge}{_ACCOUNTS}", context.token))


def _read_with(context: Any, headers: dict[str, str]) -> HttpResponse:
    xs2a: Xs2a = context.asking.tpp.xs2a
    return xs2a.get(_ACCOUNTS, headers={**headers, "Consent-ID": context.consent})
