"""On macOS: a launchd agent. Cron is there too, but may not read people's folders.

https://developer.apple.com/library/archive/documentation/MacOSX/Conceptual/BPSystemStartup
"""

import os
import sys
from pathlib import Path

from steroids import proc
from steroids.cli.cron_job import CronFailed, Job, suffix

KIND = "launchd"
TIMEOUT_S = 30.0


def is_here() -> bool:
    return sys.platform == "darwin"


def label(home: Path) -> str:
    return f"io.steroids.wakeup{suffix(home)}"


def where(home: Path) -> Path:
    return Path("~/Library/LaunchAgents").expanduser() / f"{label(home)}.plist"


def plist(job: Job) -> bytes:
    """The agent's file."""
    import plistlib

    return plistlib.dumps(
        {
            "Label": label(job.home),
            "ProgramArguments": list(job.argv),
            "EnvironmentVariables": dict(job.env),
            "WorkingDirectory": "/",
            "StartInterval": job.schedule.minutes * 60,
            "RunAtLoad": True,
            # The controller is what a wakeup leaves behind, and must not end with it.
            "AbandonProcessGroup": True,
            "ProcessType": "Background",
            "StandardOutPath": str(job.log),
            "StandardErrorPath": str(job.log),
        },
        sort_keys=False,
    )


def install(job: Job) -> bool:
    """Write it and have launchd load it; False when it is there already. Raises `CronFailed`."""
    path = where(job.home)
    wanted = plist(job)
    if path.exists() and path.read_bytes() == wanted:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        _launchctl("bootout", f"{_domain()}/{label(job.home)}", check=False)
    path.write_bytes(wanted)
    _launchctl("bootstrap", _domain(), str(path))
    return True


def uninstall(home: Path) -> bool:
    """Unload it and take the file away; False when there was none."""
    path = where(home)
    if not path.exists():
        return False
    _launchctl("bootout", f"{_domain()}/{label(home)}", check=False)
    path.unlink()
    return True


def installed(home: Path) -> str | None:
    """The agent's file, when there is one."""
    return str(where(home)) if where(home).exists() else None


def _domain() -> str:
    return f"gui/{os.getuid()}"


def _launchctl(*words: str, check: bool = True) -> None:
    try:
        done = proc.run(["launchctl", *words], timeout_s=TIMEOUT_S)
    except (FileNotFoundError, proc.TimedOut) as error:
        raise CronFailed(f"launchctl cannot be run: {error}", hint="launchctl list") from None
    if check and not done.ok:
        raise CronFailed(f"launchctl {words[0]} failed: {done.err}", hint="launchctl list")
