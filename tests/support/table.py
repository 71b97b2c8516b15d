"""A table of tasks, each a script and what has to become of it; and the stage where they play.

A row's script runs at the repository's root with `$here`, a folder of its own in its section, with
`put NAME [CONTENT]` and `commit MESSAGE`. `STEROIDS_ATTEMPT` lets it do one thing first and another
later.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from steroids.cli.context import address
from steroids.client import Client
from steroids.wire.task import TaskAdd, TaskOne
from tests.support.http_remote import HttpRemote
from tests.support.repos import Files, Repo
from tests.support.story import Story

STATES = {
    "p": "pending",
    "i": "in_progress",
    "r": "review",
    "a": "approved",
    "c": "completed",
    "d": "disputed",
    "f": "failed",
}
"""The letters of a row's `way`."""
PRELUDE = """\
{ set +x; } 2>/dev/null
put() { mkdir -p "$(dirname "$here/$1")"; printf '%s\\n' "${2-x}" > "$here/$1"; }
commit() { git add -A; git commit -q -m "$1"; }
once() { [ "$STEROIDS_ATTEMPT" = 1 ]; }
"""


@dataclass(frozen=True)
class Row:
    name: str
    """Of the task, too; and with dashes of its folder."""
    script: str = "true"
    way: str = "pirac"
    """Every state that it has been in, as the audit has it; the last one is its end."""
    attempts: str = "approved"
    """What became of each. Rejections and conflicts are counted here, and must be the task's."""
    lost: int = 0
    """Its infrastructure failures."""
    landed: Sequence[str] = ()
    """Subjects of the commits on the remote that carry its trailer, oldest first."""
    merged: bool = False
    """What carries the trailer is a merge, and its own commits are on the remote as they are."""
    commits: Sequence[str] | None = None
    """`ATTEMPT STATUS SUBJECT` of each that is registered; none: what landed, of attempt 1."""
    files: Mapping[str, str | None] = field(default_factory=dict)
    """What the remote has in its folder; None: there is no such file."""
    modes: Mapping[str, str] = field(default_factory=dict)
    """What kinds of files these are there, as git has it."""
    outside: Sequence[str] = ()
    """Files outside its section that its last attempt changed."""
    says: str = ""
    """To be found in the reason of the task, or of one of its attempts."""

    @property
    def slug(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    @property
    def registered(self) -> list[str]:
        if self.commits is not None:
            return list(self.commits)
        return [f"1 approved {subject}" for subject in self.landed]


@dataclass(frozen=True)
class Played:
    """A row that has become a task."""

    row: Row
    section: str
    task: str

    @property
    def folder(self) -> str:
        return folder(self.section, self.row)


def folder(section: str, row: Row) -> str:
    return f"apps/{section.lower()}/{row.slug}"


class Stage:
    """A story whose tasks are rows."""

    def __init__(self, story: Story, remote: HttpRemote | None) -> None:
        """`remote`: how the origin is reached; none: by its path."""
        self.story = story
        self.remote = remote
        self.played: list[Played] = []
        self.client = Client(story.home / "controller.sock")
        if remote is not None:
            story.repo.git("remote", "set-url", "origin", remote.url)

    def section(self, name: str, *checks: str) -> str:
        self.story.add_section(name, *checks)
        return name

    def add(self, section: str, *rows: Row) -> list[Played]:
        """As `tasks add` does, without the time that a command line takes to start."""
        found = []
        for row in rows:
            script = f"here={folder(section, row)}\n{PRELUDE}{row.script}"
            spec = f"```sh\n{script}\n```\n"
            body = TaskAdd(title=row.name, section=section, spec=spec)
            answer = self.client.post(self.url("tasks"), body, TaskOne)
            found.append(Played(row, section, answer.task.id))
        self.played += found
        return found

    def colleague_pushes(self, message: str, files: Files) -> str:
        """A commit that somebody else puts on main; by its path, whatever the remote's mood."""
        other = Repo(self.story.home.parent / "colleague")
        if not other.path.exists():
            other.path.mkdir()
            other.git("clone", "--quiet", str(self.story.origin.path), ".")
        other.git("fetch", "--quiet", "origin")
        other.git("reset", "--quiet", "--hard", "origin/main")
        commit = other.commit(message, files)
        other.git("push", "--quiet", "origin", "HEAD:main")
        return commit

    def wait_for_line(self, played: Played, text: str, times: int = 1) -> None:
        """Until the row's agent, or its check, has printed it so often."""

        def printed() -> bool:
            lines = [(each["taskId"], each["text"]) for each in self.story.events("log")]
            return lines.count((played.task, text)) >= times

        self.story.wait(f"{played.row.name}: {text}", printed)

    def url(self, path: str, **query: object) -> str:
        return address(path, project=str(self.story.repo.path), **query)


@contextmanager
def staged(story: Story) -> Iterator[Stage]:
    """On Docker the remote is reached over HTTP, on Podman by its path: the table is the same."""
    over_http = story.engine is not None and story.engine.name == "docker"
    remote = HttpRemote(story.origin.path) if over_http else None
    try:
        yield Stage(story, remote)
    finally:
        if remote is not None:
            remote.close()
