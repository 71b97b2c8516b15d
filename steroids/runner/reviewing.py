"""One review: check out, set up, run the reviewer, read its verdict."""

import time
from collections import deque
from pathlib import Path

from steroids import proc
from steroids.agents.base import Part, Unusable, Work
from steroids.agents.find import find_agent
from steroids.runner import databases, sqlite, verdict
from steroids.runner.courier import Courier
from steroids.runner.failures import CommandFailed
from steroids.runner.oneshot import MAX_TAIL_CHARS, failed
from steroids.runner.outbox import Outbox
from steroids.runner.reaping import reap
from steroids.runner.setting_up import set_up
from steroids.runner.verdict import Malformed
from steroids.runner.workspace import Workspace
from steroids.wire.assignment import Assignment, Outcome, Result, TaskBrief
from steroids.wire.verdict import Verdict

ASKS = 2
READ_S = 10.0
AGAIN = """

# Once more

You have been asked before, and your answer was no verdict: {why}

Write one JSON object, `{{"decision": ..., "reasons": [...], "files": [...]}}`, into the file that
`STEROIDS_VERDICT` names, or print it as the very last thing.
"""


def run(
    assignment: Assignment, workspace: Workspace, courier: Courier, outbox: Outbox, scratch: Path
) -> None:
    """Hand over a verdict; or how it came to none, which is nobody's rejection. Raises `Broken`."""
    assert assignment.checkout is not None and assignment.task is not None
    began = time.monotonic()
    env = {**workspace.env, **assignment.env}
    try:
        workspace.check_out(assignment.checkout, courier.fetch, scratch)
        env |= databases.variables(assignment, courier)
        with courier.alone(assignment.alone and workspace.needs_setup(assignment.checkout)):
            env = set_up(workspace, assignment.checkout, env, outbox.log)
            env |= sqlite.fresh(workspace, assignment.sqlite, env, outbox.log)
        result = _ask(assignment, assignment.task, workspace, env, outbox, scratch)
    except CommandFailed as error:
        result = failed(error)
    except databases.NoDatabase as error:
        # The controller knows why, and that it says nothing about the work.
        result = Result(outcome=Outcome.FAILED, tail=str(error))
    result.duration_s = time.monotonic() - began
    outbox.flush()
    courier.result(result)


def _ask(
    assignment: Assignment,
    task: TaskBrief,
    workspace: Workspace,
    env: dict[str, str],
    outbox: Outbox,
    scratch: Path,
) -> Result:
    """Only what it says when it is asked last counts, and only when its program ended well."""
    told, why = task.prompt, ""
    for number in range(ASKS):
        if why:
            outbox.note(f"no verdict ({why.splitlines()[0]}): asked once more")
            task.prompt = told + AGAIN.format(why=why)
        folder = _writable(scratch / f"ask-{number}")
        work = Work(
            task=task,
            workspace=workspace.path,
            scratch=folder,
            env=env,
            uid=workspace.uid,
            timeout_s=assignment.timeout_s,
            part=Part.REVIEWER,
            verdict=folder / "answer" / "verdict.json",
        )
        printed = _Printed(outbox)
        try:
            with workspace.curfew.endable():
                ended = find_agent(assignment.agent).start(work, printed.line).wait()
        except Unusable as error:
            return Result(outcome=Outcome.UNUSABLE, tail=str(error))
        # What it has run of the changes, and left running, must not answer in its place.
        reap(workspace.uid)
        if ended.outcome is Outcome.DONE:
            try:
                return Result(outcome=Outcome.DONE, verdict=_verdict(work, printed, workspace))
            except Malformed as error:
                why = str(error)
        else:
            why = workspace.curfew.reason or ended.reason or "it failed"
    return Result(outcome=Outcome.FAILED, tail=why[-MAX_TAIL_CHARS:])


def _writable(scratch: Path) -> Path:
    """A run's own folder, and one in it that the agent may write: the runner may not give it away,
    having no right to change owners."""
    (scratch / "answer").mkdir(parents=True)
    (scratch / "answer").chmod(0o777)
    return scratch


def _verdict(work: Work, printed: "_Printed", workspace: Workspace) -> Verdict:
    """Raises `Malformed`."""
    # Read as the agent: what it made may be a link to what it must not see, or a pipe.
    argv = ("head", "-c", str(verdict.MAX_CHARS * 4 + 1), "--", str(work.verdict))
    try:
        found = proc.run(argv, cwd=work.scratch, env=workspace.env, user=work.uid, timeout_s=READ_S)
    except proc.TimedOut:
        raise Malformed("the file cannot be read") from None
    text = found.stdout.decode("utf-8", "replace") if found.ok else ""
    return verdict.read(text, printed.text)


class _Printed:
    """The end of what it prints, passed on as it comes."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._lines: deque[str] = deque()
        self._chars = 0

    def line(self, text: str) -> None:
        self._outbox.log(text)
        self._lines.append(text)
        self._chars += len(text) + 1
        while self._chars > verdict.MAX_CHARS:
            self._chars -= len(self._lines.popleft()) + 1

    @property
    def text(self) -> str:
        return "\n".join(self._lines)
