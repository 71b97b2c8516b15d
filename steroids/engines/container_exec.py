"""A command in a running container, its output and its exit code.

The SDK's own way reads the bare socket, without a time limit and past what came with the headers.
"""

import select
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

from docker.errors import APIError, NotFound

from steroids.engines.container_errors import is_gone, is_no_answer, says, unavailable
from steroids.engines.container_wire import call
from steroids.engines.spec import ExecResult, Handle

_LOOK_EVERY_S = 30.0
"""How long a command may be silent before the engine is asked whether it still runs."""

_STALE_S = 3.0
"""How long the engine may still say 'running' after the output has ended (Podman does)."""

_CANNOT_RUN = 126


def run(client: Any, handle: Handle, argv: Sequence[str], *, user: str, workdir: str) -> ExecResult:
    """Raises the SDK's errors, and `EngineUnavailable` when the stream was cut."""
    config = {
        "AttachStdout": True,
        "AttachStderr": True,
        "Cmd": list(argv),
        "User": user,
        "WorkingDir": workdir,
    }
    created = call(client, "POST", f"/containers/{handle.id}/exec", json=config)
    exec_id = created.json()["Id"]
    try:
        response = call(
            client,
            "POST",
            f"/exec/{exec_id}/start",
            json={"Detach": False, "Tty": False},
            stream=True,
        )
    except APIError as error:
        return _refused(client, handle, error)
    try:
        stream = _read_stream(response.raw, lambda: _is_running(client, exec_id))
    finally:
        response.close()
    return ExecResult(_exit_code(client, handle, exec_id), b"".join(_frames(stream)))


def _refused(client: Any, handle: Handle, error: APIError) -> ExecResult:
    """Podman refuses to start what Docker starts and ends with 126 (an unknown user)."""
    if is_gone(error) or is_no_answer(error):
        raise error
    if not client.inspect_container(handle.id)["State"]["Running"]:
        raise error
    return ExecResult(_CANNOT_RUN, says(error).encode() + b"\n")


def _read_stream(raw: Any, runs: Callable[[], bool]) -> bytes:
    """All bytes up to the end; a silent engine is asked now and then, so none waits for ever.

    What came in one read with the headers is in the response's buffer, unseen by `poll`: it is
    read with what comes next, at the latest at the end of the stream, and nothing is lost.
    """
    poll = select.poll()
    poll.register(raw.fileno(), select.POLLIN)
    parts = []
    while True:
        if not poll.poll(_LOOK_EVERY_S * 1000):
            if runs():
                continue
            break
        part = raw.read1(65536)
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


def _frames(stream: bytes) -> list[bytes]:
    """The payloads of `stdcopy` frames: 8 bytes of header (stream, length), then the data."""
    payloads, at = [], 0
    while at + 8 <= len(stream):
        (size_bytes,) = struct.unpack_from(">4xL", stream, at)
        payloads.append(stream[at + 8 : at + 8 + size_bytes])
        at += 8 + size_bytes
    return payloads


def _is_running(client: Any, exec_id: str) -> bool:
    return bool(client.exec_inspect(exec_id)["Running"])


def _exit_code(client: Any, handle: Handle, exec_id: str) -> int:
    deadline = time.monotonic() + _STALE_S
    while True:
        try:
            facts = client.exec_inspect(exec_id)
        except APIError as error:
            # Podman forgets the exec sessions of a container that has ended: 404, or 500 with
            # these words while it is being removed.
            if not isinstance(error, NotFound) and "retrieving exec session" not in says(error):
                raise
            raise unavailable(handle.engine, f"run a command in {handle.name}", error) from error
        if not facts["Running"] and facts["ExitCode"] is not None:
            return int(facts["ExitCode"])
        if time.monotonic() > deadline:
            raise unavailable(
                handle.engine, f"run a command in {handle.name}", "its output was cut"
            )
        time.sleep(0.01)
