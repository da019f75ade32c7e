"""Fields about a person, as several forms ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wtforms import PasswordField, StringField

from sandbox.developers.parsing import parsed_name
from sandbox.developers.passwords import LEAST_PASSWORD_CHARACTERS, require_acceptable
from sandbox.portal.forms import parsed_by

if TYPE_CHECKING:
    from wtforms import Form


def person_name_field() -> StringField:
    """Return the field of one's own name."""
    return StringField("Your name", [parsed_by(person_name)])


def organisation_field(label: str = "Organisation", description: str = "") -> StringField:
    """Return the field of an organisation's name."""
    return StringField(label, [parsed_by(organisation_name)], description=description)


def new_password_field(label: str = "Password") -> PasswordField:
    """Return the field of a password to be."""
    return PasswordField(label, description=f"At least {LEAST_PASSWORD_CHARACTERS} characters: a few words in a row do well.")


def judge_new_password(form: Form, field: PasswordField, *told: str | None) -> None:
    """Put at the field what is wrong with a password, given what else was told; raises wtforms' `ValidationError`."""
    words = tuple(word for word in told if word)
    parsed_by(lambda text: require_acceptable(text, field=field.name, told=words))(form, field)


def person_name(text: str) -> str:
    """Return a person's name; raises `FieldRefused`."""
    return parsed_name(text, field="name", example="Anna Weber")


def organisation_name(text: str) -> str:
    """Return an organisation's name; raises `FieldRefused`."""
    return parsed_name(text, field="organisation", example="Acme Payments GmbH")
