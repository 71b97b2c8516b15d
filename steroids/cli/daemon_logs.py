from pathlib import Path

import click

from steroids.cli import remote
from steroids.cli.command import Command, Context, pass_context
from steroids.cli.connect import printed
from steroids.cli.log_record import LEVELS, as_json, as_text, is_at_least
from steroids.cli.log_tail import LogTail
from steroids.errors import SteroidsError
from steroids.home import ensure_home


@click.command("logs", cls=Command)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written next.")
@click.option(
    "-n", "--lines", default=100, show_default=True, metavar="N", help="How many of the last."
)
@click.option(
    "--level", type=click.Choice(LEVELS[:4], case_sensitive=False), help="Only these and worse."
)
@pass_context
def logs(context: Context, follow: bool, lines: int, level: str | None) -> None:
    """Show what the controller has logged, and follow it with -f.

    With --json, each record is an object on a line of its own.
    """
    remote.here_only("steroids daemon logs")
    folder = ensure_home() / "logs"
    try:
        _show(context, folder, follow, lines, level)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise SteroidsError(
            f"The log cannot be read: {error.filename or folder}: {error.strerror}",
            hint=f"ls -la {folder}",
        ) from error


def _show(context: Context, folder: Path, follow: bool, lines: int, level: str | None) -> None:
    def wanted(line: bytes) -> bool:
        return level is None or is_at_least(line, level)

    def show(line: bytes) -> None:
        print(as_json(line) if context.out.json else as_text(line), flush=follow)

    with LogTail(folder / "controller.log") as tail:
        found = tail.last(lines, wanted)
        if not found and lines > 0 and level is None:
            found = _printed(context, folder / "controller.out")
        for line in found:
            show(line)
        for line in tail.follow() if follow else ():
            if wanted(line):
                show(line)


def _printed(context: Context, path: Path) -> list[bytes]:
    """What the controller said before it had a log."""
    lines = printed(path).splitlines() if path.exists() else []
    word = "what the controller printed" if lines else "the controller has not logged anything"
    context.out.note(f"{word}:" if lines else word)
    return lines
