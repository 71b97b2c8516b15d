"""A repository with a long history and many files, made in seconds."""

from collections.abc import Iterator
from pathlib import Path

from steroids import proc
from tests.benchmarks.monorepo import NotMeasured
from tests.support.repos import Repo

COMMITS = 100_000
FILES = 20_000
FILES_PER_FOLDER = 50
_WHO = "Bench <bench@localhost>"
_BEGAN_AT = 1_500_000_000


def long_history(path: Path) -> Repo:
    """On branch `main`, checked out. Each commit but the first changes one line of one file."""
    path.mkdir(parents=True)
    repo = Repo(path)
    repo.git("init", "--quiet", "--initial-branch=main")
    stream = path.with_name("history.fast-import")
    with stream.open("w") as file:
        file.writelines(_stream())
    with stream.open("rb") as source:
        done = proc.run(["git", "fast-import", "--quiet"], cwd=path, stdin=source, timeout_s=600)
    stream.unlink()
    if not done.ok:
        raise NotMeasured(f"git fast-import failed: {done.err.strip()[-400:]}")
    repo.git("reset", "--quiet", "--hard", "main")
    return repo


def _stream() -> Iterator[str]:
    for number in range(COMMITS):
        yield f"commit refs/heads/main\ncommitter {_WHO} {_BEGAN_AT + 60 * number} +0000\n"
        yield from _data(f"Change {number}")
        for file in range(FILES) if number == 0 else [number * 7 % FILES]:
            yield f"M 644 inline {_name(file)}\n"
            yield from _data("".join(f"line {n} of {file}: {number}\n" for n in range(8)))


def _data(text: str) -> Iterator[str]:
    yield f"data {len(text)}\n{text}\n"


def _name(file: int) -> str:
    folder = file // FILES_PER_FOLDER
    return f"apps/part{folder % 20}/folder{folder}/file{file}.txt"
