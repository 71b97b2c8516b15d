"""`python .../steroids daemon run`, and `loop --project PATH`: what keeps them alone, no more.

A copy of this under the name `steroids` has the command line of the real ones, and starts in a
third of their time: so many can be started at once, and often.
"""

import os
import signal
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from steroids.containment.command_line import Kind
from steroids.containment.single import Place, alone
from steroids.controller.only_one import AT_ONCE_S, SOCKET, only_one
from steroids.errors import SteroidsError


def main() -> int:
    home = Path(os.environ["STEROIDS_HOME"])
    # As the real one: what it holds is given back at the end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with only_one(home) if sys.argv[1] == "daemon" else _loop(home, Path(sys.argv[3])):
            if sys.argv[1] == "daemon" and "NOT_READY" not in os.environ:
                (home / SOCKET).touch()
            print("up", flush=True)
            while True:
                signal.pause()
    except SteroidsError as error:
        print(error.message, file=sys.stderr)
        return error.exit_code


def _loop(home: Path, project: Path) -> AbstractContextManager[IO[str]]:
    folder = home / "loops"
    folder.mkdir(exist_ok=True)
    section = os.environ.get("SECTION", "")
    place = Place(
        kind=Kind.LOOP,
        path=project,
        home=home,
        pid_file=folder / f"{project.name}{section}.pid",
        queue=folder / f"{project.name}.queue",
        name=f"A loop of {project}",
        hint="ps",
        at_once_s=AT_ONCE_S,
    )
    return alone(place, enforced=True)


if __name__ == "__main__":
    sys.exit(main())
