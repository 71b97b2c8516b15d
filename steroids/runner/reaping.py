"""Ending what an agent has left running in its container.

A process that left its group outlives its run. It would go on writing into the workspace while
the runner collects the work, and into the next task's.
"""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from steroids import proc

ROUNDS = 50
"""For what starts new processes as quickly as they are ended."""
ENDING_S = 0.1
"""What is just coming to its end by itself was not left running."""


def reap(uid: int | None) -> Sequence[str]:
    """Kill all that runs as the agent, but for what somebody has started from outside (`steroids
    shell`); returns the names of what there was. To be called when nothing is to run as the agent.

    Without a user of its own it does nothing: that is no container, and the processes may be
    anybody's.
    """
    if uid is None:
        return []
    if any(_left(uid)):
        time.sleep(ENDING_S)
    ended: dict[int, str] = {}
    for _ in range(ROUNDS):
        found = dict(_left(uid))
        if not found:
            return list(ended.values())
        ended |= found
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    # All at once, and then a shell from outside, too.
    proc.run(["sh", "-c", "kill -KILL -1"], user=uid)
    return list(ended.values())


def _left(uid: int) -> Iterator[tuple[int, str]]:
    """Living processes of that user whose ancestors are all of this container, with their names."""
    processes = {int(path.name): _look(path) for path in Path("/proc").glob("[0-9]*")}
    for pid, (owner, parent, state, name) in processes.items():
        if owner != uid or state in "ZX":
            continue
        ancestor = parent
        while ancestor > 1:
            ancestor = processes.get(ancestor, _GONE)[1]
        # Whose ancestor is nobody here was put in by the engine.
        if ancestor == 1:
            yield pid, name


_GONE = (-1, 1, "X", "")


def _look(path: Path) -> tuple[int, int, str, str]:
    """Its user, its parent, its state and its name; as the kernel tells it, since a process may
    change who owns its folder in /proc."""
    try:
        lines = (path / "status").read_text(errors="replace").splitlines()
    except OSError:
        return _GONE
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    state, name = facts["State"].split()[0], facts["Name"].strip()
    return int(facts["Uid"].split()[0]), int(facts["PPid"]), state, name
