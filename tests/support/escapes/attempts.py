"""Ways out of a runner's container, each of them really tried; and what came of it.

What is in this folder runs twice: inside a runner, as the agent, with `python3 -m
tests.support.escapes TARGETS`; and in the test, which takes from it which attempts there are. So
it needs nothing but Python's own library.
"""

import ctypes
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

MARK = "escape "
"""What a line begins with that is a `Row`; the rest of it is JSON."""


@dataclass(frozen=True)
class Targets:
    """What a test knows of the host, and a clever agent might guess."""

    paths: list[str] = field(default_factory=list)
    """Of files on the host, and of one in another runner."""
    secret: tuple[str, str] = ("", "")
    """Two halves: one word would be found in this very process."""
    runner: str = ""
    """Id of this one."""
    variables: list[str] = field(default_factory=list)
    """All that its environment is to have."""
    peer: str = ""
    """Address of another runner, which listens there on `peer_port`."""
    peer_port: int = 0
    peer_names: list[str] = field(default_factory=list)
    published: int = 0
    """The same listener, on 127.0.0.1 of the host."""
    host: list[str] = field(default_factory=list)
    """Addresses that the host has: the gateways of both networks, and its own."""
    database: str = ""
    """Name of the other runner's database; none: there are no databases."""


@dataclass(frozen=True)
class Row:
    name: str
    tried: str
    held: bool
    said: str
    """What came back, of an attempt that failed; else how far it got."""


class GotOut(Exception):
    """The attempt worked."""


Attempt = Callable[[Targets], str]
"""Returns what came back where it was refused; raises `GotOut`."""

ATTEMPTS: dict[str, tuple[str, Attempt]] = {}
"""By name: what is tried, and how."""


def attempt(tried: str) -> Callable[[Attempt], Attempt]:
    def keep(function: Attempt) -> Attempt:
        ATTEMPTS[function.__name__] = (tried, function)
        return function

    return keep


def chosen(targets: Targets) -> list[str]:
    """The names of those attempts for which there is something to try them on."""
    return [
        name
        for name, (_, function) in ATTEMPTS.items()
        if targets.database or not function.__module__.endswith(".database")
    ]


def refused(*calls: Callable[[], object]) -> str:
    """What each of these calls was refused with."""
    said: dict[str, None] = {}
    for number, call in enumerate(calls, 1):
        try:
            got = call()
        except OSError as error:
            said[error.strerror or str(error)] = None
        else:
            raise GotOut(f"try {number} of {len(calls)} came to {got!r:.200}")
    return ", ".join(said)


def reads(path: str | Path) -> Callable[[], object]:
    def read() -> object:
        with Path(path).open("rb") as file:
            return file.read(100)

    return read


def writes(path: str | Path, text: bytes = b"0") -> Callable[[], object]:
    """Into a file that is there."""

    def write() -> object:
        file = os.open(path, os.O_WRONLY)
        try:
            return os.write(file, text)
        finally:
            os.close(file)

    return write


@cache
def _libraries() -> tuple[ctypes.CDLL, ctypes.CDLL]:
    return ctypes.CDLL(None, use_errno=True), ctypes.CDLL("libseccomp.so.2")


def system(name: str, *args: int | bytes | ctypes.Array[ctypes.c_char]) -> Callable[[], object]:
    """A system call; refused is what returns less than zero."""

    def call() -> object:
        libc, numbers = _libraries()
        number = numbers.seccomp_syscall_resolve_name(name.encode())
        assert number >= 0, f"there is no system call {name} here"
        wide = [ctypes.c_long(each) if isinstance(each, int) else each for each in args]
        result = libc.syscall(ctypes.c_long(number), *wide)
        if result == 0 and name.startswith("clone"):
            os._exit(0)  # the new process, which nobody wants
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return result

    return call


def strangers() -> Iterator[int]:
    """Living processes of other users: the runner's own."""
    for path in Path("/proc").glob("[0-9]*"):
        if owner(int(path.name)) not in (os.getuid(), None):
            yield int(path.name)


def owner(pid: int) -> int | None:
    """By its effective uid, as the kernel tells it; none: it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    found = re.search(r"^Uid:\t\d+\t(\d+)", status, re.MULTILINE)
    assert found is not None
    return int(found[1])
