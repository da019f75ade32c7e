"""Reading JSON answers field by field, so that a wrong answer is an error that names the field."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from psd2.money import InvalidMoney, Money
from tpp_client.errors import UnexpectedResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tpp_client.wire import HttpResponse


class Document:
    """A JSON object that knows where it was found; its fields are read by type."""

    def __init__(self, fields: dict[str, object], where: str) -> None:
        """Wrap `fields`; `where` is said in errors, such as `GET https://… body`."""
        self.fields = fields
        self.where = where

    @staticmethod
    def parse(data: bytes, where: str) -> Document:
        """Read a JSON object; raises `UnexpectedResponse`."""
        try:
            fields = json.loads(data)
        except ValueError as error:
            msg = f"{where} is not JSON: {error}"
            raise UnexpectedResponse(msg) from error
        if not isinstance(fields, dict):
            msg = f"{where} is no JSON object but {_kind(fields)}"
            raise UnexpectedResponse(msg)
        return Document(fields, where)

    def __contains__(self, name: object) -> bool:
        """Tell whether the field is there."""
        return name in self.fields

    def text(self, name: str) -> str:
        """Return a text that must be there and not be empty."""
        value = self.optional_text(name)
        if not value:
            raise self._fault(name, "a text that is not empty", value)
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a text, or None where the field is absent."""
        value = self.fields.get(name)
        if value is None or isinstance(value, str):
            return value
        raise self._fault(name, "a text", value)

    def flag(self, name: str) -> bool:
        """Return true or false; an absent field raises: a missing yes must not read as a no."""
        value = self.fields.get(name)
        if isinstance(value, bool):
            return value
        raise self._fault(name, "true or false", value)

    def optional_flag(self, name: str) -> bool:
        """Return true or false, false where the field is absent."""
        return self.flag(name) if name in self.fields else False

    def whole_number(self, name: str) -> int:
        """Return an integer."""
        value = self.fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise self._fault(name, "a whole number", value)

    def child(self, name: str) -> Document:
        """Return an object that must be there."""
        value = self.fields.get(name)
        if isinstance(value, dict):
            return Document(value, f"{self.where} {name}")
        raise self._fault(name, "an object", value)

    def optional_child(self, name: str) -> Document:
        """Return an object; an absent one is empty."""
        return self.child(name) if name in self.fields else Document({}, f"{self.where} {name}")

    def children(self, name: str) -> Iterator[Document]:
        """Go through an array of objects that must be there."""
        for index, value in enumerate(self._array(name)):
            if not isinstance(value, dict):
                raise self._fault(f"{name}[{index}]", "an object", value)
            yield Document(value, f"{self.where} {name}[{index}]")

    def optional_children(self, name: str) -> Iterator[Document]:
        """Go through an array of objects, none where the field is absent."""
        return self.children(name) if name in self.fields else iter(())

    def texts(self, name: str) -> tuple[str, ...]:
        """Return an array of texts."""
        values = self._array(name)
        if all(isinstance(value, str) for value in values):
            return tuple(str(value) for value in values)
        raise self._fault(name, "an array of texts", values)

    def money(self, name: str) -> Money:
        """Return a Berlin Group amount object (`{"currency", "amount"}`) exactly."""
        amount = self.child(name)
        try:
            return Money.parse(amount.text("amount"), amount.text("currency"))
        except InvalidMoney as error:
            raise self._fault(name, f"an amount ({error})", amount.fields) from error

    def link(self, name: str) -> str:
        """Return the address of a `_links` entry (BG IG 1.3.8 §4.5)."""
        return self.child("_links").child(name).text("href")

    def optional_link(self, name: str) -> str | None:
        """Return the address of a `_links` entry, or None where there is none."""
        links = self.optional_child("_links")
        return links.child(name).text("href") if name in links else None

    def _array(self, name: str) -> list[object]:
        value = self.fields.get(name)
        if isinstance(value, list):
            return value
        raise self._fault(name, "an array", value)

    def _fault(self, name: str, wanted: str, value: object) -> UnexpectedResponse:
        return UnexpectedResponse(f"{self.where}: field {name!r} should be {wanted}, it is {_kind(value)}")


def document_of(response: HttpResponse) -> Document:
    """Read the JSON object in a response's body; raises `UnexpectedResponse`."""
    return Document.parse(response.body, f"the answer to {response.request.method} {response.request.url}")


def _kind(value: object) -> str:
    # The kind, never the value: an answer in the wrong place may be a token.
    names = {dict: "an object", list: "an array", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return "absent" if value is None else names.get(type(value), type(value).__name__)
