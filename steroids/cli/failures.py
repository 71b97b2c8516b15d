"""How every failure is shown, and which exit code it has."""

import errno
import os
import sys
from collections.abc import Callable

from steroids.cli.context import Context
from steroids.errors import SteroidsError

BUG_EXIT_CODE = 70
INTERRUPTED_EXIT_CODE = 130
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def answered(context: Context, work: Callable[[], int]) -> int:
    """Do the work of a command; its exit code, or that of what went wrong."""
    try:
        return work()
    except KeyboardInterrupt:
        return INTERRUPTED_EXIT_CODE
    except SteroidsError as error:
        context.out.error(error)
        return error.exit_code
    except BrokenPipeError:
        # `steroids logs | head`: whoever read has enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as raised:  # noqa: BLE001 - a bug: logged whole, shown as one line
        return _no_room(context, raised) or _bug(context)


def _no_room(context: Context, error: Exception) -> int:
    """Its exit code when it comes from a disk that takes nothing, 0 when not."""
    if not isinstance(error, OSError) or error.errno not in NO_ROOM:
        return 0
    where = error.filename or "what a command has to write"
    told = SteroidsError(f"{where}: {error.strerror}", hint="df -h")
    context.out.error(told)
    return told.exit_code


def _bug(context: Context) -> int:
    import traceback

    from steroids.home import ensure_home

    error = SteroidsError("A bug in Steroids")
    try:
        log = ensure_home() / "logs" / "cli.log"
        log.parent.mkdir(exist_ok=True)
        with log.open("a") as file:
            traceback.print_exc(file=file)
        error = SteroidsError(f"A bug in Steroids; the trace is in {log}", hint=f"tail {log}")
    except (OSError, SteroidsError):
        traceback.print_exc()
    error.code, error.exit_code = "BUG", BUG_EXIT_CODE
    context.out.error(error)
    return BUG_EXIT_CODE
