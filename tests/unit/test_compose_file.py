"""What docker-compose.yml and the Dockerfile promise: nobody is root, nothing is writable, only the edge can be reached."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from chassis.addresses import PortTable
from gateway.config import GatewaySettings
from gateway.edge.setup import ports_of
from sandbox.containers.databases import DATABASES, USERS
from sandbox.containers.handout import BELONGINGS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text("utf-8")
FILE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
ONCE = {"secrets", "init"}
SERVERS = sorted(SERVICES.keys() - ONCE - {"postgres"})
OURS = sorted(SERVICES.keys() - {"postgres"})
KEYS_FOLDER, SECRETS_FOLDER = "/srv/keys/", "/srv/secrets/"


def default_of(text: str) -> str:
    """Replace `${NAME:-default}` by the default."""
    return re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", text)


def mounts(service: str) -> dict[str, tuple[str, bool]]:
    """Return the named volumes of a service: where, and whether it may write there."""
    entries = [entry.split(":") for entry in SERVICES[service].get("volumes", [])]
    return {name: (target, "ro" not in more) for name, target, *more in entries}


def users_of(volume: str) -> set[str]:
    return {service for service in SERVICES if volume in mounts(service)}


def test_the_file_has_nothing_that_either_compose_refuses() -> None:
    """docker-compose 1.29 knows no `name:`, `include:` or `configs:`; current Compose warns of `version:`."""
    assert {key for key in FILE if not key.startswith("x-")} == {"services", "networks", "volumes"}
    forbidden = {"configs", "secrets", "deploy", "develop", "container_name", "privileged", "cap_add", "devices", "pid", "ipc"}
    assert [service for service, definition in SERVICES.items() if forbidden & definition.keys()] == []


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_nobody_is_root_and_nothing_is_gained(service: str) -> None:
    definition = SERVICES[service]
    assert definition["user"] in {"10001:10001", "postgres"}
    assert definition["cap_drop"] == ["ALL"]
    assert definition["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_the_root_file_system_is_read_only_and_the_rest_is_bounded(service: str) -> None:
    definition = SERVICES[service]
    assert definition["read_only"] is True
    assert definition["pids_limit"] <= 256
    assert re.fullmatch(r"\d{2,3}m", definition["mem_limit"])
    assert definition["logging"]["options"].keys() == {"max-size", "max-file"}
    assert all("noexec" in mount and "size=" in mount for mount in definition["tmpfs"])


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_no_folder_of_the_host_is_mounted(service: str) -> None:
    """A fresh clone has nothing to mount, and an engine on another machine has no clone."""
    assert set(mounts(service)) <= set(FILE["volumes"])


@pytest.mark.parametrize("service", [*SERVERS, "postgres"])
def test_a_server_comes_back_and_says_whether_it_is_well(service: str) -> None:
    definition = SERVICES[service]
    assert definition["restart"] == "unless-stopped"
    assert definition["healthcheck"]["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= definition["healthcheck"].keys()


@pytest.mark.parametrize("service", SERVERS)
def test_a_health_check_asks_the_server_that_runs(service: str) -> None:
    test = [default_of(word) for word in SERVICES[service]["healthcheck"]["test"]]
    assert test == ["CMD", "python3", "-P", "-m", "chassis.serving.health", service, str(PortTable().base), "/srv/sandbox"]


def test_only_the_edge_is_published_and_on_the_loopback() -> None:
    """Every public listener, under the same port inside and outside: the port is part of the public addresses."""
    assert [service for service, definition in SERVICES.items() if "ports" in definition] == ["edge"]
    published = [default_of(port) for port in SERVICES["edge"]["ports"]]
    ports = sorted(ports_of(GatewaySettings(base_port=PortTable().base)).values())
    assert sorted(published) == [f"127.0.0.1:{port}:{port}" for port in ports]


def test_only_the_edge_is_on_a_network_that_leads_outside() -> None:
    leading_outside = {name for name, network in FILE["networks"].items() if not (network or {}).get("internal")}
    assert leading_outside == {"public"}
    assert [service for service in SERVERS if leading_outside & set(SERVICES[service]["networks"])] == ["edge"]
    assert SERVICES["secrets"]["network_mode"] == "none"


def test_the_demo_app_can_not_reach_the_database() -> None:
    """It is a TPP: what it knows of the bank it is told by the edge."""
    assert SERVICES["demo"]["networks"] == ["backend"]


def test_the_demo_app_s_profile_is_told_to_who_registers_it() -> None:
    """The portal makes the key that its client then signs with."""
    assert [name for name in SERVICES if "SANDBOX_DEMO_PROFILE" in SERVICES[name].get("environment", {})] == ["portal"]
    assert default_of(SERVICES["portal"]["environment"]["SANDBOX_DEMO_PROFILE"]) == "berlin"


def test_the_authority_s_keys_are_with_init_and_the_portal_only() -> None:
    assert users_of("authority") == {"init", "portal"}


@pytest.mark.parametrize("server", sorted(BELONGINGS))
def test_a_server_s_keys_are_with_itself_and_whoever_issues_them(server: str) -> None:
    """And it can't change them."""
    assert users_of(f"{server}-keys") == {"init", "portal", server}
    assert mounts(server)[f"{server}-keys"] == ("/srv/sandbox/certs", False)
    for issuer in ("init", "portal"):
        assert mounts(issuer)[f"{server}-keys"] == (f"{KEYS_FOLDER}{server}/certs", True)


@pytest.mark.parametrize("user", sorted(USERS | {"postgres"}))
def test_a_password_is_with_its_user_and_whoever_makes_it(user: str) -> None:
    assert users_of(f"{user}-secret") == {"secrets", "init", user}
    assert mounts(user)[f"{user}-secret"] == ("/run/secrets", False)
    assert mounts("secrets")[f"{user}-secret"] == (f"{SECRETS_FOLDER}{user}", True)
    assert mounts("init")[f"{user}-secret"] == (f"{SECRETS_FOLDER}{user}", False)


@pytest.mark.parametrize(("user", "database"), [(user, each.name) for each in DATABASES for user in each.rights])
def test_a_server_logs_in_as_itself_with_a_password_from_a_file(user: str, database: str) -> None:
    environment = SERVICES[user]["environment"]
    urls = [value for name, value in environment.items() if name.endswith("_DATABASE_URL")]
    assert urls == [f"postgresql://{user}@postgres/{database}"]
    files = [value for name, value in environment.items() if name.endswith("_DATABASE_PASSWORD_FILE")]
    assert files == ["/run/secrets/database-password"]


def test_no_password_stands_in_the_file() -> None:
    assert re.findall(r"(?i)[A-Z_]*PASSWORD(?!_FILE)[A-Z_]*\s*[:=]", TEXT) == []
    assert re.findall(r"://[^/\s@:]+:[^/\s@]+@", TEXT) == []


def test_audit_files_are_written_by_the_edge_and_read_by_the_control_api() -> None:
    assert users_of("audit") == {"edge", "admin"}
    assert (mounts("edge")["audit"], mounts("admin")["audit"]) == (("/srv/audit", True), ("/srv/audit", False))


@pytest.mark.parametrize("service", OURS)
def test_one_image_serves_all_of_ours(service: str) -> None:
    """Built where it is missing, whichever service comes first."""
    assert default_of(SERVICES[service]["image"]) == "psd2-sandbox"
    assert SERVICES[service]["build"]["context"] == "."


def test_every_mounted_folder_is_in_the_image_with_its_owner() -> None:
    """A new volume takes them from there; one that the image does not have would be root's."""
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    for server in BELONGINGS:
        assert re.search(rf"for server in [a-z ]*\b{server}\b", dockerfile)
    for user in USERS | {"postgres"}:
        assert re.search(rf"for user in [a-z ]*\b{user}\b", dockerfile)
    for folder in ("/srv/sandbox", "/srv/sandbox/certs", "/srv/sandbox/var", "/srv/audit", "/run/secrets"):
        assert re.search(rf"\$own -m 07[05]0 .*{folder}\b", dockerfile)


def test_the_dockerfile_is_for_every_builder() -> None:
    """No BuildKit-only syntax, a base of one's own, and a user by number at the end."""
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    assert re.search(r"^ARG BASE=python:3\.12-slim-bookworm$", dockerfile, re.MULTILINE)
    assert re.findall(r"(?m)^# syntax=|^RUN --mount|^COPY --(?:link|chmod)|<<EOF", dockerfile) == []
    assert re.findall(r"(?m)^USER (.*)$", dockerfile)[-1] == "10001:10001"


def test_keys_and_state_never_reach_the_engine() -> None:
    """Everything is left out of the build but what is named."""
    lines = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert not {"!certs", "!var", "!."} & set(lines)
