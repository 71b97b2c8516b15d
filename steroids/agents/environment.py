"""What an agent's process is told: variables, and files of the run's own folder."""

from pathlib import Path

from steroids.agents.base import Work


def prompt_file(work: Work) -> Path:
    """The prompt as a file that the agent may read."""
    return _readable(work.scratch / "prompt.md", work.task.prompt)


def environment(work: Work) -> dict[str, str]:
    """The whole environment of the agent's process; writes the files that it names."""
    told = {
        "STEROIDS_ROLE": work.part.value,
        "STEROIDS_TASK": work.task.id,
        "STEROIDS_TITLE": work.task.title,
        "STEROIDS_ATTEMPT": str(work.task.attempt),
        "STEROIDS_SECTION": work.task.section,
        "STEROIDS_PROMPT": str(prompt_file(work)),
        "STEROIDS_FEEDBACK": str(_readable(work.scratch / "feedback", work.task.feedback or "")),
    }
    if work.verdict is not None:
        told["STEROIDS_VERDICT"] = str(work.verdict)
    return {**work.env, **told}


def _readable(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", errors="replace")
    path.chmod(0o644)
    return path
