"""The local engine's built-in image: the host as it is, with the runner of this very Steroids."""

import hashlib
import shlex
from pathlib import Path

import msgspec

from steroids.engines.local_shim import python

REF = "localhost/steroids/runner:latest"
_COMMAND = ("/usr/local/bin/steroids-runner",)
_FOLDERS = (
    "etc",
    "home/agent",
    "mnt",
    "run/steroids",
    "tmp",
    "usr/local/bin",
    "var/lib/steroids",
    "workspace",
)


def fill(root: Path) -> tuple[str, dict[str, str], tuple[str, ...]]:
    """Write its files; returns its id (hex), labels and command."""
    for name in _FOLDERS:
        (root / name).mkdir(mode=0o700, parents=True)
    code = "from steroids.runner.__main__ import main; sys.exit(main())"
    script = f"#!/bin/sh\nexec {shlex.join(python(code, msgspec.__file__))}\n"
    path = root / _COMMAND[0].lstrip("/")
    path.write_text(script)
    path.chmod(0o700)
    labels = {"io.steroids.image": "runner"}
    image_id = hashlib.sha256("\0".join([*_FOLDERS, script]).encode()).hexdigest()
    return image_id, labels, _COMMAND
