"""A task's history and page as lines for people."""

from steroids.cli.task_history import ALL, lines, painter
from steroids.cli.task_show import rows
from steroids.wire.history import History
from steroids.wire.task import TaskStatus as S
from steroids.wire.verdict import Decision
from tests.support.pasts import BASE, a_history, attempt, commit, given

APPROVE, REJECT, DISPUTE = Decision.APPROVE, Decision.REJECT, Decision.DISPUTE


def shown(history: History, *, whole: bool = False) -> list[str]:
    return list(lines(history, whole=whole, paint=painter(False)))


def page(history: History, *, whole: bool = False) -> str:
    return "\n".join(f"{label} {text}" for label, text in rows(history, whole=whole))


def test_it_looks_as_the_manual_has_it() -> None:
    first = attempt(
        1,
        "rejected",
        commit("abc1234", "Add auth endpoint"),
        commit("def5678", "Add auth tests\n\nMore of it"),
        reason="Missing rate limiting",
    )
    second = attempt(
        2,
        "rejected",
        commit("ab89f01", "Add rate limiting"),
        reason="Rate limit too aggressive (1 req/min)",
    )
    third = attempt(
        3,
        "review",
        commit("cd01234", "Adjust rate limit to 10 req/min"),
        base_commit="ab89f01" + "0" * 33,
        files=2,
        added=45,
        removed=12,
    )
    assert shown(a_history(first, second, third)) == [
        "Task: Add user authentication   Status: review (attempt 3)",
        'Attempt 1  REJECTED  "Missing rate limiting"',
        "  abc1234  Add auth endpoint",
        "  def5678  Add auth tests",
        'Attempt 2  REJECTED  "Rate limit too aggressive (1 req/min)"',
        "  ab89f01  Add rate limiting",
        "Attempt 3  reviewing",
        "  cd01234  Adjust rate limit to 10 req/min",
        "  2 files changed, +45 -12   (base ab89f01, tip cd01234)",
    ]


def test_each_reviewer_is_named_with_all_reasons() -> None:
    verdicts = [
        given("checks", APPROVE),
        given(
            "security-bot", REJECT, "One try a minute.\nTen are asked for.", "Not constant time."
        ),
    ]
    reason = "- One try a minute.\nTen are asked for.\n- Not constant time.\nfiles: a, b"
    history = a_history(
        attempt(1, "rejected", commit("a", "Try"), verdicts=verdicts, reason=reason),
        status=S.PENDING,
    )
    assert shown(history)[1:5] == [
        'Attempt 1  REJECTED  "One try a minute."  by security-bot',
        "    | Ten are asked for.",
        '  "Not constant time."',
        "  a000000  Try",
    ]
    assert "rejected by security-bot: One try a minute. ... Not constant time." in page(history)


def test_of_what_a_check_printed_the_end_is_shown_and_all_of_it_when_asked() -> None:
    output = "`npm test` exited 1\n" + "\n".join(f"line {n}" for n in range(100))
    history = a_history(attempt(1, "rejected", reason=output, tip="t" * 40), status=S.PENDING)
    brief = shown(history)
    assert brief[1] == 'Attempt 1  REJECTED  "`npm test` exited 1"'
    assert brief[2] == f"    | ... 96 more lines ({ALL})"
    assert [line.strip() for line in brief[3:7]] == [f"| line {n}" for n in range(96, 100)]
    assert "    | line 3" in shown(history, whole=True)
    assert "line 99" in page(history)


def test_a_conflict_shows_its_files_and_the_other_side() -> None:
    reason = "conflict with main in a.py, b.py\nchanged there by:\n  1234567 Rename it\n  7654321 x"
    history = a_history(
        attempt(1, "conflict", commit("a", "Mine"), reason=reason),
        attempt(2, "running"),
        status=S.IN_PROGRESS,
    )
    assert shown(history) == [
        "Task: Add user authentication   Status: in progress (attempt 2)",
        'Attempt 1  CONFLICT  "conflict with main in a.py, b.py"',
        "    | changed there by:",
        "    |   1234567 Rename it",
        "    |   7654321 x",
        "  a000000  Mine",
        "Attempt 2  working",
        "  nothing handed over yet   (base ba5eba5)",
    ]


def test_of_a_long_conflict_the_beginning_is_shown() -> None:
    reason = "conflict with main in a.py\n" + "\n".join(f"commit {n}" for n in range(20))
    history = a_history(attempt(1, "conflict", tip="t" * 40, reason=reason), status=S.PENDING)
    assert shown(history)[2] == "    | commit 0"
    assert shown(history)[13:15] == ["    | commit 11", f"    | ... 8 more lines ({ALL})"]


def test_what_landed_says_as_what_and_where() -> None:
    done = attempt(
        1,
        "approved",
        commit("a", "One", landed="1111111" + "0" * 33),
        commit("b", "Two", landed="2222222" + "0" * 33),
        verdicts=[given("checks", APPROVE), given("human", APPROVE, actor="Ann")],
    )
    history = a_history(
        done, status=S.COMPLETED, landed_hash="2222222" + "0" * 33, landed_branch="main"
    )
    assert shown(history)[:4] == [
        "Task: Add user authentication   Status: completed (attempt 1)   landed as 2222222 on main",
        "Attempt 1  approved by checks, human (Ann)",
        "  a000000  One   landed as 1111111",
        "  b000000  Two   landed as 2222222",
    ]
    assert f"landed 2222222{'0' * 33} on main" in page(history)


def test_nothing_to_change_and_nothing_to_land() -> None:
    history = a_history(attempt(1, "approved", tip=BASE), status=S.COMPLETED)
    assert shown(history) == [
        "Task: Add user authentication   Status: completed (attempt 1)   there was nothing to land",
        "Attempt 1  approved, without a reviewer",
        "  no commits: nothing to change was found",
    ]


def test_a_later_word_of_the_same_reviewer_counts() -> None:
    verdicts = [given("bot", REJECT, "no"), given("bot", APPROVE)]
    text = "\n".join(shown(a_history(attempt(1, "review", verdicts=verdicts))))
    assert "reviewing, approved by bot" in text and '"no"  by bot' in text


def test_what_was_approved_all_the_same_keeps_what_was_said_against_it() -> None:
    verdicts = [given("bot", REJECT, "no"), given("human", APPROVE, "it is right", actor="Ann")]
    assert shown(a_history(attempt(1, "approved", verdicts=verdicts)))[1:4] == [
        "Attempt 1  approved by human (Ann)",
        '  "no"  by bot',
        '  approved: "it is right"  by Ann',
    ]


def test_what_was_moved_or_left_out() -> None:
    moved = attempt(1, "rerouted", commit("a", "x"), reason="moved to section Web: it changed b")
    left_out = attempt(2, "skipped", reason="not now")
    lines = shown(a_history(moved, left_out, status=S.SKIPPED))
    assert lines[1] == 'Attempt 1  rerouted  "moved to section Web: it changed b"'
    assert 'Attempt 2  skipped  "not now"' in lines


def test_who_is_waited_for_and_how_to_answer() -> None:
    waits = a_history(
        attempt(1, "review", commit("a", "x"), verdicts=[given("checks", APPROVE)]), awaits="human"
    )
    assert shown(waits)[1] == (
        "Attempt 1  reviewing, approved by checks  waits for human: "
        "steroids tasks approve|reject 1a2b3c4d"
    )
    text = page(waits)
    assert "waits for a person" in text and "steroids tasks approve 1a2b3c4d" in text
    assert "steroids tasks reject 1a2b3c4d --reason TEXT" in text


def test_a_refused_push_says_so_with_its_command() -> None:
    refused = a_history(
        attempt(1, "approved", commit("a", "x")),
        status=S.APPROVED,
        push_refused=True,
        reason="remote: protected branch",
    )
    assert '  push refused  "remote: protected branch"  steroids push' in shown(refused)
    assert "the remote refused the push" in page(refused) and "steroids push" in page(refused)


def test_disputes_failures_and_what_was_interrupted() -> None:
    disputed = attempt(1, "disputed", verdicts=[given("bot", DISPUTE, "It says two things")])
    history = a_history(disputed, status=S.DISPUTED, reason="It says two things")
    assert 'Attempt 1  DISPUTED  "It says two things"  by bot' in shown(history)
    assert "steroids tasks dispute resolve 1a2b3c4d" in page(history)
    failed = a_history(attempt(1, "failed", reason="no script"), status=S.FAILED)
    assert 'Attempt 1  FAILED  "no script"' in shown(failed)
    assert "steroids tasks retry 1a2b3c4d" in page(failed)
    interrupted = a_history(attempt(1, "interrupted", commit("a", "Half")), status=S.PENDING)
    assert shown(interrupted)[1:3] == ["Attempt 1  interrupted", "  a000000  Half"]
    assert "the next runner goes on with it" in page(interrupted)


def test_every_status_is_explained() -> None:
    for status in S:
        text = page(a_history(status=status))
        assert f"status {status.replace('_', ' ')}: " in text


def test_files_outside_of_the_section_are_bounded() -> None:
    outside = [f"f{n}" for n in range(8)]
    history = a_history(attempt(1, "review", commit("a", "x"), outside=outside))
    assert "  outside of its section: f0, f1, f2, f3, f4 and 3 more" in shown(history)
    assert "  outside of its section: f0, f1, f2, f3, f4, f5, f6, f7" in shown(history, whole=True)


def test_what_an_agent_wrote_drives_no_terminal_and_fills_no_screen() -> None:
    evil = "\x1b]0;gone\x07\x1b[2Jnice"
    long = "ü" * 500
    history = a_history(
        attempt(
            1,
            "rejected",
            commit("a", evil),
            commit("b", "日本語のコミット"),
            commit("c", "\n\n"),
            outside=[evil],
            reason=f"{evil}\r\n{long}",
            verdicts=[given("bot", APPROVE, actor=evil)],
        ),
        title=evil,
    )
    text = "\n".join(shown(history))
    assert text.isprintable() or all(c.isprintable() or c == "\n" for c in text)
    assert "  a000000  nice" in text and "  b000000  日本語のコミット" in text
    assert "(no message)" in text and "ü" * 160 + " ..." in text
    many = a_history(attempt(1, "review", *(commit(f"{n:07}", f"c{n}") for n in range(40))))
    assert "  ... 10 older commits (steroids tasks commits)" in shown(many)
    assert "  0000039  c39" in shown(many) and "  0000003  c3" not in shown(many)


def test_the_outcome_is_coloured_where_somebody_looks() -> None:
    history = a_history(attempt(1, "rejected", reason="no"), attempt(2, "approved"))
    text = "\n".join(lines(history, whole=False, paint=painter(True)))
    assert "\x1b[31mREJECTED\x1b[0m" in text and "\x1b[32mapproved\x1b[0m" in text
