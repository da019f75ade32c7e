"""Forms that have a certificate issued: one that comes twice (reload, back, double click) is answered once.

A private key is shown on the page that answers such a form, so a second answer would need a second key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from psd2.ids import new_secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from psd2.clock import Clock
    from sandbox.ca.model import IssuedCertificate
    from sandbox.tpps.model import Tpp

_FORM: Final = re.compile(r"[A-Za-z0-9_-]{20,64}")


class FormAnswered(Exception):
    """The form was sent before; `serial` is what was issued for it, None while that is still being done."""

    def __init__(self, serial: str | None) -> None:
        """Tell what was issued."""
        super().__init__(f"this form was answered already, with certificate {serial}")
        self.serial = serial


class FormUnknown(ValueError):
    """A form without the mark that ours carry."""


@dataclass(frozen=True, slots=True)
class Order:
    """One form of one TPP."""

    authorisation_number: str
    form: str


class OrderStore(Protocol):
    """Remembers forms."""

    def begin(self, order: Order, *, at: datetime) -> bool:
        """Note that the form has come; return False where it had come before. What is a day old is forgotten."""

    def finish(self, order: Order, serial: str) -> None:
        """Note what was issued."""

    def forget(self, order: Order) -> None:
        """Take back that it came: nothing was issued."""

    def serial(self, order: Order) -> str | None:
        """Return what was issued."""


def new_form() -> str:
    """Make the mark of a form that is about to be shown."""
    return new_secret(18)


class Orders:
    """Has certificates issued, once for each form."""

    def __init__(self, *, store: OrderStore, clock: Clock) -> None:
        """Remember in `store`."""
        self._store = store
        self._clock = clock

    def once(self, tpp: Tpp, form: str, issue: Callable[[], IssuedCertificate]) -> IssuedCertificate:
        """Issue for a form that comes for the first time. Raises FormAnswered, FormUnknown, and what `issue` raises."""
        if not _FORM.fullmatch(form):
            raise FormUnknown("the form lacks its mark: open it anew")
        order = Order(str(tpp.authorisation_number), form)
        if not self._store.begin(order, at=self._clock.now()):
            raise FormAnswered(self._store.serial(order))
        try:
            issued = issue()
        except BaseException:
            self._store.forget(order)
            raise
        self._store.finish(order, issued.serial)
        return issued
