"""Claim, work, hand over, again."""

import contextlib
import shutil
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

from steroids.agents import find_agent
from steroids.agents.base import Ended, Session, Unusable, Work
from steroids.client import Client
from steroids.errors import ControllerUnavailable, SteroidsError
from steroids.runner.outbox import Outbox
from steroids.runner.patience import patiently
from steroids.runner.workspace import Broken, CommandFailed, Workspace, identity
from steroids.wire.assignment import (
    Assignment,
    Claim,
    Heartbeat,
    Kind,
    Orders,
    Outcome,
    Result,
    Submission,
)

HEARTBEAT_S = 5.0
STOP_GRACE_S = 10.0
MAX_TAIL_CHARS = 12_000


class Loop:
    """`run` in a thread of its own; `stop` from another one."""

    def __init__(self, client: Client, workspace: Workspace) -> None:
        self.exit_code = 0
        self._client = client
        self._workspace = workspace
        self._outbox = Outbox(client)
        self._guard = threading.Lock()  # guards the three below
        self._session: Session | None = None
        self._task_id: str | None = None
        self._cancelled = False
        self._stopping = threading.Event()
        self._over = threading.Event()
        self._idle = True

    def run(self) -> None:
        """Until there is nothing more to do, or `stop`, or the workspace breaks."""
        threading.Thread(target=self._heartbeats, name="heartbeat", daemon=True).start()
        try:
            while not self._stopping.is_set():
                self._idle = True
                assignment = self._claim()
                self._idle = False
                if assignment is None:
                    continue
                if assignment.kind is Kind.STOP:
                    break
                self._do(assignment)
                if assignment.kind is not Kind.CODE:
                    break
        except (Broken, SteroidsError) as error:
            print(f"runner ends: {error}", flush=True)
            self.exit_code = 1
        except BaseException:
            traceback.print_exc()
            self.exit_code = 70
            raise
        finally:
            self._outbox.flush()
            self._over.set()

    def stop(self, patience_s: float = 25) -> None:
        """Stop the agent, hand over what there is, and return when that is done."""
        self._stopping.set()
        if self._idle:
            return
        with self._guard:
            session = self._session
        if session is not None:
            session.stop(STOP_GRACE_S)
        self._over.wait(patience_s)

    def _claim(self) -> Assignment | None:
        body = Claim()
        limit_s = body.wait_s + 15
        return patiently(
            lambda: self._client.poll("/v1/claim", body, Assignment, timeout_s=limit_s),
            self._stopping,
        )

    def _do(self, assignment: Assignment) -> None:
        with _scratch() as scratch:
            if assignment.kind is Kind.CODE:
                self._code(assignment, scratch)
            else:
                self._one_shot(assignment, scratch)

    # -- coding -----------------------------------------------------------------------------

    def _code(self, assignment: Assignment, scratch: Path) -> None:
        assert assignment.task is not None and assignment.checkout is not None
        with self._guard:
            self._task_id, self._cancelled = assignment.task.id, False
        start = assignment.checkout.commit
        try:
            self._workspace.check_out(assignment.checkout, self._fetch, scratch)
            try:
                self._workspace.set_up(assignment.checkout, self._env(assignment), self._outbox.log)
                ended = self._run_agent(assignment, scratch)
            except CommandFailed as error:
                ended = Ended(Outcome.FAILED, _words(error))
            if self._cancelled:
                return
            self._hand_over(assignment, start, ended, scratch)
        finally:
            with self._guard:
                self._task_id = None

    def _run_agent(self, assignment: Assignment, scratch: Path) -> Ended:
        assert assignment.task is not None
        work = Work(
            task=assignment.task,
            workspace=self._workspace.path,
            scratch=scratch,
            env=self._env(assignment),
            uid=self._workspace.uid,
            timeout_s=assignment.timeout_s,
        )
        try:
            with self._guard:
                if self._stopping.is_set():
                    return Ended(Outcome.STOPPED, "stopped before it began")
                self._session = find_agent(assignment.agent).start(work, self._outbox.log)
            return self._session.wait()
        except Unusable as error:
            return Ended(Outcome.UNUSABLE, str(error))
        finally:
            with self._guard:
                self._session = None

    def _hand_over(self, assignment: Assignment, start: str, ended: Ended, scratch: Path) -> None:
        """Commit what is left, upload, say how it ended."""
        assert assignment.task is not None and assignment.author is not None
        broken: Broken | None = None
        try:
            ended = self._commit_leftovers(assignment, ended)
            tip = self._workspace.head()
            if tip != start:
                bundle = scratch / "out.bundle"
                self._workspace.bundle(start, bundle)
                self._upload(bundle)
        except Broken as error:
            broken, tip = error, start
            ended = Ended(Outcome.FAILED, f"the workspace's repository is broken: {error}")
        self._outbox.flush()
        self._submit(assignment, start, tip, ended)
        if broken is not None:
            raise broken

    def _commit_leftovers(self, assignment: Assignment, ended: Ended) -> Ended:
        assert assignment.task is not None and assignment.author is not None
        unsolved = self._workspace.unsolved()
        if unsolved:
            if ended.outcome is Outcome.STOPPED:
                return ended
            return Ended(Outcome.FAILED, f"conflict markers were left in {', '.join(unsolved)}")
        left = self._workspace.leftovers()
        if left:
            files = f"{len(left)} file{'' if len(left) == 1 else 's'}"
            self._outbox.log(f"committing what was left uncommitted: {files}")
            self._workspace.commit_all(assignment.task.title, assignment.author)
        return ended

    def _upload(self, bundle: Path) -> None:
        def call() -> None:
            with bundle.open("rb") as file:
                self._client.upload("/v1/bundle", file)

        patiently(call, threading.Event())

    def _submit(self, assignment: Assignment, start: str, tip: str, ended: Ended) -> None:
        assert assignment.task is not None
        body = Submission(
            fence=assignment.id,
            task_id=assignment.task.id,
            attempt=assignment.task.attempt,
            base=start,
            tip=tip,
            outcome=ended.outcome,
            reason=ended.reason,
        )
        try:
            patiently(lambda: self._client.send("POST", "/v1/submission", body), threading.Event())
        except SteroidsError as error:
            if error.code == "LEASE_LOST":
                print(f"not taken: {error}", flush=True)
            elif error.code == "BUNDLE_REFUSED" and tip != start:
                refused = Ended(Outcome.FAILED, f"its commits were refused: {error}")
                self._submit(assignment, start, start, refused)
            else:
                raise

    # -- one-shot work ----------------------------------------------------------------------

    def _one_shot(self, assignment: Assignment, scratch: Path) -> None:
        assert assignment.checkout is not None
        began = time.monotonic()
        env = self._env(assignment)
        try:
            self._workspace.check_out(assignment.checkout, self._fetch, scratch)
            self._workspace.set_up(assignment.checkout, env, self._outbox.log)
            for command in assignment.commands:
                self._outbox.log(f"$ {command}")
                self._workspace.shell(command, env, self._outbox.log, assignment.timeout_s)
            result = Result(outcome=Outcome.DONE)
        except CommandFailed as error:
            result = Result(
                outcome=Outcome.FAILED,
                command=error.command,
                exit_code=error.exit_code,
                tail=error.tail[-MAX_TAIL_CHARS:],
            )
        result.duration_s = time.monotonic() - began
        if assignment.kind is Kind.SETUP:
            self._slim()
        self._outbox.flush()
        patiently(lambda: self._client.send("POST", "/v1/result", result), threading.Event())

    def _slim(self) -> None:
        """Drop package managers' download caches, which would double the snapshot."""
        home = self._workspace.env["HOME"]
        for name in (".npm", ".cache"):
            self._workspace.shell(f"rm -rf {home}/{name}", self._workspace.env, print, 60)

    # -- shared -----------------------------------------------------------------------------

    def _env(self, assignment: Assignment) -> dict[str, str]:
        own = identity(assignment.author) if assignment.author is not None else {}
        return {**self._workspace.env, **own, **assignment.env}

    def _fetch(self, want: str, have: list[str], target: Path) -> bool:
        query = urlencode({"want": want, "have": have}, doseq=True)

        def call() -> bool:
            with target.open("wb") as file:
                return self._client.download(f"/v1/bundle?{query}", file)

        return patiently(call, self._stopping)

    def _heartbeats(self) -> None:
        while not self._over.wait(HEARTBEAT_S):
            body = Heartbeat(task_id=self._task_id)
            try:
                orders = self._client.post("/v1/heartbeat", body, Orders)
            except ControllerUnavailable:
                continue
            except SteroidsError as error:
                # This runner is no longer known; what it does is of no use to anybody.
                print(f"heartbeat refused: {error}", flush=True)
                orders = Orders(cancel=True)
            if orders.cancel and body.task_id is not None:
                self._cancel(body.task_id)

    def _cancel(self, task_id: str) -> None:
        with self._guard:
            if self._task_id != task_id:
                return
            self._cancelled = True
            session = self._session
        if session is not None:
            session.stop(STOP_GRACE_S)


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """A folder that the agent may read and not write."""
    folder = Path(tempfile.mkdtemp(prefix="steroids-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _words(error: CommandFailed) -> str:
    how = f"exited {error.exit_code}" if error.exit_code is not None else "took too long"
    return f"set-up failed: `{error.command}` {how}\n{error.tail[-MAX_TAIL_CHARS:]}"
