"""A refusal: raised by a check, rendered in one place (`gateway.admission.rendering`)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.admission.grounds import GROUNDS

if TYPE_CHECKING:
    from psd2.tpp_messages import MessageCode


class Scheme(StrEnum):
    """How an access token comes (RFC 9110 §11.4): as a bearer's (RFC 6750), or with a proof (RFC 9449)."""

    BEARER = "Bearer"
    DPOP = "DPoP"


class Refusal(Exception):
    """A request does not pass. `public_text` and `hint` are for the wire, `private_detail` for the log; none is secret."""

    def __init__(
        self,
        reason: str,
        private_detail: str = "",
        *,
        public_text: str | None = None,
        hint: str | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        scheme: Scheme = Scheme.BEARER,
    ) -> None:
        """Refuse on a ground of `grounds.toml`; `headers` go into the answer (Allow), `scheme` into its challenge."""
        super().__init__(private_detail or reason)
        self.ground = GROUNDS[reason]
        self.private_detail = private_detail
        self.public_text = public_text or self.ground.text
        self.hint = hint or self.ground.hint
        self.headers = headers
        self.scheme = scheme

    @property
    def reason(self) -> str:
        """The stable, dotted name."""
        return self.ground.reason

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.ground.status

    @property
    def code(self) -> MessageCode:
        """Berlin Group's message code."""
        return self.ground.code
