"""The measurements. What is compared is measured in turns, since machines are noisy."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from steroids import proc
from steroids.engines.base import Engine
from tests.benchmarks.floor import Floor
from tests.benchmarks.house import House, Ready, environment, steroids_argv
from tests.benchmarks.monorepo import NotMeasured, worktrees_with_npm
from tests.benchmarks.report import Line, median

FLOOR_AT_MOST = 1.5
WORKTREE_AT_LEAST = 20
DISK_AT_MOST_KB = 1000
MEMORY_AT_MOST_MIB = 30
PS_AT_MOST = 5
NPM_ROUNDS = 3
REAL_WORKTREES = 4
WORKTREES = f"worktrees + npm ci, {REAL_WORKTREES} at a time"
MOST = 32
MOST_AT_MOST_S = 8


def ready(house: House, floors: Sequence[Floor], rounds: int, folder: Path) -> list[Line]:
    """A section's runner on a warm snapshot, against `run true` and against what people do now."""
    ours: dict[str, list[Ready]] = {floor.name: [] for floor in floors}
    cli: dict[str, list[float]] = {floor.name: [] for floor in floors}
    api: dict[str, list[float]] = {floor.name: [] for floor in floors}
    npm: list[float] = []
    for number in range(rounds):
        for floor in floors:
            cli[floor.name].append(floor.run_true())
            ours[floor.name].append(house.start(house.repo.apps[:1], floor.name))
            house.stop()
            api[floor.name].append(floor.api_true())
        if number < NPM_ROUNDS:
            npm.append(worktrees_with_npm(house.repo, folder))
    lines = []
    for name in ours:
        asked = median([each.asked_s for each in ours[name]])
        created = median([each.created_s for each in ours[name]])
        run = f"{name} run true"
        lines += [
            Line(f"{name}: asked to ready", asked, "s", median(cli[name]), run, FLOOR_AT_MOST),
            Line(f"{name}: container to ready", created, "s", median(cli[name]), run),
            Line(f"{name}: container to ready", created, "s", median(api[name]), "API run true"),
            Line(
                f"{name}: asked to ready",
                asked,
                "s",
                median(npm),
                "worktree + npm ci",
                at_least=WORKTREE_AT_LEAST,
            ),
        ]
    return lines


def idle(house: House, floor: Floor, engine: Engine) -> list[Line]:
    """Disk and memory of a runner that has nothing to do yet."""
    house.start(house.repo.apps[:1], floor.name)
    (owned,) = house.containers(engine)
    container = owned.handle.id
    try:
        size_kb = floor.size_bytes(container) / 1000
        lines = [Line(f"{floor.name}: disk, as shown", size_kb, "kB", at_most=DISK_AT_MOST_KB)]
        layer = floor.layer_bytes(container)
        if layer is None:
            raise NotMeasured(f"the layers of {floor.name} are not to be seen from here")
        lines.append(
            Line(f"{floor.name}: disk, blocks", layer / 1000, "kB", at_most=DISK_AT_MOST_KB)
        )
        memory = floor.memory_bytes(container)
        if memory is None:
            raise NotMeasured(f"the processes of {floor.name} are not to be seen from here")
        mib = memory / 2**20
        lines.append(Line(f"{floor.name}: idle memory", mib, "MiB", at_most=MEMORY_AT_MOST_MIB))
        return lines
    finally:
        house.stop()


def ps(house: House, floors: Sequence[Floor], rounds: int) -> list[Line]:
    """`steroids ps` against the engines' own, with a runner there and the controller warm."""
    house.start(house.repo.apps[:1], floors[0].name)
    commands = {name: _command(house, name) for name in ("ps", "--version", "--help")}
    ours: dict[str, list[float]] = {name: [] for name in commands}
    theirs: dict[str, list[float]] = {floor.name: [] for floor in floors}
    try:
        for _ in range(rounds):
            for floor in floors:
                theirs[floor.name].append(floor.ps())
                ours["ps"].append(commands["ps"]())
            for name in ("--version", "--help"):
                ours[name].append(commands[name]())
    finally:
        house.stop()
    ms = {name: median(values) * 1000 for name, values in ours.items()}
    lines = [
        Line("steroids ps", ms["ps"], "ms", median(times) * 1000, f"{name} ps", at_most=PS_AT_MOST)
        for name, times in theirs.items()
    ]
    return lines + [Line(f"steroids {name}", ms[name], "ms") for name in ("--version", "--help")]


def many(house: House, floor: Floor, engine: Engine, count: int, worktrees_s: float) -> list[Line]:
    """Several runners at once until the last is ready, against as many `run true` at once, and as
    many worktrees; and what each of them takes on the disk then."""
    began = time.perf_counter()
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(lambda _: floor.run_true(), range(count)))
    theirs_s = time.perf_counter() - began
    ours_s = house.start(house.repo.apps[:count], floor.name).asked_s
    try:
        sizes = [floor.layer_bytes(each.handle.id) for each in house.containers(engine)]
        known = [size for size in sizes if size is not None]
    finally:
        began = time.perf_counter()
        house.stop()
        stopped_s = time.perf_counter() - began
    what = f"{floor.name}: {count} at once, last ready"
    run = f"{count} x {floor.name} run true"
    lines = [
        Line(what, ours_s, "s", theirs_s, run, FLOOR_AT_MOST),
        Line(what, ours_s, "s", worktrees_s, WORKTREES, at_least=WORKTREE_AT_LEAST),
        Line(f"{floor.name}: {count} at once, last gone", stopped_s, "s"),
    ]
    if count == MOST:
        lines.append(Line(what, ours_s, "s", at_most=MOST_AT_MOST_S))
    if known:
        each_kb = max(known) / 1000
        name = f"{floor.name}: {count} at once, largest disk"
        lines.append(Line(name, each_kb, "kB", at_most=DISK_AT_MOST_KB))
    return lines


class Worktrees:
    """So many at once, in seconds; of more than `REAL_WORKTREES` as long as that takes for each
    further as many: they keep all cores busy, and each takes what `node_modules` takes."""

    def __init__(self, house: House, folder: Path) -> None:
        self._house, self._folder = house, folder
        self._took_s: dict[int, float] = {}

    def many(self, count: int) -> float:
        real = min(count, REAL_WORKTREES)
        if real not in self._took_s:
            self._took_s[real] = worktrees_with_npm(self._house.repo, self._folder, real)
        return self._took_s[real] * count / real


def _command(house: House, name: str) -> Callable[[], float]:
    argv, env = steroids_argv(name), environment(house.home)

    def call() -> float:
        began = time.perf_counter()
        done = proc.run(argv, cwd=house.repo.path, env=env, timeout_s=60)
        if not done.ok:
            raise NotMeasured(f"`steroids {name}` failed: {done.err.strip()[-400:]}")
        return time.perf_counter() - began

    return call
