"""What can be configured: documents, and the kinds that say what they mean. A kind belongs to its area, not to this package."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gateway.configuration.snapshot import Snapshot

NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?")
NAME_EXAMPLE: Final = "lower-case letters, digits, '-', '.' and '_', like xs2a-accounts"

Body = Mapping[str, Any]
"""What a document says: JSON's objects, lists, texts, numbers, booleans and null."""

Model = TypeVar("Model")


@dataclass(frozen=True, slots=True)
class Document:
    """A document as somebody wrote it."""

    kind: str
    name: str
    body: Body

    @property
    def place(self) -> str:
        """Return how it is spoken of: `deployments/xs2a-accounts`."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field and what would be right; `document` (`kind/name`) where it is not the one at hand."""

    field: str
    problem: str
    document: str | None = None


class DocumentRefused(ValueError):
    """A document that can't be used; every fault of it at once."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.field}: {fault.problem}" for fault in self.faults))


@dataclass(frozen=True, slots=True)
class Reference:
    """That `field` of a document names another document, which therefore has to be there.

    `or_kind`: or will be, because one of this kind and the same name brings it about.
    """

    field: str
    kind: str
    name: str
    or_kind: str | None = None


def _no_references(_model: Any) -> Iterable[Reference]:  # noqa: ANN401 - of any kind
    return ()


def _no_conflicts(_snapshot: Snapshot) -> Iterable[Fault]:
    return ()


def _no_description(_model: Any, _snapshot: Snapshot) -> Mapping[str, object]:  # noqa: ANN401 - of any kind
    return {}


def _nothing_untimely(_model: Any, _now: datetime) -> Iterable[Fault]:  # noqa: ANN401 - of any kind
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[Model]):
    """What documents of one kind mean.

    `parse` raises `DocumentRefused`, whose faults never quote a secret. `conflicts` judges a whole set: what no document
    says wrongly by itself; each of its faults names its document. `secrets` are fields never shown again: `key`,
    `tokens[].value`. `built_in` names can be referred to without a document. `untimely` says what must not be written now
    although a document that stands may go on saying it, such as a certificate that has expired. `describe` says what a
    document comes to, for its page in the admin API.
    """

    name: str
    summary: str
    parse: Callable[[Document], Model]
    schema: Callable[[], Mapping[str, Any]]
    references: Callable[[Model], Iterable[Reference]] = _no_references
    conflicts: Callable[[Snapshot], Iterable[Fault]] = _no_conflicts
    describe: Callable[[Model, Snapshot], Mapping[str, object]] = _no_description
    untimely: Callable[[Model, datetime], Iterable[Fault]] = _nothing_untimely
    secrets: frozenset[str] = field(default_factory=frozenset)
    built_in: frozenset[str] = field(default_factory=frozenset)


class UnknownKind(LookupError):
    """No such kind."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"{name} is no kind of document, known are {', '.join(sorted(known))}")


class Kinds:
    """All kinds that this gateway knows; made once, by whoever wires the areas (`gateway.kinds`)."""

    def __init__(self, kinds: Iterable[Kind[Any]]) -> None:
        listed = list(kinds)
        self._kinds = {kind.name: kind for kind in listed}
        if len(self._kinds) != len(listed):
            raise ValueError("two kinds have the same name: one of them would never be asked")

    def __iter__(self) -> Iterator[Kind[Any]]:
        """Give every kind."""
        return iter(self._kinds.values())

    def __contains__(self, name: object) -> bool:
        return name in self._kinds

    def __getitem__(self, name: str) -> Kind[Any]:
        """Return the kind; raises `UnknownKind`."""
        if name not in self._kinds:
            raise UnknownKind(name, self._kinds)
        return self._kinds[name]
