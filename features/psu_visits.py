"""A PSU's visit to the bank, from the TPP's link to the way back, step by step on the bank's own pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from features.psu_pages import PsuBrowser
from features.tpps import ANNA
from tpp_client.authorization import authorization_url, begin_authorization, process_authorization_response

if TYPE_CHECKING:
    from features.tpps import Tpp
    from tpp_client.authorization import AuthorizationCode
    from tpp_client.sandbox_api import InboxMessage

_CODE = re.compile(r"\b\d{6}\b")


class PsuVisit:
    """One visit: the TPP's attempt, and the PSU's browser at the bank."""

    def __init__(self, tpp: Tpp, scope: str, *, psu: str = ANNA) -> None:
        """Send the PSU to the bank."""
        identity = tpp.identity
        redirect_uri = identity.redirect_uris[0]
        self._tpp = tpp
        self._psu = psu
        self.attempt = begin_authorization(client_id=identity.client_id, redirect_uri=redirect_uri, scope=scope)
        self.browser = PsuBrowser(cafile=identity.cafile, redirect_uri=redirect_uri)
        self.browser.open(authorization_url(tpp.metadata, self.attempt))

    def log_in(self, password: str | None = None) -> None:
        """Log in, with the right password or another."""
        right = self._tpp.persona(self._psu).password
        self.browser.send(self.browser.form_to("login"), login=self._psu, password=password or right)

    def choose_first_account(self) -> str:
        """Choose the first account that the bank offers; return its id."""
        choice = self.browser.form_to("accounts")
        first = choice.choices["account"][0]
        self.browser.send(choice, account=[first])
        return first

    def ask_for_code(self) -> None:
        """Say yes to what is shown, and have a one-time password sent."""
        self.browser.send(self.browser.form_to("send"))

    def message(self) -> InboxMessage:
        """Return the newest message in the PSU's inbox."""
        return self._tpp.newest_message(self._psu)

    def type_one_time_password(self) -> None:
        """Type the one-time password that was sent."""
        self._type(self._sent())

    def type_wrong_one_time_password(self) -> None:
        """Type another one."""
        self._type(f"{(int(self._sent()) + 1) % 1_000_000:06}")

    def refuse(self) -> None:
        """Say no."""
        self.browser.send(self.browser.form_to("refuse"))

    def is_asked_for_a_code(self) -> bool:
        """Tell whether the bank waits for a one-time password."""
        return any(form.action.endswith("/confirm") for form in self.browser.forms)

    def answer(self) -> AuthorizationCode:
        """Return the code that came back to the TPP; raises `AuthorizationRefused` for the PSU's no."""
        redirect = self.browser.arrived_at
        assert redirect, f"the PSU is not back at the TPP but on {self.browser.url}"
        return process_authorization_response(self._tpp.metadata, self.attempt, redirect)

    def _sent(self) -> str:
        newest = self.message()
        found = _CODE.search(newest.text)
        assert found, f"no one-time password in {newest.subject!r}"
        return found.group()

    def _type(self, code: str) -> None:
        self.browser.send(self.browser.form_to("confirm"), code=code)
