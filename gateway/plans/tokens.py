"""A subscriber's token in a request: where it stands, and what is left of the request for the server behind.

Whatever place it has, the server does not get it, and no log does (`gateway.plans.redaction`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gateway.plans.model import TokenLocation

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.plans.model import PlanRule

SEGMENT = "{secret}"


class Bearing(NamedTuple):
    """The parts of a request that can bear a token. `path` is ASCII; `lines` are header lines as they go on."""

    path: str
    query: bytes
    host: bytes
    authorization: bytes | None
    lines: list[bytes]


class TokenThere(NamedTuple):
    """The token, None without one, and the request without it."""

    token: bytes | None
    rest: Bearing


class TwoTokens(ValueError):
    """Two servers could take different ones for the token."""


def taken_out(rule: PlanRule, template: str, bearing: Bearing) -> TokenThere:
    """Return the token that stands where the rule says, and the rest; raises `TwoTokens`."""
    if rule.location is None:
        return TokenThere(None, bearing)
    return _TAKERS[rule.location](rule.name, template, bearing)


def _from_header(name: str, _template: str, bearing: Bearing) -> TokenThere:
    prefix = name.encode("ascii") + b": "
    values = [line[len(prefix) : -2] for line in bearing.lines if line.startswith(prefix)]
    if not values:
        return TokenThere(None, bearing)
    rest = [line for line in bearing.lines if not line.startswith(prefix)]
    return TokenThere(_only(values), bearing._replace(lines=rest))


def _from_query(name: str, _template: str, bearing: Bearing) -> TokenThere:
    if not bearing.query:
        return TokenThere(None, bearing)
    wanted = name.encode("ascii")
    pairs = bearing.query.split(b"&")
    values = [pair.partition(b"=")[2] for pair in pairs if pair.partition(b"=")[0] == wanted]
    if not values:
        return TokenThere(None, bearing)
    rest = b"&".join(pair for pair in pairs if pair.partition(b"=")[0] != wanted)
    return TokenThere(_only(values), bearing._replace(query=rest))


def _from_path(_name: str, template: str, bearing: Bearing) -> TokenThere:
    segments = bearing.path.split("/")
    place = template.split("/").index(SEGMENT)
    token = segments.pop(place)
    return TokenThere(token.encode("ascii"), bearing._replace(path="/".join(segments) or "/"))


def _from_authorization(name: str, _template: str, bearing: Bearing) -> TokenThere:
    scheme, _, credentials = (bearing.authorization or b"").partition(b" ")
    if scheme.lower() != name.lower().encode("ascii"):
        return TokenThere(None, bearing)
    return TokenThere(credentials.strip(b" "), bearing._replace(authorization=None))


def _from_host(name: str, _template: str, bearing: Bearing) -> TokenThere:
    host, colon, port = bearing.host.partition(b":")
    label, dot, domain = host.lower().partition(b".")
    if not dot or domain != name.encode("ascii"):
        return TokenThere(None, bearing)
    return TokenThere(label, bearing._replace(host=domain + colon + port))


def _only(values: list[bytes]) -> bytes:
    if len(values) > 1:
        raise TwoTokens("the token is there twice")
    return values[0]


_TAKERS: dict[TokenLocation, Callable[[str, str, Bearing], TokenThere]] = {
    TokenLocation.HEADER: _from_header,
    TokenLocation.QUERY: _from_query,
    TokenLocation.PATH: _from_path,
    TokenLocation.AUTH: _from_authorization,
    TokenLocation.HOST: _from_host,
}
