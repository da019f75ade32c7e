"""Who is on stage: registered TPPs, their consents, the people of the bank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from behave import given

from features.register import ALL_ROLES
from features.tpps import ANNA, JONAS, Grant
from tpp_client.funds import funds_consent_request, process_funds_consent_response

if TYPE_CHECKING:
    from features.register import Register
    from features.tpps import Tpp


@given("a registered {kind:w}")
def step(context: Any, kind: str) -> None:
    register: Register = context.register
    context.tpp = register.shared(ALL_ROLES if kind == "TPP" else kind)


@given("two registered TPPs")
def step(context: Any) -> None:
    register: Register = context.register
    context.tpp, context.other = register.shared(), register.shared(index=1)


@given("a TPP with an authorised consent")
def step(context: Any) -> None:
    register: Register = context.register
    # A scenario that ruins the TPP's certificate takes a TPP of its own; all others share one.
    tpp = register.fresh() if "own-tpp" in context.tags else register.shared()
    context.tpp, context.other, context.grant = tpp, register.shared(index=1), tpp.grant()


@given("a TPP with an authorised consent for two reads a day")
def step(context: Any) -> None:
    context.tpp = context.register.shared()
    context.grant = context.tpp.grant(frequency_per_day=2)


@given("a TPP with an authorised consent for one of several accounts")
def step(context: Any) -> None:
    tpp: Tpp = context.register.shared()
    rich = next(persona for persona in tpp.personas if len(persona.accounts) > 1)
    context.tpp, context.kept_back = tpp, rich.accounts[1]
    context.grant = tpp.grant(psu=rich.psu, accounts=(rich.accounts[0].iban,))


@given("a CBPII and AISP with an authorised consent to confirm funds")
def step(context: Any) -> None:
    tpp: Tpp = context.register.shared()
    context.iban = tpp.persona(ANNA).accounts[0].iban
    consent_id = process_funds_consent_response(funds_consent_request(tpp.xs2a, iban=context.iban)).consent_id
    context.tpp, context.grant = tpp, Grant(consent_id=consent_id, tokens=tpp.tokens_for(f"PIIS:{consent_id}"))


@given("a PISP and AISP, and two people of the same bank")
def step(context: Any) -> None:
    _two_people(context, context.register.shared())


@given("a PISP and AISP with a bank of its own, and two people there")
def step(context: Any) -> None:
    _two_people(context, context.register.steered())


@given("a TPP with a bank of its own and an authorised consent for {days:d} days")
def step(context: Any, days: int) -> None:
    tpp: Tpp = context.register.steered()
    context.tpp, context.grant = tpp, tpp.grant(days=days)
    context.consent_id = context.grant.consent_id


def _two_people(context: Any, tpp: Tpp) -> None:
    payer, payee = tpp.persona(ANNA), tpp.persona(JONAS)
    context.tpp, context.payer, context.payee = tpp, payer, payee
    context.before = {"payer": tpp.balance(payer.psu), "payee": tpp.balance(payee.psu)}
