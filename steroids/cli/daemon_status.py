"""What `daemon status` prints."""

from datetime import UTC, datetime

from steroids.cli.command import Context
from steroids.cli.output import ago, count, escape
from steroids.wire.body import to_builtins
from steroids.wire.daemon import Daemon, DaemonOne


def show(context: Context, info: DaemonOne, word: str) -> None:
    """`word` says what was done, or that it runs."""
    it = info.daemon
    if context.out.json:
        context.out.result({**to_builtins(info), "status": word})
    else:
        age = ago((datetime.now(UTC) - it.since).total_seconds())
        context.out.line(escape(f"{word}, pid {it.pid}, version {it.version}, since {age}"))
        for name, value in _rows(it):
            context.out.line(escape(f"{name:<10} {value}"))
    if it.listen_problem:
        context.out.note(f"note: {it.listen_problem}")
        context.out.note("hint: daemon.listen in config.yaml, then: steroids daemon restart")


def _rows(it: Daemon) -> list[tuple[str, str]]:
    rows = [("home", it.home), ("socket", it.socket)]
    if it.listen:
        rows.append(("listens on", f"http://{it.listen}   (token: {it.home}/token)"))
    engines = [f"{one.name} {one.version or 'does not answer'}" for one in it.engines]
    rows.append(("engines", ", ".join(engines) or "none answers"))
    rows.append(("work", f"{count(it.projects, 'project')}, {count(it.runners, 'runner')}"))
    rows.append(("memory", f"{it.memory_bytes / 2**20:.0f} MiB"))
    if it.in_container is not None:
        signs = f" ({', '.join(it.container)})" if it.container else ""
        rows.append(("container", ("yes" if it.in_container else "no") + signs))
    rows.append(("idle exit", _idle_exit(it.idle_exit_s)))
    return rows


def _idle_exit(limit_s: float) -> str:
    if not limit_s:
        return "never"
    time = f"{limit_s / 60:g} min" if limit_s >= 60 else f"{limit_s:g} s"
    return f"after {time} without runners and commands"
