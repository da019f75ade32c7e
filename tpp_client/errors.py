"""Every way a TPP's dealings with a bank can go wrong, as one tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psd2.tpp_messages import TppMessage


class TppClientError(Exception):
    """Root of the tree; `str()` is a sentence fit for a person, and holds no secret."""


class IdentityUnusable(TppClientError):
    """A TPP's own files are missing, malformed, or its certificate has run out; the message says what to do."""


class TransportFailed(TppClientError):
    """No HTTP answer came: refused connection, TLS alert, timeout, oversized or broken reply."""


class UnexpectedResponse(TppClientError):
    """An answer that is not what the specification says; the message names the field."""


class AuthorizationRefused(TppClientError):
    """The redirect brought an error instead of a code (RFC 6749 §4.1.2.1), `access_denied` when the PSU said no."""

    def __init__(self, error: str, description: str | None) -> None:
        """Keep the OAuth error code and its description."""
        super().__init__(f"authorization refused: {error}" + (f" ({description})" if description else ""))
        self.error = error


class AuthorizationResponseRejected(TppClientError):
    """The redirect is not the answer to our request: wrong state, wrong issuer (RFC 9207), or no code in it."""


class SignedAnswerRejected(AuthorizationResponseRejected):
    """Something that claims to be signed by the bank, for us, and is not; what it says is not looked at."""

    def __init__(self, why: str) -> None:
        """Say why."""
        super().__init__(f"a signed answer is not believed: {why}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What a server said when it said no.

    `code` is the first tppMessages code, the OAuth `error`, or a problem's `code`; `reason`, `hint` and `clause` are
    what a sandbox adds for developers.
    """

    status: int
    code: str
    text: str
    messages: tuple[TppMessage, ...] = ()
    reason: str | None = None
    hint: str | None = None
    clause: str | None = None

    def __str__(self) -> str:
        """Write status, code and text in one line, then reason and hint where the server gave them."""
        told = (("reason", self.reason), ("clause", self.clause), ("hint:", self.hint))
        extras = [f"{label} {value}" for label, value in told if value]
        return f"{self.status} {self.code}: {self.text}" + (f" [{'; '.join(extras)}]" if extras else "")


class Refused(TppClientError):
    """The server answered, and the answer is no; everything it said is in `refusal`."""

    def __init__(self, refusal: Refusal) -> None:
        """Keep the refusal; it is also the message."""
        super().__init__(str(refusal))
        self.refusal = refusal
