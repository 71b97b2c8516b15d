"""Differences at a terminal."""

import io

import pytest

from steroids.cli.context import Context
from steroids.cli.task_commits import diff, painted
from steroids.wire.commit import Diff

PATCH = """diff --git a/x b/x
index 1..2 100644
--- a/x
+++ b/x
@@ -1,3 +1,3 @@ def f():
 same
--- was a comment
+++ is one
diff --git a/y b/y
new file mode 100644
"""


def test_it_is_coloured_line_by_line_as_git_does() -> None:
    colors = [line.split("m", 1)[0] if line.startswith("\x1b") else "" for line in painted(PATCH)]
    bold, cyan, red, green = "\x1b[1", "\x1b[36", "\x1b[31", "\x1b[32"
    assert colors == [bold, bold, bold, bold, cyan, "", red, green, bold, bold]
    plain = "".join(painted(PATCH))
    for code in ("1", "36", "31", "32", "0"):
        plain = plain.replace(f"\x1b[{code}m", "")
    assert plain == PATCH


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


class Answer:
    def __init__(self, patch: str) -> None:
        self.answer = Diff(base="b", tip="t", diff=patch)

    def get(self, url: str, kind: type) -> Diff:
        return self.answer


def shown(patch: str, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    context = Context()
    context.__dict__["client"] = Answer(patch)
    monkeypatch.setattr(context, "url", lambda *args, **query: "")
    monkeypatch.setattr("sys.stdout", stream)
    assert diff.callback is not None
    with diff.make_context("diff", ["t"], obj=context) as ctx:
        ctx.invoke(diff.callback, **ctx.params)
    return stream.getvalue()


EVIL = "@@ -0,0 +1 @@\n+\x1b[8mhidden\x1b]0;title\x07\x9b2J\n"


def test_what_is_in_the_files_drives_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(EVIL, Screen(), monkeypatch)
    assert text == "\x1b[36m@@ -0,0 +1 @@\x1b[0m\n\x1b[32m+hidden2J\x1b[0m\n"
    monkeypatch.setenv("NO_COLOR", "1")
    assert shown(EVIL, Screen(), monkeypatch) == "@@ -0,0 +1 @@\n+hidden2J\n"


def test_through_a_pipe_it_can_be_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(EVIL, io.StringIO(), monkeypatch) == EVIL
