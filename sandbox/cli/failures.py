"""How failures end the command: one sentence on standard error and an exit status, all in this place."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from chassis.addresses import InvalidAddress
from chassis.peers import PeerUnavailable
from chassis.settings import SettingsRefused
from chassis.sql.database import DatabaseProblem
from sandbox.answers import PeerRefused
from sandbox.ca.errors import CertificateAuthorityError
from sandbox.cli.statuses import REFUSED, UNREACHABLE
from sandbox.containers.errors import NotInitialised
from sandbox.developers.errors import AccountError
from sandbox.doctor.model import NotExaminable
from sandbox.platform.databases import DatabaseNotUsable
from sandbox.platform.fleet import StartFailed
from sandbox.platform.ports import PortTaken
from sandbox.platform.state import AlreadyRunning, HomeNotUsable
from sandbox.platform.stopping import StopFailed
from sandbox.tpps.errors import RegisterError, RegistrationInterrupted

_REFUSALS = (
    SettingsRefused,
    InvalidAddress,
    DatabaseProblem,
    DatabaseNotUsable,
    HomeNotUsable,
    AlreadyRunning,
    PortTaken,
    StartFailed,
    StopFailed,
    NotInitialised,
    CertificateAuthorityError,
    RegisterError,
    PeerRefused,
    NotExaminable,
    AccountError,
)


def sentence(error: Exception) -> str | None:
    """Return what to tell a person of a failure that we know; None for one that is a defect."""
    if isinstance(error, PeerUnavailable):
        return f"{error}. Is the platform up? `sandbox status` tells, `sandbox up` starts it"
    if isinstance(error, _REFUSALS):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return None


def end_with(error: Exception) -> NoReturn:
    """End the process; an unknown failure keeps its traceback."""
    text = sentence(error)
    if text is None:
        raise error
    click.echo(f"{click.style('sandbox:', fg='red')} {text}", err=True)
    sys.exit(UNREACHABLE if isinstance(error, (PeerUnavailable, RegistrationInterrupted)) else REFUSED)
