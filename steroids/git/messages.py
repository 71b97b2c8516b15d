"""What is written into commits: trailers, and one message made of several."""

import re
from collections.abc import Sequence

from steroids.git.command import Git
from steroids.git.commits import RawCommit, decoded

Trailer = tuple[str, str]

_CO_AUTHOR = "Co-authored-by"
_CREDITED = re.compile(rf"^{_CO_AUTHOR}: *(.+)$", re.IGNORECASE | re.MULTILINE)


def with_trailers(git: Git, message: bytes, *trailers: Trailer) -> bytes:
    """The message with those trailers that it does not have yet, each once."""
    # Alone, or on the line below the title, a trailer would be title, and nobody's trailer.
    message = message if message.strip() else b"(no message)"
    message = message if message.endswith(b"\n") else message + b"\n"
    given = (" ".join(f"{key}: {value}".split()) for key, value in trailers)
    return git(
        *("interpret-trailers", "--no-divider", "--if-exists", "addIfDifferent"),
        *(word for line in given for word in ("--trailer", line)),
        stdin=message,
    ).stdout


def combined(commits: Sequence[RawCommit], title: str | None = None) -> bytes:
    """One message of several commits', under the title; without one the first one's subject is
    on top."""
    texts = [commit.text() for commit in commits]
    subject = " ".join((title or "").split()) or texts[0].partition("\n")[0]
    if len(texts) == 1:
        first, _, rest = texts[0].partition("\n")
        whole = f"{subject}\n{rest}" if first == subject else f"{subject}\n\n{texts[0]}"
        return whole.strip("\n").encode() + b"\n"
    return "\n\n".join([subject, *(f"* {text}" for text in texts)]).encode() + b"\n"


def co_authors(commits: Sequence[RawCommit], author: bytes) -> list[Trailer]:
    """Who else wrote these commits, or is named in them; `author` is an author line."""
    main = _person(decoded(author, "utf-8"))
    people: dict[str, str] = {}
    for commit in commits:
        written = decoded(commit.author, commit.encoding)
        for person in (_person(written), *_CREDITED.findall(commit.text())):
            people.setdefault(_address(person), " ".join(person.split()))
    people.pop(_address(main), None)
    return [(_CO_AUTHOR, person) for person in people.values()]


def _person(line: str) -> str:
    """Of an author line, without the date."""
    return line[: line.rfind(">") + 1]


def _address(person: str) -> str:
    return person.rpartition("<")[2].rstrip("> ").casefold()
