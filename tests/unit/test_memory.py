"""Who goes first when memory ends."""

from pathlib import Path

import pytest

from steroids import proc
from steroids.agents import memory
from steroids.agents.base import Work
from steroids.agents.process import ProcessSession
from steroids.wire.assignment import TaskBrief

OWN = Path("/proc/self/oom_score_adj")


@pytest.mark.skipif(not OWN.exists(), reason="Linux alone has that")
def test_what_is_started_there_goes_first_and_this_process_stays_as_it_is() -> None:
    before = OWN.read_text()

    with memory.expendable():
        inside = proc.run(["cat", str(OWN)])
    outside = proc.run(["cat", str(OWN)])

    assert int(inside.out) == max(500, int(before))
    assert OWN.read_text() == before and outside.out == before.strip()


def test_a_run_that_failed_says_that_memory_ran_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work(
        task=TaskBrief(id="1", title="t", spec="", attempt=1, section="A"),
        workspace=tmp_path,
        scratch=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        uid=None,
        timeout_s=60,
    )
    monkeypatch.setattr(memory.Watch, "ran_out", lambda self: "ran out of memory (limit 2g)")

    def reason(script: str) -> str | None:
        return (
            ProcessSession(["sh", "-c", script], work, lambda line: None, env=work.env)
            .wait()
            .reason
        )

    assert reason("echo bye; exit 137") == (
        "the script exited 137: ran out of memory (limit 2g)\nbye"
    )
    assert reason("kill -KILL $$") == (
        "the script was killed by signal 9: ran out of memory (limit 2g)\n"
    )
    # It got over the loss of a process of its own.
    assert reason("true") is None
