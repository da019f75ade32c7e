"""`POST /v1/consents` read and checked: what is asked for, within what this bank offers (BG IG 1.3.8 §6.3.1, §14.16)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from bank_backend.bodies import read_tpp_body
from bank_backend.consents.bodies import AccessBody, ConsentBody
from bank_backend.consents.model import Access, AllAccounts
from bank_backend.errors import BankError, FormatError, ParameterNotSupported, PeriodInvalid
from bank_backend.personalities.model import ConsentModel, Service
from psd2.tpp_messages import MessageCode

if TYPE_CHECKING:
    from datetime import date

    from bank_backend.consents.bodies import AccessReferenceBody
    from bank_backend.consents.model import References
    from bank_backend.personalities.model import Personality

_WHOLE: Final = {
    "availableAccounts": ConsentModel.AVAILABLE_ACCOUNTS,
    "availableAccountsWithBalance": ConsentModel.AVAILABLE_ACCOUNTS_WITH_BALANCE,
    "allPsd2": ConsentModel.GLOBAL,
}
_BESIDE: Final = frozenset({"additionalInformation", "restrictedTo"})


class SessionsNotSupported(BankError):
    """`combinedServiceIndicator` is true, and this bank combines no services (400: BG IG §14.11.3)."""

    code: ClassVar[MessageCode] = MessageCode.SESSIONS_NOT_SUPPORTED
    problem_code = "consent.sessions"
    title = "Combined services are not offered"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest:
    """What a TPP asks for, checked. `valid_until` is already cut to what the bank grants."""

    access: Access
    recurring: bool
    valid_until: date
    frequency_per_day: int
    combined: bool


def parse_consent_request(data: bytes, *, today: date, personality: Personality) -> ConsentRequest:
    """Read the body; raises `FormatError` and its kin, naming the field."""
    body = read_tpp_body(data, ConsentBody)
    _require_offered(body, personality)
    _require_frequency(body.frequencyPerDay, recurring=body.recurringIndicator, most=personality.frequency_per_day)
    access = parsed_access(body.access)
    return ConsentRequest(
        access=access if personality.owner_name else _without_owner_names(access),
        recurring=body.recurringIndicator,
        valid_until=_valid_until(body.validUntil, today, timedelta(days=personality.consent_lifetime_days)),
        frequency_per_day=body.frequencyPerDay,
        combined=body.combinedServiceIndicator,
    )


def parsed_access(body: AccessBody) -> Access:
    """Return the access it writes; raises `FormatError`."""
    _require_one_model(body.model_fields_set & set(AccessBody.model_fields))
    extra = body.additionalInformation
    access = Access(
        accounts=_references(body.accounts),
        balances=_references(body.balances),
        transactions=_references(body.transactions),
        owner_name=_references(None if extra is None else extra.ownerName),
        available_accounts=_all(body.availableAccounts),
        available_accounts_with_balance=_all(body.availableAccountsWithBalance),
        all_psd2=_all(body.allPsd2),
        restricted_to=None if body.restrictedTo is None else tuple(dict.fromkeys(body.restrictedTo)),
    )
    _require_consistent(access)
    return access


def _require_offered(body: ConsentBody, personality: Personality) -> None:
    if body.combinedServiceIndicator and not personality.combined_service:
        text = "this bank combines no account information with a payment in one session: send false"
        raise SessionsNotSupported(text, path="combinedServiceIndicator")
    if body.recurringIndicator and not personality.recurring_consents:
        text = "this bank takes consents for one access only: send false"
        raise ParameterNotSupported(text, path="recurringIndicator")
    model, path = _model_of(body.access)
    if model not in personality.consent_models:
        offered = ", ".join(sorted(personality.consent_models))
        raise ParameterNotSupported(f"this bank takes no {model} consents: it offers {offered}", path=path)
    if not personality.offers(Service.CARD_ACCOUNTS):
        _refuse_cards(body.access)


def _model_of(access: AccessBody) -> tuple[ConsentModel, str]:
    """Return which of the models it is, and the field that says so."""
    for name, model in _WHOLE.items():
        if getattr(access, name) is not None:
            return model, f"access.{name}"
    is_named = bool(access.accounts or access.balances or access.transactions)
    return ConsentModel.DEDICATED if is_named else ConsentModel.BANK_OFFERED, "access"


def _refuse_cards(access: AccessBody) -> None:
    for name in ("accounts", "balances", "transactions"):
        for place, reference in enumerate(getattr(access, name) or ()):
            if reference.iban is None:
                text = "this bank gives no access to card accounts: name accounts by their IBAN"
                raise ParameterNotSupported(text, path=f"access.{name}[{place}]")


def _require_frequency(frequency: int, *, recurring: bool, most: int) -> None:
    if not recurring and frequency != 1:
        text = f"frequencyPerDay is {frequency}, and a consent for one access (recurringIndicator false) has 1"
        raise FormatError(text, path="frequencyPerDay")
    if not 1 <= frequency <= most:
        raise FormatError(f"frequencyPerDay is {frequency}: ask for 1 to {most}", path="frequencyPerDay")


def _valid_until(asked: date, today: date, longest: timedelta) -> date:
    """Return the date, cut to the longest validity (BG IG §6.3.1.1: `9999-12-31` asks for the maximum)."""
    if asked < today:
        raise PeriodInvalid(f"validUntil {asked} has passed: name today ({today}) or a later day", path="validUntil")
    return min(asked, today + longest)


def _require_one_model(named: set[str]) -> None:
    if not named - _BESIDE:
        text = "access names nothing: give accounts, balances, transactions, availableAccounts or allPsd2"
        raise FormatError(text, path="access")
    whole = sorted(named & set(_WHOLE))
    if whole and len(named - {"restrictedTo"}) > 1:
        raise FormatError(f"{whole[0]} already names every account: it stands alone in access", path=f"access.{whole[0]}")


def _require_consistent(access: Access) -> None:
    """BG IG §14.16: lists are all empty or all filled, and the owner's name is asked of accounts that are asked for."""
    lists = {"accounts": access.accounts, "balances": access.balances, "transactions": access.transactions}
    given = {name: value for name, value in lists.items() if value is not None}
    empty = sorted(name for name, value in given.items() if not value)
    if empty and len(empty) < len(given):
        text = f"access.{empty[0]} is empty and another list is not: leave all to the bank (all empty) or name all accounts"
        raise FormatError(text, path=f"access.{empty[0]}")
    foreign = set(access.owner_name or ()) - set(access.references)
    if foreign:
        text = "ownerName is asked of an account that accounts, balances and transactions don't name"
        raise FormatError(text, path="access.additionalInformation.ownerName")
    if access.restricted_to is not None and access.references:
        text = "restrictedTo narrows down accounts that nobody names, and here they are named: leave it out"
        raise FormatError(text, path="access.restrictedTo")


def _without_owner_names(access: Access) -> Access:
    """Return the access without what is not offered; asking for it is no fault (BG IG §6.3.1.1)."""

    def plain(whole: AllAccounts | None) -> AllAccounts | None:
        return None if whole is None else AllAccounts.ALL_ACCOUNTS

    return replace(
        access,
        owner_name=None,
        available_accounts=plain(access.available_accounts),
        available_accounts_with_balance=plain(access.available_accounts_with_balance),
        all_psd2=plain(access.all_psd2),
    )


def _references(bodies: list[AccessReferenceBody] | None) -> References | None:
    return None if bodies is None else tuple(dict.fromkeys(body.parsed for body in bodies))


def _all(text: str | None) -> AllAccounts | None:
    return None if text is None else AllAccounts(text)
