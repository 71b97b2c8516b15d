"""What a starting daemon has to know, on a machine with many processes: is this a container, which
daemons of this home are there, is that process one?
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from steroids import proc
from steroids.containment import facts
from steroids.containment.daemon import (
    find_all_daemon_processes,
    is_daemon_running,
    verify_daemon_process,
)
from tests.benchmarks.monorepo import NotMeasured
from tests.benchmarks.report import Line

PROCESSES = 500
AT_MOST_MS = 10.0
ROUNDS = 25
WAIT = "import signal; print('up', flush=True); signal.pause()"


def daemons(folder: Path, rounds: int = ROUNDS) -> list[Line]:
    """Milliseconds each, the fastest of `rounds`: the others say what else the machine did.
    `PROCESSES` sleep beside it."""
    home = folder / "home"
    home.mkdir(parents=True)
    program = folder / "steroids"
    program.write_text(WAIT)
    with ExitStack() as stack:
        for _ in range(PROCESSES):
            stack.enter_context(_process("sleep", "infinity"))
        pid = stack.enter_context(
            _process(sys.executable, str(program), "daemon", "run", STEROIDS_HOME=str(home))
        )
        if [each.pid for each in find_all_daemon_processes(home)] != [pid]:
            raise NotMeasured(f"the daemon of {home} was not found")
        beside = f"of {PROCESSES} processes"
        return [
            _line("is this a container", rounds, facts.words),
            _line("verify a daemon", rounds, partial(verify_daemon_process, pid)),
            _line("is it running", rounds, partial(is_daemon_running, pid, home)),
            _line(
                f"find a home's daemons {beside}", rounds, partial(find_all_daemon_processes, home)
            ),
        ]


def _line(what: str, rounds: int, call: Callable[[], object]) -> Line:
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        took.append(1000 * (time.perf_counter() - began))
    return Line(what, min(took), "ms", at_most=AT_MOST_MS)


@contextmanager
def _process(*argv: str, **env: str) -> Iterator[int]:
    """Its number, when it says that it is up; programs that say nothing are up at once."""
    process = proc.spawn(argv, env={"PATH": "/usr/bin:/bin", **env}, stdout=proc.PIPE)
    try:
        if env:
            assert process.stdout is not None
            process.stdout.readline()
        yield process.pid
    finally:
        proc.kill_group(process)
