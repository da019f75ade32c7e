"""Versions of documents, as they are stored: each change of a document makes the next one, a deletion too."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import orjson

from gateway.configuration.model import NAME, NAME_EXAMPLE, Document, DocumentRefused, Fault

if TYPE_CHECKING:
    from gateway.configuration.model import Body

MOST_BYTES: Final = 1024 * 1024
MOST_DEPTH: Final = 24
MOST_DOCUMENTS: Final = 10_000
SEALED: Final = "sealed:"


class Origin(StrEnum):
    """Who wrote a version: the gateway's package, the operator's files at start, or an operator by the admin API."""

    SEED = "seed"
    FILE = "file"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a document; `text` is its body as canonical JSON, empty where this version is the deletion."""

    kind: str
    name: str
    number: int
    text: str
    origin: Origin
    actor: str
    at: float

    @property
    def place(self) -> str:
        """Return which document: `deployments/xs2a-accounts`."""
        return f"{self.kind}/{self.name}"

    @property
    def is_deletion(self) -> bool:
        """Whether the document was deleted."""
        return not self.text

    @property
    def etag(self) -> str:
        """Return the strong entity tag (RFC 9110 §8.8.3), with its quotes; no two versions of a name share one."""
        return f'"{self.number}-{hashlib.sha256(self.text.encode()).hexdigest()[:16]}"'

    @property
    def document(self) -> Document:
        """Return the document; raises `DocumentRefused` where somebody has put something else into the database."""
        if self.text.startswith(SEALED):
            raise DocumentRefused([Fault("document", "is sealed with another key than the gateway's: bring back the key file")])
        try:
            body = orjson.loads(self.text)
        except orjson.JSONDecodeError as error:
            raise DocumentRefused([Fault("document", f"is stored as something that is no JSON: {error}")]) from error
        if not isinstance(body, dict):
            raise DocumentRefused([Fault("document", "is stored as something that is no JSON object")])
        return Document(self.kind, self.name, body)


def canonical(body: Body) -> str:
    """Return the body as the one text that stands for it; raises `DocumentRefused` for what JSON can't say."""
    require_shallow(body)
    _require_finite(body)
    try:
        text = orjson.dumps(body, option=orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME)
    except orjson.JSONEncodeError as error:
        raise DocumentRefused([Fault("document", f"holds what JSON can't say: {error}")]) from error
    if len(text) > MOST_BYTES:
        raise DocumentRefused([Fault("document", f"has {len(text)} bytes: at most {MOST_BYTES} are taken")])
    return text.decode()


def require_name(name: str) -> None:
    """Raise `DocumentRefused` for what no document can be called."""
    if not NAME.fullmatch(name):
        raise DocumentRefused([Fault("name", f"{name[:120]!r} is no name: write {NAME_EXAMPLE}")])


def require_shallow(value: Any, *, levels: int = MOST_DEPTH) -> None:  # noqa: ANN401 - any JSON value
    """Raise `DocumentRefused` for what is nested too deep to be walked through."""
    if levels == 0:
        raise DocumentRefused([Fault("document", f"is nested deeper than {MOST_DEPTH} levels")])
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        require_shallow(each, levels=levels - 1)


def _require_finite(value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Raise `DocumentRefused` for NaN and infinities: as JSON they would be null, and what a rule says not there."""
    if isinstance(value, float) and not math.isfinite(value):
        raise DocumentRefused([Fault("document", f"holds the number {value}, which JSON can't say")])
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        _require_finite(each)
