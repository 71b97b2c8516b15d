"""`make bench`: claims, landings, wakeups, test databases, start-up, disk and memory of runners.

Side by side with what people use now.

Only ratios of what was measured in turns say something; the seconds are this machine's today.
"""

import argparse
import contextlib
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from steroids import __version__
from steroids.engines.base import Engine
from steroids.engines.discover import find_engine
from steroids.errors import SteroidsError
from tests.benchmarks import landing, measure, monorepo
from tests.benchmarks.claims import claims
from tests.benchmarks.daemons import daemons
from tests.benchmarks.databases import databases
from tests.benchmarks.floor import Floor
from tests.benchmarks.house import House, opened
from tests.benchmarks.monorepo import NotMeasured
from tests.benchmarks.report import Line, table
from tests.benchmarks.wakeups import wakeups

PARTS = ("claims", "landing", "runners", "databases", "wakeups", "daemons")


def main() -> int:
    options = _options()
    began = time.perf_counter()
    lines: list[Line] = []
    failure = None
    with contextlib.ExitStack() as stack:
        try:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="st-bench-")))
            about = sys.stderr if options.json else sys.stdout
            print(_machine(), file=about)
            if options.only in (None, "claims"):
                _say("claims, in turns")
                found, of_server = claims(folder, options.rounds)
                lines += found
                print(of_server, file=about)
            if options.only in (None, "landing"):
                _say("landings, in turns")
                lines += landing.landings(folder, options.rounds)
                _say("landings on a long history")
                found, of_repository = landing.large(folder, options.rounds)
                lines += found
                print(of_repository, file=about)
            if options.only in (None, "wakeups"):
                _say("a wakeup of many projects")
                lines += wakeups(folder / "wakeups")
            if options.only in (None, "daemons"):
                _say("daemons among many processes")
                lines += daemons(folder / "daemons")
            engines = [find_engine(name, os.environ) for name in options.engines.split(",")]
            for engine in engines:
                stack.callback(engine.close)
            if options.only in (None, "databases"):
                for engine in engines:
                    _say(f"databases on {engine.name}, in turns")
                    lines += databases(folder, engine, options.many, options.rounds)
            if options.only in (None, "runners"):
                _say("an example monorepo, npm's cache warm")
                repo = monorepo.make(folder)
                print(_project(engines, repo), file=about)
                _say("images, snapshots")
                house = stack.enter_context(opened(folder, repo, engines))
                _measure(house, engines, options, folder, lines)
        except (NotMeasured, SteroidsError) as error:
            failure = str(error)
    took_s = time.perf_counter() - began
    if options.json:
        body = {"success": failure is None, "lines": [line.as_json() for line in lines]}
        print(json.dumps({**body, "error": failure, "durationS": round(took_s, 1)}))
    else:
        print(table(lines))
    _say(f"done after {took_s:.0f} s")
    if failure is not None:
        print(f"not measured: {failure}", file=sys.stderr)
    return 0 if failure is None else 1


def _measure(
    house: House,
    engines: Sequence[Engine],
    options: argparse.Namespace,
    folder: Path,
    lines: list[Line],
) -> None:
    began = time.perf_counter()
    asked = [
        (house.ask([app], e.name), [app]) for e, app in zip(engines, house.repo.apps, strict=False)
    ]
    for answer, sections in asked:
        house.await_ready(sections, answer.since, began)
    house.stop()
    floors = [Floor(engine, house.snapshots(engine)[0].refs[0]) for engine in engines]
    with contextlib.ExitStack() as stack:
        for floor in floors:
            stack.callback(floor.close)
        _say("ready times, in turns")
        lines += measure.ready(house, floors, options.rounds, folder)
        _say("disk, memory")
        for floor, engine in zip(floors, engines, strict=True):
            lines += measure.idle(house, floor, engine)
        _say("commands, in turns")
        lines += measure.ps(house, floors, 2 * options.rounds)
        worktrees = measure.Worktrees(house, folder)
        for count in options.many:
            _say(f"{count} at once")
            npm_s = worktrees.many(count)
            for floor, engine in zip(floors, engines, strict=True):
                lines += measure.many(house, floor, engine, count, npm_s)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", choices=PARTS, help="default: all")
    parser.add_argument("--engines", default="docker,podman", help="default: docker,podman")
    parser.add_argument("--rounds", type=int, default=7, help="of each comparison; default 7")
    parser.add_argument(
        "--many",
        type=lambda text: [int(word) for word in text.split(",")],
        default=[1, 4, 16, 32],
        help=f"how many runners at once, at most {monorepo.APPS}; default 1,4,16,32",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser.parse_args()


def _machine() -> str:
    return (
        f"Steroids {__version__}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}"
    )


def _project(engines: Sequence[Engine], repo: monorepo.Monorepo) -> str:
    names = [f"{each.name.capitalize()} {each.capabilities().version}" for each in engines]
    size_mb = repo.installed_bytes / 1e6
    return f"{', '.join(names)}; {repo.files} files, {size_mb:.0f} MB node_modules"


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
