import io
import json

import pytest
from rich.text import Text

from steroids.cli.output import Output, ago, escape, lasting, plain
from steroids.errors import SectionBusy


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]52;c;ZXZpbA==\x1b\\text", "text"),
        ("a\rb\x08c\x00d\x9b2Je", "abcd2Je"),
        ("tabs\tand\nlines stay", "tabs\tand\nlines stay"),
        ("ümläut 日本", "ümläut 日本"),
    ],
)
def test_control_characters_never_reach_the_terminal(raw: str, shown: str) -> None:
    assert plain(raw) == shown


def test_an_error_is_a_sentence_and_a_hint_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    Output().error(SectionBusy("It is busy", hint="steroids ps"))
    out, err = capsys.readouterr()
    assert (out, err) == ("", "error: It is busy\nhint: steroids ps\n")


def test_an_error_as_json_is_one_object_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output()
    output.json = True
    output.error(SectionBusy("It is busy", hint="steroids ps", details={"existingRunners": []}))
    assert json.loads(capsys.readouterr().out) == {
        "success": False,
        "error": "It is busy",
        "code": "SECTION_BUSY",
        "hint": "steroids ps",
        "existingRunners": [],
    }


def test_markup_is_gone_when_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stdout", stream)
    Output().line("[green]ok[/green] \\[kept]")
    assert stream.getvalue() == "ok [kept]\n"


@pytest.mark.parametrize(
    "text",
    ["[/x]", "\\[/x]", "\\\\[/x]", "\\[red]x", "[red]", "[]", "a[i]", "[/", "x\\[/x]"],
)
def test_what_an_agent_wrote_is_no_markup(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    marked = f"[green]{escape(text)}[/green]|"
    assert Text.from_markup(marked).plain == f"{text}|"
    stream = io.StringIO()
    monkeypatch.setattr("sys.stdout", stream)
    Output().line(marked)
    assert stream.getvalue() == f"{text}|\n"


def test_columns_stay_in_line_whatever_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    Output().table(("A", "B"), [("日本", "x"), ("e\u0301", "y"), ("abcd", "z")])
    assert capsys.readouterr().out == "A     B\n日本  x\ne\u0301     y\nabcd  z\n"


def test_times_are_for_people() -> None:
    assert (ago(2), ago(300), ago(7200)) == ("2 s ago", "5 min ago", "2 h ago")
    assert (lasting(0.44), lasting(72), lasting(3700)) == ("0.4 s", "1 min 12 s", "1 h 1 min")
