"""A task as it is written in a file, and the file's text made ready to be read. Pure."""

from dataclasses import dataclass

from steroids.errors import UsageError

MAX_CHARS = 2_000_000
MAX_TASKS = 10_000
FORMATS = "a Markdown checklist (`- [ ] Title` below a section's heading), or YAML"


class BadSheet(UsageError):
    """A file of tasks that cannot be taken; nothing of it was. `details` has `file`, `line`."""

    code = "BAD_TASK_FILE"


@dataclass(frozen=True)
class Draft:
    line: int
    title: str
    spec: str = ""
    sections: tuple[str, ...] = ()
    """What may name its section, the likeliest first."""
    priority: int = 50
    affected_paths: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    agent: str | None = None


@dataclass(frozen=True)
class Drafts:
    tasks: list[Draft]
    done: int = 0
    """How many others are ticked off."""


def bad(name: str, line: int | None, what: str, hint: str | None = None) -> BadSheet:
    where = name if line is None else f"{name}:{line}"
    return BadSheet(f"{where}: {what}", hint=hint, details={"file": name, "line": line})


def prepared(name: str, text: str) -> str:
    """The text with lines that end as on Unix. Raises `BadSheet` for what is no text to read."""
    if len(text) > MAX_CHARS:
        raise bad(name, None, f"over {MAX_CHARS} characters are too many", "split the file")
    if "\0" in text:
        raise bad(name, None, "this is no text: it has NUL bytes", f"give {FORMATS}")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise bad(name, None, "there is nothing in it", f"give {FORMATS}")
    return text


def checked_number(name: str, drafts: list[Draft]) -> list[Draft]:
    if len(drafts) > MAX_TASKS:
        line = drafts[MAX_TASKS].line
        raise bad(name, line, f"more than {MAX_TASKS} tasks are too many", "split the file")
    return drafts
