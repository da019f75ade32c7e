"""What templates say in words and figures: money, dates, statuses, and the calls that went over the wire."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import g, request
from markupsafe import Markup

from chassis import look
from tpp_client.web.visitor import visitor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

    from psd2.money import Money
    from tpp_client.web.bootstrap import Services
    from tpp_client.web.visits.model import WireCall

_MINUS, _NARROW_SPACE = "\N{MINUS SIGN}", "\N{NARROW NO-BREAK SPACE}"
FINAL = frozenset({"ACSC", "ACCC", "RJCT", "CANC"})
_STATUSES = {
    "RCVD": ("received, waits for your approval", "warn"),
    "PDNG": ("being looked at", "warn"),
    "ACTC": ("approved and checked, being booked", "warn"),
    "ACCP": ("approved and checked, being booked", "warn"),
    "ACSP": ("being settled", "warn"),
    "ACSC": ("settled: the money has left your account", "good"),
    "ACCC": ("settled: the money has arrived", "good"),
    "RJCT": ("rejected: no money has moved", "bad"),
    "CANC": ("cancelled: no money has moved", "bad"),
}


def install_wording(app: Flask, services: Services) -> None:
    """Give templates their filters and globals."""
    app.template_filter("money")(money)
    app.template_filter("day")(day)
    app.template_filter("short_day")(short_day)
    app.template_filter("moment")(moment)
    app.template_filter("grouped")(grouped)
    app.template_filter("status_words")(lambda code: _STATUSES.get(code, (code, "warn"))[0])
    app.template_filter("status_tone")(lambda code: _STATUSES.get(code, (code, "warn"))[1])
    app.template_filter("fields")(fields)
    app.jinja_env.globals.update(
        look=look.address,
        htmx_config=look.HTMX_CONFIG,
        wire_calls=wire_calls,
        is_bad=lambda status: status is None or status >= HTTPStatus.BAD_REQUEST,
        settings=services.settings,
        here=lambda: request.endpoint or "",
        visit=lambda: visitor().visit,
        final_statuses=FINAL,
    )


def money(amount: Money, *, signed: bool = False) -> str:
    """Write an amount for people: `1 234.56 EUR` with narrow spaces, a real minus."""
    whole, point, fraction = amount.decimal.lstrip("-").partition(".")
    figures = f"{int(whole):,}".replace(",", _NARROW_SPACE) + point + fraction
    sign = _MINUS if amount.minor < 0 else "+" if signed and amount.minor > 0 else ""
    return f"{sign}{figures}\N{NO-BREAK SPACE}{amount.currency}"


def day(value: str | None) -> Markup:
    """Write a day, `21 November 2026`; what is no date stays as it is."""
    return _day(value, "%B %Y")


def short_day(value: str | None) -> Markup:
    """Write a day where the year is known, `21 Nov`."""
    return _day(value, "%b")


def _day(value: str | None, rest: str) -> Markup:
    try:
        parsed = date.fromisoformat(value or "")
    except ValueError:
        return Markup("{}").format(value or "")
    return Markup('<time datetime="{}">{}</time>').format(parsed.isoformat(), f"{parsed.day} {parsed.strftime(rest)}")


def moment(seconds: float) -> Markup:
    """Write epoch seconds as a moment in UTC."""
    at = datetime.fromtimestamp(seconds, UTC)
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="seconds"), f"{at.day} {at:%B %Y, %H:%M} UTC")


def grouped(iban: str) -> str:
    """Write an IBAN in groups of four."""
    return " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))


def fields(values: Mapping[str, str]) -> str:
    """Write the fields of a call as JSON, one a line."""
    return json.dumps(values, indent=2, ensure_ascii=False)


def wire_calls() -> tuple[WireCall, ...]:
    """Return the calls that this page, and the redirects before it, have made; they count as shown."""
    asking = visitor()
    before = asking.visit.unseen_calls
    if before:
        g.shown_calls = before
    return (*before, *asking.calls)
