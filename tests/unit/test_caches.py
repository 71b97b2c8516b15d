"""The download cache: generations in a volume, copied from and to the agent's home."""

import os
from pathlib import Path

import pytest

from steroids.runner import caches

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run as somebody else")

NPM, PNPM = ".npm/_cacache/content", ".local/share/pnpm/store/v10/file"


class Home:
    """The agent's, in one container. Root stands for the agent."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.mkdir()
        self.env = {"HOME": str(path), "PATH": os.environ["PATH"]}
        self.said: list[str] = []

    def write(self, name: str, text: str) -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def files(self) -> dict[str, str]:
        found = (path for path in self.path.rglob("*") if path.is_file())
        return {str(path.relative_to(self.path)): path.read_text() for path in found}

    def restore(self) -> bool:
        return caches.restore(self.env, os.getuid(), self.said.append)

    def save(self) -> None:
        caches.save(self.env, os.getuid(), self.said.append)


@pytest.fixture
def volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "volume"
    folder.mkdir()
    monkeypatch.setattr(caches, "VOLUME", folder)
    monkeypatch.setattr(os.path, "ismount", lambda path: path == folder)
    return folder


def test_what_one_set_up_has_downloaded_the_next_one_finds(volume: Path, tmp_path: Path) -> None:
    first, second = Home(tmp_path / "first"), Home(tmp_path / "second")
    assert not first.restore()
    kept = {NPM: "a tarball", PNPM: "a file"}
    for name, text in {**kept, ".bashrc": "reboot", ".npm/_logs/log": "words"}.items():
        first.write(name, text)
    first.save()
    # Put there by what a set-up runs: no reason to hand it to others.
    (volume / "current" / ".profile").write_text("reboot")
    assert second.restore()
    assert second.files() == kept
    assert first.said == second.said == []
    # What a snapshot needs no more is dropped, and the rest stays.
    caches.drop(second.env, os.getuid(), second.said.append)
    assert second.files() == {PNPM: "a file"}


def test_a_new_generation_takes_the_old_ones_place_and_changes_nothing_in_it(
    volume: Path, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    home.write(NPM, "one")
    home.write(PNPM, "same")
    home.save()
    before = (volume / "current" / PNPM).stat().st_ino
    with (volume / "current" / NPM).open() as old:
        home.write(NPM, "one and two")
        os.utime(home.path / NPM, (2e9, 2e9))
        home.save()
        assert old.read() == "one"
    assert (volume / "current" / NPM).read_text() == "one and two"
    assert (volume / "current" / PNPM).stat().st_ino == before
    assert len(list(volume.iterdir())) == 2


def test_what_has_grown_too_large_is_made_anew(
    volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    home.write(NPM, "small")
    home.save()
    monkeypatch.setattr(caches, "LIMIT_MB", 1)
    home.write(NPM, "x" * (2 << 20))
    home.save()
    assert list(volume.iterdir()) == [] and "starts from nothing" in home.said[0]
    assert not home.restore()


def test_without_a_volume_nothing_is_kept_in_the_image(
    volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "ismount", lambda path: False)
    home = Home(tmp_path / "home")
    home.write(NPM, "x")
    home.save()
    assert list(volume.iterdir()) == []
    (volume / "current").mkdir()
    assert not home.restore()


def test_what_cannot_be_copied_is_said_and_nothing_fails(volume: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.write(NPM, "x")
    home.env["HOME"] = str(tmp_path / "nowhere")
    home.save()
    assert len(home.said) == 1 and "not saved completely" in home.said[0]
    assert list(volume.iterdir()) == []
