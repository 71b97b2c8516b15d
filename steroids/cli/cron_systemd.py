"""On hosts with systemd and without cron: a timer of the user's own, and what it starts.

https://www.freedesktop.org/software/systemd/man/systemd.timer.html
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from steroids import proc
from steroids.cli.cron_job import CronFailed, Job, suffix

KIND = "systemd"
TIMEOUT_S = 30.0
LINGER = "loginctl enable-linger   (else it runs only while you are logged in)"


def is_here() -> bool:
    return shutil.which("systemctl") is not None and Path("/run/systemd/system").is_dir()


def name(home: Path) -> str:
    return f"steroids-wakeup{suffix(home)}"


def folder() -> Path:
    config = os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()
    return Path(config) / "systemd" / "user"


def where(home: Path) -> Path:
    return folder() / f"{name(home)}.timer"


def units(job: Job) -> Mapping[str, str]:
    """The files to be written, by their names."""
    service = f"{name(job.home)}.service"
    environment = "\n".join(
        f"Environment={_quoted(f'{key}={value}', dollar=False)}" for key, value in job.env.items()
    )
    command = " ".join(_quoted(word, dollar=True) for word in job.argv)
    log = _escaped(str(job.log))
    # The controller is what a wakeup leaves behind, and must not end with it.
    return {
        service: f"""\
[Unit]
Description=Steroids: start the runners that are missing

[Service]
Type=oneshot
KillMode=process
{environment}
ExecStart={command}
StandardOutput=append:{log}
StandardError=append:{log}
""",
        f"{name(job.home)}.timer": f"""\
[Unit]
Description=Steroids: wake projects {job.schedule}

[Timer]
OnCalendar={_calendar(job.schedule.minutes)}
AccuracySec=1s
Persistent=true
Unit={service}

[Install]
WantedBy=timers.target
""",
    }


def install(job: Job) -> bool:
    """Write both and have the timer run; False when they are there already. Raises `CronFailed`."""
    target = folder()
    target.mkdir(parents=True, exist_ok=True)
    wanted = units(job)
    changed = [each for each, text in wanted.items() if _content(target / each) != text]
    for each in changed:
        (target / each).write_text(wanted[each])
    _systemctl("daemon-reload")
    _systemctl("enable", "--now", f"{name(job.home)}.timer")
    return bool(changed)


def uninstall(home: Path) -> bool:
    """Stop it and take the files away; False when there were none. Raises `CronFailed`."""
    if not where(home).exists():
        return False
    _systemctl("disable", "--now", f"{name(home)}.timer")
    for ending in ("timer", "service"):
        (folder() / f"{name(home)}.{ending}").unlink(missing_ok=True)
    _systemctl("daemon-reload")
    return True


def installed(home: Path) -> str | None:
    """The timer's file, when there is one."""
    return str(where(home)) if where(home).exists() else None


def _calendar(minutes: int) -> str:
    if minutes == 1440:
        return "*-*-* 00:00:00"
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"*-*-* {'*' if hours == 1 else f'00/{hours}'}:00:00"
    return f"*-*-* *:{'*' if minutes == 1 else f'00/{minutes}'}:00"


def _quoted(text: str, *, dollar: bool) -> str:
    escaped = _escaped(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped.replace("$", "$$") if dollar else escaped}"'


def _escaped(text: str) -> str:
    """Of specifiers: `%h` is somebody's home."""
    return text.replace("%", "%%")


def _content(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def _systemctl(*words: str) -> None:
    try:
        done = proc.run(["systemctl", "--user", *words], timeout_s=TIMEOUT_S)
    except (FileNotFoundError, proc.TimedOut) as error:
        raise CronFailed(f"systemctl cannot be run: {error}", hint="systemctl --user") from None
    if not done.ok:
        raise CronFailed(
            f"systemctl --user {words[0]} failed: {done.err}", hint="systemctl --user status"
        )
