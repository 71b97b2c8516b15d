"""Rows whose landing meets a remote that is in no mood, and colleagues that are quicker.

Each is a scene: a function that adds its rows and does what the remote does meanwhile.
"""

from collections.abc import Callable

from tests.support.http_remote import FETCH, PUSH, HttpRemote
from tests.support.story import at_gate, gate
from tests.support.story_cli import Background
from tests.support.table import Played, Row, Stage

Scene = Callable[[Stage, str], None]
"""Plays in the section of that name."""
REFUSED_EXIT = 7
WORK = "put a; commit Work"


def _row(name: str, script: str = WORK) -> Row:
    return Row(name, script, landed=["Work"], files={"a": "x\n"})


def _gated(stage: Stage, section: str, row: Row) -> tuple[Played, Background]:
    """Begun, and at the gate of its script."""
    (played,) = stage.add(section, row)
    up = stage.story.start("up", "--section", section)
    stage.wait_for_line(played, at_gate())
    return played, up


# -- it says no, until somebody has a word with it -----------------------------------------------


def _refused(stage: Stage, section: str, row: Row, words: str, allow: Callable[[], None]) -> None:
    (played,) = stage.add(section, row)
    up = stage.story.run("up", "--section", section, exits=REFUSED_EXIT)
    assert words in up.out and "steroids push" in up.err, up
    shown = stage.story.task(played.task)
    assert (shown["status"], shown["pushRefused"]) == ("approved", True)
    assert words in shown["reason"], shown["reason"]
    assert stage.story.origin.tasks().count(played.task) == 0
    allow()
    stage.story.run("push")
    stage.story.wait_for_status(played.task, "completed")
    assert stage.story.task(played.task)["reason"] is None


def frozen(stage: Stage, section: str) -> None:
    origin = stage.story.origin
    origin.hook("pre-receive", "echo 'main is frozen until Monday'; exit 1")
    row = _row("a hook that says no")
    _refused(stage, section, row, "frozen until Monday", lambda: origin.hook("pre-receive", None))


def protected(stage: Stage, section: str) -> None:
    origin = stage.story.origin
    origin.hook("update", "[ $1 != refs/heads/main ] || { echo 'Protected branch'; exit 1; }")
    row = _row("a protected branch")
    _refused(stage, section, row, "Protected branch", lambda: origin.hook("update", None))


def one_of_a_batch(stage: Stage, section: str) -> None:
    """A hook takes offence at one task's file: those that are pushed with it land all the same."""
    story, mark = stage.story, stage.story.home.parent / "batch"
    story.origin.hook("pre-receive", _OFFENDED.format(mark=mark))
    names = [section, *(stage.section(f"{section}{letter}") for letter in "XYZ")]
    rows = [_row(name) for name in ("a secret", "pushed with it", "pushed as well", "the last")]
    played = [stage.add(*each)[0] for each in zip(names, rows, strict=True)]
    up = story.start("up", *(word for name in names for word in ("--section", name)))
    for each in played:
        story.wait_for_status(each.task, "approved")
    mark.with_suffix(".go").touch()
    story.finish(up, exits=REFUSED_EXIT)
    offending, *others = [story.task(each.task) for each in played]
    assert [each["status"] for each in others] == ["completed"] * 3
    assert offending["status"] == "approved" and "no secrets here" in offending["reason"]
    story.origin.hook("pre-receive", None)
    story.run("push")
    story.wait_for_status(offending["id"], "completed")


# The first push waits until the others are approved, so that they come together.
_OFFENDED = """n=0; until [ -e {mark}.go ] || [ $n -gt 900 ]; do sleep 0.1; n=$((n+1)); done
while read -r old new ref; do
  if git diff --name-only $old $new | grep -q a-secret; then echo 'no secrets here'; exit 1; fi
done"""


def _says(status: int) -> Scene:
    def scene(stage: Stage, section: str) -> None:
        remote = _http(stage)
        remote.refuse(status, PUSH)
        name = f"answers {status}"
        words = "could not read Username" if status == 401 else str(status)
        _refused(stage, section, _row(name), words, remote.allow)

    return scene


# -- it does not answer, and comes back ----------------------------------------------------------


def unavailable(stage: Stage, section: str) -> None:
    """A 503 to some pushes: tried again, nothing counted."""
    remote = _http(stage)
    remote.refuse(503, PUSH, times=3)
    stage.add(section, _row("answers 503 for a while"))
    stage.story.run("up", "--section", section)
    assert remote.answers[PUSH, 503] == 3


def away(stage: Stage, section: str) -> None:
    """Nobody listens when the work is done; landing waits, says so, and goes on by itself."""
    remote = _http(stage)
    _, up = _gated(stage, section, _row("nobody there for a while", f"{gate()}\n{WORK}"))
    remote.away()
    stage.story.release(section)
    stage.story.wait("landing waits", lambda: _notices(stage, "landing waits"))
    remote.back()
    stage.story.finish(up)


def slow(stage: Stage, section: str) -> None:
    remote = _http(stage)
    remote.slow_s = 0.3
    stage.add(section, _row("a slow remote"))
    stage.story.run("up", "--section", section)
    remote.slow_s = 0


def answer_lost(stage: Stage, section: str) -> None:
    """The push takes effect, and the line breaks before anybody is told."""
    remote = _http(stage)
    remote.lose_answers(PUSH, times=1)
    stage.add(section, _row("an answer that is lost"))
    stage.story.run("up", "--section", section)


def silent_after_the_push(stage: Stage, section: str) -> None:
    """It takes the push, and then cannot be asked what it has."""
    remote = _http(stage)
    stage.add(section, _row("not to be asked for a while"))
    with remote.held(FETCH, after_push=True) as asking:
        up = stage.story.start("up", "--section", section)
        assert asking.reached.wait(60)
        remote.refuse(503, FETCH, times=2)
    stage.story.finish(up)


# -- somebody else was there before --------------------------------------------------------------


def race_lost(stage: Stage, section: str) -> None:
    """A colleague's push is there a moment before ours, which is seen only then."""
    origin = stage.story.origin
    origin.hook("pre-receive", _COLLEAGUE.format(once=stage.story.home.parent / "raced"))
    stage.add(section, _row("a race that is lost"))
    stage.story.run("up", "--section", section)
    origin.hook("pre-receive", None)
    assert "A colleague, quicker" in origin.git("log", "--format=%s", "main")


# Hooks see the objects of a push in a quarantine, which this commit does not belong to.
_COLLEAGUE = """mkdir {once} || exit 0
git() {{ env -u GIT_QUARANTINE_PATH -u GIT_OBJECT_DIRECTORY -u GIT_ALTERNATE_OBJECT_DIRECTORIES \\
  git -c user.name=Cy -c user.email=c@example.org "$@"; }}
new=$(git commit-tree -p main -m 'A colleague, quicker' 'main^{{tree}}')
git update-ref refs/heads/main "$new\""""


def conflict_once(stage: Stage, section: str) -> None:
    script = f"""if once; then {gate()}; echo ours > common.txt
else grep -q '<<<<<<<' common.txt; printf 'theirs\\nours\\n' > common.txt; fi
commit Work"""
    row = Row(
        "a conflict once",
        script,
        way="pirapirac",
        attempts="conflict approved",
        landed=["Work"],
        commits=["1 approved Work", "2 approved Work"],
        outside=["common.txt"],
        says="conflict with main in common.txt",
    )
    _, up = _gated(stage, section, row)
    stage.colleague_pushes("Theirs", {"common.txt": "theirs\n"})
    stage.story.release(section)
    stage.story.finish(up)
    assert stage.story.origin.show("common.txt") == "theirs\nours"


def conflict_always(stage: Stage, section: str) -> None:
    """Bounded by `landing.max_failures`, which is 2 here."""
    script = f"""if once; then {gate("one")}; else {gate("two")}; fi
echo $STEROIDS_ATTEMPT > always.txt; commit Work"""
    row = Row(
        "a conflict always",
        script,
        way="pirapirad",
        attempts="conflict conflict",
        commits=["1 approved Work", "2 approved Work"],
        outside=["always.txt"],
        says="always.txt",
    )
    (played,) = stage.add(section, row)
    up = stage.story.start("up", "--section", section)
    for name in ("one", "two"):
        stage.wait_for_line(played, at_gate(name))
        stage.colleague_pushes("Theirs", {"always.txt": f"theirs {name}\n"})
        stage.story.release(section, name)
    stage.story.finish(up, exits=1)


def there_already(stage: Stage, section: str) -> None:
    """A colleague has pushed the same change meanwhile."""
    script = f"{gate()}\necho same > same.txt; commit Same"
    row = Row(
        "on main already", script, commits=["1 approved Same"], outside=["same.txt"], landed=[]
    )
    _, up = _gated(stage, section, row)
    stage.colleague_pushes("The same", {"same.txt": "same\n"})
    stage.story.release(section)
    stage.story.finish(up)


def _http(stage: Stage) -> HttpRemote:
    assert stage.remote is not None
    return stage.remote


def _notices(stage: Stage, words: str) -> bool:
    return any(words in each["text"] for each in stage.story.events("notice"))


SCENES: tuple[Scene, ...] = (
    frozen,
    protected,
    one_of_a_batch,
    race_lost,
    conflict_once,
    conflict_always,
    there_already,
)
"""Of any remote."""
HTTP_SCENES: tuple[Scene, ...] = (
    _says(401),
    _says(403),
    unavailable,
    away,
    slow,
    answer_lost,
    silent_after_the_push,
)
