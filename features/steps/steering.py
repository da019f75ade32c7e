"""The sandbox's levers: snapshots, faults; and a bank that wants signed requests."""

from __future__ import annotations

import dataclasses
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from behave import given, then, when

from features.tpps import CLOCK
from tpp_client.accounts import process_accounts_response
from tpp_client.consents import ConsentDraft, process_consent_response
from tpp_client.sandbox_steering import (
    Fault,
    fault_request,
    personality_request,
    process_fault_response,
    process_personality_response,
    process_restore_response,
    process_snapshot_response,
    restore_request,
    snapshot_request,
)
from tpp_client.seals import SigningTransport, load_seal

if TYPE_CHECKING:
    from features.tpps import Tpp
    from tpp_client.seals import Seal
    from tpp_client.wire import HttpRequest, HttpResponse, Transport


@given("a snapshot of the bank")
def step(context: Any) -> None:
    process_snapshot_response(snapshot_request(context.tpp.xs2a, name="here"))


@when("the TPP restores the snapshot")
def step(context: Any) -> None:
    process_restore_response(restore_request(context.tpp.xs2a, name="here"))


@when("the bank is told to fail twice and the accounts are read three times")
def step(context: Any) -> None:
    fault = Fault(kind="error", method="GET", path="/v1/accounts", status=503, calls=2)
    process_fault_response(fault_request(context.tpp.xs2a, fault))
    context.answers = [context.tpp.read_accounts(context.grant) for _ in range(3)]


@then("two answers are failures, and the third shows the accounts")
def step(context: Any) -> None:
    failures = [answer.status for answer in context.answers[:2]]
    assert failures == [HTTPStatus.SERVICE_UNAVAILABLE] * 2, f"the answers are {failures}"
    assert all(answer.headers.get("x-sandbox-fault") for answer in context.answers[:2]), "no answer says that it was provoked"
    assert process_accounts_response(context.answers[2])


@given("a TPP at a bank that wants signed requests")
def step(context: Any) -> None:
    context.tpp = context.register.steered()
    process_personality_response(personality_request(context.tpp.xs2a, name="strict"))


class _ChangedAfterwards:
    """Changes each body on its way, after it was signed."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def send(self, request: HttpRequest) -> HttpResponse:
        body = (request.body or b"").replace(b'"frequencyPerDay": 1', b'"frequencyPerDay": 2')
        assert body != request.body, "there is nothing to change"
        return self._transport.send(dataclasses.replace(request, body=body))


def _ask(context: Any, transport: Transport) -> None:
    tpp: Tpp = context.tpp
    xs2a = dataclasses.replace(tpp.xs2a, transport=transport)
    account = tpp.persona("anna.weber").accounts[0]
    draft = ConsentDraft(valid_until=tpp.today(), ibans=(account.iban,), frequency_per_day=1)
    # What this bank wants to know beside the signature.
    told = {
        "PSU-ID": "anna.weber",
        "PSU-User-Agent": "Mozilla/5.0",
        "TPP-Redirect-URI": tpp.identity.redirect_uris[0],
        "Date": CLOCK.now().strftime("%a, %d %b %Y %H:%M:%S GMT"),
    }
    context.answer = xs2a.post("/v1/consents", draft.as_json(), headers=told)


def _sealed(tpp: Tpp, seal: Seal, *, under: Transport | None = None) -> Transport:
    return SigningTransport(transport=under or tpp.transport, seal=seal, clock=CLOCK)


@when("it asks for a consent, signed")
def step(context: Any) -> None:
    tpp: Tpp = context.tpp
    _ask(context, _sealed(tpp, load_seal(tpp.identity.qseal)))


@when("it asks for a consent, unsigned")
def step(context: Any) -> None:
    _ask(context, context.tpp.transport)


@when("it asks for a consent, signed and changed afterwards")
def step(context: Any) -> None:
    tpp: Tpp = context.tpp
    _ask(context, _sealed(tpp, load_seal(tpp.identity.qseal), under=_ChangedAfterwards(tpp.transport)))


@when("it asks for a consent, signed by another TPP")
def step(context: Any) -> None:
    other: Tpp = context.register.shared(index=1)
    _ask(context, _sealed(context.tpp, load_seal(other.identity.qseal)))


@when("it asks for a consent, signed with its website certificate")
def step(context: Any) -> None:
    _ask(context, _sealed(context.tpp, load_seal(context.tpp.identity.qwac)))


@then("the bank takes the consent")
def step(context: Any) -> None:
    assert process_consent_response(context.answer).status == "received"
