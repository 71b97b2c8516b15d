"""Programs that attempts run inside. The house's own `proc` is not there."""

import os
import subprocess
from dataclasses import dataclass

LIMIT_S = 200


@dataclass(frozen=True)
class Ran:
    ok: bool
    out: str
    err: str


def run(*argv: str, stdin: str = "", **env: str) -> Ran:
    """Run to its end; a program that is missing is a mistake of the attempt's."""
    done = subprocess.run(
        argv,
        input=stdin,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=LIMIT_S,
    )
    return Ran(done.returncode == 0, done.stdout.strip(), done.stderr.strip())
