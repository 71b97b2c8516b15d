"""Running the controller: one per home, for which a lock answers and not a PID file."""

import asyncio
import contextlib
import logging
import logging.handlers
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import uvicorn
from fastapi import FastAPI

from steroids.client import short_path
from steroids.controller.app import runner_app, user_app
from steroids.controller.only_one import only_one, still_ours
from steroids.controller.wiring import Controller, build
from steroids.provisioning.container import runner_socket

TICK_S = 1.0
IDLE_TICK_S = 15.0
"""Between rounds when nothing goes on; whoever wants something rings."""
PAUSE_S = 0.05
REST = 4
"""After a round that took the processor so long, a pause of as many times that: rounds look at
every runner, and 32 that start together ring for each of their steps."""
log = logging.getLogger("steroids")


def serve(home: Path) -> None:
    """Serve until SIGTERM, SIGINT or a request to stop; runners live on.

    Raises `Busy` when a controller serves this home already: the kernel holds the lock for
    exactly as long as that process lives.
    """
    with only_one(home) as lock:
        _log_to(home / "logs" / "controller.log")
        controller = build(home)
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: controller.ask_to_stop())
        with _listening(controller):
            log.info("controller %d serves %s", os.getpid(), home)
            _reconcile(controller, lock)
        # What is under way is safe to be cut off anywhere, so nobody waits for it.
        controller.pool.shutdown(wait=False, cancel_futures=True)
        log.info("controller %d ends", os.getpid())
        logging.shutdown()
    os._exit(0)


def _reconcile(controller: Controller, lock: IO[str]) -> None:
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
        # Rings come in flurries: the first is answered at once, the others together.
        spent_s = time.thread_time() - began
        controller.stopping.wait(min(max(PAUSE_S, REST * spent_s), TICK_S))
        controller.work.wait(heard, TICK_S if lively else IDLE_TICK_S)
    try:
        controller.reconciler.rest()
    except Exception:
        log.exception("at the end")


@contextlib.contextmanager
def _listening(controller: Controller) -> Iterator[None]:
    """Serve both applications from a thread; the sockets are there when this is entered."""
    sockets = {
        "user": _bind(controller.home / "controller.sock", 0o600),
        "runner": _bind(runner_socket(controller.home), _runner_socket_mode()),
    }
    servers = [
        (_server(user_app(controller)), sockets["user"]),
        (_server(runner_app(controller)), sockets["runner"]),
    ]

    async def both() -> None:
        await asyncio.gather(*(server.serve([sock]) for server, sock in servers))

    thread = threading.Thread(target=lambda: asyncio.run(both()), name="http", daemon=True)
    thread.start()
    try:
        yield
    finally:
        controller.work.ring()
        controller.events.ring()
        for server, _ in servers:
            server.should_exit = True
        thread.join(timeout=5)
        (controller.home / "controller.sock").unlink(missing_ok=True)


def _server(app: FastAPI) -> uvicorn.Server:
    application: Any = app
    config = uvicorn.Config(
        application, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2
    )
    return uvicorn.Server(config)


def _bind(path: Path, mode: int) -> socket.socket:
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with short_path(fresh) as address:
        sock.bind(address)
    fresh.chmod(mode)
    sock.listen(512)
    # Renamed when it is ready: nobody ever finds a socket that does not answer.
    fresh.replace(path)
    return sock


def _runner_socket_mode() -> int:
    """Root inside a container of a rootful engine is not the owner, unless we are root too.

    It must connect without DAC_OVERRIDE then; the home's mode keeps other users of the host
    away, and the token keeps the agent out.
    """
    return 0o600 if os.getuid() == 0 else 0o666


def _log_to(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=5_000_000, backupCount=3)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s  %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for noisy in ("httpx", "urllib3", "docker", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
