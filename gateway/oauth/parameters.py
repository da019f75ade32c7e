"""Reads OAuth parameters from a query or a form body, strictly: one source, no repeats, limits on everything.

RFC 6749 §3.1 and §3.2; Appendix A for the characters that a value may hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from gateway.oauth.refusals import invalid_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_BYTES: Final = 16 * 1024
MOST_PARAMETERS: Final = 40
MOST_VALUE_CHARACTERS: Final = 2048
# Longer than others, by their nature.
WIDE: Final = MappingProxyType({"authorization_details": 8192, "request": 12_288})
# Those whose reader says which characters they may hold: JSON, where names of people and firms need more than ASCII has
# (RFC 8259 §8.1), and words for a PSU, which are refused by an error of their own (CIBA Core §13).
_ANY_TEXT: Final = frozenset({"authorization_details", "binding_message"})
_VALUE = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of one request. A value that came empty counts as absent (RFC 6749 §3.1)."""

    values: Mapping[str, str]
    repeated: frozenset[str] = field(default_factory=frozenset)

    def get(self, name: str) -> str | None:
        """Return the value, or None."""
        return self.values.get(name)

    def require(self, name: str, rule: str = "is missing") -> str:
        """Return the value; raises `OAuthRefused` (invalid_request) where it is absent."""
        value = self.values.get(name)
        if value is None:
            raise invalid_request(name, rule)
        return value

    def require_single(self, names: Iterable[str] | None = None) -> None:
        """Raise `OAuthRefused` where one of `names`, or any parameter at all, came more than once."""
        repeated = self.repeated if names is None else self.repeated & frozenset(names)
        if repeated:
            raise invalid_request(min(repeated), "is given more than once", clause="RFC 6749 §3.1")


def parse_parameters(text: bytes, *, known: frozenset[str]) -> Parameters:
    """Read an `application/x-www-form-urlencoded` text; parameters not `known` are ignored; raises `OAuthRefused`."""
    values: dict[str, str] = {}
    repeated: set[str] = set()
    for name, value in _pairs(text):
        if name not in known or not value:
            continue
        if name in values:
            repeated.add(name)
            continue
        _require_plain(name, value)
        values[name] = value
    return Parameters(MappingProxyType(values), frozenset(repeated))


def readable_parameters(values: Mapping[str, str]) -> Parameters:
    """Return parameters that came in another form, within the same limits; raises `OAuthRefused`."""
    present = {name: value for name, value in values.items() if value}
    for name, value in present.items():
        _require_plain(name, value)
    return Parameters(MappingProxyType(present))


def _pairs(text: bytes) -> list[tuple[str, str]]:
    if len(text) > MOST_BYTES:
        raise invalid_request("parameters", f"have {len(text)} bytes together, at most {MOST_BYTES} are read")
    try:
        return parse_qsl(text.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except UnicodeError as error:
        raise invalid_request("parameters", "are not UTF-8, percent-encoded (application/x-www-form-urlencoded)") from error
    except ValueError as error:
        raise invalid_request("parameters", f"are more than the {MOST_PARAMETERS} that are read") from error


def _require_plain(name: str, value: str) -> None:
    most = WIDE.get(name, MOST_VALUE_CHARACTERS)
    if len(value) > most:
        raise invalid_request(name, f"has {len(value)} characters, at most {most} are read")
    if name not in _ANY_TEXT and not _VALUE.fullmatch(value):
        raise invalid_request(name, "holds a character other than printable ASCII", clause="RFC 6749 Appendix A")
