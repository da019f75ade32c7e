"""The proxies beside which the edge is measured, one worker each, on the same path; who is not installed is named as absent.

Path: mutual TLS from the client, mutual TLS to the bank, keep-alive on both sides, the same headers added.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.nginx import Nginx, lua_proxy, proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NODE_PROXY: Final = Path(__file__).with_name("node_proxy.js")
_MODULES: Final = (Path("/usr/lib/nginx/modules"), Path("/usr/share/nginx/modules"))

_HAPROXY: Final = """
global
  nbthread 1
  maxconn 4000
  tune.ssl.default-dh-param 2048
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend edge
  bind 127.0.0.1:{port} ssl crt {folder}/edge.pem ca-file {folder}/trust.pem verify required alpn http/1.1
  http-request set-var(txn.bound) req.hdr(authorization),word(2,' '),map({folder}/tokens.map)
  http-request deny deny_status 401 unless {{ ssl_c_sha1,hex,strcmp(txn.bound) eq 0 }}
{headers}
  default_backend bank
backend bank
  server bank 127.0.0.1:{upstream_port} ssl verify required ca-file {certs}/ca/internal.crt crt {folder}/gateway.pem \
sni str(bank.internal) verifyhost bank.internal
"""

_CADDY: Final = """
{{
  admin off
  auto_https off
}}
https://localhost:{port} {{
  bind 127.0.0.1
  tls {certs}/servers/edge.crt {certs}/servers/edge.key {{
    client_auth {{
      mode require_and_verify
      trusted_ca_cert_file {folder}/trust.pem
    }}
  }}
  reverse_proxy https://127.0.0.1:{upstream_port} {{
{headers}
    transport http {{
      versions 1.1
      keepalive_idle_conns_per_host 64
      tls_client_auth {certs}/internal/gateway.crt {certs}/internal/gateway.key
      tls_trusted_ca_certs {certs}/ca/internal.crt
      tls_server_name bank.internal
    }}
  }}
}}
"""


class Absent(Exception):
    """A peer that is not installed here; the message names what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What all peers are given: where from, where to, what is added, and the one token that is good."""

    folder: Path
    certs: Path
    port: int
    upstream_port: int
    headers: Mapping[str, str]
    token: str
    fingerprint: str

    def write_files(self) -> None:
        """Write what peers read: the trust bundle, and pairs in one file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        chain = [self.certs / "ca" / "tpp-issuing.crt", self.certs / "ca" / "root.crt"]
        (self.folder / "trust.pem").write_text("".join(path.read_text() for path in chain))
        (self.folder / "tokens.map").write_text(f"{self.token} {self.fingerprint.upper()}\n")
        for name, kind in (("edge", "servers"), ("gateway", "internal")):
            pair = "".join((self.certs / kind / f"{name}.{end}").read_text() for end in ("crt", "key"))
            path = self.folder / f"{name}.pem"
            path.touch(mode=0o600)
            path.write_text(pair)


@dataclass(frozen=True, slots=True)
class Running:
    """A peer that runs."""

    pid: int
    stop: Callable[[], None]


def _spawned(command: list[str], folder: Path, environment: Mapping[str, str] | None = None) -> Running:
    with (folder / "output.log").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | (environment or {}))

    def stop() -> None:
        process.terminate()
        process.wait(timeout=20)

    return Running(process.pid, stop)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Absent(f"no program {name}")
    return found


def _running(server: Nginx) -> Running:
    return Running(server.pid, server.stop)


def nginx(path: Way) -> Running:
    """Start nginx, without the checks."""
    _program("nginx")
    return _running(
        proxy(path.folder, certs=path.certs, port=path.port, upstream_port=path.upstream_port, headers=path.headers)
    )


def nginx_lua(path: Way) -> Running:
    """Start nginx with Lua that looks the token up, checks binding, scope and a bucket; an access log line a request."""
    _program("nginx")
    given = os.environ.get("BENCH_NGINX_MODULES")
    folders = (Path(given),) if given else _MODULES
    modules = next((each for each in folders if (each / "ngx_http_lua_module.so").exists()), None)
    if modules is None:
        raise Absent("no nginx module ngx_http_lua_module.so (Debian: libnginx-mod-http-lua)")
    return _running(
        lua_proxy(
            path.folder,
            certs=path.certs,
            port=path.port,
            upstream_port=path.upstream_port,
            headers=path.headers,
            modules=modules,
            token=path.token,
            fingerprint=path.fingerprint,
        )
    )


def haproxy(path: Way) -> Running:
    """Start HAProxy with a token map, binding, and a log line a request."""
    program = _program("haproxy")
    path.write_files()
    headers = "\n".join(f'  http-request set-header {name} "{value}"' for name, value in path.headers.items())
    text = _HAPROXY.format(
        port=path.port, folder=path.folder, certs=path.certs, upstream_port=path.upstream_port, headers=headers
    )
    (path.folder / "haproxy.cfg").write_text(text)
    return _spawned([program, "-f", str(path.folder / "haproxy.cfg")], path.folder)


def caddy(path: Way) -> Running:
    """Start Caddy, without the checks, on one thread of Go."""
    program = _program("caddy")
    path.write_files()
    headers = "\n".join(f'    header_up {name} "{value}"' for name, value in path.headers.items())
    text = _CADDY.format(
        port=path.port, folder=path.folder, certs=path.certs, upstream_port=path.upstream_port, headers=headers
    )
    (path.folder / "Caddyfile").write_text(text)
    own = {"GOMAXPROCS": "1", "HOME": str(path.folder), "XDG_DATA_HOME": str(path.folder), "XDG_CONFIG_HOME": str(path.folder)}
    return _spawned([program, "run", "--config", str(path.folder / "Caddyfile"), "--adapter", "caddyfile"], path.folder, own)


def traefik(path: Way) -> Running:
    """Name Traefik, which no Debian package ships."""
    del path
    _program("traefik")
    raise Absent("it is installed, and no configuration for it is written: no package ships it")


def node(path: Way) -> Running:
    """Start a proxy of Node's own modules, without the checks."""
    program = _program("node")
    path.write_files()
    settings = {
        "port": path.port,
        "upstreamPort": path.upstream_port,
        "certs": str(path.certs),
        "trust": str(path.folder / "trust.pem"),
        "headers": dict(path.headers),
    }
    return _spawned([program, str(_NODE_PROXY), json.dumps(settings)], path.folder)


PEERS: Final[Mapping[str, Callable[[Way], Running]]] = {
    "nginx + Lua, same checks": nginx_lua,
    "HAProxy, token map": haproxy,
    "Caddy, no checks": caddy,
    "Traefik": traefik,
    "Node https, no checks": node,
}
