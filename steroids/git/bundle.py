"""Commits as one file, both ways between the mirror and a runner.

What comes from a runner was made where an agent had its hands. It is taken apart in a quarantine
repository that borrows the mirror's objects, and only what passed every check is copied over.
"""

import contextlib
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from steroids.errors import BundleRefused, GitError
from steroids.git.command import Git, GitDiskFull, readable
from steroids.git.mirror import Mirror, text_of_path
from steroids.git.packs import megabytes, weigh
from steroids.git.refs import checked_own, is_hash

WANT = "refs/steroids/want"
"""The one ref in a bundle for a runner."""

OFFERED = "refs/heads/steroids"
"""The one ref in a bundle from a runner."""

MOST_COMMITS = 5_000
"""Of one submission."""

_HEADER_MAX_BYTES = 256 * 1024
_UNPACKED = 8
"""How many times as large as the bundle may be, all that is in it may be unpacked."""
_UNPACKED_BYTES = 256 * 1024 * 1024
"""What is always allowed: that takes git a second or two."""
_STREAMED = "[core]\n\tbigFileThreshold = 16m\n"
"""Larger files do not go into git's memory whole."""
_LEFT_BEHIND_S = 24 * 3600

# Git's strict set, which is also an error for what git itself only warns about, and the few that
# it never stops at. Padded modes stand in much real history and are harmless.
_FSCK = ",".join(
    [f"{danger}=error" for danger in ("badFilemode", "hasDot", "hasDotdot", "hasDotgit")]
    + [f"{danger}=error" for danger in ("fullPathname", "emptyName", "nullSha1")]
    + ["zeroPaddedFilemode=ignore"]
)


@dataclass(frozen=True)
class Header:
    """What stands before a bundle's pack."""

    prerequisites: tuple[str, ...]
    refs: dict[str, str]
    size_bytes: int


def write_bundle(mirror: Mirror, dest: Path, *, want: str, have: Sequence[str]) -> bool:
    """Write what `want` needs beyond `have` to `dest`, as a bundle with the ref `WANT`.

    `have` may name commits that the mirror does not know. Returns False, and writes nothing, when
    `have` covers `want`. Raises `GitError` when the mirror does not know `want`.
    """
    known = [commit for commit in have if is_hash(commit) and mirror.resolve(commit)]
    tips = f"{want}\n" + "".join(f"^{commit}\n" for commit in known)
    listed = mirror.git("rev-list", "--boundary", "--stdin", stdin=tips.encode()).out.split()
    edge = [line[1:] for line in listed if line.startswith("-")]
    if len(edge) == len(listed):
        return False
    header = "# v2 git bundle\n" + "".join(f"-{commit}\n" for commit in edge) + f"{want} {WANT}\n\n"
    shape = ("--revs", "--stdout", "--thin", "--delta-base-offset", "--quiet")
    unfinished = dest.with_name(f".{dest.name}.{time.monotonic_ns()}")
    try:
        with unfinished.open("wb", buffering=0) as file:
            file.write(header.encode())
            mirror.git("pack-objects", *shape, stdin=tips.encode(), stdout=file)
        unfinished.replace(dest)
    finally:
        unfinished.unlink(missing_ok=True)
    return True


def take_in(mirror: Mirror, bundle: Path, *, tip: str, base: str, ref: str, max_bytes: int) -> None:
    """Check a runner's bundle and bring `tip` into the mirror as `ref`.

    `base` is a commit that the mirror knows and that `tip` must descend from; when they are equal
    there is nothing to take in and `bundle` is not looked at. `max_bytes` is the size that the
    bundle, and each file in it unpacked, may have. Doing it twice is fine. Raises `BundleRefused`
    with the reason, in words for the agent; the mirror is then what it was.
    """
    checked_own(ref)
    if not is_hash(tip) or not is_hash(base):
        raise BundleRefused("The bundle's tip or base is not a commit hash")
    if mirror.resolve(base) != base:
        raise BundleRefused(f"The mirror does not know the base {base[:12]}")
    if tip == base:
        mirror.set_ref(ref, tip)
        return
    with _opened(bundle, max_bytes) as file:
        header = read_header(file)
        _check_header(mirror, header, tip)
        with _quarantine(mirror) as git:
            try:
                heavy = _unpack(git, file, header, max_bytes)
                _check_history(git, header, tip=tip, base=base)
                if heavy:
                    _refuse_heavy(git, tip, base, max_bytes)
                git("update-ref", OFFERED, tip)
            except GitDiskFull:
                # No fault of the bundle's.
                raise
            except GitError as error:
                raise BundleRefused(f"The bundle was refused: {error.message}") from None
            _copy(mirror, git, ref)


def read_header(file: IO[bytes]) -> Header:
    """Parse the beginning of a bundle, version 2 or 3. Raises `BundleRefused`."""
    raw = file.read(_HEADER_MAX_BYTES)
    head, end, _ = raw.partition(b"\n\n")
    if not raw.startswith((b"# v2 git bundle\n", b"# v3 git bundle\n")):
        raise BundleRefused("This is not a git bundle")
    if not end:
        raise BundleRefused("The bundle's header has no end")
    prerequisites, refs = [], {}
    for line in head.decode("utf-8", "replace").split("\n")[1:]:
        needed = re.fullmatch(r"-([0-9a-f]{40})(?: .*)?", line)
        offered = re.fullmatch(r"([0-9a-f]{40}) (\S+)", line)
        if needed:
            prerequisites.append(needed[1])
        elif offered and offered[2] not in refs:
            refs[offered[2]] = offered[1]
        elif not (line == "@object-format=sha1" and head.startswith(b"# v3")):
            raise BundleRefused(f"The bundle's header has a line too many: {readable(line, 80)}")
    return Header(tuple(prerequisites), refs, len(head) + len(end))


def _check_header(mirror: Mirror, header: Header, tip: str) -> None:
    if list(header.refs) != [OFFERED]:
        names = readable(", ".join(header.refs), 120) or "none"
        raise BundleRefused(f"The bundle must have the one ref {OFFERED}, and has: {names}")
    if header.refs[OFFERED] != tip:
        raise BundleRefused(f"The bundle's tip is not {tip[:12]}")
    asked = "".join(f"{commit}\n" for commit in header.prerequisites)
    answers = mirror.git("cat-file", "--batch-check", stdin=asked.encode()).out.splitlines()
    for commit, answer in zip(header.prerequisites, answers, strict=True):
        if not answer.startswith(f"{commit} commit "):
            raise BundleRefused(f"The bundle builds on {commit[:12]}, which the mirror has not")


@contextlib.contextmanager
def _opened(bundle: Path, max_bytes: int) -> Iterator[IO[bytes]]:
    try:
        # Unbuffered: git goes on reading where the header ends.
        file = bundle.open("rb", buffering=0)
    except OSError as error:
        raise BundleRefused(f"The bundle cannot be read: {error.strerror}") from None
    with file:
        size_bytes = bundle.stat().st_size
        if size_bytes > max_bytes:
            raise BundleRefused(
                f"The bundle is too large: {size_bytes} bytes, {max_bytes} are allowed",
                hint="take large files out of the commits",
            )
        yield file


@contextlib.contextmanager
def _quarantine(mirror: Mirror) -> Iterator[Git]:
    """A bare repository of its own that sees the mirror's objects; gone at the end."""
    yard = mirror.path / "quarantine"
    yard.mkdir(exist_ok=True)
    for left in yard.iterdir():
        # A controller that was killed left it; the age keeps off those of other threads.
        with contextlib.suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > _LEFT_BEHIND_S:
                shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=yard) as folder:
        path = Mirror.create(Path(folder)).path
        info = path / "objects" / "info"
        info.mkdir(exist_ok=True)
        (info / "alternates").write_text(f"{mirror.path / 'objects'}\n")
        with (path / "config").open("a") as config:
            config.write(_STREAMED)
        yield Git(path)


def _unpack(git: Git, file: IO[bytes], header: Header, max_bytes: int) -> bool:
    """Unpack it; whether there is a file in it that is too large, which git can name now."""
    file.seek(header.size_bytes)
    most = max(_UNPACKED * max_bytes, _UNPACKED_BYTES)
    weight = weigh(file, max_object_bytes=max_bytes, max_total_bytes=most)
    file.seek(header.size_bytes)
    limits = (f"--strict={_FSCK}", f"--max-input-size={max_bytes}")
    git("index-pack", "--stdin", "--fix-thin", *limits, stdin=file)
    return weight.largest_blob_bytes > max_bytes


def _check_history(git: Git, header: Header, *, tip: str, base: str) -> None:
    if git("cat-file", "-t", tip).out != "commit":
        raise BundleRefused(f"The bundle's tip {tip[:12]} is not a commit")
    known = "".join(f"^{commit}\n" for commit in (base, *header.prerequisites))
    git("rev-list", "--objects", "--quiet", "--stdin", stdin=f"{tip}\n{known}".encode())
    if not git("merge-base", "--is-ancestor", base, tip, check=False).ok:
        raise BundleRefused(
            f"The tip {tip[:12]} does not build on {base[:12]}, where the task began",
            hint="rebase the commits onto it",
        )
    count = int(git("rev-list", "--count", f"{base}..{tip}").out)
    if count > MOST_COMMITS:
        raise BundleRefused(
            f"There are {count:,} commits, and {MOST_COMMITS:,} are allowed",
            hint="squash them into fewer",
        )


def _refuse_heavy(git: Git, tip: str, base: str, max_bytes: int) -> None:
    """Name a file that is too large. One that `tip` does not reach is not taken in anyway."""
    listed = git("rev-list", "--objects", f"{base}..{tip}").stdout.splitlines()
    paths = dict(line.partition(b" ")[::2] for line in listed)
    shape = "--batch-check=%(objectsize) %(objectname)"
    sizes = git("cat-file", shape, stdin=b"".join(name + b"\n" for name in paths)).out.split()
    for size, name in zip(map(int, sizes[::2]), sizes[1::2], strict=True):
        if size > max_bytes:
            path = readable(text_of_path(paths[name.encode()]), 200)
            raise BundleRefused(
                f"{path} is a file of {megabytes(size)}, and {megabytes(max_bytes)} are allowed",
                hint=f"take {path} out of the commits, out of each that has it",
            )


def _copy(mirror: Mirror, git: Git, ref: str) -> None:
    """Fetch from the quarantine: only what the tip reaches goes over, and the ref comes last."""
    options = ("--quiet", "--no-tags", "--no-write-fetch-head")
    mirror.git("fetch", *options, "--", str(git.git_dir), f"+{OFFERED}:{ref}")
