"""Reading a reviewer's verdict: strictly, since what it says decides what gets onto the branch.

The answer is JSON of one shape. Anything else is no verdict, and never taken for one by guessing.
"""

import json
import re
from typing import Any

import msgspec

from steroids.wire.verdict import Decision, Verdict

MAX_CHARS = 64_000
"""Of an answer; a longer one has more in it than a verdict."""
MAX_REASONS, MAX_FILES = 50, 200

_FENCE = re.compile(r"\s*```\w*\s*")
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
"""What no database and no terminal should get; JSON can spell all of it."""


class Malformed(Exception):
    """There is no verdict in it; the text says what is wrong, for whoever is asked again."""


class _Answer(msgspec.Struct, forbid_unknown_fields=True):
    decision: Decision
    reasons: list[str] = []
    files: list[str] = []


def read(file: str, printed: str) -> Verdict:
    """The verdict of a reviewer that has written `file` (empty: it has not) and printed `printed`.

    Whatever it runs of the changes that it judges could have written the file: one that says
    something else than it printed last is none. Raises `Malformed`.
    """
    if not file.strip():
        return read_output(printed)
    verdict = read_file(file)
    try:
        said = read_output(printed).decision
    except Malformed:
        return verdict
    if said is not verdict.decision:
        raise Malformed(f"the file says {verdict.decision}, and the end of the output says {said}")
    return verdict


def read_file(text: str) -> Verdict:
    """A file that holds the verdict and nothing else, in a code fence at most."""
    found = _objects(_bounded(text))
    if len(found) != 1 or found[0].before or found[0].after:
        raise Malformed("the file has to hold one JSON object, and nothing else")
    return _checked(found[0].value)


def read_output(text: str) -> Verdict:
    """What an agent printed: its verdict stands at the very end, from the beginning of a line on.

    What it printed before may quote a verdict, of the very changes that it judges perhaps: one
    that says something else makes the answer none.
    """
    found = _objects(text[-MAX_CHARS:])
    if not found or found[-1].after:
        raise Malformed("there is no verdict: no file, and no JSON object at the end of the output")
    verdict = _checked(found[-1].value)
    said = [each for each in Decision if any(it.value.get("decision") == each for it in found)]
    if said != [verdict.decision]:
        raise Malformed(f"there are verdicts that contradict each other: {', '.join(said)}")
    return verdict


class _Found(msgspec.Struct):
    value: dict[str, Any]
    before: str
    """What stands between the object before it (or the beginning) and this one."""
    after: str
    """All that comes after it."""


def _objects(text: str) -> list[_Found]:
    """The JSON objects that begin at the beginning of a line, whatever is around them."""
    decoder = json.JSONDecoder(object_pairs_hook=_once)
    found: list[_Found] = []
    at = end = 0
    while at < len(text):
        line_end = text.find("\n", at) + 1 or len(text)
        start = at + len(text[at:line_end]) - len(text[at:line_end].lstrip())
        if text.startswith("{", start):
            try:
                value, past = decoder.raw_decode(text, start)
            except (ValueError, RecursionError):
                at = line_end
                continue
            found.append(_Found(value, _rest(text[end:start]), ""))
            at = end = past
            continue
        at = line_end
    for each in found[-1:]:
        each.after = _rest(text[end:])
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object that says a thing twice says nothing."""
    whole = dict(pairs)
    if len(whole) != len(pairs):
        whole = {**whole, "decision": "given twice"}
    return whole


def _rest(text: str) -> str:
    """Without the lines of code fences around an object."""
    return "".join(line for line in text.splitlines() if not _FENCE.fullmatch(line)).strip()


def _bounded(text: str) -> str:
    if len(text) > MAX_CHARS:
        raise Malformed(f"it is longer than {MAX_CHARS} characters")
    return text


def _checked(value: dict[str, Any]) -> Verdict:
    try:
        answer = msgspec.convert(value, _Answer)
    except msgspec.ValidationError as error:
        raise Malformed(str(error)) from None
    reasons = [cleaned for each in answer.reasons if (cleaned := _UNFIT.sub("", each).strip())]
    files = [cleaned for each in answer.files if (cleaned := _UNFIT.sub("", each).strip())]
    if answer.decision is not Decision.APPROVE and not reasons:
        raise Malformed(f"'{answer.decision}' needs a reason that is not empty")
    for name, given, most in (("reasons", reasons, MAX_REASONS), ("files", files, MAX_FILES)):
        if len(given) > most:
            raise Malformed(f"there are more than {most} {name}")
    return Verdict(decision=answer.decision, reasons=reasons, files=files)
