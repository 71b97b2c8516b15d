"""A toy shell for the fake engine: the few commands that tests of services need.

`sh -c` with `;`, `&&`, `>&2`, `$NAME`; echo, printenv, cat, stat -c '%a %u', id -u, sleep, wait,
trap ... TERM, exit, true, false. As in a real container, process 1 does not see a TERM that it
has no trap for. Anything else is an unknown command, which exits with 127.
"""

import re
import shlex
from collections.abc import Sequence

from steroids.engines.fake_box import Box, Exit

UNKNOWN_COMMAND = 127


def run(box: Box, argv: Sequence[str]) -> int:
    """The exit code. Output goes to the box, and `box.sleep` raises when it is killed."""
    try:
        if list(argv[:2]) == ["sh", "-c"]:
            return _script(box, argv[2])
        return _command(box, list(argv))
    except Exit as exit_:
        return exit_.code


def _script(box: Box, script: str) -> int:
    # A box has one stream of output, as a terminal has.
    script = script.replace(">&2", "")
    tokens = shlex.shlex(script, posix=True, punctuation_chars=";&\n")
    tokens.whitespace, tokens.whitespace_split = " \t", True
    code, words = 0, list[str]()
    for token in [*tokens, ";"]:
        if token.strip(";&\n"):
            words.append(_expand(box, token))
            continue
        background = token == "&"
        # `sleep 60 & wait` waits for what the sleep was for: nothing is run beside the script.
        if words and not background:
            code = _command(box, words)
        words = []
        if token == "&&" and code != 0:
            return code
    return code


def _expand(box: Box, token: str) -> str:
    return re.sub(r"\$(\w+)", lambda match: box.env.get(match[1], ""), token)


def _command(box: Box, words: list[str]) -> int:
    match words:
        case ["echo", *rest]:
            box.write((" ".join(rest) + "\n").encode())
        case ["printenv", name]:
            return _print(box, box.env.get(name))
        case ["cat", path]:
            file = box.files.get(path)
            return _print(box, file.content.decode().rstrip("\n") if file else None)
        case ["stat", "-c", "%a %u", path]:
            file = box.files.get(path)
            return _print(box, f"{file.mode:o} 0" if file else None)
        case ["id", "-u"]:
            return _print(box, box.user or "0")
        case ["trap", action, "TERM"]:
            box.trap = lambda: _script(box, action)
        case ["sleep", seconds]:
            box.sleep(float(seconds))
        case ["wait"]:
            box.sleep(None)
        case ["exit", code]:
            raise Exit(int(code))
        case ["true"]:
            return 0
        case ["false"]:
            return 1
        case _:
            box.write(f"{words[0]}: not found\n".encode())
            return UNKNOWN_COMMAND
    return 0


def _print(box: Box, text: str | None) -> int:
    if text is None:
        return 1
    box.write(f"{text}\n".encode())
    return 0
