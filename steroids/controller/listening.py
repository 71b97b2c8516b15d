"""Where the controller listens: for users, for runners, and on a TCP port for who has the token."""

import asyncio
import contextlib
import ipaddress
import logging
import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from steroids import __version__
from steroids.client import short_path
from steroids.controller.app import runner_app, user_app
from steroids.controller.door import Door
from steroids.controller.token import token_of
from steroids.controller.wiring import Controller
from steroids.errors import SteroidsError
from steroids.provisioning.container import runner_socket

SETTLE_S = 0.05
"""Longer than it takes to connect to a socket that one has found."""
MAX_PORT = 65_535

log = logging.getLogger("steroids.listening")


class Listening:
    """The sockets and what serves them. `user` is where commands find the controller."""

    def __init__(self, controller: Controller) -> None:
        """Binds the sockets: who connects from now on is answered as soon as they are served."""
        self._path = controller.home / "controller.sock"
        self._away = controller.home / ".controller.sock.away"
        application = user_app(controller)
        self._users = [(_server(Door(application, controller.visits)), _bind(self._path, 0o600))]
        if port := _tcp(controller):
            sock, token = port
            self._users.append((_server(Door(application, controller.visits, token)), sock))
        runners = _bind(runner_socket(controller.home), _runner_socket_mode())
        self._all = [*self._users, (_server(runner_app(controller)), runners)]
        self._mine = self._path.stat()

    @contextlib.contextmanager
    def served(self) -> Iterator[None]:
        """From a thread, until this is left."""

        async def all_of_them() -> None:
            await asyncio.gather(*(server.serve([sock]) for server, sock in self._all))

        thread = threading.Thread(
            target=lambda: asyncio.run(all_of_them()), name="http", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            for server, _ in self._all:
                server.should_exit = True
            thread.join(timeout=5)
            if self._is_mine(self._path):
                self._path.unlink(missing_ok=True)
            if self._is_mine(self._away):
                self._away.unlink(missing_ok=True)

    def shut(self) -> None:
        """Let no further user in through the socket; whoever has found it has also asked then."""
        if self._is_mine(self._path):
            self._path.replace(self._away)
        time.sleep(SETTLE_S)

    def shut_unless_somebody_comes(self) -> bool:
        """Let no further user in; False, and all is as before, when one came just then.

        So whoever has found the socket is answered, and whoever has not starts the next
        controller.
        """
        self.shut()
        if not any(_somebody(server, sock) for server, sock in self._users):
            return True
        if self._is_mine(self._away):
            self._away.replace(self._path)
        return False

    def _is_mine(self, path: Path) -> bool:
        """In a home that was replaced another controller may listen by now."""
        try:
            return os.path.samestat(path.lstat(), self._mine)
        except OSError:
            return False


def _somebody(server: uvicorn.Server, sock: socket.socket) -> bool:
    """Whether anybody is connected, or waits to be."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(server.server_state.connections or poll.poll(0))


def _server(app: ASGIApp) -> uvicorn.Server:
    application: Any = app
    config = uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
        # Of every answer, one that no application gave too: so clients know whom they talk to.
        headers=[("X-Steroids-Version", __version__)],
    )
    return uvicorn.Server(config)


def _tcp(controller: Controller) -> tuple[socket.socket, str] | None:
    """The port of `daemon.listen`. One that cannot be had is told, and keeps nobody from working
    through the socket. With it the token that opens it."""
    wanted = None
    try:
        wanted = controller.host.settings(None).daemon.listen
        if wanted is None:
            return None
        token = token_of(controller.home)
        sock = _bind_tcp(wanted)
    except SteroidsError as error:
        controller.listen_problem = error.message
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        controller.listen_problem = f"cannot listen on {wanted}: {reason}"
    else:
        host, port = sock.getsockname()[:2]
        controller.listens_on = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        log.info("listening on %s too, for who has the token", controller.listens_on)
        if not ipaddress.ip_address(host.partition("%")[0]).is_loopback:
            log.warning(
                "%s is reached from other hosts, and what goes through it is not encrypted",
                controller.listens_on,
            )
        return sock, token
    log.error("%s", controller.listen_problem)
    return None


def _bind_tcp(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    if int(port) > MAX_PORT:
        # Some resolvers take the rest of a division then.
        raise OverflowError(f"ports go up to {MAX_PORT}")
    family, kind, protocol, _, where = socket.getaddrinfo(
        host.strip("[]"), int(port), type=socket.SOCK_STREAM
    )[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(where)
        sock.listen(512)
    except BaseException:
        sock.close()
        raise
    return sock


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
