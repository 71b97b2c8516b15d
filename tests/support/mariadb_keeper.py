"""Runs a MariaDB in a folder as long as its standard input is open, and removes the folder.

Run as `python -m tests.support.mariadb_keeper FOLDER PORT SETTING...`. Whoever started it holds the
other end of the pipe, which the kernel closes when they end, in whatever way. `ready` appears in
the folder when the server answers. `init.sql` there is run before that.
"""

import os
import pwd
import shutil
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

from steroids import proc
from tests.support.mariadb import LIMIT_S, program


def main(folder: Path, port: str, settings: list[str]) -> int:
    owner = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    # A server that starts removes what looks like its own in there, another's as well.
    (folder / "tmp").mkdir()
    os.environ["TMPDIR"] = f"{folder}/tmp"
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, owner)
    data = f"--datadir={folder}/data"
    install = ("--no-defaults", f"--user={owner}", data, "--skip-name-resolve", "--skip-test-db")
    made = proc.run([program("mariadb-install-db"), *install], cwd=folder, timeout_s=LIMIT_S)
    if not made.ok:
        print(made.out, made.err, file=sys.stderr)
        return 1
    options = [f"--socket={folder}/mysqld.sock", f"--port={port}", f"--init-file={folder}/init.sql"]
    argv = [program("mariadbd"), "--no-defaults", f"--user={owner}", data, *options, *settings]
    log = (folder / "server.log").open("wb")
    server = proc.spawn(argv, cwd=folder, stdout=log, stderr=log)
    try:
        _await(int(port), folder, server)
        (folder / "ready").touch()
        sys.stdin.buffer.read()
    finally:
        proc.kill_group(server)
        shutil.rmtree(folder)
    return 0


def _await(port: int, folder: Path, server: proc.Process) -> None:
    """It listens when `init.sql` is through."""
    deadline = time.monotonic() + LIMIT_S
    while not _listens(port):
        if server.poll() is not None or time.monotonic() > deadline:
            raise SystemExit((folder / "server.log").read_text()[-2000:])
        time.sleep(0.02)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as there:
        return there.recv(1) != b""
    return False


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
