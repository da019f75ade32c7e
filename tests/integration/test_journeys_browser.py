"""`tpp journey ais --browser`: a person decides on the bank's pages, and the command takes it from the loopback redirect."""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import requests

from features.psu_pages import PsuBrowser
from tests.support.ports import free_port
from tests.support.tpps import ANNA, CLOCK, fresh_number, open_stage
from tpp_client.bootstrap import identity_at
from tpp_client.sandbox_api import data_request, inbox_request, process_data_response, process_inbox_response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.platform import RunningPlatform
    from tpp_client.identity import TppIdentity

_SECONDS = 60


def test_a_person_decides_and_the_journey_goes_on(platform: RunningPlatform) -> None:
    """From the printed address to the accounts."""
    identity = registered_with_loopback(platform)

    with running("journey", "ais", "--browser", "--tpp", identity.name, "--home", str(platform.home.path)) as command:
        assert command.stdout is not None
        decide_as_anna(identity, printed_address(command.stdout))
        told = command.stdout.read()
        status = command.wait(timeout=_SECONDS)

    assert status == 0, told
    assert "Read the accounts" in told
    assert "\nDone\n" in told


def registered_with_loopback(platform: RunningPlatform) -> TppIdentity:
    name = f"tpp-{secrets.token_hex(4)}"
    who = ("--authorisation-number", fresh_number(), "--roles", "AISP")
    platform.sandbox("tpp", "register", name, *who, "--redirect-uri", f"http://localhost:{free_port()}/callback")
    return identity_at(platform.home.path, name, clock=CLOCK)


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command beside the test; end it whatever happens."""
    command = [sys.executable, "-u", "-m", "tpp_client.cli", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def printed_address(output: IO[str]) -> str:
    for line in output:
        if re.match(r"https://localhost:\d+/authorize\?", line):
            return line.strip()
    raise AssertionError("no address was printed")


def decide_as_anna(identity: TppIdentity, address: str) -> None:
    """Log in, open the first account, type the one-time password, and follow the way back to the command."""
    browser = PsuBrowser(cafile=identity.cafile, redirect_uri=identity.redirect_uris[0])
    with open_stage(identity) as stage:
        anna = next(each for each in process_data_response(data_request(stage.xs2a)) if each.psu == ANNA)
        browser.open(address)
        browser.send(browser.form_to("login"), login=ANNA, password=anna.password)
        choice = browser.form_to("accounts")
        browser.send(choice, account=choice.choices["account"][:1])
        browser.send(browser.form_to("send"))
        message = process_inbox_response(inbox_request(stage.xs2a, psu=ANNA))[0]
        browser.send(browser.form_to("confirm"), code=re.findall(r"\b\d{6}\b", message.text)[0])
    browser.go_back_to_tpp()
    browser.close()
    assert browser.arrived_at is not None
    assert "Thank you" in requests.get(browser.arrived_at, timeout=60, proxies={"http": ""}).text
