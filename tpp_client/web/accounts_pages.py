"""Accounts with their balances, and one account's month: movements, charts, search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, render_template, request
from werkzeug.exceptions import NotFound

from psd2.money import Money
from tpp_client.web.charts import month_charts
from tpp_client.web.month import Month, days_of, matching
from tpp_client.web.visitor import visitor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from tpp_client.accounts import Account, Transaction
    from tpp_client.web.bootstrap import Services
    from tpp_client.web.reading import Overview

_PAGE_LINES = 50
_LONGEST_SEARCH = 80
_WAYS = ("", "in", "out")


def blueprint(services: Services) -> Blueprint:
    """Return the pages."""
    pages = Blueprint("accounts", __name__, url_prefix="/accounts")
    views = _Pages(services)
    pages.add_url_rule("", "overview", views.overview)
    pages.add_url_rule("/<account_id>", "month", views.month)
    return pages


@dataclass(frozen=True, slots=True)
class Choice:
    """What of an account is looked at: a month, and what is searched in it."""

    month: Month
    words: str
    way: str
    page: int

    def lines(self, found: Sequence[Transaction]) -> Sequence[Transaction]:
        """Return the movements of this page."""
        return found[(self.page - 1) * _PAGE_LINES : self.page * _PAGE_LINES]

    @staticmethod
    def pages(found: Sequence[Transaction]) -> int:
        """Return how many pages there are, at least one."""
        return max(1, -(-len(found) // _PAGE_LINES))


class _Pages:
    def __init__(self, services: Services) -> None:
        self._services = services

    def overview(self) -> str:
        reader = visitor().reader()
        overviews = [reader.overview(account) for account in reader.accounts()]
        return render_template("accounts.html", overviews=overviews, totals=totals(overviews))

    def month(self, account_id: str) -> str:
        today = self._services.clock.now().date()
        choice = _choice(today)
        reader = visitor().reader()
        account = _own(reader.accounts(), account_id)
        until = min(choice.month.last, today)
        overview = reader.overview(account)
        movements = reader.movements(account.account_id, since=choice.month.first, until=until)
        now = overview.current.amount if overview.current and choice.month == Month.of(today) else None
        days = days_of((choice.month.first, until), movements.booked, now=now, currency=account.currency)
        found = matching(movements.booked, words=choice.words, way=choice.way)
        return render_template(
            "month.html",
            overview=overview,
            choice=choice,
            movements=movements,
            found=found,
            charts=month_charts(choice.month, days) if not movements.is_cut else (),
            has_next=choice.month < Month.of(today),
        )


def totals(overviews: Iterable[Overview]) -> list[Money]:
    """Return what all accounts hold together, a sum for each currency."""
    sums: dict[str, Money] = {}
    for overview in overviews:
        if overview.current is not None:
            amount = overview.current.amount
            sums[amount.currency] = sums.get(amount.currency, Money(0, amount.currency)) + amount
    return list(sums.values())


def _own(accounts: Iterable[Account], account_id: str) -> Account:
    """Return the account of that id among those of this browser's consent; raises `NotFound` for any other."""
    found = next((account for account in accounts if account.account_id == account_id), None)
    if found is None:
        raise NotFound("None of the accounts you have connected is called so.")
    return found


def _choice(today: date) -> Choice:
    """Read what is looked at; raises `NotFound` for a month or a page that can't be."""
    try:
        month = Month.parse(request.args.get("month") or str(Month.of(today)))
        page = int(request.args.get("page") or "1")
    except ValueError as error:
        raise NotFound("The address names no month, or no page.") from error
    way = request.args.get("way", "")
    if month > Month.of(today) or not 1 <= page <= _PAGE_LINES or way not in _WAYS:
        raise NotFound("Nothing can be booked there yet, or there is no such page.")
    return Choice(month=month, words=request.args.get("q", "")[:_LONGEST_SEARCH], way=way, page=page)
