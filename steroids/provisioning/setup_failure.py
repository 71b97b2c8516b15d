"""A set-up that failed, in words: what, why, and what to do about it."""

import contextlib
from pathlib import Path

from steroids.errors import SetupFailed
from steroids.provisioning.flights import Failure
from steroids.provisioning.missing_program import missing_program
from steroids.provisioning.setup_log import append, log_path
from steroids.provisioning.site import Site
from steroids.wire.assignment import Checkout, Result

MAX_SHOWN_CHARS = 200
_NO_SPACE = ("no space left on device", "enospc", "disk quota exceeded")
# Of npm, pip, uv, cargo, go, curl and git.
_NO_NETWORK = (
    *("econnrefused", "econnreset", "enotfound", "etimedout", "eai_again", "socket hang up"),
    *("could not resolve host", "connection reset", "connection refused", "network is unreachable"),
    *("temporary failure in name resolution", "error sending request", "connection timed out"),
    *("i/o timeout", "err_socket_timeout", "failed to connect", "newconnectionerror"),
)
# Of npm, pnpm, uv, cargo and go, where they were told that there is none.
_OFFLINE = (
    *("enotcached", "no_offline", "network connectivity is disabled"),
    *("you're using offline mode", "--offline was specified", "module lookup disabled"),
)


def failure(site: Site, checkout: Checkout, result: Result) -> SetupFailed:
    """What to raise for this result; its output is kept in a file."""
    limit_s = site.settings.setup_timeout_s
    timed_out = result.exit_code is None
    how = f"took longer than {limit_s:g} s" if timed_out else f"exited {result.exit_code}"
    told = result.tail.lower()
    log = _keep(site, checkout, result.tail)
    missing = missing_program(result)
    look = f"less {log}" if log else "steroids up -v"
    if any(sign in told for sign in _NO_SPACE):
        why, hint = "the disk is full", f"{site.engine.name} system df   (then: {look})"
    elif timed_out:
        why, hint = "", f"{look}   (setup_timeout_s: steroids config show)"
    elif any(sign in told for sign in _OFFLINE):
        why = f"it is in no cache, and there is no network (network: {site.settings.network})"
        hint = f"{look}   (network: steroids config show)"
    elif any(sign in told for sign in _NO_NETWORK):
        why, hint = "the network did not answer", f"steroids up   (again; what it said: {look})"
    elif missing is not None:
        why, hint = missing
    else:
        why, hint = _last_line(result.tail), look
    return SetupFailed(
        f"Set-up failed: `{result.command}` {how}" + (f": {why}" if why else ""),
        hint=hint,
        details={
            "command": result.command,
            "exitCode": result.exit_code,
            "tail": result.tail[-4000:],
            "log": str(log) if log else None,
        },
    )


def failed_as_before(before: Failure, section: str | None) -> SetupFailed:
    """For another one that needs what failed already: told shortly, since the rest was told."""
    details = {key: before.error.details.get(key) for key in ("command", "exitCode", "log")}
    if before.owner == section:
        return SetupFailed(before.error.message, before.error.hint, before.error.details)
    whose = before.owner or "the project"
    return SetupFailed(
        f"Not started: its set-up is the one that failed for {whose}",
        details={**details, "failedFor": before.owner},
    )


def _keep(site: Site, checkout: Checkout, tail: str) -> Path | None:
    log = log_path(site.home, site.project_id, checkout.setup_key)
    last = _last_line(tail)
    # A disk that is full must not hide why the set-up failed; it may be the reason.
    with contextlib.suppress(OSError):
        log.parent.mkdir(exist_ok=True)
        # All of it came while it ran, unless that got lost on its way.
        if not log.exists() or last not in log.read_text(errors="replace"):
            append(log, tail.splitlines())
    return log if log.exists() else None


def _last_line(text: str) -> str:
    lines = (line.strip() for line in reversed(text.splitlines()))
    return next((line for line in lines if line), "")[:MAX_SHOWN_CHARS]
