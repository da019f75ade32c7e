"""A platform in containers that is lent to the suite: the operator's command runs in the portal's container.

What it writes for a TPP (certificates, keys, `client.json`) is copied to a folder here, for the suite is that TPP.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from features.platforms import CommandFailed

_HOME = "/srv/sandbox"
_OPERATOR = "portal"
_COMMAND_SECONDS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedPlatform:
    """Containers that `compose` (`docker-compose`, `docker compose -p mine`) has started; the suite leaves them up."""

    compose: tuple[str, ...]
    home: Path
    owned: bool = False

    def sandbox(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the `sandbox` command there, and take out what it has written."""
        done = self._in_container("sandbox", *arguments)
        if check and done.returncode != 0:
            raise CommandFailed(f"sandbox {arguments[0]} ended with {done.returncode}: {_text(done.stdout + done.stderr)}")
        self._take_out()
        return subprocess.CompletedProcess(done.args, done.returncode, _text(done.stdout), _text(done.stderr))

    def stop(self) -> None:
        """Forget the copies; the platform stays up."""
        shutil.rmtree(self.home, ignore_errors=True)

    def _take_out(self) -> None:
        packed = self._in_container("sh", "-c", f"cd {_HOME} && tar -c certs/trust.pem $(ls -d certs/tpps 2>/dev/null)")
        if packed.returncode != 0:
            raise CommandFailed(f"the TPPs' files can't be read: {_text(packed.stderr)}")
        unpack = ["tar", "-C", str(self.home), "-x", "--no-same-owner"]
        subprocess.run(unpack, input=packed.stdout, check=True, timeout=_COMMAND_SECONDS)

    def _in_container(self, *command: str) -> subprocess.CompletedProcess[bytes]:
        whole = [*self.compose, "exec", "-T", _OPERATOR, *command]
        return subprocess.run(whole, check=False, capture_output=True, timeout=_COMMAND_SECONDS)


def lent_containers(compose: str) -> ComposedPlatform:
    """Return the platform that a compose command speaks of; raises `CommandFailed` when it does not answer."""
    home = Path(tempfile.mkdtemp(prefix="psd2-features-"))
    platform = ComposedPlatform(compose=tuple(shlex.split(compose)), home=home)
    try:
        platform.sandbox("tpp", "list")
    except BaseException:
        platform.stop()
        raise
    return platform


def _text(output: bytes) -> str:
    return output.decode(errors="replace")
