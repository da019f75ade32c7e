"""What only a sandbox has: be the PSU without a browser, read the PSU's inbox, see who can log in (`/sandbox/v1`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlencode

from psd2.ids import AccountId
from tpp_client.documents import Document, document_of
from tpp_client.refusals import require_status

if TYPE_CHECKING:
    from tpp_client.wire import HttpResponse
    from tpp_client.xs2a import Xs2a


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaAccount:
    """An account of a persona."""

    account_id: AccountId
    iban: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """A PSU of our own tenant, with its payment accounts and the password its bank would never tell a TPP."""

    psu: str
    name: str
    accounts: tuple[PersonaAccount, ...]
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxMessage:
    """A message to a PSU, such as a one-time password."""

    channel: str
    subject: str
    text: str = field(repr=False)


def bank_app_url(front: str, authorisation_number: str) -> str:
    """Return where the PSUs of a TPP's own tenant sign in to their bank app, in a browser."""
    return f"{front}/psu/app/at/{quote(authorisation_number, safe='')}"


def psu_interaction_request(
    xs2a: Xs2a,
    *,
    url: str,
    psu: str,
    result: Literal["APPROVED", "REJECTED"] = "APPROVED",
    accounts: tuple[str, ...] | None = None,
) -> HttpResponse:
    """Be the PSU at an authorization URL; `accounts` (ids or IBANs) chooses some, None takes what the bank offers."""
    content: dict[str, object] = {"url": url, "psu": psu, "result": result}
    return xs2a.post("/sandbox/v1/psu-interactions", content | ({"accounts": list(accounts)} if accounts is not None else {}))


def process_psu_interaction_response(response: HttpResponse) -> str:
    """Return the redirect that the PSU's browser would follow back to the TPP."""
    require_status(response, HTTPStatus.OK)
    return document_of(response).text("redirect")


def process_app_decision_response(response: HttpResponse) -> str:
    """Return the SCA status after a PSU's decision in its bank's app, whose `url` was an authorisation's address."""
    require_status(response, HTTPStatus.OK)
    return document_of(response).text("scaStatus")


def inbox_request(xs2a: Xs2a, *, psu: str) -> HttpResponse:
    """Ask for a PSU's messages."""
    return xs2a.get(f"/sandbox/v1/inbox?{urlencode({'psu': psu})}")


def process_inbox_response(response: HttpResponse) -> tuple[InboxMessage, ...]:
    """Judge the messages, newest first."""
    require_status(response, HTTPStatus.OK)
    return tuple(
        InboxMessage(channel=entry.text("channel"), subject=entry.text("subject"), text=entry.text("text"))
        for entry in document_of(response).children("messages")
    )


def data_request(xs2a: Xs2a) -> HttpResponse:
    """Ask who can log in, and which accounts they hold."""
    return xs2a.get("/sandbox/v1/data")


def process_data_response(response: HttpResponse) -> tuple[Persona, ...]:
    """Judge the personas."""
    require_status(response, HTTPStatus.OK)
    return tuple(_persona(entry) for entry in document_of(response).children("personas"))


def _persona(entry: Document) -> Persona:
    return Persona(
        psu=entry.text("psu"),
        name=entry.text("name"),
        password=entry.text("password"),
        # A card account has no IBAN: nothing is paid from it or to it.
        accounts=tuple(_account(account) for account in entry.children("accounts") if account.optional_text("iban")),
    )


def _account(entry: Document) -> PersonaAccount:
    return PersonaAccount(account_id=AccountId(entry.text("id")), iban=entry.text("iban"), currency=entry.text("currency"))
