"""One loop per project and section: a record of the process beside a lock."""

import contextlib
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from steroids.cli.command import Context
from steroids.containment.command_line import Kind
from steroids.containment.pid_file import this_process
from steroids.containment.single import Place, alone
from steroids.home import ensure_home
from steroids.wire.runner import Loop, LoopProcess

FOLDER, LOG = "loops", "loops.log"
CONTAINMENT = "steroids.containment"


@contextlib.contextmanager
def held(context: Context, about: Loop) -> Iterator[LoopProcess]:
    """Hold the place of this loop while inside; yields this process.

    With `enforce_single_daemon_process` the loops of the project's other sections count too, and in
    a container they are ended first. Raises `Busy` when another one stays.
    """
    home = ensure_home()
    project = context.project()
    (home / FOLDER).mkdir(mode=0o700, exist_ok=True)
    place = Place(
        kind=Kind.LOOP,
        path=project,
        home=home,
        pid_file=_pid_file(home / FOLDER, about),
        queue=home / FOLDER / f"{about.project_id}.queue",
        name=f"A loop for {_whose(about)}",
        hint="steroids runners list   (kill PID stops it gracefully)",
    )
    with contextlib.ExitStack() as stack:
        with _told(context, home / "logs" / LOG):
            stack.enter_context(alone(place, enforced=about.enforce))
        me = this_process(home)
        yield LoopProcess(pid=me.pid, created=me.created)


def _whose(about: Loop) -> str:
    return f"section {about.section}" if about.section and not about.enforce else "this project"


def _pid_file(folder: Path, about: Loop) -> Path:
    section = f"-{about.section_id}" if about.section_id is not None else ""
    return folder / f"{about.project_id}{section}.pid"


@contextlib.contextmanager
def _told(context: Context, log_path: Path) -> Iterator[None]:
    """What is ended is written down, and shown."""
    logger = logging.getLogger(CONTAINMENT)
    handler = _Told(context, log_path)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _Told(logging.Handler):
    """A note for whoever looks, and a line of JSON in a file."""

    def __init__(self, context: Context, log_path: Path) -> None:
        super().__init__(logging.INFO)
        self._out = context.out
        self._path = log_path

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        self._out.note(message)
        line = {"at": datetime.now(UTC).isoformat(), "message": message}
        line |= {key: getattr(record, key) for key in _FACTS if hasattr(record, key)}
        # A disk that takes nothing is told by what has to be written there.
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            with self._path.open("a") as file:
                file.write(json.dumps(line) + "\n")


_FACTS = ("pid", "command", "why")
