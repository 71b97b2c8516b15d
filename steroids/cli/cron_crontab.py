"""The user's crontab: one marked line, and every other one as it was.

python-crontab makes our line. It would also write the whole table, but in its own way: it moves
variables, trims lines, and disables those that it does not know. So what is not ours is handed
through as the bytes that `crontab -l` has printed.
"""

import os
import shlex
import shutil
from pathlib import Path

from steroids import proc
from steroids.cli.cron_job import CronFailed, Job, with_less_path
from steroids.errors import UsageError

KIND = "crontab"
MARK = "steroids wakeup"
LONGEST_BYTES = 990
"""Cron of Debian and its kin cuts a command after 1,000 characters, without a word."""
TIMEOUT_S = 30.0


def is_here() -> bool:
    return shutil.which("crontab") is not None


def where() -> str:
    return "the user's crontab (crontab -l)"


def shown(job: Job) -> str:
    """The line as it is written. Raises `UsageError` when it is too long for cron."""
    line = _line(job)
    if len(os.fsencode(line)) > LONGEST_BYTES:
        line = _line(with_less_path(job))
    if len(os.fsencode(line)) > LONGEST_BYTES:
        raise UsageError(
            f"The line for cron would have {len(line)} characters, and cron cuts it at 1000",
            hint="PATH=/usr/local/bin:/usr/bin:/bin steroids runners cron install",
        )
    return line


def install(job: Job) -> bool:
    """Write the line in place of the one that is there; False when it is there already. Raises
    `UsageError`, `CronFailed`."""
    line = os.fsencode(shown(job))
    before = _read()
    lines = before.splitlines(keepends=True)
    mine = [at for at, each in enumerate(lines) if _is_ours(each, job.home)]
    after = [each for at, each in enumerate(lines) if at not in mine[1:]]
    if mine:
        after[mine[0]] = line + b"\n"
    else:
        if after and not after[-1].endswith(b"\n"):
            after[-1] += b"\n"
        after.append(line + b"\n")
    if b"".join(after) == before:
        return False
    _write(b"".join(after))
    return True


def uninstall(home: Path) -> bool:
    """Take it away; False when there was none. Raises `CronFailed`."""
    lines = _read().splitlines(keepends=True)
    others = [each for each in lines if not _is_ours(each, home)]
    if len(others) == len(lines):
        return False
    _write(b"".join(others))
    return True


def installed(home: Path) -> str | None:
    """The line that is there. Raises `CronFailed`."""
    for each in _read().splitlines():
        if _is_ours(each, home):
            return os.fsdecode(each)
    return None


def _line(job: Job) -> str:
    from crontab import CronItem

    words = [f"{name}={shlex.quote(value)}" for name, value in job.env.items()]
    words += [shlex.quote(word) for word in job.argv]
    command = " ".join([*words, f">>{shlex.quote(str(job.log))}", "2>&1"])
    item = CronItem(command, comment=_comment(job.home))
    item.setall(job.schedule.cron)
    return str(item.render()).strip()


def _comment(home: Path) -> str:
    # Behind a bare % the rest of the line is the command's input, a comment's too.
    return f"{MARK} of {home}".replace("%", r"\%")


def _is_ours(line: bytes, home: Path) -> bool:
    text = os.fsdecode(line).strip()
    # One that somebody has made a comment of is theirs.
    return text.endswith(f"# {_comment(home)}") and not text.startswith("#")


def _read() -> bytes:
    done = _run(["crontab", "-l"], None)
    if done.ok:
        return done.stdout
    if "no crontab for" in done.err.lower() or not done.err:
        return b""
    raise CronFailed(f"The crontab cannot be read: {done.err}", hint="crontab -l")


def _write(content: bytes) -> None:
    done = _run(["crontab", "-"], content)
    if not done.ok:
        raise CronFailed(f"The crontab cannot be written: {done.err}", hint="crontab -e")


def _run(argv: list[str], content: bytes | None) -> proc.Completed:
    # Its own words are looked for, so it must not translate them.
    env = {**os.environ, "LC_ALL": "C"}
    try:
        return proc.run(argv, env=env, stdin=content, timeout_s=TIMEOUT_S)
    except FileNotFoundError:
        raise CronFailed(
            "This host has no program 'crontab'", hint="apt-get install cron"
        ) from None
    except proc.TimedOut as error:
        raise CronFailed(str(error), hint="crontab -l") from None
