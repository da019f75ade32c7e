"""A request as signatures see it, in the form in which the library reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_DEFAULT_PORT: Final = ":443"


@dataclass(frozen=True, slots=True)
class Fields:
    """Field lines, each by itself and in their order."""

    lines: Sequence[tuple[str, str]]

    def items(self) -> Iterable[tuple[str, str]]:
        """Return them."""
        return self.lines


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestMessage:
    """A request as it came: `url` is its @target-uri, names of `lines` are in lower case, `body` is whole."""

    method: str
    url: str
    lines: Sequence[tuple[str, str]]
    body: bytes = field(default=b"", repr=False)

    @property
    def headers(self) -> Fields:
        """The field lines."""
        return Fields(self.lines)


def target_uri(host: str, path: str, query: bytes) -> str:
    """Return the @target-uri of a request that came over TLS (RFC 9421 §2.2.2, RFC 9110 §4.2.3, §7.1)."""
    authority = host.lower().removesuffix(_DEFAULT_PORT)
    return f"https://{authority}{path}" + (f"?{query.decode('latin-1')}" if query else "")
