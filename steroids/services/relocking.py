"""Lockfiles written again after landing put two changes of their manifests together.

The package manager runs in a container, on the commit that is to land: manifests from both sides,
and the target's lockfile, which it brings up to them.
"""

import shlex
from collections.abc import Mapping, Sequence

from steroids.errors import SteroidsError
from steroids.git.commits import read_commits, write_commit
from steroids.git.messages import with_trailers
from steroids.git.mirror import Mirror
from steroids.git.trees import Entry, with_files, write_blob
from steroids.provisioning import lockfiles, oneshot
from steroids.provisioning.environment import agent_env
from steroids.provisioning.lockfiles import REGENERATED
from steroids.provisioning.snapshot import Want, started_from
from steroids.provisioning.sparse import sparse_for
from steroids.services import places
from steroids.services.events import say
from steroids.services.host import Host, OpenProject
from steroids.services.signature import COMMITTER, TRAILER
from steroids.store import project_models as db
from steroids.wire.assignment import Assignment, Checkout, Kind, Outcome, Result
from steroids.wire.event import EventKind
from steroids.wire.runner import Role
from steroids.wire.task import TaskStatus

__all__ = ["REGENERATED", "RelockFailed", "relock"]

SHOWN = 3


class RelockFailed(SteroidsError):
    """The package manager could not write a lockfile again: an ordinary conflict, with a reason."""

    code, exit_code, http_status = "RELOCK_FAILED", 7, 409


def relock(
    host: Host,
    project: OpenProject,
    section: db.Section,
    tip: str,
    stale: Sequence[str],
    engine: str,
    *,
    task_id: str,
) -> str:
    """Write the lockfiles `stale` again, in a fresh container at `tip`; blocks until that is done.

    Returns a commit on top of `tip` with the task's trailer, or `tip` itself when they were right
    as they are. Raises `RelockFailed`, `oneshot.Unwanted` once the task is not to be landed any
    more, and what the engine raises.
    """
    with project.store.read() as session:
        task = session.get_one(db.Task, task_id)
    _follow_from_manifests(project.mirror, task, stale)
    before = {path: _content(project.mirror, tip, path) for path in lockfiles.files_of(stale)}
    commands = [lockfiles.command_for(path, before[path] or "") for path in stale]
    say(
        host,
        project,
        EventKind.NOTICE,
        f"{_names(stale)} did not merge: written again from both sides' manifests",
        section=section.name,
        task=task,
    )
    result = _run(host, project, section, task, tip, commands, list(before), engine)
    after = _checked(result, stale)
    changed = {path: text for path, text in after.items() if text != before[path]}
    return _commit(project.mirror, tip, changed, stale, task_id) if changed else tip


def _follow_from_manifests(mirror: Mirror, task: db.Task, stale: Sequence[str]) -> None:
    """What a task changed in a lockfile alone (a version of something far below, say) no package
    manager would find again: it would be lost."""
    assert task.base_commit is not None and task.latest_commit is not None
    changed = mirror.changed_paths(task.base_commit, task.latest_commit)
    for path in stale:
        if not lockfiles.written_from(path, changed):
            raise RelockFailed(
                f"{path} was changed on both sides, and by this task without its manifest",
                hint=f"steroids tasks diff {task.id[:8]}",
            )


def _run(
    host: Host,
    project: OpenProject,
    section: db.Section,
    task: db.Task,
    tip: str,
    commands: list[str],
    collect: list[str],
    engine: str,
) -> Result:
    place = places.site(host, project, host.engine(engine), section)
    settings = place.settings
    # What set-up installs may be what writes lockfiles. It is not run on `tip`: that is exactly
    # what does not work before the lockfiles are written.
    image = places.runner_image(host, place, lambda line: None)
    want = Want(still=lambda: _stands(project, task))
    sparse = sparse_for(project.mirror, tip, place.reads, settings.sparse, collect)
    assignment = Assignment(
        kind=Kind.CHECK,
        # The same files as in its snapshot; all manifests are among them.
        checkout=Checkout(commit=tip, sparse=sparse),
        commands=commands,
        collect=collect,
        timeout_s=settings.setup_timeout_s,
        env=agent_env(settings),
    )

    def start(image: str) -> Result:
        return oneshot.run(
            place,
            assignment,
            role=Role.REVIEW,
            section_id=section.id,
            task_id=task.id,
            image=image,
            timeout_s=settings.setup_timeout_s * len(commands),
            wanted=want.still,
        )

    base = task.base_commit or tip
    return started_from(lambda: places.snapshot_for(project, place, base, image, want), start)


def _stands(project: OpenProject, task: db.Task) -> bool:
    with project.store.read() as session:
        now = session.get_one(db.Task, task.id)
    return (now.status, now.latest_commit) == (TaskStatus.APPROVED, task.latest_commit)


def _checked(result: Result, stale: Sequence[str]) -> Mapping[str, str]:
    """What came back, by path. Raises `RelockFailed` unless all of it can be what it should."""
    if result.outcome is not Outcome.DONE:
        how = f"exited {result.exit_code}" if result.exit_code is not None else "took too long"
        last = next((line for line in reversed(result.tail.splitlines()) if line.strip()), "")
        raise RelockFailed(
            f"{_names(stale)} could not be written again: `{result.command}` {how}"
            + (f": {last.strip()[:200]}" if last else ""),
            details={"command": result.command, "tail": result.tail[-4000:]},
        )
    found = {}
    for path, lockfile in lockfiles.files_of(stale).items():
        text = result.files.get(path)
        sound = lockfiles.kind_of(lockfile).sound if path == lockfile else bool
        if text is not None and "\0" not in text and sound(text):
            found[path] = text
        elif path == lockfile:
            raise RelockFailed(f"What was written again at {path} is no such lockfile")
    return found


def _commit(
    mirror: Mirror, tip: str, files: Mapping[str, str], stale: Sequence[str], task_id: str
) -> str:
    git = mirror.git
    (parent,) = read_commits(git, [tip])
    entries: dict[bytes, Entry] = {
        path.encode(): (_mode(mirror, tip, path), write_blob(git, text.encode()))
        for path, text in files.items()
    }
    who = COMMITTER.line(parent.committer.rpartition(b"> ")[2], "utf-8")
    message = f"Write {_names(stale)} again\n".encode()
    return write_commit(
        git,
        tree=with_files(git, parent.tree, entries),
        parents=(tip,),
        author=who,
        committer=who,
        message=with_trailers(git, message, (TRAILER, task_id)),
    )


def _content(mirror: Mirror, commit: str, path: str) -> str | None:
    raw = mirror.read_file(commit, path)
    return None if raw is None else raw.decode("utf-8", "replace")


def _mode(mirror: Mirror, commit: str, path: str) -> str:
    asked = ("--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--", path)
    return mirror.git(*asked).out.partition(" ")[0] or "100644"


def _names(paths: Sequence[str]) -> str:
    more = len(paths) - SHOWN
    shown = ", ".join(shlex.quote(path) for path in paths[:SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown
