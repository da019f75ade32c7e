"""Accounts, balances and transactions as they are answered (BG IG 1.3.8 §6.5, §14.19 to §14.24)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bank_backend.openapi.shapes.base import AccountReference, Amount, Currency, Day, Links, Moment, Shape

BalanceType = Literal[
    "closingBooked", "expected", "openingBooked", "interimAvailable", "interimBooked", "forwardAvailable", "nonInvoiced"
]


class Balance(Shape):
    """`balance`."""

    balance_amount: Amount
    balance_type: BalanceType
    credit_limit_included: bool | None = None
    last_change_date_time: Moment | None = None
    reference_date: Day | None = None
    last_committed_transaction: str | None = Field(None, max_length=35)


class Account(Shape):
    """`accountDetails`."""

    resource_id: str
    iban: str | None = None
    bban: str | None = None
    msisdn: str | None = None
    currency: Currency
    owner_name: str | None = Field(None, max_length=140)
    name: str | None = Field(None, max_length=70)
    display_name: str | None = Field(None, max_length=70)
    product: str | None = Field(None, max_length=35)
    cash_account_type: str | None = None
    status: Literal["enabled", "deleted", "blocked"] | None = None
    bic: str | None = None
    linked_accounts: str | None = Field(None, max_length=70)
    usage: Literal["PRIV", "ORGA"] | None = None
    details: str | None = Field(None, max_length=500)
    balances: list[Balance] | None = None
    links: Links | None = Field(None, alias="_links")


class Accounts(Shape):
    """The accounts that the consent covers."""

    accounts: list[Account]


class AccountDetails(Shape):
    """One account."""

    account: Account


class AccountBalances(Shape):
    """An account's balances."""

    account: AccountReference
    balances: list[Balance]


class ExchangeRate(Shape):
    """`reportExchangeRate`."""

    source_currency: Currency
    exchange_rate: str
    unit_currency: Currency
    target_currency: Currency
    quotation_date: Day
    contract_identification: str | None = Field(None, max_length=35)


class StructuredReference(Shape):
    """`remittanceInformationStructured`."""

    reference: str = Field(max_length=35)
    reference_type: str | None = Field(None, max_length=35)
    reference_issuer: str | None = Field(None, max_length=35)


class StandingOrderDetails(Shape):
    """`standingOrderDetails`."""

    start_date: Day
    end_date: Day | None = None
    execution_rule: Literal["following", "preceding"] | None = None
    within_a_month_flag: bool | None = None
    frequency: str
    months_of_execution: list[str] | None = None
    multiplicator: int | None = None
    day_of_execution: str | None = None
    limit_amount: Amount | None = None


class StructuredInformation(Shape):
    """`additionalInformationStructured`."""

    standing_order_details: StandingOrderDetails


class EntryDetail(Shape):
    """`EntryDetailsElement`: one payment of a batch that was booked in one sum."""

    end_to_end_id: str | None = Field(None, max_length=35)
    transaction_amount: Amount
    currency_exchange: list[ExchangeRate] | None = None
    creditor_name: str | None = Field(None, max_length=70)
    creditor_account: AccountReference | None = None
    creditor_agent: str | None = None
    ultimate_creditor: str | None = Field(None, max_length=70)
    ultimate_debtor: str | None = Field(None, max_length=70)
    remittance_information_unstructured: str | None = Field(None, max_length=140)
    remittance_information_structured: StructuredReference | None = None
    purpose_code: str | None = Field(None, max_length=4)


class Transaction(Shape):
    """`transactions`: one movement, or one standing order."""

    transaction_id: str | None = None
    entry_reference: str | None = Field(None, max_length=35)
    end_to_end_id: str | None = Field(None, max_length=35)
    batch_indicator: bool | None = None
    batch_number_of_transactions: int | None = None
    mandate_id: str | None = Field(None, max_length=35)
    creditor_id: str | None = Field(None, max_length=35)
    booking_date: Day | None = None
    value_date: Day | None = None
    transaction_amount: Amount
    currency_exchange: list[ExchangeRate] | None = None
    creditor_name: str | None = Field(None, max_length=70)
    creditor_account: AccountReference | None = None
    creditor_agent: str | None = None
    ultimate_creditor: str | None = Field(None, max_length=70)
    debtor_name: str | None = Field(None, max_length=70)
    debtor_account: AccountReference | None = None
    debtor_agent: str | None = None
    ultimate_debtor: str | None = Field(None, max_length=70)
    remittance_information_unstructured: str | None = Field(None, max_length=140)
    remittance_information_unstructured_array: list[str] | None = None
    remittance_information_structured: str | None = Field(None, max_length=140)
    remittance_information_structured_array: list[StructuredReference] | None = None
    entry_details: list[EntryDetail] | None = None
    additional_information: str | None = Field(None, max_length=500)
    additional_information_structured: StructuredInformation | None = None
    purpose_code: str | None = Field(None, max_length=4)
    bank_transaction_code: str | None = None
    proprietary_bank_transaction_code: str | None = Field(None, max_length=35)
    balance_after_transaction: Balance | None = None
    links: Links | None = Field(None, alias="_links")


class Report(Shape):
    """`accountReport`: only the parts that were asked for."""

    booked: list[Transaction] | None = None
    pending: list[Transaction] | None = None
    information: list[Transaction] | None = None
    links: Links = Field(alias="_links")


class Transactions(Shape):
    """A page of an account's transactions, or the link to download them all."""

    account: AccountReference | None = None
    transactions: Report | None = None
    balances: list[Balance] | None = None
    links: Links | None = Field(None, alias="_links")


class TransactionDetails(Shape):
    """One transaction."""

    transactions_details: Transaction


class CardAccount(Shape):
    """`cardAccountDetails`."""

    resource_id: str
    masked_pan: str
    currency: Currency
    owner_name: str | None = Field(None, max_length=140)
    name: str | None = Field(None, max_length=70)
    display_name: str | None = Field(None, max_length=70)
    product: str | None = Field(None, max_length=35)
    debit_accounting: bool | None = None
    status: Literal["enabled", "deleted", "blocked"] | None = None
    usage: Literal["PRIV", "ORGA"] | None = None
    details: str | None = Field(None, max_length=1000)
    credit_limit: Amount | None = None
    balances: list[Balance] | None = None
    links: Links | None = Field(None, alias="_links")


class CardAccounts(Shape):
    """The card accounts that the consent covers."""

    card_accounts: list[CardAccount]


class CardAccountDetails(Shape):
    """One card account."""

    card_account: CardAccount


class CardAccountBalances(Shape):
    """A card account's balances."""

    card_account: AccountReference | None = None
    debit_accounting: bool | None = None
    balances: list[Balance]


class CardAcceptorAddress(Shape):
    """`address`."""

    street_name: str | None = None
    building_number: str | None = None
    town_name: str | None = None
    post_code: str | None = None
    country: str


class CardTransaction(Shape):
    """`cardTransaction`."""

    card_transaction_id: str | None = Field(None, max_length=35)
    terminal_id: str | None = None
    transaction_date: Day | None = None
    acceptor_transaction_date_time: Moment | None = None
    booking_date: Day | None = None
    value_date: Day | None = None
    transaction_amount: Amount
    grand_total_amount: Amount | None = None
    currency_exchange: list[ExchangeRate] | None = None
    original_amount: Amount | None = None
    markup_fee: Amount | None = None
    markup_fee_percentage: str | None = None
    card_acceptor_id: str | None = Field(None, max_length=35)
    card_acceptor_address: CardAcceptorAddress | None = None
    card_acceptor_phone: str | None = None
    merchant_category_code: str | None = None
    masked_pan: str | None = Field(None, alias="maskedPAN")
    transaction_details: str | None = Field(None, max_length=1000)
    invoiced: bool | None = None
    proprietary_bank_transaction_code: str | None = Field(None, max_length=35)


class CardReport(Shape):
    """`cardAccountReport`: only the parts that were asked for."""

    booked: list[CardTransaction] | None = None
    pending: list[CardTransaction] | None = None
    links: Links = Field(alias="_links")


class CardTransactions(Shape):
    """A page of a card account's transactions, or the link to download them all."""

    card_account: AccountReference | None = None
    debit_accounting: bool | None = None
    card_transactions: CardReport | None = None
    balances: list[Balance] | None = None
    links: Links | None = Field(None, alias="_links")
