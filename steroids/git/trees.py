"""Trees with other files in them, made without an index and without a work tree."""

from collections import defaultdict
from collections.abc import Mapping

from steroids.git.command import Git

Entry = tuple[str, str]
"""Mode and hash, as `ls-tree` has them."""

_FOLDER = "040000"


def with_files(git: Git, tree: str, files: Mapping[bytes, Entry]) -> str:
    """The tree that has these files in place of what it has at their paths.

    Folders that are not there are made. It takes two processes per folder on the way, however
    many files the tree has.
    """
    here: dict[bytes, Entry] = {}
    below: dict[bytes, dict[bytes, Entry]] = defaultdict(dict)
    for path, entry in files.items():
        name, _, rest = path.partition(b"/")
        if rest:
            below[name][rest] = entry
        else:
            here[name] = entry
    entries = _entries(git, tree)
    for name, inner in below.items():
        mode, known = entries.get(name, ("", ""))
        folder = known if mode == _FOLDER else _write(git, {})
        here[name] = (_FOLDER, with_files(git, folder, inner))
    return _write(git, entries | here)


def write_blob(git: Git, content: bytes) -> str:
    """Store a file's content, byte for byte, and return its hash."""
    return git("hash-object", "-t", "blob", "-w", "--no-filters", "--stdin", stdin=content).out


def _entries(git: Git, tree: str) -> dict[bytes, Entry]:
    found = {}
    for line in filter(None, git("ls-tree", "-z", tree).stdout.split(b"\0")):
        fields, _, name = line.partition(b"\t")
        mode, _, known = fields.decode().split(" ")
        found[name] = (mode, known)
    return found


def _write(git: Git, entries: Mapping[bytes, Entry]) -> str:
    kinds = {_FOLDER: "tree", "160000": "commit"}
    lines = (
        f"{mode} {kinds.get(mode, 'blob')} {known}\t".encode() + name + b"\0"
        for name, (mode, known) in entries.items()
    )
    return git("mktree", "-z", "--missing", stdin=b"".join(lines)).out
