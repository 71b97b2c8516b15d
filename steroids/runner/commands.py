"""Commands of a repository, run as its agent: set-up, checks, migrations."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from steroids import proc
from steroids.agents import memory
from steroids.agents.process import OUTPUT_S, lines_of


def run_as_agent(
    command: str,
    folder: Path,
    uid: int | None,
    env: Mapping[str, str],
    line: Callable[[str], None],
    timeout_s: float,
) -> int | None:
    """Run it with `sh -c` to the end, each line of output to `line`; returns its exit status, None
    when it took too long."""
    with memory.expendable():
        process = proc.spawn(
            ("sh", "-c", command),
            cwd=folder,
            env=env,
            stdout=proc.PIPE,
            stderr=proc.STDOUT,
            user=uid,
        )
    assert process.stdout is not None
    late = threading.Event()

    def expire() -> None:
        late.set()
        proc.end_group(process, grace_s=5)

    def read(output: IO[bytes]) -> None:
        with output:
            for text in lines_of(output):
                line(text)

    timer = threading.Timer(timeout_s, expire)
    timer.start()
    reader = threading.Thread(target=read, args=(process.stdout,), daemon=True)
    reader.start()
    try:
        status = process.wait()
    finally:
        timer.cancel()
        proc.end_group(process)
        # Not for ever: what has left the group may hold the output open, and work on.
        reader.join(OUTPUT_S)
    return None if late.is_set() else status
