"""First calls as a Python program that needs `requests` only, for people to read and run."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Final

from psd2.roles import PspRole
from sandbox.samples.model import CERTIFICATE_FILE, KEY_FILE, PSU_IP_ADDRESS, TRUST_FILE
from sandbox.samples.quoting import python_literal

if TYPE_CHECKING:
    from sandbox.samples.model import SampleData

_PLACE: Final = "#SETTINGS#"
_WALKS: Final = {PspRole.AI: "accounts", PspRole.PI: "payment", PspRole.IC: "funds"}


def script(data: SampleData) -> str:
    """Return the program with the TPP's values in it; raises `UnwritableValue`."""
    settings = {
        "EDGE": data.edge,
        "FRONT": data.front,
        "CLIENT_ID": data.client_id,
        "REDIRECT_URI": data.redirect_uri,
        "PSU": data.psu,
        "PSU_IP_ADDRESS": PSU_IP_ADDRESS,
        "TRUST": TRUST_FILE,
        "CERTIFICATE": CERTIFICATE_FILE,
        "KEY": KEY_FILE,
        "WALK": next((walk for role, walk in _WALKS.items() if data.may(role)), "accounts"),
    }
    lines = "\n".join(f"{name} = {python_literal(value)}" for name, value in settings.items())
    lines += f"\nPUSHES = {data.pushes}"
    template = files("sandbox.samples").joinpath("first_call.py.template").read_text(encoding="utf-8")
    return template.replace(_PLACE, lines)
