"""Bundles: what goes to a runner, what comes back, and everything that must not get in."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from steroids.errors import BundleRefused, GitError
from steroids.git import bundle
from steroids.git.bundle import WANT, take_in, write_bundle
from steroids.git.mirror import Mirror
from tests.support.repos import Repo, new_repo, plant_executables, plant_hooks

REF = "refs/steroids/tasks/t1/1"
MIB = 1024 * 1024


@dataclass
class Place:
    """A mirror that knows `base`, and the runner's clone, whose branch is `steroids`."""

    folder: Path
    mirror: Mirror
    clone: Repo
    base: str

    @property
    def bundle(self) -> Path:
        return self.folder / "up.bundle"

    def offer(self, *refs: str, version: int = 2) -> Path:
        self.clone.git(
            *("bundle", "create", f"--version={version}", str(self.bundle), f"^{self.base}"),
            *(refs or ("refs/heads/steroids",)),
        )
        return self.bundle

    def take(self, tip: str | None = None, base: str | None = None, max_bytes: int = MIB) -> None:
        tip = tip or self.clone.head
        take_in(
            self.mirror, self.bundle, tip=tip, base=base or self.base, ref=REF, max_bytes=max_bytes
        )

    def state(self) -> tuple[str, dict[str, str], list[str]]:
        """All objects, all refs, and what lies around in the mirror's folder."""
        objects = self.mirror.git("cat-file", "--batch-all-objects", "--batch-check").out
        files = sorted(str(p) for p in self.mirror.path.rglob("*") if p.is_file())
        return objects, self.mirror.refs("refs/"), files

    def is_refused(
        self,
        match: str,
        *,
        tip: str | None = None,
        base: str | None = None,
        max_bytes: int = MIB,
    ) -> None:
        before = self.state()
        with pytest.raises(BundleRefused, match=match):
            self.take(tip, base, max_bytes)
        assert self.state() == before


@pytest.fixture
def place(tmp_path: Path) -> Place:
    origin = new_repo(tmp_path / "origin", {"a.txt": "one\n", "b/c.txt": "x\n" * 500})
    mirror = Mirror.create(tmp_path / "mirror.git")
    base = mirror.fetch(str(origin.path), "main")
    origin.git("clone", "--quiet", "--no-local", str(origin.path), str(tmp_path / "clone"))
    clone = Repo(tmp_path / "clone")
    clone.git("switch", "--quiet", "--create", "steroids")
    return Place(tmp_path, mirror, clone, base)


def test_a_bundle_brings_the_runner_what_it_lacks(place: Place) -> None:
    newer = place.clone.commit("newer", {"a.txt": "two\n", "b/c.txt": "x\n" * 499 + "y\n"})
    place.offer()
    place.take()
    down = place.folder / "down.bundle"
    assert write_bundle(place.mirror, down, want=newer, have=[place.base, "f" * 40])
    fresh = Repo(place.folder / "fresh")
    fresh.path.mkdir()
    fresh.git("init", "--quiet")
    place.clone.git("push", "--quiet", str(fresh.path), f"{place.base}:refs/heads/old")
    fresh.git("bundle", "verify", str(down))
    fresh.git("fetch", "--quiet", str(down), f"{WANT}:refs/heads/new")
    assert fresh.git("rev-parse", "new") == newer
    fresh.git("fsck", "--strict")


def test_a_bundle_for_a_runner_that_has_nothing_is_complete(place: Place) -> None:
    down = place.folder / "down.bundle"
    assert write_bundle(place.mirror, down, want=place.base, have=["f" * 40])
    whole = Mirror.create(place.folder / "whole")
    whole.git("fetch", "--quiet", str(down), f"{WANT}:refs/steroids/x")
    assert whole.resolve("refs/steroids/x") == place.base


def test_no_bundle_is_written_when_there_is_nothing_to_bring(place: Place) -> None:
    newer = place.clone.commit("newer", {"a.txt": "two\n"})
    place.offer()
    place.take()
    down = place.folder / "down.bundle"
    assert not write_bundle(place.mirror, down, want=place.base, have=[place.base])
    assert not write_bundle(place.mirror, down, want=place.base, have=[newer])
    with pytest.raises(GitError):
        write_bundle(place.mirror, down, want="f" * 40, have=[])
    assert not list(place.folder.glob("*down*"))


@pytest.mark.parametrize("version", [2, 3])
def test_commits_are_taken_in_and_twice_is_fine(place: Place, version: int) -> None:
    place.clone.commit("one", {"a.txt": "two\n"})
    tip = place.clone.commit(b"two \xff", {b"\xff.txt": b"\0", "b/c.txt": "x\n" * 501})
    place.offer(version=version)
    place.take()
    place.take()
    assert place.mirror.refs(REF) == {REF: tip}
    assert [c.subject[:3] for c in place.mirror.commits(place.base, tip)] == ["one", "two"]
    place.mirror.git("fsck", "--strict", "--connectivity-only")
    assert list((place.mirror.path / "quarantine").iterdir()) == []


def test_a_tip_that_is_the_base_needs_no_bundle(place: Place) -> None:
    place.take(tip=place.base)
    assert place.mirror.refs(REF) == {REF: place.base}


def test_objects_that_the_tip_does_not_reach_stay_outside(place: Place) -> None:
    tip = place.clone.commit("mine", {"a.txt": "two\n"})
    stray = place.clone.git("hash-object", "-w", "--stdin", stdin=b"stray\n")
    wanted = place.clone.git("rev-list", "--objects", "--no-object-names", tip, f"^{place.base}")
    pack = place.clone.git_bytes(
        "pack-objects", "--stdout", "--quiet", stdin=f"{wanted}\n{stray}\n".encode()
    )
    head = f"# v2 git bundle\n-{place.base}\n{tip} refs/heads/steroids\n\n".encode()
    place.bundle.write_bytes(head + pack)
    place.take()
    assert place.mirror.resolve(tip) == tip
    assert not place.mirror.git("cat-file", "-e", stray, check=False).ok


def test_wrong_refs_are_refused(place: Place) -> None:
    place.clone.commit("one", {"a.txt": "two\n"})
    place.clone.git("branch", "other")
    place.offer("refs/heads/other")
    place.is_refused("the one ref refs/heads/steroids, and has: refs/heads/other")
    place.offer("refs/heads/steroids", "refs/heads/other")
    place.is_refused("the one ref")
    raw = place.offer().read_bytes()
    place.bundle.write_bytes(raw.replace(b"refs/heads/steroids\n", b"refs/heads/../../x\n", 1))
    place.is_refused("the one ref")
    place.bundle.write_bytes(raw.replace(b" refs/heads/steroids\n", b"\n", 1))
    place.is_refused("a line too many")


def test_another_tip_than_announced_is_refused(place: Place) -> None:
    first = place.clone.commit("one", {"a.txt": "two\n"})
    place.clone.commit("two", {"a.txt": "three\n"})
    place.offer()
    place.is_refused("tip is not", tip=first)
    place.is_refused("not a commit hash", tip="main")
    place.is_refused("does not know the base", base="f" * 40)


def test_a_tip_that_does_not_build_on_the_base_is_refused(place: Place) -> None:
    place.clone.commit("known to both", {"a.txt": "two\n"})
    place.offer()
    place.take()
    later = place.clone.head
    place.clone.git("reset", "--hard", "--quiet", place.base)
    place.clone.commit("beside it", {"a.txt": "three\n"})
    place.offer()
    place.is_refused("does not build on", base=later)
    place.clone.git("switch", "--quiet", "--orphan", "unrelated")
    root = place.clone.commit("root", {"z": "z\n"})
    place.clone.git("branch", "--force", "steroids", root)
    place.offer()
    place.is_refused("does not build on", tip=root)


def test_missing_prerequisites_are_refused(place: Place) -> None:
    unknown = place.clone.commit("never uploaded", {"a.txt": "two\n"})
    place.clone.commit("on top", {"a.txt": "three\n"})
    place.clone.git("bundle", "create", str(place.bundle), f"^{unknown}", "refs/heads/steroids")
    place.is_refused(f"builds on {unknown[:12]}, which the mirror has not")
    raw = place.bundle.read_bytes()
    place.bundle.write_bytes(raw.replace(unknown.encode(), place.base.encode(), 1))
    place.is_refused("refused")


def _cut(raw: bytes) -> bytes:
    return raw[:-30]


def _flip(raw: bytes) -> bytes:
    return raw[:-40] + bytes([raw[-40] ^ 0xFF]) + raw[-39:]


def _endless(raw: bytes) -> bytes:
    return b"# v2 git bundle\n" + b"-" * 10 * MIB


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (_cut, "refused"),
        (_flip, "refused"),
        (_endless, "no end"),
        (lambda raw: b"", "not a git bundle"),
        (lambda raw: b"MZ" + os.urandom(5000), "not a git bundle"),
        (lambda raw: raw.partition(b"\n\n")[0] + b"\n\n", "refused"),
        (
            lambda raw: raw.replace(b"v2", b"v3", 1).replace(b"\n", b"\n@filter=blob:none\n", 1),
            "@f",
        ),
        (lambda raw: raw.replace(b"\n", b"\n@object-format=sha1\n", 1), "line too many"),
    ],
)
def test_a_spoilt_bundle_is_refused(
    place: Place, spoil: Callable[[bytes], bytes], match: str
) -> None:
    place.clone.commit("one", {"a.txt": os.urandom(2000)})
    place.offer()
    place.bundle.write_bytes(spoil(place.bundle.read_bytes()))
    place.is_refused(match, max_bytes=100 * MIB)


def test_a_bundle_that_is_too_large_or_missing_is_refused(place: Place) -> None:
    place.clone.commit("one", {"a.txt": os.urandom(5000)})
    place.is_refused("cannot be read")
    place.offer()
    place.is_refused("too large: .* 4000 are allowed", max_bytes=4000)


def test_a_file_that_is_too_large_is_named_whichever_commit_has_it(place: Place) -> None:
    place.clone.commit("bad", {"b/big\nfile": b"0" * (3 * MIB)})
    place.clone.commit("taken out, but not of the one before", {"b/big\nfile": None})
    place.offer()
    assert place.bundle.stat().st_size < MIB
    place.is_refused(r"b/big.* is a file of 3\.1 MB, and 1\.0 MB are allowed")


def test_what_unpacks_without_end_is_refused_before_git_unpacks_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.clone.commit("bomb", {"zeros": b"\0" * (20 * MIB)})
    place.offer()
    monkeypatch.setattr(bundle, "_UNPACKED_BYTES", 4 * MIB)
    monkeypatch.setattr(bundle, "_check_history", None)
    place.is_refused("unpack to 21.0 MB or more, and 8.4 MB are allowed")


def _tree(place: Place, *entries: tuple[bytes, bytes]) -> bytes:
    """A tree object of one blob under these (mode, name)s, as no well-behaved git writes it."""
    blob = bytes.fromhex(place.clone.git("hash-object", "-w", "--stdin", stdin=b"evil\n"))
    return b"".join(mode + b" " + name + b"\0" + blob for mode, name in entries)


def _commit_of(place: Place, kind: str, content: bytes) -> str:
    made = place.clone.git(
        *("hash-object", "-t", kind, "-w", "--literally", "--stdin"), stdin=content
    )
    if kind == "tree":
        made = place.clone.git("commit-tree", made, "-p", place.base, "-m", "evil")
    place.clone.git("update-ref", "refs/heads/steroids", made)
    return made


@pytest.mark.parametrize(
    "entries",
    [
        [(b"100644", b".git")],
        [(b"100644", b".GIT")],
        [(b"100644", b"git~1")],
        [(b"100644", b"..")],
        [(b"100644", b"a/b")],
        [(b"100666", b"mode")],
        [(b"100644", b"b"), (b"100644", b"a")],
        [(b"100644", b"a"), (b"120000", b"a")],
        [(b"120000", b".gitmodules")],
    ],
    ids=str,
)
def test_a_dangerous_tree_is_refused(place: Place, entries: list[tuple[bytes, bytes]]) -> None:
    tip = _commit_of(place, "tree", _tree(place, *entries))
    place.offer()
    place.is_refused("refused", tip=tip)


def test_a_malformed_commit_is_refused(place: Place) -> None:
    good = place.clone.git_bytes("cat-file", "commit", place.base).partition(b"\n\n")[0]
    tree = good.split(b"\n")[0]
    parent = b"parent " + place.base.encode()
    content = tree + b"\n" + parent + b"\nauthor nobody\ncommitter <x> nowhen\n\nevil\n"
    tip = _commit_of(place, "commit", content)
    place.offer()
    place.is_refused("refused", tip=tip)


def test_a_tag_is_not_a_commit(place: Place) -> None:
    commit = place.clone.commit("one", {"a.txt": "two\n"})
    place.clone.git("tag", "-a", "-m", "tag", "v1", commit)
    tag = place.clone.git("rev-parse", "refs/tags/v1")
    raw = place.offer("refs/tags/v1").read_bytes()
    place.bundle.write_bytes(raw.replace(b"refs/tags/v1", b"refs/heads/steroids", 1))
    place.is_refused("is not a commit", tip=tag)


def test_quirks_that_the_history_has_already_do_not_refuse_new_work(tmp_path: Path) -> None:
    origin = new_repo(tmp_path / "origin")
    blob = bytes.fromhex(origin.git("hash-object", "-w", "--stdin", stdin=b"old\n"))
    inner = origin.git(
        *("hash-object", "-t", "tree", "-w", "--literally", "--stdin"),
        stdin=b"100664 group.txt\0" + blob,
    )
    outer = origin.git(
        *("hash-object", "-t", "tree", "-w", "--literally", "--stdin"),
        stdin=b"100644 a.txt\0" + blob + b"040000 old\0" + bytes.fromhex(inner),
    )
    quirky = origin.git("commit-tree", outer, "-p", origin.head, "-m", "quirky")
    origin.git("reset", "--hard", "--quiet", quirky)
    mirror = Mirror.create(tmp_path / "mirror.git")
    base = mirror.fetch(str(origin.path), "main")
    origin.git("switch", "--quiet", "--create", "steroids")
    origin.commit("new work", {"a.txt": "new\n", "old/new.txt": "new\n"})
    place = Place(tmp_path, mirror, origin, base)
    place.offer()
    place.take()
    assert mirror.read_file(REF, "old/new.txt") == b"new\n"


def test_the_ref_must_be_the_mirrors_own(place: Place) -> None:
    with pytest.raises(GitError):
        take_in(
            *(place.mirror, place.bundle),
            tip=place.base,
            base=place.base,
            ref="refs/heads/x",
            max_bytes=1,
        )


def test_nothing_is_executed_on_the_way_in_or_out(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary, home = place.folder / "canary", place.folder / "home"
    tip = place.clone.commit("evil", {".gitattributes": "* filter=evil diff=evil\n", "a.txt": "2"})
    place.offer()
    plant_executables(home, canary)
    plant_hooks(place.mirror.path / "hooks", canary)
    monkeypatch.setenv("HOME", str(home))
    place.take()
    assert write_bundle(place.mirror, place.folder / "down", want=tip, have=[place.base])
    assert not canary.exists()
    # The trap works: an ordinary git in this home falls into it.
    subprocess.run(["git", "-C", str(place.clone.path), "diff", "HEAD~1"], capture_output=True)
    assert canary.exists()
