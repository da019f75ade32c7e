"""Writes docs/configuration.md from the settings' own descriptions.

`python -m tests.support.configuration > docs/configuration.md`
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen

from bank_backend.config import BankSettings
from gateway.config import GatewaySettings
from sandbox.config import SandboxSettings
from tpp_client.web.config import DemoSettings

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from chassis.settings import ServiceSettings

_INTRODUCTION = """# Configuration

Made from the settings' own descriptions by `python -m tests.support.configuration`; a test keeps it true.
Each service reads its settings from the environment once, when it starts, and refuses to start with a bad one, by its name.
`sandbox up` sets home, ports and host for all of them from `--home`, `--base-port` and `SANDBOX_PUBLIC_HOST`, and passes the
rest of its environment on.
"""
_SERVICES: tuple[tuple[str, type[ServiceSettings]], ...] = (
    ("Gateway", GatewaySettings),
    ("Bank", BankSettings),
    ("Sandbox", SandboxSettings),
    ("Demo app", DemoSettings),
)
_SIGNS = {Ge: ("from", "ge"), Gt: ("above", "gt"), Le: ("to", "le"), Lt: ("below", "lt")}


def as_markdown() -> str:
    """Return the page."""
    return _INTRODUCTION + "".join(_section(title, kind) for title, kind in _SERVICES)


def _section(title: str, kind: type[ServiceSettings]) -> str:
    prefix = str(kind.model_config["env_prefix"])
    head = f"\n## {title}\n\n| variable | meaning | default | range |\n| --- | --- | --- | --- |\n"
    return head + "".join(_row(prefix, name, field) for name, field in kind.model_fields.items())


def _row(prefix: str, name: str, field: FieldInfo) -> str:
    variable = field.validation_alias if isinstance(field.validation_alias, str) else f"{prefix}{name.upper()}"
    default = "" if field.default is None else f"`{field.default}`"
    return f"| `{variable}` | {field.description or ''} | {default} | {_range(field)} |\n"


def _range(field: FieldInfo) -> str:
    limits = [
        f"{word} {getattr(limit, key)}"
        for kind, (word, key) in _SIGNS.items()
        for limit in field.metadata
        if isinstance(limit, kind)
    ]
    return " ".join(limits) or _length(field)


def _length(field: FieldInfo) -> str:
    lengths = [f"from {limit.min_length}" for limit in field.metadata if isinstance(limit, MinLen)]
    lengths += [f"to {limit.max_length}" for limit in field.metadata if isinstance(limit, MaxLen)]
    return f"{' '.join(lengths)} characters" if lengths else ""


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
