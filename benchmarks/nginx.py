"""nginx as the yardstick (the same proxying without our checks) and as a bank that answers at once."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_CONFIG = """
{modules}
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  ssl_protocols TLSv1.2 TLSv1.3;
  keepalive_requests 100000000;
{http}
  {server}
}}
"""

_BANK = """
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certs}/servers/bank.crt;
    ssl_certificate_key {certs}/servers/bank.key;
    ssl_client_certificate {certs}/ca/internal.crt;
    ssl_verify_client on;
    default_type application/json;
    location / {{ return 200 '{body}'; }}
  }}
"""

_PROXY = """
  upstream bank {{ server 127.0.0.1:{upstream_port}; keepalive 64; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certs}/servers/edge.crt;
    ssl_certificate_key {certs}/servers/edge.key;
    ssl_client_certificate {folder}/trust.pem;
    ssl_verify_client on;
    ssl_verify_depth 3;
{checks}
    location / {{
      proxy_pass https://bank;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
{headers}
      proxy_ssl_certificate {certs}/internal/gateway.crt;
      proxy_ssl_certificate_key {certs}/internal/gateway.key;
      proxy_ssl_trusted_certificate {certs}/ca/internal.crt;
      proxy_ssl_verify on;
      proxy_ssl_name bank.internal;
      proxy_ssl_server_name on;
    }}
  }}
"""

_LUA_HTTP = """
  lua_package_path "{library}/?.lua;;";
  lua_shared_dict buckets 1m;
  log_format audit escape=json '{{"ts":"$time_iso8601","id":"$request_id","path":"$uri","status":$status,'
    '"address":"$remote_addr","subject":"$ssl_client_s_dn","issuer":"$ssl_client_i_dn","serial":"$ssl_client_serial",'
    '"tls":"$ssl_protocol","cipher":"$ssl_cipher","bytes":$bytes_sent,"seconds":$request_time}}';
  access_log {folder}/audit.log audit;
  init_by_lua_block {{
    tokens = {{ ["{token}"] = {{ bound = "{fingerprint}", scope = "AIS:", expires = ngx.time() + 3600 }} }}
  }}
"""

_LUA_CHECKS = """
    access_by_lua_block {
      local token = tokens[string.match(ngx.var.http_authorization or "", "^Bearer +(%S+)$")]
      if not token or token.expires <= ngx.time() then return ngx.exit(401) end
      if token.bound ~= ngx.var.ssl_client_fingerprint then return ngx.exit(401) end
      if string.sub(token.scope, 1, 4) ~= "AIS:" then return ngx.exit(403) end
      local spent = ngx.shared.buckets:incr(ngx.time(), 1, 0, 2)
      if spent and spent > 10000000 then return ngx.exit(429) end
    }
"""


class Nginx:
    """An nginx with one worker; `stop()` ends it."""

    def __init__(self, folder: Path) -> None:
        """Keep its files in `folder`."""
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def prepared(folder: Path, server: str, *, modules: str = "", http: str = "") -> Nginx:
        """Write the configuration into the new `folder`."""
        folder.mkdir(parents=True)
        (folder / "nginx.conf").write_text(_CONFIG.format(folder=folder, server=server, modules=modules, http=http))
        return Nginx(folder)

    def start(self) -> None:
        """Start it; raises `FileNotFoundError` where nginx is missing."""
        self._process = subprocess.Popen(["nginx", "-c", str(self._folder / "nginx.conf"), "-p", str(self._folder)])

    @property
    def pid(self) -> int:
        """The master's process id; the worker is its only child."""
        return self._process.pid if self._process else 0

    def stop(self) -> None:
        """End it and wait."""
        if self._process:
            self._process.terminate()
            self._process.wait(timeout=10)


def instant_bank(folder: Path, *, certs: Path, port: int, body: str) -> Nginx:
    """Start a bank that answers every request with `body`, over mutual TLS with the internal CA."""
    nginx = Nginx.prepared(folder, _BANK.format(port=port, certs=certs, body=body))
    nginx.start()
    return nginx


def proxy(folder: Path, *, certs: Path, port: int, upstream_port: int, headers: Mapping[str, str]) -> Nginx:
    """Start nginx proxying as the edge does: client certificates verified, mutual TLS to the bank, `headers` added."""
    server = _PROXY.format(
        folder=folder, port=port, certs=certs, upstream_port=upstream_port, headers=_header_lines(headers), checks=""
    )
    return _started(Nginx.prepared(folder, server), folder, certs)


def lua_proxy(
    folder: Path,
    *,
    certs: Path,
    port: int,
    upstream_port: int,
    headers: Mapping[str, str],
    modules: Path,
    token: str,
    fingerprint: str,
) -> Nginx:
    """Start the same with a token's look-up, its binding, scope and bucket in Lua, and a log line for each request."""
    server = _PROXY.format(
        folder=folder, port=port, certs=certs, upstream_port=upstream_port, headers=_header_lines(headers), checks=_LUA_CHECKS
    )
    library = modules.parent.parent.parent / "share" / "lua" / "5.1"
    http = _LUA_HTTP.format(folder=folder, library=library, token=token, fingerprint=fingerprint.lower())
    loaded = "\n".join(f"load_module {modules}/{name}.so;" for name in ("ndk_http_module", "ngx_http_lua_module"))
    return _started(Nginx.prepared(folder, server, modules=loaded, http=http), folder, certs)


def _header_lines(headers: Mapping[str, str]) -> str:
    return "\n".join(f'      proxy_set_header {name} "{value}";' for name, value in headers.items())


def _started(nginx: Nginx, folder: Path, certs: Path) -> Nginx:
    # nginx verifies up to a self-signed certificate, so it gets the root beside the issuing CA.
    chain = [certs / "ca" / "tpp-issuing.crt", certs / "ca" / "root.crt"]
    (folder / "trust.pem").write_text("".join(path.read_text() for path in chain))
    nginx.start()
    return nginx
