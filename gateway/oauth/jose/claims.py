"""The claims of a JWT whose signature was found good (RFC 7519 §4); reading one of the wrong kind refuses the message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from gateway.oauth.jose.refusals import JwsRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_SECONDS: Final = 253_402_300_799  # the year 9999


@dataclass(frozen=True, slots=True)
class Claims:
    """What the signer says, and the `kid` and `typ` of the header that it said it under."""

    values: Mapping[str, object]
    kid: str | None = None
    typ: str | None = None

    def text(self, name: str) -> str:
        """Return a text; raises `JwsRefused` where there is none."""
        value = self.values.get(name)
        if not isinstance(value, str) or not value:
            raise claim_refused(name, "must be there, and a text")
        return value

    def moment(self, name: str) -> datetime:
        """Return a NumericDate; raises `JwsRefused` where there is none."""
        value = self.values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST_SECONDS:
            raise claim_refused(name, "must be there, and seconds since 1970 (NumericDate, RFC 7519 §2)")
        return datetime.fromtimestamp(value, UTC)

    def optional_moment(self, name: str) -> datetime | None:
        """Return a NumericDate, None where the claim is absent; raises `JwsRefused`."""
        return self.moment(name) if name in self.values else None

    def audiences(self) -> tuple[str, ...]:
        """Return whom the message is meant for; raises `JwsRefused` unless that is one text or an array of texts."""
        value = self.values.get("aud")
        audiences = value if isinstance(value, list) else [value]
        if not audiences or not all(isinstance(each, str) and each for each in audiences):
            raise claim_refused("aud", "must be there, a text or an array of texts")
        return tuple(audiences)


def claim_refused(name: str, rule: str, *, clause: str = "RFC 7519 §4.1") -> JwsRefused:
    """Return the refusal of a claim that breaks `rule`."""
    return JwsRefused(f"jose.claim.{name}", f"claim {name}: {rule}", hint=f"correct {name} and sign again", clause=clause)
