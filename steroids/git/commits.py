"""Commits, as people see them and as git stores them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from steroids.errors import GitError
from steroids.git.command import Git


@dataclass(frozen=True)
class Identity:
    """Who a commit is by."""

    name: str
    email: str

    def line(self, when: bytes, encoding: str) -> bytes:
        """As in a commit object; what would break its syntax is left out."""
        forbidden = str.maketrans("", "", "<>\n\r\0")
        name, email = (part.translate(forbidden).strip() for part in (self.name, self.email))
        try:
            return f"{name} <{email}> ".encode(encoding) + when
        except (UnicodeError, LookupError):
            return f"{name} <{email}> ".encode() + when


@dataclass(frozen=True)
class Commit:
    """A commit as people see it. Bytes that are not text show as U+FFFD."""

    hash: str
    message: str
    author_name: str
    author_email: str
    authored_at: datetime
    """UTC."""
    parents: tuple[str, ...]

    @property
    def subject(self) -> str:
        return self.message.partition("\n")[0]


@dataclass(frozen=True)
class RawCommit:
    """A commit object as stored, byte for byte, without its signature."""

    hash: str
    tree: str
    parents: tuple[str, ...]
    author: bytes
    committer: bytes
    encoding: str
    message: bytes

    def text(self) -> str:
        return decoded(self.message, self.encoding).strip("\n")

    def commit(self) -> Commit:
        """The same for people."""
        name, _, rest = self.author.rpartition(b" <")
        email, _, when = rest.partition(b"> ")
        return Commit(
            hash=self.hash,
            message=self.text(),
            author_name=decoded(name, self.encoding).strip(),
            author_email=decoded(email, self.encoding),
            authored_at=_moment(when),
            parents=self.parents,
        )


def read_commits(git: Git, hashes: Iterable[str]) -> list[RawCommit]:
    """These commits in this order, with one process. Raises `GitError` if one is not there."""
    wanted = list(hashes)
    if not wanted:
        return []
    out = git("cat-file", "--batch", stdin="".join(f"{h}\n" for h in wanted).encode()).stdout
    found, at = [], 0
    for name in wanted:
        end = out.index(b"\n", at)
        fields = out[at:end].split(b" ")
        if len(fields) != 3 or fields[1] != b"commit":
            raise GitError(f"No such commit: {name}")
        size = int(fields[2])
        found.append(_parse(fields[0].decode(), out[end + 1 : end + 1 + size]))
        at = end + size + 2
    return found


def write_commit(
    git: Git,
    *,
    tree: str,
    parents: Sequence[str],
    author: bytes,
    committer: bytes,
    encoding: str = "utf-8",
    message: bytes,
) -> str:
    """Store a commit and return its hash; equal input gives an equal hash.

    Written as an object and not with `git commit-tree`, which would re-code names and messages.
    """
    header = [f"tree {tree}".encode(), *(f"parent {parent}".encode() for parent in parents)]
    header += [b"author " + author, b"committer " + committer]
    if encoding.lower() not in ("utf-8", "utf8"):
        header.append(b"encoding " + encoding.encode())
    content = b"\n".join(header) + b"\n\n" + message
    return git("hash-object", "-t", "commit", "-w", "--stdin", stdin=content).out


def _parse(name: str, content: bytes) -> RawCommit:
    head, _, message = content.partition(b"\n\n")
    fields: dict[bytes, list[bytes]] = {}
    for line in head.split(b"\n"):
        # Lines that begin with a space continue a signature.
        if not line.startswith(b" "):
            key, _, value = line.partition(b" ")
            fields.setdefault(key, []).append(value)
    return RawCommit(
        hash=name,
        tree=fields[b"tree"][0].decode(),
        parents=tuple(parent.decode() for parent in fields.get(b"parent", [])),
        author=fields[b"author"][0],
        committer=fields[b"committer"][0],
        encoding=fields.get(b"encoding", [b"utf-8"])[0].decode("ascii", "replace"),
        message=message,
    )


def decoded(raw: bytes, encoding: str) -> str:
    """What a commit says in the encoding that it names, as text that can be stored and printed."""
    try:
        text = raw.decode(encoding, "replace")
    # The encoding is whatever the commit says: a codec that is unknown, or no codec for text.
    except (LookupError, ValueError):
        text = raw.decode("utf-8", "replace")
    return text.encode("utf-8", "replace").decode()


def _moment(when: bytes) -> datetime:
    try:
        return datetime.fromtimestamp(int(when.split(b" ")[0]), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
