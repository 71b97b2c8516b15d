"""What a task may be: each rule raises, with a sentence that says which was broken."""

from steroids.agents.script import script_of
from steroids.errors import UsageError
from steroids.services import agents
from steroids.settings import Settings
from steroids.wire.agent import Program

MAX_TITLE_CHARS = 200
MAX_SPEC_CHARS = 1_000_000
PRIORITIES = range(101)
ADD = "steroids tasks add TITLE --section S"


def title_of(asked: str) -> str:
    """The title as it is kept: one line, single spaces."""
    title = " ".join(asked.split())
    if not title:
        raise UsageError("A task needs a title", hint=ADD)
    if not title.isprintable() or len(title) > MAX_TITLE_CHARS:
        raise UsageError(
            f"A title is one line of at most {MAX_TITLE_CHARS} characters, without control ones",
            hint="put the rest into the spec: --spec FILE.md",
        )
    return title


def check_priority(priority: int) -> None:
    if priority not in PRIORITIES:
        raise UsageError(
            f"{priority} is no priority: 0 is worked on first, 100 last",
            hint=f"{ADD} --priority medium",
        )


def check_work(settings: Settings, title: str, spec: str, own: str | None) -> None:
    """Whether its agent could work on it at all. `own` is the task's own agent, if it has one.

    Raises `UsageError` for an agent that the settings do not have, and for a spec without a script
    where the agent is one that runs the spec's.
    """
    if len(spec) > MAX_SPEC_CHARS:
        raise UsageError(f"The spec has over {MAX_SPEC_CHARS} characters", hint="make it shorter")
    if "\0" in spec:
        # PostgreSQL would not keep it.
        raise UsageError("The spec has a NUL character, so it is no text", hint="--spec FILE.md")
    coder = agents.coder(settings, own)
    if coder.use is Program.SCRIPT and coder.run is None and script_of(spec) is None:
        raise UsageError(
            f"The spec of '{title}' has no ```sh block, which is what the agent 'script' runs",
            hint=f"{ADD} --spec FILE.md   (or another agent: --agent NAME)",
        )
