"""A folder of a commit as files to build an image from. Nothing is read from any work tree.

The tree may have been made to harm: a name with `..`, a link and a folder of one name. So folders
come first, then files that must be new, and links last: nothing is ever written through a link.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from steroids.errors import BadConfig
from steroids.git.mirror import Mirror
from steroids.provisioning.context import open_folders

_LINK, _SUBMODULE = b"120000", b"160000"
_IGNORE = b".dockerignore"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Entry:
    mode: bytes
    blob: bytes
    path: bytes


def tree_of(mirror: Mirror, commit: str, folder: str) -> str | None:
    """The hash of all that is in a folder of a commit; None when there is no such folder."""
    asked = f"{commit}:{folder}" if folder else f"{commit}^{{tree}}"
    done = mirror.git("rev-parse", "--verify", "--quiet", "--end-of-options", asked, check=False)
    if not done.ok or mirror.git("cat-file", "-t", done.out).out != "tree":
        return None
    return done.out


def write_tree(mirror: Mirror, tree: str, folder: Path) -> None:
    """Write a tree into a folder that is there. Raises `BadConfig` for one that is malformed."""
    entries = list(_entries(mirror, tree))
    try:
        for each in entries:
            open_folders(_place(folder, each), folder)
        _write_files(mirror, [each for each in entries if each.mode != _LINK], folder)
        for each in entries:
            # Whoever packs the context would read it here, on the host.
            if each.mode == _LINK and each.path != _IGNORE:
                target = mirror.git("cat-file", "blob", each.blob.decode()).stdout
                _place(folder, each).symlink_to(os.fsdecode(target))
    except (FileExistsError, NotADirectoryError) as error:
        raise BadConfig(f"The repository has two files of one name: {error.filename}") from None


def _entries(mirror: Mirror, tree: str) -> Iterator[Entry]:
    listed = mirror.git("ls-tree", "-r", "-z", "--full-tree", tree).stdout
    for line in filter(None, listed.split(b"\0")):
        fields, _, path = line.partition(b"\t")
        mode, _, blob = fields.split(b" ")
        if {b"", b".", b"..", b".git"} & set(path.split(b"/")):
            raise BadConfig(f"The repository has a file that is no file's name: {path!r}")
        if mode != _SUBMODULE:
            yield Entry(mode, blob, path)


def _place(folder: Path, entry: Entry) -> Path:
    return folder / os.fsdecode(entry.path)


def _write_files(mirror: Mirror, entries: list[Entry], folder: Path) -> None:
    """With one git for all of them, through a file: they need not fit into memory."""
    asked = b"".join(each.blob + b"\n" for each in entries)
    packed = folder.with_name(f"{folder.name}.blobs")
    try:
        with packed.open("w+b") as stream:
            mirror.git("cat-file", "--batch", stdin=asked, stdout=stream)
            stream.seek(0)
            for each in entries:
                size = int(stream.readline().split()[2])
                mode = 0o755 if each.mode == b"100755" else 0o644
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
                with os.fdopen(os.open(_place(folder, each), flags, mode), "wb") as file:
                    os.fchmod(file.fileno(), mode)
                    _copy(stream, file, size)
                stream.read(1)
    finally:
        packed.unlink(missing_ok=True)


def _copy(source: IO[bytes], target: IO[bytes], size: int) -> None:
    while size:
        part = source.read(min(size, _CHUNK))
        target.write(part)
        size -= len(part)
