"""The official YAMLs of the Berlin Group as the judge of our answers (XS2A 1.3.11, funds consents 2.0).

Half of the YAML's own examples fail its `oneOf`s, which overlap: the alternative is chosen by what tells them apart. What we do
otherwise on purpose stands in berlin_group.toml, each with its reason.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from tests.support.berlin_group_choices import chosen_schema
from tests.support.openapi_schema import faults, load_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDER = Path(__file__).parents[3] / "shared" / "specs" / "berlin-group"
XS2A = FOLDER / "psd2-api_v1.3.11-2021-10-01v1.yaml"
FUNDS_CONSENTS = FOLDER / "psd2-confirmation-of-funds-consent_2.0_20190607.yaml"
LEAN_PUSH = FOLDER / "psd2-api-lean_push_notifications_20190508.yaml"
ABSENT = f"the Berlin Group's YAMLs are not at {FOLDER}: no answer is judged by them"
_ALLOWANCES = Path(__file__).with_suffix(".toml")
_METHODS = frozenset({"get", "post", "put", "delete"})
_SERVICES = "payments|bulk-payments|periodic-payments"
_UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
# XS2A-COFC 2.0 leaves the sub-resources of its consents to XS2A, whose YAML knows them under /v1/consents.
_SUB_RESOURCES = re.compile("/v2/consents/confirmation-of-funds(/[^/]+/authorisations.*)")


def are_present() -> bool:
    """Whether the specifications lie beside the checkout."""
    return XS2A.exists() and FUNDS_CONSENTS.exists() and LEAN_PUSH.exists()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and its answer. `path` has no query; names of headers are in small letters."""

    method: str
    path: str
    status: int
    asked: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Operation:
    """One of the YAMLs' operations."""

    name: str
    method: str
    template: str
    responses: Mapping[str, Any]
    components: Mapping[str, Any]

    def is_at(self, path: str) -> bool:
        """Whether the path leads here."""
        return self._match(path) is not None

    def parameters(self, path: str) -> Mapping[str, str]:
        """Return the path's parameters."""
        match = self._match(path)
        return match.groupdict() if match else {}

    def _match(self, path: str) -> re.Match[str] | None:
        return _pattern(self.template).fullmatch(_SUB_RESOURCES.sub(r"/v1/consents\1", path))


@dataclass(frozen=True, slots=True)
class Finding:
    """Where an answer is not what the YAML says."""

    operation: str
    status: int
    text: str

    def __str__(self) -> str:
        return f"{self.operation} {self.status} {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """Something that we do otherwise, with the reason; `shape` replaces the schema of the answer."""

    name: str
    divergence: str
    reason: str
    operations: frozenset[str]
    finding: str
    shape: Mapping[str, Any] | None

    def covers(self, finding: Finding) -> bool:
        """Tell whether the finding is the allowed one."""
        return self._concerns(finding.operation) and re.search(self.finding, f"{finding.status} {finding.text}") is not None

    def reshapes(self, operation: str, status: int) -> bool:
        """Tell whether the answer has another schema than the YAML's."""
        return self.shape is not None and self._concerns(operation) and self.finding == str(status)

    def _concerns(self, operation: str) -> bool:
        return not self.operations or operation in self.operations


@cache
def _pattern(template: str) -> re.Pattern[str]:
    pattern = template.replace("{payment-service}", f"(?P<payment_service>{_SERVICES})")
    return re.compile(re.sub(r"\{([A-Za-z]+)-?([a-z]*)\}", r"(?P<\1\2>[^/]+)", pattern))


@cache
def operations() -> tuple[Operation, ...]:
    """Return every operation of the two YAMLs that an ASPSP serves."""
    found = []
    for document in map(load_document, (XS2A, FUNDS_CONSENTS)):
        for template, item in document["paths"].items():
            for method in sorted(_METHODS & item.keys()):
                each = item[method]
                responses = {status: _resolved(answer, document) for status, answer in each["responses"].items()}
                found.append(Operation(each["operationId"], method.upper(), template, responses, document["components"]))
    return tuple(found)


def _resolved(part: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    resolved: Mapping[str, Any] = document["components"][kind][name]
    return resolved


@cache
def allowances() -> tuple[Allowance, ...]:
    """Return what we do otherwise than the YAMLs."""
    return tuple(
        Allowance(
            name=each["name"],
            divergence=each["divergence"],
            reason=each["reason"],
            operations=frozenset(each.get("operations", ())),
            finding=each["finding"],
            shape=each.get("shape"),
        )
        for each in tomllib.loads(_ALLOWANCES.read_text("utf-8"))["allowance"]
    )


def find_operation(method: str, path: str) -> Operation | None:
    """Return the operation at this address, or None."""
    return next((each for each in operations() if each.method == method and each.is_at(path)), None)


@dataclass(slots=True)
class Judge:
    """Judges answers, and remembers what it has seen and which allowances it needed."""

    seen: set[tuple[str, int]] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    def judge(self, exchange: Exchange) -> list[Finding]:
        """Return what is wrong with an answer and not allowed."""
        operation = find_operation(exchange.method, exchange.path)
        if operation is not None:
            self.seen.add((operation.name, exchange.status))
        findings = [*self._findings(operation, exchange)]
        return [finding for finding in findings if not self._is_allowed(finding)]

    def _is_allowed(self, finding: Finding) -> bool:
        covering = {each.name for each in allowances() if each.shape is None and each.covers(finding)}
        self.used |= covering
        return bool(covering)

    def _findings(self, operation: Operation | None, exchange: Exchange) -> Iterator[Finding]:
        if operation is None:
            yield from _elsewhere(exchange)
            return
        response = operation.responses.get(str(exchange.status))
        texts: list[str] = []
        if response is None:
            texts.append(f"is no status of {operation.method} {operation.template}")
        else:
            texts += _header_faults(operation, response, exchange)
            texts += self._body_faults(operation, response, exchange)
        yield from (Finding(operation.name, exchange.status, text) for text in texts)

    def _body_faults(self, operation: Operation, response: Mapping[str, Any], exchange: Exchange) -> list[str]:
        content = response.get("content") or {}
        media_type = exchange.headers.get("content-type", "").partition(";")[0].strip()
        if not content:
            return _undescribed_body_faults(exchange, media_type)
        if media_type not in content:
            return [f"$: {media_type or 'nothing'} is none of {', '.join(content)}"]
        if media_type != "application/json":
            return [] if exchange.body else [f"$: there is no {media_type}"]
        schema = self._shape(operation, exchange.status) or content[media_type]["schema"]
        return _json_faults(operation, schema, exchange)

    def _shape(self, operation: Operation, status: int) -> Mapping[str, Any] | None:
        for each in allowances():
            if each.reshapes(operation.name, status):
                self.used.add(each.name)
                return each.shape
        return None


def _elsewhere(exchange: Exchange) -> Iterator[Finding]:
    """Judge an answer at an address that the YAMLs don't know: only a refusal may come from there."""
    if exchange.status < 400:
        yield Finding("unknown", exchange.status, f"{exchange.method} {exchange.path} is no operation")
    elif not _is_refusal(exchange.body):
        yield Finding("unknown", exchange.status, f"{exchange.method} {exchange.path} refuses without tppMessages")


def _header_faults(operation: Operation, response: Mapping[str, Any], exchange: Exchange) -> Iterator[str]:
    described = {name.lower(): each for name, each in (response.get("headers") or {}).items()}
    sent = exchange.asked.get("x-request-id", "")
    if _UUID.fullmatch(sent) and exchange.headers.get("x-request-id") != sent:
        yield "X-Request-ID: is not the request's"
    # The YAML leaves both optional; the guidelines want them with each new resource (BG IG §5.3.1, §6.3.1.1, §7.1).
    if exchange.status == 201:
        yield from (
            f"{name}: is missing" for name in ("Location", "ASPSP-SCA-Approach") if name.lower() not in exchange.headers
        )
    for name in sorted(described.keys() & exchange.headers.keys()):
        header = _resolved(described[name], {"components": operation.components})
        yield from faults(_typed(exchange.headers[name], header["schema"]), header["schema"], {}, name)


def _typed(text: str, schema: Mapping[str, Any]) -> object:
    return {"true": True, "false": False}.get(text, text) if schema["type"] == "boolean" else text


def _undescribed_body_faults(exchange: Exchange, media_type: str) -> list[str]:
    if exchange.status < 400:
        return ["$: there is a body, and the YAML has none"] if exchange.body else []
    # The YAML says nothing of the bodies of 408, 415, 500 and 503; the guidelines let every refusal speak (§4.13).
    return [] if media_type == "application/json" and _is_refusal(exchange.body) else ["$: the refusal has no tppMessages"]


def _is_refusal(body: bytes) -> bool:
    try:
        (message, *_) = orjson.loads(body)["tppMessages"]
    except (ValueError, KeyError, TypeError):
        return False
    return isinstance(message, dict) and message.get("category") == "ERROR" and {"code", "text"} <= message.keys()


def _json_faults(operation: Operation, schema: Mapping[str, Any], exchange: Exchange) -> list[str]:
    try:
        value = orjson.loads(exchange.body)
    except orjson.JSONDecodeError as error:
        return [f"$: is no JSON: {error}"]
    schemas = operation.components["schemas"]
    if "oneOf" in schema:
        name = chosen_schema(operation.name, operation.parameters(exchange.path), value)
        alternatives = {each["$ref"].rpartition("/")[2] for each in schema["oneOf"]}
        if name not in alternatives:
            return [f"$: nothing chooses between {', '.join(sorted(alternatives))}"]
        schema = schemas[name]
    return faults(value, dict(schema), schemas)
