"""One coding assignment: check out, set up, run the agent, hand over."""

import threading
from pathlib import Path

from steroids.agents.base import Ended, Session, Unusable, Work
from steroids.agents.find import find_agent
from steroids.errors import BundleRefused, SteroidsError
from steroids.runner import databases, sqlite
from steroids.runner.courier import Courier
from steroids.runner.failures import Broken, CommandFailed
from steroids.runner.harvest import Before, Gathering, Harvest
from steroids.runner.leavings import largest
from steroids.runner.outbox import Outbox
from steroids.runner.reaping import reap
from steroids.runner.setting_up import set_up
from steroids.runner.state import shown_paths
from steroids.runner.workspace import Workspace, identity
from steroids.wire.assignment import (
    Assignment,
    Checkout,
    Leftovers,
    Outcome,
    Submission,
    TaskBrief,
)

STOP_GRACE_S = 10.0
MAX_TAIL_CHARS = 12_000
NAMED = 5
"""Processes that it left running."""


class Coding:
    """`run` in one thread; `stop` and `cancel` from any other, at any time."""

    def __init__(
        self, assignment: Assignment, workspace: Workspace, courier: Courier, outbox: Outbox
    ) -> None:
        assert assignment.task is not None and assignment.checkout is not None
        assert assignment.author is not None
        self.task: TaskBrief = assignment.task
        self.fence = assignment.fence
        self._checkout: Checkout = assignment.checkout
        self._author = assignment.author
        self._assignment = assignment
        self._workspace = workspace
        self._courier = courier
        self._outbox = outbox
        self._before = Before()
        self._env = {**workspace.env, **identity(assignment.author), **assignment.env}
        self._guard = threading.Lock()  # guards the three below
        self._session: Session | None = None
        self._stopped = False
        self._cancelled = False

    def run(self, scratch: Path) -> None:
        """Raises `Broken` when the workspace is beyond repair; what could be said was said."""
        self._workspace.check_out(self._checkout, self._courier.fetch, scratch)
        try:
            # What its agent builds later is the agent's own doing; there is no end to wait for.
            needed = self._assignment.alone and self._workspace.needs_setup(self._checkout)
            with self._courier.alone(needed):
                log = self._outbox.log
                self._env = set_up(self._workspace, self._checkout, self._env, log)
            self._env |= databases.variables(self._assignment, self._courier)
            self._env |= self._file()
            self._before = Before.look(self._workspace)
            ended = self._run_agent(scratch)
            left = reap(self._workspace.uid)
            if left:
                noun = "process" if len(left) == 1 else "processes"
                names = ", ".join(shown_paths(dict.fromkeys(left[:NAMED])))
                self._outbox.note(f"ended what the agent left running, {len(left)} {noun}: {names}")
        except CommandFailed as error:
            ended = Ended(Outcome.FAILED, _words(error))
        if not self._cancelled:
            self._hand_over(ended, scratch)

    def stop(self, grace_s: float = STOP_GRACE_S) -> bool:
        """Stop the agent; False when it does not run, so that there is nothing to wait for."""
        with self._guard:
            self._stopped = True
            session = self._session
        if session is not None:
            session.stop(grace_s)
        return session is not None

    def cancel(self) -> None:
        """The task is somebody else's by now: stop, and hand nothing over."""
        self._cancelled = True
        self.stop()

    def _run_agent(self, scratch: Path) -> Ended:
        work = Work(
            task=self.task,
            workspace=self._workspace.path,
            scratch=scratch,
            env=self._env,
            uid=self._workspace.uid,
            timeout_s=self._assignment.timeout_s,
        )
        try:
            with self._guard:
                if self._stopped:
                    return Ended(Outcome.STOPPED, "stopped before it began")
                agent = find_agent(self._assignment.agent)
                self._session = agent.start(work, self._outbox.log)
            with self._workspace.curfew.endable():
                ended = self._session.wait()
            over = self._workspace.curfew.reason
            return Ended(Outcome.FAILED, over) if over is not None else ended
        except Unusable as error:
            return Ended(Outcome.UNUSABLE, str(error))

    def _file(self) -> dict[str, str]:
        """What cannot be migrated is there for the agent to be mended: with an empty file."""
        wanted = self._assignment.sqlite
        try:
            return sqlite.fresh(self._workspace, wanted, self._env, self._outbox.log)
        except CommandFailed as error:
            why = _words(error).removeprefix("set-up failed: ")
            self._outbox.note(f"its database is empty: {why}")
            return sqlite.variables(self._workspace)

    def _hand_over(self, ended: Ended, scratch: Path) -> None:
        """Commit what is left, upload, say how it ended.

        What is refused is not sent again: what the agent itself has committed is tried without
        what the runner added, and in the end nothing, with the reason for the next attempt.
        """
        start = self._checkout.commit
        broken: Broken | None = None
        try:
            found = self._gather(ended)
        except Broken as error:
            broken = error
            ended = Ended(Outcome.FAILED, f"the workspace's repository is broken: {error}")
            found = self._committed()
        if found.problem is not None and ended.outcome in (Outcome.DONE, Outcome.FAILED):
            told = [ended.reason, found.problem] if ended.reason else [found.problem]
            ended = Ended(Outcome.FAILED, "\n".join(told))
        self._outbox.flush()
        for tip in dict.fromkeys((found.tip, found.own, start)):
            try:
                refusal = self._offer(tip, ended, scratch)
            except Broken as error:
                broken, refusal = error, f"the workspace's repository is broken: {error}"
            if refusal is None:
                break
            if tip == found.tip and broken is None:
                refusal += self._kept(tip)
            ended = self._refused(refusal, ended, only_left=tip != found.own)
        if broken is not None:
            raise broken

    def _gather(self, ended: Ended) -> Harvest:
        # What the runner itself has merged into the files was never the agent's to commit.
        merged = self._checkout.squash is not None
        return Gathering(
            workspace=self._workspace,
            start=self._checkout.commit,
            title=self.task.title,
            author=self._author,
            rule=Leftovers.COMMIT if merged else self._assignment.leftovers,
            before=self._before,
            stopped=ended.outcome is Outcome.STOPPED,
            say=self._outbox.note,
        ).gather()

    def _committed(self) -> Harvest:
        """What can be had of a repository that does not work as it should."""
        try:
            head = self._workspace.head()
        except Broken:
            head = self._checkout.commit
        return Harvest(head, head)

    def _kept(self, tip: str) -> str:
        """Where the next attempt finds what was refused, if it is made in this workspace."""
        branch = f"steroids-refused-{self.task.attempt}"
        done = self._workspace.git("branch", "-f", branch, tip, check=False)
        return f"\nThis workspace still has it, on the branch {branch}." if done.ok else ""

    def _refused(self, refusal: str, ended: Ended, *, only_left: bool) -> Ended:
        if ended.outcome is Outcome.STOPPED and only_left:
            self._outbox.note(f"what was left uncommitted was refused, and is lost: {refusal}")
            return ended
        what = "what it left uncommitted was" if only_left else "its commits were"
        told = [f"{what} refused: {refusal}", *([ended.reason] if ended.reason else [])]
        return Ended(Outcome.FAILED, "\n".join(told))

    def _offer(self, tip: str, ended: Ended, scratch: Path) -> str | None:
        """Upload and submit; why it was refused, if it was. Raises `Broken`."""
        start = self._checkout.commit
        try:
            if tip != start:
                self._upload(tip, scratch)
            self._courier.submit(
                Submission(
                    fence=self.fence,
                    task_id=self.task.id,
                    attempt=self.task.attempt,
                    base=start,
                    tip=tip,
                    outcome=ended.outcome,
                    reason=ended.reason,
                )
            )
        except SteroidsError as error:
            if error.code == "LEASE_LOST":
                print(f"not taken: {error}", flush=True)
            elif error.code == "BUNDLE_REFUSED" and tip != start:
                return f"{error} (hint: {error.hint})" if error.hint else str(error)
            else:
                raise
        return None

    def _upload(self, tip: str, scratch: Path) -> None:
        """Raises `Broken`, and `BundleRefused` as the controller does, naming large files."""
        start = self._checkout.commit
        bundle = scratch / "out.bundle"
        if not self._workspace.bundle(start, tip, bundle):
            return
        try:
            self._courier.upload(bundle)
        except SteroidsError as error:
            if error.code != "BUNDLE_REFUSED":
                raise
            files = ", ".join(
                f"{path} ({size_bytes / 1_000_000:,.1f} MB)"
                for path, size_bytes in largest(self._workspace, start, tip)
            )
            raise BundleRefused(f"{error}; the largest files: {files}", error.hint) from error


def _words(error: CommandFailed) -> str:
    how = f"exited {error.exit_code}" if error.exit_code is not None else "took too long"
    return f"set-up failed: `{error.command}` {how}\n{error.tail[-MAX_TAIL_CHARS:]}"
