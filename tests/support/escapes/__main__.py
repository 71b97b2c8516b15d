"""Try all of it, or what is named after the targets, and print a row for each."""

import json
import multiprocessing
import signal
import sys
import traceback
from dataclasses import asdict

# Each of these tells `ATTEMPTS` of its own.
from tests.support.escapes import database, files, kernel, network, root, secrets  # noqa: F401
from tests.support.escapes.attempts import ATTEMPTS, MARK, GotOut, Row, Targets, chosen

AT_ONCE = 6
LIMIT_S = 240
"""Only what hangs ever waits this long."""


def main() -> None:
    targets = Targets(**json.loads(sys.argv[1]))
    names = [name for name in chosen(targets) if name in (sys.argv[2:] or ATTEMPTS)]
    # A process each: one that works may change what the next one would find.
    with multiprocessing.get_context("fork").Pool(AT_ONCE, maxtasksperchild=1) as pool:
        for row in pool.imap(_try, [(name, targets) for name in names], chunksize=1):
            print(MARK + json.dumps(asdict(row)), flush=True)


def _try(asked: tuple[str, Targets]) -> Row:
    name, targets = asked
    tried, function = ATTEMPTS[name]
    signal.signal(signal.SIGALRM, _stuck)
    signal.alarm(LIMIT_S)
    try:
        said = function(targets)
    except GotOut as worked:
        return Row(name, tried, False, str(worked))
    except Exception:  # noqa: BLE001 - told, in place of a row
        # An attempt that is broken shows nothing.
        return Row(name, tried, False, traceback.format_exc(limit=-3))
    return Row(name, tried, True, said)


def _stuck(number: int, frame: object) -> None:
    # No `OSError`, which would be a refusal.
    raise AssertionError(f"neither refused nor successful after {LIMIT_S} s")


if __name__ == "__main__":
    main()
