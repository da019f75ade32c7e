"""Names of servers as documents write them: lower case, ASCII, `*.` at the start for one label."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"(?:\*\.{_LABEL}\.)?{_LABEL}(?:\.{_LABEL}){{0,10}}")


def _host(name: str) -> str:
    if not _HOST.fullmatch(name):
        msg = f"{name[:80]!r} is no server name: api.bank.example and *.bank.example are, in lower case and ASCII (xn--…)"
        raise ValueError(msg)
    return name


ServerHost = Annotated[str, AfterValidator(_host)]
