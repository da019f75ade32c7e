"""Reading accounts, balances and transactions, with and without the PSU."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from behave import then, when

from features.tpps import CLOCK
from tpp_client.accounts import (
    account_request,
    accounts_request,
    balances_request,
    process_accounts_response,
    process_balances_response,
    transaction_pages,
)
from tpp_client.xs2a import Access

if TYPE_CHECKING:
    from features.tpps import Grant, Tpp

_MONTHS_13 = timedelta(days=395)


@when("it reads accounts, balances and transactions of the last 13 months")
def step(context: Any) -> None:
    tpp: Tpp = context.tpp
    access = context.grant.access
    context.since = (CLOCK.now() - _MONTHS_13).date()
    context.reports = []
    for account in process_accounts_response(accounts_request(tpp.xs2a, access)):
        balances = process_balances_response(balances_request(tpp.xs2a, access, account.account_id))
        pages = transaction_pages(tpp.xs2a, access, account.account_id, since=context.since)
        context.reports.append((account, balances, [entry for page in pages for entry in page.booked]))


@then("every account has balances and a history")
def step(context: Any) -> None:
    assert context.reports, "no account is shown"
    for account, balances, booked in context.reports:
        assert balances, f"{account.iban} has no balance"
        assert booked, f"{account.iban} has no history"


@then("the transactions come newest first and lie within the period")
def step(context: Any) -> None:
    for account, _, booked in context.reports:
        days = [entry.booking_date for entry in booked]
        assert days == sorted(days, reverse=True), f"{account.iban}: not newest first"
        assert min(days) >= context.since.isoformat(), f"{account.iban}: {min(days)} is before {context.since}"


@when("it asks for an account that is not in the consent")
def step(context: Any) -> None:
    context.answer = account_request(context.tpp.xs2a, context.grant.access, context.kept_back.account_id)


@when("it asks for an account of another TPP's people")
def step(context: Any) -> None:
    foreign = context.other.personas[0].accounts[0].account_id
    context.answer = account_request(context.tpp.xs2a, context.grant.access, foreign)


@when("it names another consent than its token's")
def step(context: Any) -> None:
    tpp: Tpp = context.tpp
    grant: Grant = context.grant
    access = Access(token=grant.tokens.access_token, consent_id=tpp.consent())
    context.answer = accounts_request(tpp.xs2a, access)


@when("it reads the accounts three times on its own")
def step(context: Any) -> None:
    alone = dataclasses.replace(context.tpp.xs2a, psu_ip_address=None)
    context.answers = [accounts_request(alone, context.grant.access) for _ in range(3)]
    context.answer = context.answers[-1]


@when("it reads the accounts three times while the PSU is there")
def step(context: Any) -> None:
    context.answers = [context.tpp.read_accounts(context.grant) for _ in range(3)]


@then("the first two reads show the accounts")
def step(context: Any) -> None:
    assert all(process_accounts_response(answer) for answer in context.answers[:2])


@then("all three reads show the accounts")
def step(context: Any) -> None:
    assert all(process_accounts_response(answer) for answer in context.answers)
