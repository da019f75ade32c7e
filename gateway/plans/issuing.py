"""Makes and removes subscribers' tokens: a token is shown to whoever asked for it, and stored as its hash."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gateway.configuration.changes import Change, NoSuchDocument, Precondition, PreconditionFailed
from gateway.plans.kind import SUBSCRIBERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.configuration.changes import Applied
    from gateway.configuration.service import Configuration

_TOKEN_BYTES: Final = 32
_MOST_TRIES: Final = 5
Entries = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A new token, and the change that made it."""

    token: str
    applied: Applied


class NoSuchToken(LookupError):
    """The subscriber has no token of that id."""


def issue_token(configuration: Configuration, subscriber: str, entry: dict[str, Any]) -> Issued:
    """Add a token to a subscriber, beside those that it has; `entry` holds its `id` and times.

    Raises `NoSuchDocument`, `SetRefused`, `PreconditionFailed` where others change the subscriber all the time.
    """
    token = new_token()
    hashed = entry | {"sha256": hashlib.sha256(token.encode("ascii")).hexdigest()}
    return Issued(token=token, applied=_changed(configuration, subscriber, lambda entries: [*entries, hashed]))


def remove_token(configuration: Configuration, subscriber: str, token_id: str) -> Applied:
    """Remove a token; raises `NoSuchToken`, and what `issue_token` does."""

    def without(entries: Entries) -> Entries:
        rest = [entry for entry in entries if entry.get("id") != token_id]
        if len(rest) == len(entries):
            raise NoSuchToken(f"subscribers/{subscriber} has no token {token_id}")
        return rest

    return _changed(configuration, subscriber, without)


def new_token() -> str:
    """Return 256 random bits that are good in every place: a host's label has 63 characters at most, and no case."""
    return base64.b32encode(secrets.token_bytes(_TOKEN_BYTES)).decode("ascii").rstrip("=").lower()


def _changed(configuration: Configuration, subscriber: str, change: Callable[[Entries], Entries]) -> Applied:
    """Change the tokens of the document that stands; again where somebody else was quicker."""
    failure: PreconditionFailed | None = None
    for _ in range(_MOST_TRIES):
        standing = configuration.version(SUBSCRIBERS.name, subscriber)
        body = dict(standing.document.body)
        body["tokens"] = change(list(body.get("tokens", [])))
        seen = Precondition(etags=frozenset({standing.etag}))
        try:
            (applied,) = configuration.apply([Change(kind=SUBSCRIBERS.name, name=subscriber, body=body, precondition=seen)])
        except PreconditionFailed as error:
            failure = error
        else:
            return applied
    raise failure or NoSuchDocument(f"{SUBSCRIBERS.name}/{subscriber}")
