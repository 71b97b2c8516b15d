"""A controller's services in one process: real git, real SQLite, no HTTP, an engine in memory."""

from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from steroids.engines.fake import FakeEngine
from steroids.services import claims, registry, sections, submissions, tasks
from steroids.services.host import Host, OpenProject
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store import runners
from steroids.wire.assignment import Assignment, Outcome, Submission
from steroids.wire.project import Init
from steroids.wire.runner import Role
from steroids.wire.section import Isolation, SectionAdd
from steroids.wire.task import Task, TaskAdd, TaskStatus
from tests.support.repos import Repo, bare_remote, new_repo

SPEC = "```sh\ntrue\n```\n"


class AtOnce(Executor):
    """Does what it is given before it returns, so that a round is over when it ends."""

    def submit(self, fn: Any, /, *args: Any, **named: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        done.set_result(fn(*args, **named))
        return done


class Bench:
    """A project with a remote, and hands to play runners with."""

    def __init__(self, root: Path, *, remote: bool = True, repo: Repo | None = None) -> None:
        self.repo = repo or new_repo(root / "app")
        self.agent = new_repo(root / "agent")
        self.first = self.repo.commit("first", {"README": "hello\n", "apps/api/a": "1\n"})
        (self.repo.path / ".git" / "info" / "exclude").write_text(".steroids/\n")
        self.origin: Repo | None = None
        if remote:
            self.origin = Repo(bare_remote(root / "origin.git", self.repo))
        self.engine = FakeEngine()
        (root / "home").mkdir(mode=0o700)
        self.host = Host(root / "home", lambda name: self.engine, lambda: None, lambda: None)
        registry.init(self.host, Init(path=str(self.repo.path)))
        self.project: OpenProject = registry.at(self.host, str(self.repo.path))
        self._runners: dict[str, home.Runner] = {}

    def section(
        self,
        name: str,
        *dependencies: str,
        exclusive: bool = False,
        check: tuple[str, ...] = (),
        after: tuple[str, ...] = (),
    ) -> None:
        body = SectionAdd(
            name=name,
            paths=[f"apps/{name}/**"],
            isolation=Isolation.EXCLUSIVE if exclusive else Isolation.PARALLEL,
            dependencies=list(dependencies),
            check=list(check),
            after=list(after),
        )
        sections.add(self.host, self.project, body)

    def task(self, title: str, section: str, priority: int = 50) -> Task:
        body = TaskAdd(title=title, section=section, spec=SPEC, priority=priority)
        return tasks.add(self.host, self.project, body)

    def look(self, task: Task) -> Task:
        return tasks.one(self.project, task.id)

    def put(self, task: Task, status: TaskStatus, **more: Any) -> None:
        """As if it had come to this state by itself."""
        with self.project.store.write() as session:
            row = session.get_one(db.Task, task.id)
            row.status = status
            for name, value in more.items():
                setattr(row, name, value)
            session.add(row)

    def runner(self, section: str, *, keep: bool = False) -> home.Runner:
        """The section's runner, registered by the first call."""
        if section in self._runners:
            return self._runners[section]
        with self.project.store.read() as session:
            row = sections.named(session, section)
        with self.host.store.write() as session:
            registered, _ = runners.register(
                session,
                project_id=self.project.id,
                role=Role.SECTION,
                section_id=row.id,
                engine="fake",
                engine_address="x",
                keep=keep,
            )
        self._runners[section] = registered
        return registered

    def claim(self, runner: home.Runner) -> Assignment | None:
        with self.host.store.read() as session:
            now = session.get_one(home.Runner, runner.id)
        return claims.next_assignment(self.host, now)

    def work(self, assignment: Assignment, message: str, files: dict[str, str]) -> str:
        """Commit on top of what was assigned, as an agent would; returns the tip."""
        assert assignment.checkout is not None
        start = assignment.checkout.commit
        self.agent.git("fetch", "--quiet", str(self.project.mirror.path), "+refs/*:refs/mirror/*")
        self.agent.git("checkout", "--quiet", "--detach", start)
        return self.agent.commit(message, files)

    def submit(
        self,
        runner: home.Runner,
        assignment: Assignment,
        tip: str | None = None,
        *,
        outcome: Outcome = Outcome.DONE,
        reason: str | None = None,
        upload: bool = True,
    ) -> None:
        """Hand over the commits up to `tip`; none: there are none."""
        assert assignment.checkout is not None and assignment.task is not None
        start = assignment.checkout.commit
        tip = tip or start
        if tip != start and upload:
            path = submissions.bundle_path(self.host, runner.id)
            path.parent.mkdir(exist_ok=True)
            self.agent.git("update-ref", "refs/heads/steroids", tip)
            self.agent.git("bundle", "create", "-q", str(path), "refs/heads/steroids", f"^{start}")
        body = Submission(
            fence=assignment.fence,
            task_id=assignment.task.id,
            attempt=assignment.task.attempt,
            base=start,
            tip=tip,
            outcome=outcome,
            reason=reason,
        )
        submissions.accept(self.host, runner, body)

    def origin_log(self) -> list[str]:
        """Subjects on the remote's main, newest first."""
        assert self.origin is not None
        return self.origin.git("log", "--format=%s", "main").splitlines()

    def close(self) -> None:
        self.host.close()
        self.engine.close()


@contextmanager
def bench(root: Path, *, remote: bool = True) -> Iterator[Bench]:
    made = Bench(root, remote=remote)
    try:
        yield made
    finally:
        made.close()
