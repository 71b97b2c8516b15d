"""An example to measure with: about 3,000 files and 100 MB of `node_modules`, and its origin."""

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from steroids import proc

APPS = 32
FILES_PER_APP = 95
DEPENDENCIES = {
    "eslint": "8.57.0",
    "express": "4.19.2",
    "jest": "29.7.0",
    "lodash": "4.17.21",
    "react": "18.3.1",
    "react-dom": "18.3.1",
    "typescript": "5.4.5",
    "webpack": "5.91.0",
}
NPM_FLAGS = ("--prefer-offline", "--no-audit", "--no-fund", "--silent")
LIMIT_S = 600.0


class NotMeasured(Exception):
    """Something that belongs to the measurement is missing or failed; the message says what."""


@dataclass(frozen=True)
class Monorepo:
    path: Path
    apps: tuple[str, ...]
    files: int
    installed_bytes: int
    """What `node_modules` takes on the disk."""


def make(folder: Path) -> Monorepo:
    """Make it in `folder`. Afterwards npm's cache is warm, and nothing is installed."""
    if shutil.which("npm") is None:
        raise NotMeasured("there is no npm here to compare with (apt-get install npm)")
    path = folder / "app"
    names = tuple(f"app{number:02}" for number in range(1, APPS + 1))
    for name in names:
        _write_app(path, name)
    whole = {"name": "bench", "private": True, "workspaces": ["apps/*"]}
    _write(path / "package.json", json.dumps(whole))
    _write(path / ".gitignore", "node_modules\n")
    run("npm", "install", *NPM_FLAGS, cwd=path)
    installed_bytes = disk_bytes(path / "node_modules")
    shutil.rmtree(path / "node_modules")
    origin = folder / "origin.git"
    git(folder, "init", "-q", "--bare", "-b", "main", str(origin))
    git(path, "init", "-q", "-b", "main")
    git(path, "remote", "add", "origin", str(origin))
    push(path, "start")
    return Monorepo(path, names, len(git(path, "ls-files").splitlines()), installed_bytes)


def push(path: Path, message: str) -> None:
    """Commit everything and push it."""
    git(path, "add", "-A")
    git(path, "commit", "-qm", message)
    git(path, "push", "-q", "-u", "origin", "main")


def worktrees_with_npm(repo: Monorepo, folder: Path, count: int = 1) -> float:
    """What people do now, in seconds until the last is there: worktrees, each with everything
    installed into it."""
    trees = [folder / f"worktree{number}" for number in range(count)]
    began = time.perf_counter()
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(lambda tree: _worktree(repo, tree), trees))
    took_s = time.perf_counter() - began
    for tree in trees:
        shutil.rmtree(tree)
    git(repo.path, "worktree", "prune")
    return took_s


def _worktree(repo: Monorepo, tree: Path) -> None:
    git(repo.path, "worktree", "add", "-q", "--detach", str(tree), "HEAD")
    run("npm", "ci", *NPM_FLAGS, cwd=tree)


def disk_bytes(folder: Path) -> int:
    """What a tree takes on the disk, in whole blocks; a file with several names once."""
    found = {
        (status.st_dev, status.st_ino): status.st_blocks * 512
        for status in (path.lstat() for path in folder.rglob("*"))
    }
    return sum(found.values())


def git(cwd: Path, *args: str) -> str:
    who = ("-c", "user.name=Bench", "-c", "user.email=bench@localhost", "-c", "gc.auto=0")
    return run("git", *who, *args, cwd=cwd)


def run(*argv: str, cwd: Path) -> str:
    """A program to its end; raises `NotMeasured` with its last words when it fails."""
    done = proc.run(argv, cwd=cwd, timeout_s=LIMIT_S)
    if not done.ok:
        words = (done.err or done.out).strip()[-400:] or f"exited {done.returncode}"
        raise NotMeasured(f"`{' '.join(argv[:3])}` failed: {words}")
    return done.out


def _write_app(root: Path, name: str) -> None:
    app = root / "apps" / name
    package = {
        "name": f"@bench/{name}",
        "version": "1.0.0",
        "private": True,
        "dependencies": DEPENDENCIES,
    }
    _write(app / "package.json", json.dumps(package))
    for number in range(FILES_PER_APP):
        lines = "".join(f"export const v{n} = {number * n};\n" for n in range(60))
        _write(app / f"src/part{number % 12}/module{number}.ts", f"// {name}\n{lines}")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
