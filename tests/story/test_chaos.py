"""Thirty tasks, and somebody who kills runners, agents, reviews, the controller, the engine.

Nobody helps. The engine is one of the test's own. `STEROIDS_CHAOS_SEED` chooses who dies when.
"""

import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from steroids.engines.base import Engine
from steroids.engines.spec import ContainerSpec
from tests.support.chaos import Killer
from tests.support.private_engines import PrivateEngine, give_runner_image, private_engine
from tests.support.story import LABEL, Story, told
from tests.support.story_cli import Background
from tests.support.story_repos import plain_monorepo

SEED = int(os.environ.get("STEROIDS_CHAOS_SEED", "1"))
STRIKES = 24
"""Then what is left may be done in peace: the end of the test must come."""
STEPS = 3
SECTIONS: dict[str, tuple[str, ...]] = {
    "A": (),
    "B": (),
    "C": ("--depends-on", "A"),
    "D": ("--depends-on", "B", "--depends-on", "C"),
    "E": ("--isolation", "exclusive"),
    "F": ("--after", "B"),
}
READS = {"C": {"A"}, "D": {"A", "B", "C"}}
EXCLUSIVE = "E"
AFTER = {"F": "B"}
TASKS = {"A": 6, "B": 5, "C": 5, "D": 5, "E": 3, "F": 6}
THEIRS = {f"{LABEL}.controller": "another-controller"}
BUSY = ("in_progress", "review", "approved")
"""States of a task that has its section for itself."""


@pytest.fixture(scope="module")
def private(story_engine: Engine) -> Iterator[PrivateEngine]:
    """An engine that may be killed, with the runner image."""
    with private_engine(story_engine.name) as made:
        give_runner_image(story_engine, made)
        yield made


@pytest.fixture
def chaos_story(private: PrivateEngine, tmp_path: Path) -> Iterator[Story]:
    engine = private.open()
    make = partial(plain_monorepo, folders="abcdef")
    with closing(engine):
        yield from told(tmp_path, make, engine, engine_setting=private.address)


def test_every_task_lands_once_whoever_is_killed(
    chaos_story: Story, private: PrivateEngine
) -> None:
    story, killer = chaos_story, Killer(chaos_story, private, SEED)
    killer.say(f"STEROIDS_CHAOS_SEED={SEED}")
    # What is counted here goes up with every kill; how it is bounded is another test's.
    story.configure(
        max_attempts_lost=100,
        review={"max_rejections": 100},
        runners={"max_parallel": len(SECTIONS)},
    )
    for name, options in SECTIONS.items():
        check = f'sleep 0.3; test -z "$(sort apps/{name.lower()}/log.txt | uniq -d)"'
        story.add_section(name, check, options=options)
    tasks = _add_tasks(story)
    _plant_orphans(story)

    _run_to_the_end(story, killer)

    _each_landed_once(story, tasks)
    _locks_were_kept(story, tasks)
    story.wait("no runner", lambda: not story.runners())
    story.run("down")
    assert _leases(story) == 0
    story.wait("nothing but what others own", lambda: _left(story) == set())
    _others_are_whole(story)
    assert set(killer.killed) >= {"runner", "agent", "review", "controller", "engine"}


def _add_tasks(story: Story) -> dict[str, str]:
    """Ids, and the title of each: `A3` is the third of section A."""
    titles = [f"{name}{n}" for name, count in TASKS.items() for n in range(1, count + 1)]

    def add(title: str) -> str:
        return story.add_task(title[0], title, _script(title))

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(pool.map(add, titles), titles, strict=True))


def _script(title: str) -> str:
    """A commit per step; it goes on where one that was killed has come to."""
    log = f"apps/{title[0].lower()}/log.txt"
    return f"""for step in $(seq {STEPS}); do
  line="{title} step $step"
  if ! grep -qsx "$line" {log}; then
    echo "$line" >> {log}
    sleep 0.3
    git add -A && git commit -qm "$line"
  fi
done"""


def _plant_orphans(story: Story) -> None:
    """A container and a network of this home that no runner claims, and the same of another's."""
    assert story.engine is not None
    (image, *_) = story.engine.images.list({f"{LABEL}.image": "runner"})
    for whose, labels in (("ours", story.labels), ("theirs", THEIRS)):
        labels = {**labels, f"{LABEL}.runner": f"nobody-{whose}", f"{LABEL}.role": "section"}
        name = f"steroids-orphan-{whose}"
        command = ("sleep", "3600")
        story.engine.start(ContainerSpec(name, image.id, command, labels=labels))
        story.engine.networks.create(name, labels)


def _run_to_the_end(story: Story, killer: Killer) -> None:
    up = story.start("up")
    strikes = 0
    while _unfinished(story):
        if strikes < STRIKES:
            strikes += 1
            killer.strike()
        else:
            story.wait("the end", partial(_ended, story, up))
        if not up.runs() and (left := _unfinished(story)):
            answer = up.finish()
            killer.say(f"`up` ended with {answer.code}, {left} unfinished")
            # One that gives up says so, and then a person would start it again.
            assert answer.code != 0, f"{answer}\n{story.log()}"
            up = story.start("up")
    killer.say(f"all done: {killer.killed}")
    story.finish(up)


def _ended(story: Story, up: Background) -> bool:
    return not up.runs() or not _unfinished(story)


def _unfinished(story: Story) -> dict[str, str]:
    tasks = story.run("tasks", "list", "--json").json["tasks"]
    return {each["title"]: each["status"] for each in tasks if each["status"] != "completed"}


def _each_landed_once(story: Story, tasks: dict[str, str]) -> None:
    assert sorted(story.origin.landings()) == sorted(tasks)
    assert story.origin.rewrites() == []
    for name, count in TASKS.items():
        lines = story.origin.show(f"apps/{name.lower()}/log.txt").splitlines()
        every = [f"{name}{n} step {k}" for n in range(1, count + 1) for k in range(1, STEPS + 1)]
        assert sorted(lines) == sorted(every)
    landed = [event["taskId"] for event in story.events("landed")]
    assert sorted(landed) == sorted(tasks)


def _locks_were_kept(story: Story, tasks: dict[str, str]) -> None:
    """By the audit, in which each change of a task's state is."""
    busy: dict[str, str] = {}
    rows = _rows(story, "SELECT task_id, from_status, to_status FROM audit ORDER BY id")
    was: dict[str, str | None] = dict.fromkeys(tasks)
    for task, before, after in rows:
        assert was[task] == before, f"{tasks[task]} was {was[task]}, and not {before}"
        was[task] = after
        if before is None:
            # It was added.
            continue
        section = tasks[task][0]
        if after not in BUSY:
            del busy[section]
            continue
        assert busy.setdefault(section, task) == task, f"two at once in {section}: {rows}"
        others = set(busy) - {section}
        assert not (EXCLUSIVE in busy and others), f"{others} beside {EXCLUSIVE}"
        if section in AFTER:
            first = {task for task, title in tasks.items() if title[0] == AFTER[section]}
            assert {was[each] for each in first} == {"completed"}, f"{section} began too early"
        for reader in READS.keys() & busy.keys():
            assert not READS[reader] & others, f"{reader} beside {others}, which it reads"
    assert set(was.values()) == {"completed"}


def _leases(story: Story) -> int:
    ((count,),) = _rows(story, "SELECT count(*) FROM leases")
    return int(count)


def _rows(story: Story, query: str) -> list[tuple[Any, ...]]:
    path = story.repo.path / ".steroids" / "steroids.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
        return store.execute(query).fetchall()


def _left(story: Story) -> set[str]:
    """Names of what this home has in the engine, and the folders of its runners."""
    names = {each.handle.name for each in story.containers()}
    names |= {each.name for each in story.networks()}
    return names | {path.name for path in (story.home / "runners").glob("*")}


def _others_are_whole(story: Story) -> None:
    assert story.engine is not None
    (container,) = story.engine.list_owned(THEIRS)
    (network,) = story.engine.networks.list_owned(THEIRS)
    story.engine.remove(container.handle)
    story.engine.networks.remove(network)
