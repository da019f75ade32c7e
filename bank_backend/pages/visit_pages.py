"""The pages of a PSU's visit: sign in, choose accounts, review, confirm by one of its methods, done (architecture §3.2)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID  # noqa: TC003 - Flask reads the annotation's converter at run time

from flask import request

from bank_backend.errors import FieldsInvalid, PsuCredentialsInvalid, PsuLocked, ScaMethodUnknown, StatusInvalid
from bank_backend.interactions.errors import InteractionOver, TooManyLogins
from bank_backend.interactions.model import InteractionStatus, Step
from bank_backend.interactions.sessions import is_session, require_session
from bank_backend.pages.faults import FormFault, code_of, credentials_of, passkey_answer_of
from bank_backend.pages.problems import refusal_page
from bank_backend.pages.rendering import news_at, no_news, page, to
from bank_backend.pages.sessions import csrf_token, keep_secret, require_own_form, secret_of
from bank_backend.sca.errors import CodeAttemptsExhausted, CodeExpired, CodeWrong, NoCodeTaken, PasskeyWrong, TooManyCodes
from bank_backend.sca.model import MethodType
from psd2.ids import new_secret

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from bank_backend.authorisations.asks import Ask
    from bank_backend.interactions.desk import Desk
    from bank_backend.interactions.model import Interaction
    from bank_backend.services import Services
    from bank_backend.tenants.model import Resident

# Ends that need no reading: the PSU knows what it has just done.
_SELF_EXPLAINING = frozenset({InteractionStatus.APPROVED, InteractionStatus.REJECTED})


class VisitPages:
    """One method a route: parse, call, render."""

    def __init__(self, services: Services) -> None:
        """Show what `services.visits` says."""
        self._visits = services.visits
        self._services = services

    def enter(self, authorisation: UUID) -> AnyResponse:
        """Lead the browser that a TPP has sent by `scaRedirect` to its visit; `state` goes back as it came (BG IG §7.6.2)."""
        visit = self._services.interactions.enter(str(authorisation), state=request.args.get("state"))
        return _to(visit.id)

    def current(self, interaction: UUID) -> AnyResponse:
        """Show the page that the visit is on."""
        visit = self._visits.interaction(str(interaction))
        if not visit.is_pending:
            return _to(visit.id, "/done")
        try:
            return self._step_page(visit)
        except StatusInvalid as error:
            return self._over_page(visit.id, error)

    def _step_page(self, visit: Interaction) -> AnyResponse:
        if visit.session is None:
            return self._login_page(visit)
        desk = self._desk(visit.id)
        names = {Step.ACCOUNTS: "accounts", Step.CODE: "code"}
        return self._desk_page(names.get(desk.interaction.step, "review"), desk)

    def _over_page(self, visit_id: str, error: StatusInvalid) -> AnyResponse:
        """Say that the request was withdrawn, or decided elsewhere; the visit ends, or the TPP's server would send it back."""
        try:
            visit = self._visits.close(visit_id)
        except InteractionOver:
            return _to(visit_id, "/done")
        return refusal_page(error, closed=visit)

    def log_in(self, interaction: UUID) -> AnyResponse:
        """Take user name and password; a new secret for the browser, so that an earlier one is worth nothing."""
        visit_id = str(interaction)
        require_own_form(request, visit_id)
        secret = new_secret()
        try:
            login, password = credentials_of(request.form)
            self._visits.log_in(visit_id, login, password, secret=secret)
        except (TooManyLogins, InteractionOver):
            return _to(visit_id, "/done")
        except (FormFault, PsuCredentialsInvalid) as error:
            return self._login_page(self._visits.interaction(visit_id), FormFault.of(error, field="login"))
        answer = _to(visit_id)
        keep_secret(request, answer, visit_id, secret)
        return answer

    def accounts(self, interaction: UUID) -> AnyResponse:
        """Show the choice of accounts, again if the PSU comes back to it."""
        try:
            return self._desk_page("accounts", self._desk(str(interaction)))
        except InteractionOver:
            return _to(str(interaction), "/done")

    def choose(self, interaction: UUID) -> AnyResponse:
        """Take the choice of accounts."""
        visit_id = str(interaction)
        secret = require_own_form(request, visit_id)
        try:
            self._visits.choose(visit_id, secret, request.form.getlist("account"))
        except InteractionOver:
            return _to(visit_id, "/done")
        except FieldsInvalid:
            fault = FormFault("Choose at least one account, or refuse.", field="accounts")
            return self._desk_page("accounts", self._desk(visit_id), fault)
        return _to(visit_id)

    def start(self, interaction: UUID) -> AnyResponse:
        """Start confirming what the PSU has read, by the method that it has chosen."""
        visit_id = str(interaction)
        secret = require_own_form(request, visit_id)
        try:
            self._visits.start(visit_id, secret, method=request.form.get("method"))
        except InteractionOver:
            return _to(visit_id, "/done")
        except TooManyCodes as error:
            return self._desk_page("code", self._desk(visit_id), FormFault.of(error, field="code"))
        except (FieldsInvalid, PsuLocked, ScaMethodUnknown) as error:
            return self._desk_page("review", self._desk(visit_id), FormFault.of(error, field="review"))
        return _to(visit_id)

    def confirm(self, interaction: UUID) -> AnyResponse:
        """Approve with the code, or with what the passkey has signed."""
        visit_id = str(interaction)
        secret = require_own_form(request, visit_id)
        try:
            if "answer" in request.form:
                self._visits.confirm_with_passkey(visit_id, secret, answer=passkey_answer_of(request.form))
            else:
                self._visits.confirm(visit_id, secret, code=code_of(request.form))
        except (InteractionOver, CodeAttemptsExhausted):
            return _to(visit_id, "/done")
        except (FormFault, CodeWrong, PasskeyWrong, CodeExpired, NoCodeTaken, PsuLocked) as error:
            return self._desk_page("code", self._desk(visit_id), FormFault.of(error, field="code"))
        return _to(visit_id, "/done")

    def waiting(self, interaction: UUID) -> AnyResponse:
        """Tell the page that waits for the bank app where to go on, once there is news."""
        visit = self._visits.interaction(str(interaction))
        if not visit.is_pending:
            return news_at(f"/psu/{visit.id}/done")
        return no_news() if self._desk(visit.id).is_waiting_for_app else news_at(f"/psu/{visit.id}")

    def refuse(self, interaction: UUID) -> AnyResponse:
        """Turn the request down, whichever step the PSU is on."""
        visit_id = str(interaction)
        secret = require_own_form(request, visit_id)
        # Decided or expired meanwhile: the last page says which.
        with suppress(InteractionOver):
            self._visits.refuse(visit_id, secret)
        return _to(visit_id, "/done")

    def done(self, interaction: UUID) -> AnyResponse:
        """Say how it ended and lead back to the TPP: a page and not a redirect, see `pages.headers`."""
        visit = self._visits.interaction(str(interaction))
        if visit.is_pending:
            return _to(visit.id)
        is_own = is_session(visit, secret_of(request, visit.id) or "")
        is_mine = visit.status is InteractionStatus.APPROVED and is_own
        setback = self._visits.setback(visit) if is_mine else ""
        missing = self._visits.missing_signatories(visit) if is_mine else []
        return page(
            "done",
            visit=visit,
            tpp=self._visits.tpp(visit),
            setback=setback,
            missing=missing,
            return_url=_way_back(visit, is_own=is_own),
            goes_on_by_itself=is_own and not setback and not missing and visit.status in _SELF_EXPLAINING,
        )

    def inbox(self) -> AnyResponse:
        """Show what the sandbox delivered to the PSU that is in this visit; whoever kept its cookie sees nothing later."""
        visit_id = request.args.get("interaction", "")
        visit, psu = self._visits.signed_in(visit_id, secret_of(request, visit_id) or "")
        messages = self._services.inbox.messages(visit.tenant, psu)
        return page("inbox", psu=self._services.psus.psu(visit.tenant, psu), messages=messages)

    def _desk(self, visit_id: str) -> Desk:
        return self._visits.desk(visit_id, secret_of(request, visit_id) or "")

    def _login_page(self, visit: Interaction, fault: FormFault | None = None) -> AnyResponse:
        ask, tenant = self._visits.ask(visit), self._visits.tpp(visit)
        known = secret_of(request, visit.id)
        secret = known or new_secret()
        answer = page(
            "login",
            visit=visit,
            ask=ask,
            wording=ask.wording(tenant.name, ()),
            tpp=tenant,
            personas=[(each, _holds(each, ask)) for each in self._services.tenants.residents(tenant.id)],
            fault=fault,
            csrf=csrf_token(secret),
        )
        if known is None:
            keep_secret(request, answer, visit.id, secret)
        return answer

    def _desk_page(self, name: str, desk: Desk, fault: FormFault | None = None) -> AnyResponse:
        visit = desk.interaction
        today = self._services.clock.now(visit.tenant).date()
        ids = [account.id for account in desk.eligible.accounts]
        with self._services.database.reading() as connection:
            balances = self._services.ledger.balances_of(connection, visit.tenant, ids, today=today)
        # Only a passkey is asked by a script, and only the bank app's answer is waited for by one.
        is_scripted = desk.challenge is not None and desk.challenge.type in {MethodType.PUSH, MethodType.PASSKEY}
        return page(
            name,
            scripted=name == "code" and is_scripted,
            desk=desk,
            visit=visit,
            ask=desk.ask,
            wording=desk.ask.wording(desk.tpp.name, desk.chosen),
            tpp=desk.tpp,
            psu=self._services.psus.psu(visit.tenant, require_session(visit, secret_of(request, visit.id) or "")),
            balances=balances,
            fault=fault,
            csrf=csrf_token(secret_of(request, visit.id) or ""),
        )


def _way_back(visit: Interaction, *, is_own: bool) -> str | None:
    """Return where the browser goes on; an approval leads back only the browser that approved."""
    is_nobodys = visit.session is None and visit.status is not InteractionStatus.APPROVED
    return visit.return_url if is_own or is_nobodys else None


def _holds(resident: Resident, ask: Ask) -> bool:
    return bool(ask.references) and all(
        any(reference.names(account) for account in resident.accounts) for reference in ask.references
    )


def _to(visit_id: str, where: str = "") -> AnyResponse:
    return to(f"/psu/{visit_id}{where}")
