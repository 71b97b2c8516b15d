"""Pushing: what the remote's answers mean, and that nothing of anybody's is ever overwritten."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from steroids.errors import GitError, PushRefused, RemoteUnreachable
from steroids.git.mirror import Mirror
from steroids.git.network import RemoteRefused
from steroids.git.push import NonFastForward, push, remote_contains, remote_tip
from tests.support.repos import Repo, bare_remote, new_repo, plant_executables, plant_hooks


@dataclass
class Place:
    repo: Repo
    """Somebody's clone, `origin` being the remote."""
    mirror: Mirror
    remote: Path
    mine: str
    """A commit on top of the remote's `main` that only the mirror has."""

    @property
    def url(self) -> str:
        return str(self.remote)

    def tip(self, branch: str = "main") -> str | None:
        return remote_tip(self.url, branch, self.mirror)

    def outsider_pushes(self) -> str:
        theirs = self.repo.commit("theirs", {"theirs.txt": "x\n"})
        self.repo.git("push", "--quiet", "origin", "HEAD:main")
        return theirs

    def hook(self, name: str, script: str) -> None:
        hook = self.remote / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{script}\n")
        hook.chmod(0o755)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    repo = new_repo(tmp_path / "repo")
    remote = bare_remote(tmp_path / "origin.git", repo)
    mirror = Mirror.create(tmp_path / "mirror.git")
    base = repo.head
    mine = repo.commit("mine", {"mine.txt": "x\n"})
    mirror.fetch(str(repo.path), "main")
    repo.git("reset", "--hard", "--quiet", base)
    return Place(repo, mirror, remote, mine)


def test_a_push_moves_the_branch_and_may_be_repeated(place: Place) -> None:
    assert not remote_contains(place.mirror, place.url, "main", place.mine)
    push(place.mirror, place.url, place.mine, "main")
    push(place.mirror, place.url, place.mine, "main")
    assert place.tip() == place.mine
    assert remote_contains(place.mirror, place.url, "main", place.mine)


def test_a_new_branch_can_be_pushed(place: Place) -> None:
    assert place.tip("steroids/t1-x") is None
    assert not remote_contains(place.mirror, place.url, "steroids/t1-x", place.mine)
    push(place.mirror, place.url, place.mine, "steroids/t1-x")
    assert place.tip("steroids/t1-x") == place.mine
    assert place.tip("t1-x") is None


def test_an_outsiders_push_is_found_and_not_overwritten(place: Place) -> None:
    theirs = place.outsider_pushes()
    with pytest.raises(NonFastForward, match=r"main at .* moved"):
        push(place.mirror, place.url, place.mine, "main")
    assert place.tip() == theirs


def test_what_others_pushed_on_top_still_contains_ours(place: Place) -> None:
    push(place.mirror, place.url, place.mine, "main")
    place.repo.git("pull", "--quiet", "--ff-only", "origin", "main")
    place.outsider_pushes()
    assert remote_contains(place.mirror, place.url, "main", place.mine)


def test_a_branch_that_was_rewound_does_not_contain_ours_any_more(place: Place) -> None:
    push(place.mirror, place.url, place.mine, "main")
    place.repo.git("push", "--quiet", "--force", "origin", "HEAD:main")
    assert not remote_contains(place.mirror, place.url, "main", place.mine)


def test_a_race_inside_the_remote_counts_as_moved(place: Place) -> None:
    # Between the remote's check and its update another push comes in.
    theirs = place.repo.commit("theirs", {"theirs.txt": "x\n"})
    place.repo.git("push", "--quiet", "origin", "HEAD:refs/heads/other")
    unset = "unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES"
    place.hook("pre-receive", f"{unset}; git update-ref refs/heads/main {theirs}")
    with pytest.raises(NonFastForward):
        push(place.mirror, place.url, place.mine, "main")
    assert place.tip() == theirs


def test_a_hook_that_refuses_is_quoted_and_not_tried_again(place: Place) -> None:
    place.hook("pre-receive", r"printf 'no pushing\033[31m on fridays\n' >&2; exit 1")
    with pytest.raises(PushRefused, match="pre-receive hook declined") as caught:
        push(place.mirror, place.url, place.mine, "main")
    assert "on fridays" in caught.value.message and "\x1b" not in caught.value.message
    assert caught.value.hint
    assert place.tip() != place.mine


def test_the_remotes_words_are_cut(place: Place) -> None:
    place.hook("update", "seq 1 5000 >&2; exit 1")
    with pytest.raises(PushRefused, match="hook declined") as caught:
        push(place.mirror, place.url, place.mine, "main")
    assert len(caught.value.message) < 1000


def test_a_branch_checked_out_at_the_remote_is_refused(place: Place, tmp_path: Path) -> None:
    with pytest.raises(PushRefused, match="checked out"):
        push(place.mirror, str(place.repo.path), place.mine, "main")


def test_a_protected_branch_is_refused(place: Place) -> None:
    place.hook("pre-receive", "echo 'GH006: Protected branch update failed for main.' >&2; exit 1")
    with pytest.raises(PushRefused, match="Protected branch"):
        push(place.mirror, place.url, place.mine, "main")
    place.repo.git("-C", place.url, "config", "receive.denyNonFastForwards", "true")
    (place.remote / "hooks" / "pre-receive").unlink()
    place.outsider_pushes()
    with pytest.raises(NonFastForward):
        push(place.mirror, place.url, place.mine, "main")


def test_a_branch_that_cannot_be_made_is_refused(place: Place) -> None:
    with pytest.raises(PushRefused):
        push(place.mirror, place.url, place.mine, "main/below")


def test_a_remote_that_is_gone(place: Place, tmp_path: Path) -> None:
    gone = str(tmp_path / "gone.git")
    with pytest.raises(PushRefused, match="does not appear to be a git repository"):
        push(place.mirror, gone, place.mine, "main")
    with pytest.raises(RemoteRefused):
        remote_tip(gone, "main", place.mirror)


@pytest.mark.parametrize(
    "url", ["ssh://git@127.0.0.1:1/x.git", "http://127.0.0.1:1/x.git", "git://127.0.0.1:1/x.git"]
)
def test_a_host_that_does_not_answer_is_unreachable(place: Place, url: str) -> None:
    with pytest.raises(RemoteUnreachable):
        push(place.mirror, url, place.mine, "main")
    with pytest.raises(RemoteUnreachable):
        remote_tip(url, "main", place.mirror)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("git@host: Permission denied (publickey).", PushRefused),
        ("Host key verification failed.", PushRefused),
        ("ERROR: Repository not found.", PushRefused),
        ("ssh: connect to host x port 22: Connection timed out", RemoteUnreachable),
        ("kex_exchange_identification: Connection closed by remote host", RemoteUnreachable),
    ],
)
def test_what_ssh_says_is_understood(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, kind: type[GitError]
) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 255\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    with pytest.raises(kind) as caught:
        push(place.mirror, "ssh://git@host.invalid/x.git", place.mine, "main")
    assert said.rstrip(".") in caught.value.message
    assert "correct access rights" not in caught.value.message


@pytest.mark.parametrize("way", ["config", "variable", "neither"])
def test_ssh_never_asks_unless_the_user_has_a_command_of_their_own(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str
) -> None:
    seen, bin_dir = tmp_path / "seen", tmp_path / "bin"
    bin_dir.mkdir()
    for name in ("ssh", "myssh"):
        (bin_dir / name).write_text(f'#!/bin/sh\necho "{name} $@" >> {seen}\nexit 255\n')
        (bin_dir / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(bin_dir), prepend=":")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GIT_SSH_COMMAND", raising=False)
    if way == "config":
        (tmp_path / ".gitconfig").write_text("[core]\nsshCommand = myssh\n")
    if way == "variable":
        monkeypatch.setenv("GIT_SSH_COMMAND", "myssh")
    with pytest.raises(RemoteUnreachable):
        push(place.mirror, "ssh://git@host.invalid/x.git", place.mine, "main")
    said = seen.read_text()
    assert said.startswith("ssh " if way == "neither" else "myssh ")
    assert ("BatchMode=yes" in said) == (way == "neither")


def test_a_push_that_takes_too_long_is_unreachable(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.hook("pre-receive", "sleep 600")
    monkeypatch.setattr("steroids.git.command.NETWORK_TIMEOUT_S", 0.5)
    with pytest.raises(RemoteUnreachable, match="did not finish"):
        push(place.mirror, place.url, place.mine, "main")


def test_the_users_configuration_is_used_but_its_hooks_are_not(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home, canary = tmp_path / "home", tmp_path / "canary"
    plant_executables(home, canary)
    plant_hooks(place.mirror.path / "hooks", canary)
    # A remote on this machine is a server too, with the user's configuration: its hooks do run.
    for hook in (home / "hooks").iterdir():
        if hook.name != "pre-push":
            hook.unlink()
    with (home / ".gitconfig").open("a") as config:
        config.write(f'[url "{place.url}"]\ninsteadOf = short:x\n')
    monkeypatch.setenv("HOME", str(home))
    push(place.mirror, "short:x", place.mine, "main")
    assert remote_tip("short:x", "main", place.mirror) == place.mine
    assert not canary.exists()


@pytest.mark.parametrize("before", ["+", "-f ", "^", ":"])
def test_neither_force_nor_options_can_be_smuggled_in(place: Place, before: str) -> None:
    theirs = place.outsider_pushes()
    with pytest.raises(GitError, match="full hash"):
        push(place.mirror, place.url, f"{before}{place.mine}", "main")
    with pytest.raises(GitError, match="full hash"):
        push(place.mirror, place.url, "", "main")
    assert place.tip() == theirs
