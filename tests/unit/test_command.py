"""Any program as an agent: what it is told, and how its end is told."""

import threading
from pathlib import Path
from typing import Any

import pytest

from steroids.agents.base import Ended, Part, Unusable, Work
from steroids.agents.find import find_agent
from steroids.wire.agent import Agent, Program
from steroids.wire.assignment import Outcome, TaskBrief

PROMPT = "Do it.\n" * 100_000
"""More than a pipe holds."""


def work(folder: Path, timeout_s: float = 60, **more: Any) -> Work:
    task = TaskBrief(id="t1", title="T", spec="", attempt=2, section="A", prompt=PROMPT)
    scratch = folder / "scratch"
    scratch.mkdir()
    env = {"PATH": "/usr/bin:/bin"}
    made = Work(task, folder, scratch, env, uid=None, timeout_s=timeout_s)
    return made._replace(**more)


def agent(*argv: str) -> Agent:
    return Agent(name="bot", use=Program.COMMAND, argv=list(argv))


def test_it_gets_its_prompt_on_standard_input_and_as_a_file(tmp_path: Path) -> None:
    lines: list[str] = []
    script = 'cmp - "$STEROIDS_PROMPT"; wc -c < "$STEROIDS_PROMPT"; env | grep ^STEROIDS | sort'
    session = find_agent(agent("sh", "-c", script)).start(work(tmp_path), lines.append)
    assert session.wait() == Ended(Outcome.DONE)
    told = dict(line.split("=", 1) for line in lines[1:])
    assert lines[0] == str(len(PROMPT))
    assert (told["STEROIDS_ROLE"], told["STEROIDS_ATTEMPT"]) == ("coder", "2")
    assert "STEROIDS_VERDICT" not in told and Path(told["STEROIDS_FEEDBACK"]).read_text() == ""


def test_one_that_reads_nothing_keeps_nobody_waiting(tmp_path: Path) -> None:
    assert find_agent(agent("true")).start(work(tmp_path), print).wait() == Ended(Outcome.DONE)


def test_how_it_ended(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    failed = find_agent(agent("sh", "-c", "echo why; exit 3")).start(work(tmp_path / "1"), print)
    assert failed.wait() == Ended(Outcome.FAILED, "the command 'sh' exited 3\nwhy")
    up = threading.Event()
    endless = find_agent(agent("sh", "-c", "echo up; sleep 300 & wait"))
    session = endless.start(work(tmp_path / "2"), lambda line: up.set())
    up.wait()
    session.stop(grace_s=0)
    assert session.wait() == Ended(Outcome.STOPPED, "stopped")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("no-such-program", "x"), "no program 'no-such-program'"),
        (("./data",), "'./data' cannot be started: Permission denied"),
        (("./garbage",), "'./garbage' cannot be started: Exec format error"),
        (("sh", "a\0b"), "'sh' cannot be started"),
    ],
)
def test_a_program_that_cannot_be_started_is_named(
    tmp_path: Path, argv: tuple[str, ...], words: str
) -> None:
    (tmp_path / "data").write_text("x")
    (tmp_path / "garbage").write_text("x")
    (tmp_path / "garbage").chmod(0o755)
    with pytest.raises(Unusable, match=words):
        find_agent(agent(*argv)).start(work(tmp_path), print)


def test_a_script_as_a_reviewer_never_runs_what_the_task_says(tmp_path: Path) -> None:
    mine = work(tmp_path, part=Part.REVIEWER)
    mine.task.spec = "```sh\ntouch ran\n```\n"
    with pytest.raises(Unusable, match="run"):
        find_agent(Agent()).start(mine, print)
    assert not (tmp_path / "ran").exists()
