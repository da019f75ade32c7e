"""Forms of pages: what was typed is kept, and each fault stands at its field."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final, Self, cast

from flask import Response, make_response, render_template, request
from werkzeug.datastructures import CombinedMultiDict
from wtforms import Form, RadioField, SelectMultipleField, ValidationError
from wtforms.widgets import Select

from sandbox.developers.errors import FieldRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wtforms import Field

    from sandbox.developers.errors import TooManyAttempts

_UNPROCESSABLE, _TOO_MANY = 422, 429
_KEY: Final = re.compile(r"[0-9a-f]{64}")


class PortalForm(Form):
    """A form of the portal; whether it is the browser's own is judged before (`csrf`)."""

    class Meta:
        """Texts come as they were typed."""

        locales: ClassVar[list[str]] = ["en_GB", "en"]

    @classmethod
    def submitted(cls) -> Self:
        """Return the form with what the request holds, files included."""
        return cls(CombinedMultiDict([request.files, request.form]))

    def refuse(self, name: str, text: str) -> None:
        """Put a fault at a field."""
        field = self[name]
        field.errors = [*field.errors, text]


def parsed_by(parse: Callable[[str], object]) -> Callable[[Form, Field], None]:
    """Return a validator that puts what `parse` refuses at the field."""

    def judge(_form: Form, field: Field) -> None:
        try:
            parse(field.data or "")
        except FieldRefused as error:
            raise ValidationError(error.text) from error

    return judge


def required(text: str) -> Callable[[Form, Field], None]:
    """Return a validator that asks for a field left empty; unlike WTForms' own it leaves `required` to the template."""

    def judge(_form: Form, field: Field) -> None:
        if not (field.data or "").strip():
            raise ValidationError(text)

    return judge


def on_one_line(_form: Form, field: Field) -> None:
    """Refuse control characters, with which a text is not what it looks like, and NUL, which PostgreSQL does not keep."""
    if not (field.data or "").isprintable():
        raise ValidationError("Write this on one line, in printable characters.")


def posted_key(name: str) -> str:
    """Return the key of a session or an invitation that a form names; empty, which none is called, where it is no key."""
    text = request.form.get(name, "")
    return text if _KEY.fullmatch(text) else ""


def form_page(template: str, form: PortalForm | None, *, busy: TooManyAttempts | None = None, **context: object) -> Response:
    """Return a page with its form: 422 where the form has faults, 429 where there were too many attempts."""
    status = _TOO_MANY if busy is not None else _UNPROCESSABLE if form is not None and form.errors else 200
    answer = make_response(render_template(template, form=form, busy=busy, **context), status)
    if busy is not None:
        answer.headers["Retry-After"] = str(busy.retry_after_seconds)
    return answer


def field_faults(field: Field) -> list[str]:
    """Return a field's faults, those of its parts included."""
    faults = cast("Iterable[str | Iterable[str]]", field.errors)  # a FieldList's are lists of its parts'
    return [text for fault in faults for text in ([fault] if isinstance(fault, str) else fault)]


def first_input(field: Field) -> str:
    """Return the id to which a fault leads: of the field, or of the first of its choices."""
    options = list(field) if isinstance(field, (RadioField, SelectMultipleField)) else []
    return str(options[0].id if options and not isinstance(field.widget, Select) else field.id)


def described(field: Field, attributes: dict[str, object]) -> dict[str, object]:
    """Return an input's attributes, and by what it is described."""
    parts = [f"{field.id}-hint"] * bool(field.description) + [f"{field.id}-fault"] * bool(field.errors)
    told = {"aria-describedby": " ".join(parts)} if parts else {}
    faulty = {"aria-invalid": "true"} if field.errors else {}
    return {**attributes, **told, **faulty}


GLOBALS: Final[dict[str, Callable[..., object]]] = {
    "field_faults": field_faults,
    "first_input": first_input,
    "described": described,
}
