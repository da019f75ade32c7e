"""Options that all commands share: where the gateway is, and how to answer."""

from __future__ import annotations

from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gateway.cli.control_api import ControlApi, open_session

if TYPE_CHECKING:
    from collections.abc import Callable


_OPTIONS: Final = (
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text."),
    click.option("--address", help="Where the control API listens, HOST or HOST:PORT. Default: this machine."),
    click.option(
        "--base-port", type=int, help="Its base port. Default: that of the platform running there, or GATEWAY_BASE_PORT."
    ),
    click.option(
        "--home", type=click.Path(file_okay=False, path_type=Path), help="Home of the platform. Default: GATEWAY_HOME, or here."
    ),
)


def with_gateway(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """Give a command the options, as `api: ControlApi` and `as_json: bool`."""

    def called(home: Path | None, base_port: int | None, address: str | None, **options: Any) -> int | None:  # noqa: ANN401 - click's
        session = click.get_current_context().obj or open_session(home, base_port, address)
        return command(api=ControlApi(session), **options)

    # With what click has noted of the command's own options; those of all commands come after them.
    wrapped = update_wrapper(called, command)
    for option in _OPTIONS:
        wrapped = option(wrapped)
    return wrapped
