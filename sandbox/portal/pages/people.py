"""The people of a TPP's bank: what is in their inboxes, and what they have."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from flask import Blueprint, Response, render_template, request
from werkzeug.exceptions import NotFound

from sandbox.bank_client import UnknownBook
from sandbox.portal.pages.tenants import tpp_with_tenant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psd2.money import Money
    from sandbox.services import Services
    from sandbox.tenants.model import Message, Persona

# U+202F keeps a number on one line; which of comma and point stands for what differs between countries, a gap does not.
_GAP = "\u202f"
_MINUS = "\u2212"
_FRAGMENT = "HX-Request"


def blueprint(services: Services) -> Blueprint:
    """Return the inbox, the personas with their accounts, and an account's movements."""
    pages = Blueprint("people", __name__, url_prefix="/tpps/<number>")
    views = _Views(services)
    pages.add_url_rule("/inbox", view_func=views.inbox)
    pages.add_url_rule("/data", view_func=views.data)
    pages.add_url_rule("/data/<account_id>", view_func=views.account)
    pages.add_app_template_filter(grouped, "grouped")
    return pages


class _Views:
    def __init__(self, services: Services) -> None:
        self._services = services

    def inbox(self, number: str) -> str | Response:
        tpp = tpp_with_tenant(self._services, number)
        psu = request.args.get("psu") or None
        messages = self._services.tenant_data.inbox(tpp.authorisation_number, psu=psu)
        seen = _digest(messages)
        if _FRAGMENT not in request.headers:
            personas = self._services.tenant_data.personas(tpp.authorisation_number)
            _require_known(psu, personas)
            return render_template("people/inbox.html", tpp=tpp, psu=psu, personas=personas, messages=messages, seen=seen)
        if request.args.get("seen") == seen:
            # Nothing new: what is shown stays, and so does a code that somebody has just marked to copy.
            return Response(status=204)
        return render_template("people/_messages.html", tpp=tpp, psu=psu, messages=messages, seen=seen)

    def data(self, number: str) -> str:
        tpp = tpp_with_tenant(self._services, number)
        personas = self._services.tenant_data.personas(tpp.authorisation_number)
        accounts = {one.id: one for one in self._services.tenant_data.accounts(tpp.authorisation_number)}
        return render_template("people/data.html", tpp=tpp, personas=personas, accounts=accounts)

    def account(self, number: str, account_id: str) -> str:
        tpp = tpp_with_tenant(self._services, number)
        page = request.args.get("page") or None
        try:
            book = self._services.tenant_data.book(tpp.authorisation_number, account_id, page=page)
        except UnknownBook:
            raise NotFound from None
        personas = self._services.tenant_data.personas(tpp.authorisation_number)
        holders = [one for one in personas if any(account.id == account_id for account in one.accounts)]
        return render_template("people/account.html", tpp=tpp, book=book, holders=holders, is_first_page=page is None)


def grouped(amount: Money) -> str:
    """Return an amount as people read it: digits in threes, a minus as wide as a plus, the currency behind."""
    whole, _, fraction = amount.decimal.removeprefix("-").partition(".")
    digits = f"{int(whole):,}".replace(",", _GAP) + (f".{fraction}" if fraction else "")
    return f"{_MINUS if amount.minor < 0 else ''}{digits}{_GAP}{amount.currency}"


def _require_known(psu: str | None, personas: Sequence[Persona]) -> None:
    if psu is not None and psu not in {one.psu for one in personas}:
        raise NotFound


def _digest(messages: Sequence[Message]) -> str:
    return hashlib.sha256(repr(messages).encode()).hexdigest()[:16]
