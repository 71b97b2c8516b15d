"""What others wrote, inside a prompt: told apart from what Steroids says, and never too long."""

import re

# Control characters but for line ends and tabs; then what is not seen or turns text round.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_HIDDEN = re.compile(
    "[\x80-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """Control characters as `cat -v` shows them, hidden ones as `<U+202E>`.

    Else a reviewer could be shown other text than a compiler gets (CVE-2021-42574).
    """
    return _HIDDEN.sub(lambda found: f"<U+{ord(found[0]):04X}>", _controlled(text))


def _controlled(text: str) -> str:
    if "\n" not in text.replace("\r\n", ""):
        text = text.replace("\r\n", "\n")
    return _CONTROL.sub(lambda found: f"^{chr(ord(found[0]) ^ 64)}", text)


def fenced(text: str, info: str = "text", *, trusted: bool = False) -> str:
    """A code block that its content cannot end: the fence is longer than any run of backticks.

    `trusted`: the user wrote it, whose script may well need characters that are not seen.
    """
    text = (_controlled(text) if trusted else visible(text)).rstrip("\n")
    runs = [len(run) for run in re.findall(r"`+", text)]
    fence = "`" * max(3, max(runs, default=0) + 1)
    return f"{fence}{info}\n{text}\n{fence}"


def shortened(text: str, max_chars: int) -> str:
    """Without its middle when it is longer: a check says at first which one it is, and at last
    what it found. Cut at lines where there are any."""
    if len(text) <= max_chars:
        return text
    head = text[: max_chars // 4]
    tail = text[-(max_chars - len(head)) :]
    head = head[: head.rfind("\n")] if "\n" in head else head
    tail = tail[tail.find("\n") + 1 :] if "\n" in tail[:-1] else tail
    left_out = len(text) - len(head) - len(tail)
    return f"{head}\n[... {left_out} characters left out ...]\n{tail}"
