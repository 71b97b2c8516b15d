"""Makes the populated stores of a release, for the tests of later ones to upgrade.

To be run once by each release whose schema is new, with that release's own code:

    python -m tests.support.populated tests/fixtures/stores/schema-0002

What is in them was put there by the real command line, with the engine `local`: tasks in every
state, sections of every kind, runners that have ended and one that works while the stores are read.
"""

import getpass
import socket
import sqlite3
import sys
import tempfile
from contextlib import closing
from functools import partial
from pathlib import Path

from steroids.engines.local import LocalEngine
from tests.support.story import Story, at_gate, gate, told
from tests.support.story_repos import plain_monorepo

USER = "/home/ada"
"""What stands in the fixtures for the folder that it was made in."""
HOST = "ada-laptop"
STATES = {"pending", "in_progress", "review", "approved", "completed", "failed", "disputed"} | {
    "blocked",
    "skipped",
}
SAY = """set +x; say() { echo "{\\"decision\\": \\"$1\\", \\"reasons\\": [\\"$2\\"]}"; }
case $STEROIDS_TITLE in
Impossible*) say dispute 'It says one thing and its opposite';;
*silent) ;;
*) say approve 'Looks good';;
esac"""
SETTINGS = {
    "agents": {"critic": {"use": "script", "run": SAY}},
    "review": {"reviewers": ["checks", "critic"], "max_rejections": 2},
    "max_attempts_lost": 1,
    "shared_resources": ["browser"],
}


def sections(story: Story) -> None:
    story.add_section("A", "test ! -e apps/a/bad.txt")
    story.add_section("B", options=("--depends-on", "A", "--port", "3000", "--priority", "high"))
    story.add_section("C", options=("--isolation", "exclusive", "--after", "B"))
    story.add_section("D", options=("--setup", "true", "--resource", "browser"))
    story.add_section("E")
    story.add_section("Left out")
    story.run("sections", "skip", "Left out")
    story.add_section("Removed")
    story.run("sections", "remove", "Removed", "--yes")


def ended_tasks(story: Story) -> None:
    done = story.add_task("A", "Größe ändern 'quoted' \"twice\"", "echo 1 > apps/a/size.txt")
    story.add_task(
        "A",
        "Mends what the check said",
        'if [ "$STEROIDS_ATTEMPT" = 1 ]; then echo x > apps/a/bad.txt; exit; fi\n'
        "rm apps/a/bad.txt; echo mended > apps/a/good.txt; echo x > apps/b/outside.txt",
    )
    story.add_task("A", "Never passes", "echo x >> apps/a/bad.txt")
    story.add_task("B", "Impossible, says its reviewer", "echo x > apps/b/x.txt")
    story.add_task("B", "Its reviewer is silent", "echo x > apps/b/silent.txt")
    taken_back = story.add_task("B", "Taken back later", "echo x > apps/b/back.txt")
    story.run("up", exits=1)
    story.run("tasks", "revert", taken_back, "--reason", "Not wanted.")
    story.run("tasks", "skip", story.add_task("B", "Not now", "true"), "--reason", "Later.")
    story.run("tasks", "remove", story.add_task("B", "A mistake", "true"), "--yes")
    story.run("tasks", "edit", story.add_task("D", "Urgent", "true"), "--priority", "0")
    after = ("--after", done, "--after", story.add_task("D", "Comes first", "true"))
    spec = ("--spec", "-", "--affects", "apps/c/**", "--agent", "script")
    story.run(
        *("tasks", "add", "Waits for another", "--section", "C", *spec, *after),
        stdin="```sh\ntrue\n```\n",
    )


def refused_push(story: Story) -> None:
    """Approved, and kept from the target branch."""
    story.origin.hook("pre-receive", "echo main is protected >&2; exit 1")
    task = story.add_task("D", "Not let in", "echo x > apps/d/x.txt")
    story.run("tasks", "edit", task, "--priority", "0")
    for title in ("Urgent", "Comes first"):
        story.run("tasks", "skip", title)
    story.run("up", "--section", "D", exits=7)
    story.wait_for_status(task, "approved")
    for title in ("Urgent", "Comes first"):
        story.run("tasks", "retry", title)


def in_review(story: Story) -> None:
    story.configure(**{**SETTINGS, "review": {"reviewers": ["checks", "human"]}})
    task = story.add_task("E", "Waits for a person", "mkdir apps/e; echo y > apps/e/y.txt")
    story.run("up", "--section", "E")
    story.wait_for_status(task, "review")


def populate(story: Story) -> None:
    """All but what is still going on."""
    story.configure(**SETTINGS)
    # Not yet in the release of 0001.
    story.run("runners", "wakeup")
    sections(story)
    ended_tasks(story)
    refused_push(story)
    in_review(story)


def no_containers(story: Story) -> bool:
    return story.containers() == []


def dump(path: Path, target: Path, replaced: dict[str, str]) -> None:
    """The store as SQL, consistent though it is in use."""
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(":memory:")) as copy:
        source.backup(copy)
        text = "".join(f"{line}\n" for line in copy.iterdump())
    for mine, theirs in replaced.items():
        text = text.replace(mine, theirs)
    target.write_text(text)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="st-populated-") as temporary:
        root = Path(temporary).resolve()
        (root / "home").mkdir(mode=0o700)
        replaced = {
            str(root): USER,
            str(Path(sys.executable).parent): "/usr/bin",
            socket.gethostname(): HOST,
        }
        for story in told(root, plain_monorepo, LocalEngine(root / "home")):
            populate(story)
            task = story.add_task("A", "Being worked on", f"echo z > apps/a/z.txt; {gate()}")
            story.run("up", "--section", "A", "--detach")
            story.wait_for_line(at_gate())
            states = {each["status"] for each in story.run("tasks", "list", "--json").json["tasks"]}
            assert states == STATES, f"no task is {STATES - states}"
            project = story.repo.path / ".steroids" / "steroids.db"
            for name, path in (("home", story.home / "steroids.db"), ("project", project)):
                dump(path, folder / f"{name}.sql", replaced)
            story.release("A")
            story.wait_for_status(task, "review")
            story.wait("its review's end", partial(no_containers, story))
    print(f"made by {getpass.getuser()}: look for names of this machine in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
