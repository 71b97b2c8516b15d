"""Running the controller: one per home, for which a lock answers and not a PID file."""

import contextlib
import logging
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from steroids.controller.listening import Listening
from steroids.controller.log_file import log_to
from steroids.controller.only_one import only_one, still_ours
from steroids.controller.wiring import Controller, build
from steroids.errors import DiskFull, SteroidsError, out_of_space
from steroids.store import runners

TICK_S = 1.0
IDLE_TICK_S = 15.0
"""Between rounds when nothing goes on; whoever wants something rings."""
PAUSE_S = 0.05
REST = 4
"""After a round that took the processor so long, a pause of as many times that: rounds look at
every runner, and 32 that start together ring for each of their steps."""
log = logging.getLogger("steroids")


def serve(home: Path) -> None:
    """Serve until SIGTERM, SIGINT, a request to stop, or nobody needs it; runners live on.

    Raises `Busy` when a controller serves this home already: the kernel holds the lock for
    exactly as long as that process lives. Raises `SteroidsError` for a home that cannot be
    worked in.
    """
    # For clients of another host's controller; nothing that is started here needs it.
    os.environ.pop("STEROIDS_TOKEN", None)
    with contextlib.ExitStack() as stack:
        with _usable(home):
            lock = stack.enter_context(only_one(home))
            log_to(home / "logs" / "controller.log")
            controller = build(home)
            for signum in (signal.SIGTERM, signal.SIGINT):
                signal.signal(signum, lambda *_: controller.ask_to_stop())
            listening = Listening(controller)
        with listening.served():
            log.info("controller %d serves %s", os.getpid(), home)
            _reconcile(controller, listening, lock)
            controller.work.ring()
            controller.events.ring()
        # What is under way is safe to be cut off anywhere, so nobody waits for it.
        controller.pool.shutdown(wait=False, cancel_futures=True)
        with contextlib.suppress(Exception):
            controller.host.close_stores()
        log.info("controller %d ends", os.getpid())
        logging.shutdown()
    os._exit(0)


@contextlib.contextmanager
def _usable(home: Path) -> Iterator[None]:
    """What the home's file system refuses is told as that, and not as a bug."""
    try:
        yield
    except SteroidsError:
        raise
    except Exception as error:
        if out_of_space(error):
            raise DiskFull(
                f"No space is left on the disk of {home}: the controller cannot start",
                hint=f"df -h {home}",
            ) from error
        if isinstance(error, OSError):
            where = error.filename or home
            raise SteroidsError(
                f"The controller cannot use {where}: {error.strerror or error}",
                hint=f"ls -ld {home} {where}",
            ) from error
        raise


def _reconcile(controller: Controller, listening: Listening, lock: IO[str]) -> None:
    controller.reconciler.adopt()
    while not controller.stopping.is_set():
        if not still_ours(controller.home, lock):
            log.warning("the home %s was removed or replaced", controller.home)
            controller.stopping.set()
            return
        heard = controller.work.count
        began = time.thread_time()
        lively = True
        try:
            lively = controller.reconciler.tick()
        except Exception as error:
            # A bug in one round must not leave every project without its keeper.
            if not controller.disk.note(error):
                log.exception("reconcile")
        if not lively and _nobody_needs(controller) and listening.shut_unless_somebody_comes():
            log.info("nobody has needed this controller for %g s", controller.idle_exit_s())
            controller.stopping.set()
            break
        # Rings come in flurries: the first is answered at once, the others together.
        spent_s = time.thread_time() - began
        controller.stopping.wait(min(max(PAUSE_S, REST * spent_s), TICK_S))
        controller.work.wait(heard, TICK_S if lively else _until_next(controller))
    listening.shut()
    try:
        controller.reconciler.rest()
    except Exception:
        log.exception("at the end")


def _nobody_needs(controller: Controller) -> bool:
    limit_s = controller.idle_exit_s()
    if not limit_s or controller.visits.left_s(limit_s) or controller.jobs.any():
        return False
    try:
        with controller.host.store.read() as session:
            return not runners.active(session)
    except SteroidsError:
        return False


def _until_next(controller: Controller) -> float:
    """Nothing goes on: the next round is when there may be a reason to end."""
    limit_s = controller.idle_exit_s()
    if not limit_s:
        return IDLE_TICK_S
    return min(IDLE_TICK_S, controller.visits.left_s(limit_s) or TICK_S)
