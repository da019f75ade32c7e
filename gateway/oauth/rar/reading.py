"""Reads `authorization_details`, strictly: RFC 8259 JSON, one entry, a known type, no field without a meaning (RFC 9396 §2)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NoReturn

from pydantic import ValidationError

from gateway.oauth.rar.bodies import (
    AccountInformationBody,
    DetailBody,
    FundsConfirmationBody,
    NamedBody,
    PaymentInitiationBody,
)
from gateway.oauth.rar.model import AuthorizationDetail, DetailType
from gateway.oauth.rar.refusals import invalid_details
from gateway.oauth.refusals import shown
from gateway.oauth.shapes import rule_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

MOST_CHARACTERS: Final = 8192
_MOST_FAULTS: Final = 5
_BODIES: Final[dict[DetailType, type[DetailBody]]] = {
    DetailType.ACCOUNT_INFORMATION: AccountInformationBody,
    DetailType.PAYMENT_INITIATION: PaymentInitiationBody,
    DetailType.FUNDS_CONFIRMATION: FundsConfirmationBody,
}
_ACTIONS: Final = {
    DetailType.ACCOUNT_INFORMATION: {
        "list_accounts": "accounts",
        "read_balances": "balances",
        "read_transactions": "transactions",
    },
    DetailType.PAYMENT_INITIATION: {"initiate": "", "status": "", "cancel": ""},
    DetailType.FUNDS_CONFIRMATION: {"confirm_funds": ""},
}


def read_details(text: str) -> AuthorizationDetail:
    """Return the one entry; raises `OAuthRefused` (invalid_authorization_details) that names the place and the rule."""
    return read_entry(only_entry(text))


def read_entry(entry: dict[str, Any]) -> AuthorizationDetail:
    """Return an entry that has been parsed already; raises `OAuthRefused`."""
    type_ = type_of(entry)
    model = NamedBody if "identifier" in entry else _BODIES[type_]
    try:
        body = model.model_validate(entry)
    except ValidationError as error:
        refuse_faults(error)
    _require_own_words(type_, body)
    return AuthorizationDetail(type_, entry)


def only_entry(text: str) -> dict[str, Any]:
    """Return the object in the array, of which there is one; raises `OAuthRefused`."""
    document = _parsed(text)
    if not isinstance(document, list):
        raise invalid_details("$", "is no array: write [ { ... } ]", clause="RFC 9396 §2")
    if len(document) != 1:
        # Each entry is a consent or payment of its own, which the PSU authorises on its own (docs/divergences.md).
        raise invalid_details("$", f"holds {len(document)} entries: ask for one in each request")
    entry = document[0]
    if not isinstance(entry, dict):
        raise invalid_details("$[0]", "is no object", clause="RFC 9396 §2")
    return entry


def _parsed(text: str) -> object:
    if len(text) > MOST_CHARACTERS:
        raise invalid_details("$", f"has {len(text)} characters, at most {MOST_CHARACTERS} are read")
    try:
        return json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise invalid_details("$", "is no JSON", clause="RFC 9396 §2") from error


def _distinct(members: list[tuple[str, Any]]) -> dict[str, Any]:
    # The last of two would win silently; whoever logged or signed the request may have read the first.
    read = dict(members)
    if len(read) != len(members):
        names = [name for name, _ in members]
        twice = next(name for name in names if names.count(name) > 1)
        raise invalid_details("$", f"names {shown(twice)} twice in one object", clause="RFC 8259 §4", quoted=shown(twice))
    return read


def _no_constant(name: str) -> NoReturn:
    msg = f"{name} is no JSON"
    raise ValueError(msg)


def type_of(entry: dict[str, Any]) -> DetailType:
    """Return what an entry is about; raises `OAuthRefused`."""
    name = entry.get("type")
    if not isinstance(name, str):
        raise invalid_details("$[0].type", "is missing, or is no text", clause="RFC 9396 §2")
    try:
        return DetailType(name)
    except ValueError:
        rule = f"is {shown(name)}, which is none of {', '.join(DetailType)}"
        hint = "see authorization_details_types_supported in /.well-known/oauth-authorization-server"
        raise invalid_details("$[0].type", rule, hint=hint, quoted=shown(name)) from None


def refuse_faults(error: ValidationError) -> NoReturn:
    """Raise `OAuthRefused` with the first faults, each with its place."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)[:_MOST_FAULTS]
    first, *others = [(_path(fault["loc"]), _rule(fault)) for fault in faults]
    more = "".join(f"; {path} {rule}" for path, rule in others)
    raise invalid_details(first[0], f"{first[1]}{more}") from None


def _path(location: Sequence[int | str]) -> str:
    # The name of an unknown field is the sender's: it is shown like anything else that came from outside.
    parts = (f"[{part}]" if isinstance(part, int) else f".{shown(part)[:60]}" for part in location)
    return f"$[0]{''.join(parts)}"


def _rule(fault: ErrorDetails) -> str:
    return shown(rule_of(fault).replace('"', "'"))


def _require_own_words(type_: DetailType, body: DetailBody) -> None:
    """Raise for an action or kind of data that the type does not have, or that contradicts what the entry asks for."""
    meant = body.access.datatypes if isinstance(body, AccountInformationBody) else None
    actions = _ACTIONS[type_]
    require_known("actions", body.actions, set(actions))
    require_known("datatypes", body.datatypes, set(actions.values()) - {""})
    if meant is None:
        return
    _require_same("actions", body.actions, {name for name, data in actions.items() if data in meant})
    _require_same("datatypes", body.datatypes, set(meant))


def require_known(field: str, words: list[str] | None, known: set[str]) -> None:
    """Raise `OAuthRefused` for a word that means nothing here."""
    for place, word in enumerate(words or ()):
        if word not in known:
            offered = f"none of {', '.join(sorted(known))}" if known else "nothing that this type has: leave the field out"
            raise invalid_details(f"$[0].{field}[{place}]", f"is {offered}")


def _require_same(field: str, words: list[str] | None, meant: set[str]) -> None:
    if words is not None and set(words) != meant:
        rule = f"says something else than access, which asks for {', '.join(sorted(meant))}: make them agree, or leave it out"
        raise invalid_details(f"$[0].{field}", rule)
