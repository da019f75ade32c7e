"""One successful call of each operation of the Berlin Group's YAMLs, with what has to come before it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from bank_backend.references import luhn_digit
from tests.support.bank_accounts import book_movements, open_card
from tests.support.bank_core import ANNA, TENANT
from tests.support.bank_payments import TODAY, Till
from tests.support.bank_sca import CONSENTS, FUNDS, PAYMENTS, Tpp, consent_body, payment_body

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from werkzeug.test import TestResponse

    from tests.support.bank_sca import BankDesk

_CONFIRMATIONS, _BASKETS = "/v1/funds-confirmations", "/v1/signing-baskets"


def _reader(desk: BankDesk) -> tuple[Tpp, dict[str, str], str]:
    """Return a TPP with a token, its Consent-ID header, and the path of the first account it may see."""
    consent = desk.approved_consent()
    headers = {"Consent_ID": consent}
    tpp = desk.reader(consent)
    (first, *_) = tpp.get("/v1/accounts", **headers).json["accounts"]  # type: ignore[index]
    return tpp, headers, f"/v1/accounts/{first['resourceId']}"


def _accounts(desk: BankDesk) -> TestResponse:
    tpp, headers, _ = _reader(desk)
    return tpp.get("/v1/accounts?withBalance=true", **headers)


def _account(desk: BankDesk, suffix: str) -> TestResponse:
    tpp, headers, path = _reader(desk)
    return tpp.get(path + suffix, **headers)


def _transaction(desk: BankDesk) -> TestResponse:
    tpp, headers, path = _reader(desk)
    report: Any = tpp.get(f"{path}/transactions?bookingStatus=booked&dateFrom=2025-11-01", **headers).json
    return tpp.get(report["transactions"]["booked"][0]["_links"]["transactionDetails"]["href"], **headers)


def _card_account(desk: BankDesk, suffix: str | None) -> TestResponse:
    digits = f"99994200000{len(desk.bank.services.accounts.accounts_of(TENANT, ANNA)):04d}"
    card = open_card(desk.bank, pan=digits + luhn_digit(digits))
    book_movements(desk.bank, card, [-1_000], day=date(2026, 11, 17))
    consent = desk.approved_consent(access={"allPsd2": "allAccountsWithOwnerName"})
    path = "/v1/card-accounts" if suffix is None else f"/v1/card-accounts/{card.id}{suffix}"
    return desk.reader(consent).get(path, Consent_ID=consent)


def _started(desk: BankDesk, path: str) -> str:
    """Start an authorisation; return its path."""
    return desk.tpp.post(f"{path}/authorisations", {}).headers["Location"]


def _of_consent(desk: BankDesk, *, named: bool = False) -> str:
    # Where the TPP carries password and code, the bank has no page on which accounts could be chosen.
    access = {"access": {"balances": [{"iban": desk.iban()}]}} if named else {}
    return f"{CONSENTS}/{desk.consent(**access)}"


def _of_payment(desk: BankDesk) -> str:
    return f"{PAYMENTS}/{desk.payment()}"


def _cancellations(desk: BankDesk) -> str:
    """Have a payment of tomorrow approved and its cancellation asked for; return where that is authorised."""
    till = Till(desk)
    path = till.single(requestedExecutionDate=(TODAY + timedelta(days=1)).isoformat())
    till.approve(path)
    desk.tpp.delete(path)
    return f"{path}/cancellation-authorisations"


def _of_funds(desk: BankDesk) -> str:
    return f"{FUNDS}/{desk.funds_consent()}"


def _psu_data(desk: BankDesk, authorisations: str) -> TestResponse:
    """Have the TPP carry the PSU's password: the bank embeds for a moment, whatever else it does."""
    personalities = desk.bank.services.personalities
    personalities.choose(TENANT, "embedded")
    started = desk.tpp.post(authorisations, {}, PSU_ID=ANNA).headers["Location"]
    answer = desk.tpp.call("PUT", started, {"psuData": {"password": desk.password}}, PSU_ID=ANNA)
    personalities.choose(TENANT, "standard")
    return answer


def _of_basket(desk: BankDesk) -> str:
    return desk.tpp.post(_BASKETS, {"paymentIds": [desk.payment(), desk.payment()]}).headers["Location"]


def _confirmation(desk: BankDesk) -> TestResponse:
    consent = desk.funds_consent()
    desk.decide(desk.begin("piis", consent))
    tpp = Tpp(desk.app.test_client(), scope=f"PIIS:{consent}", subject=ANNA)
    question = {"account": {"iban": desk.iban()}, "instructedAmount": {"currency": "EUR", "amount": "5.00"}}
    return tpp.post(_CONFIRMATIONS, question, Consent_ID=consent)


DRIVES: Mapping[str, Callable[[BankDesk], TestResponse]] = {
    "createConsent": lambda desk: desk.tpp.post(CONSENTS, consent_body()),
    "getConsentInformation": lambda desk: desk.tpp.get(_of_consent(desk)),
    "deleteConsent": lambda desk: desk.tpp.delete(_of_consent(desk)),
    "getConsentStatus": lambda desk: desk.tpp.get(f"{_of_consent(desk)}/status"),
    "startConsentAuthorisation": lambda desk: desk.tpp.post(f"{_of_consent(desk)}/authorisations", {}),
    "getConsentAuthorisation": lambda desk: desk.tpp.get(f"{_of_consent(desk)}/authorisations"),
    "getConsentScaStatus": lambda desk: desk.tpp.get(_started(desk, _of_consent(desk))),
    "initiatePayment": lambda desk: desk.tpp.post(PAYMENTS, payment_body(desk.iban())),
    "getPaymentInformation": lambda desk: desk.tpp.get(_of_payment(desk)),
    "getPaymentInitiationStatus": lambda desk: desk.tpp.get(f"{_of_payment(desk)}/status"),
    "startPaymentAuthorisation": lambda desk: desk.tpp.post(f"{_of_payment(desk)}/authorisations", {}),
    "getPaymentInitiationAuthorisation": lambda desk: desk.tpp.get(f"{_of_payment(desk)}/authorisations"),
    "getPaymentInitiationScaStatus": lambda desk: desk.tpp.get(_started(desk, _of_payment(desk))),
    "cancelPayment": lambda desk: desk.tpp.delete(_of_payment(desk)),
    "startPaymentInitiationCancellationAuthorisation": lambda desk: desk.tpp.post(_cancellations(desk), {}),
    "getPaymentInitiationCancellationAuthorisationInformation": lambda desk: desk.tpp.get(_cancellations(desk)),
    "getPaymentCancellationScaStatus": lambda desk: desk.tpp.get(desk.tpp.post(_cancellations(desk), {}).headers["Location"]),
    "updateConsentsPsuData": lambda desk: _psu_data(desk, f"{_of_consent(desk, named=True)}/authorisations"),
    "updatePaymentPsuData": lambda desk: _psu_data(desk, f"{_of_payment(desk)}/authorisations"),
    "updatePaymentCancellationPsuData": lambda desk: _psu_data(desk, _cancellations(desk)),
    "getAccountList": _accounts,
    "getCardAccountList": lambda desk: _card_account(desk, None),
    "readCardAccountDetails": lambda desk: _card_account(desk, ""),
    "getCardAccountBalances": lambda desk: _card_account(desk, "/balances"),
    "getCardAccountTransactionList": lambda desk: _card_account(desk, "/transactions?bookingStatus=both&dateFrom=2026-11-01"),
    "readAccountDetails": lambda desk: _account(desk, ""),
    "getBalances": lambda desk: _account(desk, "/balances"),
    "getTransactionList": lambda desk: _account(desk, "/transactions?bookingStatus=both&dateFrom=2025-11-01"),
    "getTransactionDetails": _transaction,
    "createSigningBasket": lambda desk: desk.tpp.post(_BASKETS, {"paymentIds": [desk.payment(), desk.payment()]}),
    "getSigningBasket": lambda desk: desk.tpp.get(_of_basket(desk)),
    "getSigningBasketStatus": lambda desk: desk.tpp.get(f"{_of_basket(desk)}/status"),
    "deleteSigningBasket": lambda desk: desk.tpp.delete(_of_basket(desk)),
    "startSigningBasketAuthorisation": lambda desk: desk.tpp.post(f"{_of_basket(desk)}/authorisations", {}),
    "getSigningBasketAuthorisation": lambda desk: desk.tpp.get(f"{_of_basket(desk)}/authorisations"),
    "getSigningBasketScaStatus": lambda desk: desk.tpp.get(_started(desk, _of_basket(desk))),
    "updateSigningBasketPsuData": lambda desk: _psu_data(desk, f"{_of_basket(desk)}/authorisations"),
    "checkAvailabilityOfFunds": _confirmation,
    "createConsentConfirmationOfFunds": lambda desk: desk.tpp.post(FUNDS, {"account": {"iban": desk.iban()}}),
    "getConsentConfirmationOfFunds": lambda desk: desk.tpp.get(_of_funds(desk)),
    "getConsentConfirmationOfFundsStatus": lambda desk: desk.tpp.get(f"{_of_funds(desk)}/status"),
    "deleteConsentConfirmationOfFunds": lambda desk: desk.tpp.delete(_of_funds(desk)),
}
