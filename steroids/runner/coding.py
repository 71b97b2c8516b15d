"""One coding assignment: check out, set up, run the agent, hand over."""

import threading
from pathlib import Path

from steroids.agents import find_agent
from steroids.agents.base import Ended, Session, Unusable, Work
from steroids.errors import SteroidsError
from steroids.runner.courier import Courier
from steroids.runner.outbox import Outbox
from steroids.runner.workspace import Broken, CommandFailed, Workspace, identity
from steroids.wire.assignment import Assignment, Checkout, Outcome, Submission, TaskBrief

STOP_GRACE_S = 10.0
MAX_TAIL_CHARS = 12_000


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
                self._workspace.set_up(self._checkout, self._env, self._outbox.log)
            ended = self._run_agent(scratch)
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
            return self._session.wait()
        except Unusable as error:
            return Ended(Outcome.UNUSABLE, str(error))

    def _hand_over(self, ended: Ended, scratch: Path) -> None:
        """Commit what is left, upload, say how it ended."""
        start = self._checkout.commit
        broken: Broken | None = None
        try:
            ended = self._commit_leftovers(ended)
            tip = self._workspace.head()
            if tip != start:
                bundle = scratch / "out.bundle"
                self._workspace.bundle(start, bundle)
                self._courier.upload(bundle)
        except Broken as error:
            broken, tip = error, start
            ended = Ended(Outcome.FAILED, f"the workspace's repository is broken: {error}")
        self._outbox.flush()
        self._submit(tip, ended)
        if broken is not None:
            raise broken

    def _commit_leftovers(self, ended: Ended) -> Ended:
        unsolved = self._workspace.unsolved()
        if unsolved:
            if ended.outcome is Outcome.STOPPED:
                return ended
            return Ended(Outcome.FAILED, f"conflict markers were left in {', '.join(unsolved)}")
        left = self._workspace.leftovers()
        if left:
            files = f"{len(left)} file{'' if len(left) == 1 else 's'}"
            self._outbox.note(f"committing what was left uncommitted: {files}")
            self._workspace.commit_all(self.task.title, self._author)
        return ended

    def _submit(self, tip: str, ended: Ended) -> None:
        start = self._checkout.commit
        body = Submission(
            fence=self.fence,
            task_id=self.task.id,
            attempt=self.task.attempt,
            base=start,
            tip=tip,
            outcome=ended.outcome,
            reason=ended.reason,
        )
        try:
            self._courier.submit(body)
        except SteroidsError as error:
            if error.code == "LEASE_LOST":
                print(f"not taken: {error}", flush=True)
            elif error.code == "BUNDLE_REFUSED" and tip != start:
                self._submit(start, Ended(Outcome.FAILED, f"its commits were refused: {error}"))
            else:
                raise


def _words(error: CommandFailed) -> str:
    how = f"exited {error.exit_code}" if error.exit_code is not None else "took too long"
    return f"set-up failed: `{error.command}` {how}\n{error.tail[-MAX_TAIL_CHARS:]}"
