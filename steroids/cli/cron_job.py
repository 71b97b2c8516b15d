"""What is run at each wakeup, whoever does the timing: the command, its environment, its log."""

import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from steroids.cli.cron_schedule import Schedule
from steroids.cli.wakeup import LOG
from steroids.errors import SteroidsError, UsageError

NEEDED = ("git", "ssh", "docker", "podman", "crontab", "systemctl")
"""Programs that have to be found as they are now; the folders of others come as well where there
is room."""
USUAL = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
CARRIED = (
    *("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "XDG_RUNTIME_DIR"),
    *("SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS"),
    *("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT"),
    *("GIT_SSL_CAINFO", "http_proxy", "https_proxy", "no_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "PYTHONPATH"),
)
"""What a controller that cron starts has to have as the one that a person starts has it. Besides
these all settings, but for the project that somebody is in."""
_NOT_CARRIED = ("STEROIDS_HOME", "STEROIDS_PROJECT", "STEROIDS_URL", "STEROIDS_TOKEN")
_SECRET = re.compile(r"PASSWORD|TOKEN|SECRET|KEY", re.IGNORECASE)
_WITH_PASSWORD = re.compile(r"://[^/\s]*@")


class CronFailed(SteroidsError):
    """Whoever does the timing said no."""

    code = "CRON_FAILED"


@dataclass(frozen=True)
class Job:
    home: Path
    schedule: Schedule
    argv: tuple[str, ...]
    env: Mapping[str, str]
    """`PATH` and `STEROIDS_HOME` first."""
    left_out: tuple[str, ...] = ()
    """Variables that hold a password: what cron runs is to be seen by every user of the host."""

    @property
    def log(self) -> Path:
        return self.home / LOG

    @property
    def suffix(self) -> str:
        """For the names of files, of which each home has its own; empty for the usual home."""
        return suffix(self.home)


def suffix(home: Path) -> str:
    if home == Path("~/.steroids").expanduser():
        return ""
    import hashlib

    return "-" + hashlib.sha256(os.fsencode(home)).hexdigest()[:8]


def job(home: Path, schedule: Schedule, environ: Mapping[str, str]) -> Job:
    """Raises `UsageError` for paths that cannot be written into one line."""
    python = sys.executable
    found = {"PATH": _path(environ), "STEROIDS_HOME": str(home)}
    left_out = []
    for name, value in sorted(environ.items()):
        setting = name.startswith("STEROIDS_") and name not in _NOT_CARRIED
        if not value or not (name in CARRIED or setting):
            continue
        if _WITH_PASSWORD.search(value) or _SECRET.search(name):
            left_out.append(name)
        else:
            found[name] = value
    for what, text in {**found, "python": python}.items():
        if re.search(r"[\x00-\x1f\x7f]", text) or not text.isprintable():
            raise UsageError(f"{what} has characters that cron cannot be told: {text!r}")
    argv = (python, "-m", "steroids", "--quiet", "runners", "wakeup")
    return Job(home, schedule, argv, found, tuple(left_out))


def _path(environ: Mapping[str, str]) -> str:
    every = environ.get("PATH", "").split(":")
    there = [each for each in every if each.startswith("/") and Path(each).is_dir()]
    return ":".join(dict.fromkeys([*there, *USUAL]))


def with_less_path(whole: Job) -> Job:
    """The same with only those folders that programs of Steroids are in."""
    every = whole.env["PATH"]
    found = [shutil.which(name, path=every) for name in NEEDED]
    folders = [str(Path(each).parent) for each in found if each]
    path = ":".join(dict.fromkeys([*folders, *USUAL]))
    return Job(whole.home, whole.schedule, whole.argv, {**whole.env, "PATH": path}, whole.left_out)
