"""SCA methods of test data as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bank_backend.bodies import Body
from bank_backend.openapi.shapes.base import Shape
from bank_backend.sca.model import MethodType  # noqa: TC001 - pydantic reads the annotations at run time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bank_backend.sca.enrolled import EnrolledMethod


class MethodBody(Body):
    """`POST /sandbox/v1/sca-methods`."""

    psu: str
    type: Literal["sms", "email", "totp", "push", "passkey"]


class Method(Shape):
    """A PSU's method. `secret` is the base32 secret of an authenticator that is test data, for computing its codes."""

    id: str
    psu: str
    type: MethodType
    authentication_type: str | None = None
    name: str
    secret: str | None = None


class Methods(Shape):
    """A PSU's methods, in the order in which they are offered."""

    methods: list[Method]


def methods_json(enrolled: Iterable[EnrolledMethod]) -> dict[str, object]:
    """Return the methods of a PSU."""
    return {"methods": [method_json(each) for each in enrolled]}


def method_json(enrolled: EnrolledMethod) -> dict[str, object]:
    """Return a method; a secret that a PSU has set up itself is told to nobody."""
    told: dict[str, object] = {"authenticationType": enrolled.type.authentication_type, "secret": enrolled.published_secret}
    named: dict[str, object] = {"id": enrolled.id, "psu": enrolled.psu, "type": enrolled.type.value, "name": enrolled.name}
    return named | {name: value for name, value in told.items() if value is not None}
