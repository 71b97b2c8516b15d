"""Into a local container: what `docker exec` is to Docker. Run by `steroids exec` and `shell`."""

import os
import sys
from pathlib import Path

from steroids.engines.local_container import ENGINE, named
from steroids.engines.local_folders import Folders
from steroids.engines.spec import Status

_NOT_FOUND, _CANNOT_RUN, _NO_CONTAINER = 127, 126, 1
_TERMINAL = ("TERM", "COLORTERM")


def main(address: str, name: str, workdir: str, passed: str, *argv: str) -> int:
    """Become the command, in the container's folder and environment; returns when it cannot.

    `passed` are names of variables, with commas, that it gets from this process.
    """
    home = Path(address.removeprefix(f"{ENGINE}:"))
    container = named(Folders.of(home).containers, name)
    facts = container.facts() if container is not None else None
    if container is None or facts is None or container.state().status is not Status.RUNNING:
        print(f"error: container {name} does not run\nhint: steroids ps", file=sys.stderr)
        return _NO_CONTAINER
    names = (*_TERMINAL, *passed.split(","))
    given = {key: os.environ[key] for key in names if key in os.environ}
    words = container.program(argv)
    try:
        os.chdir(container.path(workdir))
        os.execvpe(words[0], words, {**given, **facts.env})
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return _NOT_FOUND if isinstance(error, FileNotFoundError) else _CANNOT_RUN


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
