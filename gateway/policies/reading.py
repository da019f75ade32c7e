"""Reads `deployments.toml`; a fault is reported with the place, what was found and what would be right."""

from __future__ import annotations

import re
import tomllib
from enum import StrEnum
from importlib.resources import files
from typing import TYPE_CHECKING, TypeVar

from gateway.policies.model import Deployments, ErrorStyle, Listener, MutualTls, Route, SignatureRule, TokenRule, Upstream
from psd2.roles import PspRole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_Choice = TypeVar("_Choice", bound=StrEnum)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_TEMPLATE = re.compile(r"/|(?:/(?:[A-Za-z0-9._~-]+|\{[a-z_]+\}))+(?:/\*\*)?|/\*\*")
_SCOPE = re.compile(r"[A-Za-z]{1,20}")
_DEPLOYMENT_KEYS = frozenset({"name", "listener", "upstream", "mtls", "signature", "errors", "route"})
_ROUTE_KEYS = frozenset({"path", "methods", "role", "scope", "token", "max_body_bytes"})
_MOST_BODY_BYTES = 16 * 1024 * 1024


class DeploymentsRefused(ValueError):
    """A deployments file that cannot be used; the message says where and why."""


def read_deployments(path: Path | None) -> Deployments:
    """Read `path`, or the file that comes with the gateway; raises `DeploymentsRefused`."""
    try:
        text = path.read_text("utf-8") if path else (files("gateway.policies") / "deployments.toml").read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"deployments file {path} can't be read: {error}"
        raise DeploymentsRefused(msg) from error
    return parse_deployments(text)


def parse_deployments(text: str) -> Deployments:
    """Parse the TOML text; raises `DeploymentsRefused`."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"deployments are no TOML: {error}"
        raise DeploymentsRefused(msg) from error
    routes = tuple(route for entry, place in _tables(document, "deployment", "") for route in _routes(entry, place))
    if not routes:
        msg = "deployments hold no route: write at least one [[deployment]] with a [[deployment.route]]"
        raise DeploymentsRefused(msg)
    _require_distinct(routes)
    return Deployments(routes)


def _routes(deployment: Mapping[str, object], place: str) -> Iterator[Route]:
    _require_known_keys(deployment, _DEPLOYMENT_KEYS, place)
    name = _text(deployment, "name", place)
    for entry, route_place in _tables(deployment, "route", f"{place} ({name})"):
        _require_known_keys(entry, _ROUTE_KEYS, route_place)
        if "token" in entry and "scope" not in entry:
            msg = f"{route_place}: token is {entry['token']!r} and there is no scope: name the scope that a token must hold"
            raise DeploymentsRefused(msg)
        yield Route(
            deployment=name,
            listener=_choice(deployment, "listener", place, Listener),
            upstream=_choice(deployment, "upstream", place, Upstream),
            template=_matching(entry, "path", route_place, _TEMPLATE, "like /v1/accounts/{account} or /static/**"),
            methods=_methods(entry, route_place),
            mtls=_choice(deployment, "mtls", place, MutualTls),
            role=_choice(entry, "role", route_place, PspRole) if "role" in entry else None,
            token_scope=_matching(entry, "scope", route_place, _SCOPE, "like AIS") if "scope" in entry else None,
            token=_choice(entry, "token", route_place, TokenRule) if "token" in entry else TokenRule.REQUIRED,
            signature=_choice(deployment, "signature", place, SignatureRule)
            if "signature" in deployment
            else SignatureRule.OFF,
            errors=_choice(deployment, "errors", place, ErrorStyle),
            max_body_bytes=_max_body_bytes(entry, route_place),
        )


def _tables(parent: Mapping[str, object], key: str, place: str) -> Iterator[tuple[Mapping[str, object], str]]:
    entries = parent.get(key, [])
    where = f"{place} {key}".strip()
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        msg = f"{where}: tables were expected, write [[{'deployment.' if place else ''}{key}]]"
        raise DeploymentsRefused(msg)
    for number, entry in enumerate(entries, start=1):
        yield entry, f"{where} {number}"


def _text(table: Mapping[str, object], key: str, place: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        msg = f"{place}: {key} is missing or no text: found {value!r}"
        raise DeploymentsRefused(msg)
    return value


def _matching(table: Mapping[str, object], key: str, place: str, pattern: re.Pattern[str], example: str) -> str:
    value = _text(table, key, place)
    if not pattern.fullmatch(value):
        msg = f"{place}: {key} is {value!r}, write it {example}"
        raise DeploymentsRefused(msg)
    return value


def _choice(table: Mapping[str, object], key: str, place: str, choices: type[_Choice]) -> _Choice:
    value = _text(table, key, place)
    try:
        return choices(value)
    except ValueError as error:
        msg = f"{place}: {key} is {value!r}, write one of {', '.join(choices)}"
        raise DeploymentsRefused(msg) from error


def _methods(entry: Mapping[str, object], place: str) -> frozenset[str]:
    value = entry.get("methods")
    if not isinstance(value, list) or not value or not all(isinstance(name, str) and name in _METHODS for name in value):
        msg = f"{place}: methods is {value!r}, write a list of {', '.join(sorted(_METHODS))}"
        raise DeploymentsRefused(msg)
    return frozenset(value)


def _max_body_bytes(entry: Mapping[str, object], place: str) -> int | None:
    value = entry.get("max_body_bytes")
    if value is None:
        return None
    if type(value) is not int or not 0 < value <= _MOST_BODY_BYTES:
        msg = f"{place}: max_body_bytes is {value!r}, write a number up to {_MOST_BODY_BYTES}"
        raise DeploymentsRefused(msg)
    return value


def _require_known_keys(table: Mapping[str, object], known: frozenset[str], place: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        msg = f"{place}: {unknown[0]} is no setting here, known are {', '.join(sorted(known))}"
        raise DeploymentsRefused(msg)


def _require_distinct(routes: tuple[Route, ...]) -> None:
    """Two routes for one method and path would leave it to chance which checks apply."""
    seen: dict[tuple[Listener, str, str], Route] = {}
    for route in routes:
        shape = re.sub(r"\{[a-z_]+\}", "{}", route.template)
        for method in sorted(route.methods):
            first = seen.setdefault((route.listener, shape, method), route)
            if first is not route:
                msg = (
                    f"{method} {route.template} on {route.listener} is there twice: "
                    f"in {first.deployment} as {first.template} and in {route.deployment}"
                )
                raise DeploymentsRefused(msg)
