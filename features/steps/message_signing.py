"""Clients of FAPI 2.0 Message Signing: signed requests, signed answers, tokens bound to a key."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from behave import given, then, when

from features.tpps import CLOCK, Grant
from tpp_client.accounts import accounts_request, process_accounts_response
from tpp_client.authorization import authorization_parameters
from tpp_client.errors import SignedAnswerRejected
from tpp_client.http_signatures import signing_transport
from tpp_client.pushing import pushed_parameters_request
from tpp_client.xs2a import Xs2a

if TYPE_CHECKING:
    from features.tpps import Tpp
    from tpp_client.authorization import AuthorizationAttempt
    from tpp_client.wire import HttpRequest, HttpResponse, Transport


@given("a TPP whose client signs its requests and takes signed answers")
def step(context: Any) -> None:
    context.tpp = context.register.message_signing()


@given("a PSU has approved its signed request")
@when("a PSU approves its signed request")
def step(context: Any) -> None:
    tpp: Tpp = context.tpp
    consent_id = tpp.consent()
    attempt = _attempt(tpp, f"AIS:{consent_id}")
    redirect = tpp.stage.psu.decide(tpp.stage.voice.address(tpp.speaking, tpp.metadata, attempt))
    code, context.signed = tpp.stage.voice.answer(tpp.speaking, tpp.metadata, attempt, redirect)
    context.grant = Grant(consent_id=consent_id, tokens=tpp.stage.voice.tokens(tpp.speaking, tpp.metadata, code))


@when("it pushes its request unsigned")
def step(context: Any) -> None:
    tpp: Tpp = context.tpp
    parameters = authorization_parameters(_attempt(tpp, f"AIS:{tpp.consent()}"))
    context.answer = pushed_parameters_request(tpp.speaking, tpp.metadata, parameters)


@when("somebody sends its token as a Bearer token")
def step(context: Any) -> None:
    tpp: Tpp = context.tpp
    context.answer = tpp.read_accounts_over(tpp.identity.qwac, context.grant)


@when("it reads its accounts by a request that it signs")
def step(context: Any) -> None:
    context.answer = _read(context.tpp, context.grant, context.tpp.recorded(context.tpp.transport))


@when("somebody on the way asks for more than it has signed")
def step(context: Any) -> None:
    meddler = Meddler(context.tpp.transport)
    try:
        _read(context.tpp, context.grant, meddler)
    except SignedAnswerRejected:
        # What was answered is no answer to what the TPP has asked for; somebody on the way can read it all the same.
        context.answer = meddler.answers[0]


@then("the bank has signed the accounts, as its answer to that request")
def step(context: Any) -> None:
    assert process_accounts_response(context.answer)
    assert '"signature";req' in context.answer.headers["signature-input"]


@then("the bank has signed its answer")
def step(context: Any) -> None:
    assert context.signed.claims.text("iss") == context.tpp.identity.issuer


@dataclass(frozen=True)
class Meddler:
    """Somebody between the TPP and the bank."""

    transport: Transport
    answers: list[HttpResponse] = field(default_factory=list)

    def send(self, request: HttpRequest) -> HttpResponse:
        """Ask for balances as well."""
        more = replace(request, url=f"{request.url}{'&' if '?' in request.url else '?'}withBalance=true")
        self.answers.append(self.transport.send(more))
        return self.answers[-1]


def _read(tpp: Tpp, grant: Grant, transport: Transport) -> HttpResponse:
    """Ask for accounts by a signed request; an answer that is not signed as it has to be raises."""
    voice, identity = tpp.stage.voice, tpp.identity
    signing = signing_transport(transport, voice.key, issuer=identity.issuer, edge=identity.edge, clock=CLOCK)
    return accounts_request(Xs2a(transport=voice.over(signing), edge=identity.edge), grant.access)


def _attempt(tpp: Tpp, scope: str) -> AuthorizationAttempt:
    return tpp.stage.voice.begin(redirect_uri=tpp.identity.redirect_uris[0], scope=scope)
