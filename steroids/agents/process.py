"""A run that is one process: its output line by line, its end, its whole group when stopped."""

import contextlib
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from steroids import proc
from steroids.agents import memory
from steroids.agents.base import Emit, Ended, Work
from steroids.wire.assignment import Outcome

MAX_LINE_BYTES = 8_000
TAIL_LINES = 50
OUTPUT_S = 5.0
"""How long the rest of the output may take after the process has ended."""


class ProcessSession:
    """Starts the process in the work's folder, as the work's user."""

    def __init__(
        self,
        argv: Sequence[str],
        work: Work,
        emit: Emit,
        *,
        env: Mapping[str, str],
        stdin: Path | None = None,
        what: str = "the script",
    ) -> None:
        """`stdin` is a file that it reads, and not a pipe: nobody has to wait until it does.

        Raises `OSError` when there is no such program.
        """
        self._emit = emit
        self._what = what
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._why: Outcome | None = None
        self._timeout_s = work.timeout_s
        self._memory = memory.Watch()
        with (
            stdin.open("rb") if stdin is not None else contextlib.nullcontext() as source,
            memory.expendable(),
        ):
            self._process = proc.spawn(
                argv,
                cwd=work.workspace,
                env=env,
                stdin=source,
                stdout=proc.PIPE,
                stderr=proc.STDOUT,
                user=work.uid,
            )
        self._reader = threading.Thread(target=self._read, name="agent output", daemon=True)
        self._reader.start()
        self._timer = threading.Timer(work.timeout_s, self._expire)
        self._timer.daemon = True
        self._timer.start()

    def wait(self) -> Ended:
        status = self._process.wait()
        self._timer.cancel()
        # What it left running would keep the output open and work on behind our back.
        proc.end_group(self._process)
        self._reader.join(timeout=OUTPUT_S)
        if not self._reader.is_alive():
            # Else something that left the group holds the output, and closing it would wait, too.
            proc.kill_group(self._process)
        tail = "\n".join(self._tail)
        if self._why is Outcome.STOPPED:
            return Ended(Outcome.STOPPED, "stopped")
        if self._why is Outcome.FAILED:
            return Ended(Outcome.FAILED, f"took longer than {self._timeout_s:g} s\n{tail}")
        if status != 0:
            how = f"exited {status}" if status > 0 else f"was killed by signal {-status}"
            if why := self._memory.ran_out():
                how = f"{how}: {why}"
            return Ended(Outcome.FAILED, f"{self._what} {how}\n{tail}")
        return Ended(Outcome.DONE)

    def stop(self, grace_s: float) -> None:
        self._why = self._why or Outcome.STOPPED
        proc.end_group(self._process, grace_s)

    def _expire(self) -> None:
        self._why = self._why or Outcome.FAILED
        proc.end_group(self._process, grace_s=5)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in lines_of(output):
                self._tail.append(line)
                self._emit(line)


def lines_of(stream: IO[bytes]) -> Iterator[str]:
    """Lines as they come; a longer one is cut with a note, so that no output fills the memory."""
    while line := stream.readline(MAX_LINE_BYTES):
        if line.endswith(b"\n") or len(line) < MAX_LINE_BYTES:
            yield _text(line)
            continue
        dropped = 0
        while rest := stream.readline(MAX_LINE_BYTES):
            dropped += len(rest)
            if rest.endswith(b"\n"):
                break
        yield f"{_text(line)} ... ({dropped} more bytes)"


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").rstrip("\r\n")
