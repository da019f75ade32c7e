"""Everything the authorization server can refuse, and the three ways a refusal travels.

As JSON to a TPP (RFC 6749 §5.2), as a redirect to a client whose address has been validated (§4.1.2.1), or as a page to
a browser that must be sent nowhere. `gateway.oauth.answers` renders them, in one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_letters, digits
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.oauth.authorization_response import ReturnAddress

# What RFC 6749 §5.2 lets stand in error_description, without the quote and the backslash.
_SHOWABLE: Final = frozenset(ascii_letters + digits + " !#$%&'()*+,-./:;<=>?@[]^_`{|}~")
_MOST_SHOWN: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a request is refused: `error` and `description` for the client, `reason` for the log.

    `hint` and `clause` are told in sandbox mode. `quoted` is what `description` repeats of the request: the request log leaves
    it out, for nobody knows what it is. `errors` names fields and what is wrong with each, where that is known; `headers` go
    with the answer as JSON. None of them holds a secret.
    """

    error: str
    description: str
    reason: str
    hint: str
    clause: str
    status: int = 400
    quoted: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    errors: tuple[Mapping[str, str], ...] = ()

    @property
    def logged(self) -> str:
        """The description without anything that stood in the request."""
        return self.description.replace(self.quoted, "(what was sent)") if self.quoted else self.description


class Refused(Exception):
    """A request that is refused, in whichever of the ways a refusal travels where it is raised."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.description)
        self.refusal = refusal


class OAuthRefused(Refused):
    """A refusal, told to the TPP as JSON."""


class PageRefused(OAuthRefused):
    """A refusal told to the person at the browser, because there is no address that it may safely be sent to."""


class RedirectRefused(OAuthRefused):
    """A refusal told to the client, at a redirect URI that is registered for it."""

    def __init__(self, refusal: Refusal, *, to: ReturnAddress) -> None:
        super().__init__(refusal)
        self.to = to


def shown(text: str) -> str:
    """Return untrusted text as it may stand in an error_description: cut, and other characters replaced."""
    return showable(text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}...")


def showable(text: str) -> str:
    """Return text with nothing in it that may not stand in an error_description (RFC 6749 §5.2)."""
    in_words = text.replace("§", "section ")
    return "".join(character if character in _SHOWABLE else "?" for character in in_words)


def invalid_request(parameter: str, rule: str, *, clause: str = "RFC 6749 §5.2") -> OAuthRefused:
    """Return the refusal of a parameter that breaks `rule`."""
    return OAuthRefused(
        Refusal(
            error="invalid_request",
            description=f"{parameter}: {rule}",
            reason="oauth.parameter",
            hint=f"correct the parameter {parameter} and send the request again",
            clause=clause,
        )
    )


def invalid_client(description: str, *, reason: str, hint: str, clause: str = "RFC 8705 §2.1.2") -> OAuthRefused:
    """Return the refusal of a client that could not be authenticated."""
    return OAuthRefused(
        Refusal(error="invalid_client", description=description, reason=reason, hint=hint, clause=clause, status=401)
    )


def invalid_grant(description: str, *, reason: str, hint: str, clause: str) -> OAuthRefused:
    """Return the refusal of a code or refresh token."""
    return OAuthRefused(Refusal(error="invalid_grant", description=description, reason=reason, hint=hint, clause=clause))


def invalid_scope(
    description: str, *, reason: str, hint: str, clause: str = "BG IG 1.3.8 §13.1", quoted: str = ""
) -> OAuthRefused:
    """Return the refusal of a scope."""
    return OAuthRefused(
        Refusal(error="invalid_scope", description=description, reason=reason, hint=hint, clause=clause, quoted=quoted)
    )
