"""Makes a PostgreSQL cluster in a folder, runs it as long as somebody uses it, and removes it.

Run as `python -m tests.support.postgres_keeper PROGRAMS FOLDER [SETTING=VALUE]...`. Users hold a
shared lock on the file `users` in the folder, which the kernel takes from them when they end, in
whatever way; the keeper waits for the exclusive one. `ready` appears when the server answers.
"""

import fcntl
import os
import pwd
import shutil
import signal
import sys
import time
from pathlib import Path

from steroids import proc
from tests.support.postgres import LIMIT_S, USER


def main(bin_folder: Path, folder: Path, settings: list[str]) -> int:
    user = _ordinary_user()
    data = folder / "data"
    if user is not None:
        os.chown(folder, user, -1)
    log = (folder / "postgres.log").open("wb")
    initdb = ("--auth=trust", f"--username={USER}", "--no-sync", "--encoding=UTF8", "--locale=C")
    made = proc.run(
        [str(bin_folder / "initdb"), *initdb, str(data)], cwd=folder, timeout_s=LIMIT_S, user=user
    )
    if not made.ok:
        print(made.out, made.err, file=sys.stderr)
        return 1
    options = ["listen_addresses=", f"unix_socket_directories={folder}", *settings]
    argv = [str(bin_folder / "postgres"), "-D", str(data), *(f"-c{each}" for each in options)]
    server = proc.spawn(argv, cwd=folder, stdout=log, stderr=log, user=user)
    try:
        _await_ready(bin_folder, folder, server)
        (folder / "ready").touch()
        with (folder / "users").open("a") as users:
            fcntl.flock(users, fcntl.LOCK_EX)
            _stop(server)
            # Under the lock: who gets it after this finds nothing to join.
            shutil.rmtree(folder)
    finally:
        proc.kill_group(server)
    return 0


def _ordinary_user() -> int | None:
    """Whom to run it as when this is root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    raise SystemExit("neither postgres nor nobody is a user here")


def _await_ready(bin_folder: Path, folder: Path, server: proc.Process) -> None:
    deadline = time.monotonic() + LIMIT_S
    asking = [str(bin_folder / "pg_isready"), "-q", "-h", str(folder), "-d", "postgres"]
    while not proc.run(asking, timeout_s=LIMIT_S).ok:
        if server.poll() is not None or time.monotonic() > deadline:
            raise SystemExit((folder / "postgres.log").read_text()[-2000:])
        time.sleep(0.02)


def _stop(server: proc.Process) -> None:
    """The fast shutdown: whoever is connected is sent away."""
    server.send_signal(signal.SIGINT)
    server.wait(LIMIT_S)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
