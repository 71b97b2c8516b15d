"""Three attempts, from the command line: what each page of a task says while it goes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.story.test_local_engine import told_locally
from tests.support.story import Story
from tests.support.story_repos import plain_monorepo

BOT = """decision=reject
reasons='"Ten tries, not one.", "Not in constant time.\\nSee the manual."'
if grep -q 'you judge attempt 3' -; then decision=approve reasons=; fi
printf '{"decision": "%s", "reasons": [%s]}' $decision "$reasons" > $STEROIDS_VERDICT"""
WORK = """echo "$STEROIDS_ATTEMPT" >> apps/a/login.txt
if [ "$STEROIDS_ATTEMPT" = 2 ]; then echo tested > apps/a/test_login.txt; fi
git add -A && git commit -qm "Step $STEROIDS_ATTEMPT" """


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Story]:
    yield from told_locally(tmp_path, plain_monorepo)


def test_a_task_on_its_third_attempt_is_told_in_full(local: Story) -> None:
    story = local
    bot = {"use": "command", "argv": ["sh", "-c", BOT]}
    story.configure(agents={"bot": bot}, review={"reviewers": ["checks", "bot", "human"]})
    story.add_section("A", "test -e apps/a/test_login.txt || { echo 'no tests'; exit 3; }")
    task = story.add_task("A", "Login", WORK)
    other = story.add_task("A", "Logout", "true")
    first = story.run("tasks", "prompt", task).out
    assert "This is attempt 1 at the task." in first and "- Logout (pending)" in first
    story.run("up")

    text = story.run("tasks", "history", task).out
    lines = text.splitlines()
    assert lines[0] == "Task: Login   Status: review (attempt 3)"
    assert lines[1].startswith("Attempt 1  REJECTED") and lines[1].endswith("by checks")
    assert lines[2] == "    | no tests" and lines[3].endswith("  Step 1")
    assert lines[4] == 'Attempt 2  REJECTED  "Ten tries, not one."  by bot'
    assert lines[5:7] == ['  "Not in constant time."', "    | See the manual."]
    assert lines[8] == (
        "Attempt 3  reviewing, approved by checks, bot  waits for human: "
        f"steroids tasks approve|reject {task[:8]}"
    )
    assert lines[-1].startswith("  1 file changed, +1 -0   (base ")
    found = story.run("tasks", "history", task, "--json").json
    assert [len(each["commits"]) for each in found["attempts"]] == [1, 1, 1]
    assert found["attempts"][1]["verdicts"][1]["reviewer"] == "bot"
    assert "waits for a person" in story.run("tasks", "show", task).out

    told = story.run("tasks", "prompt", task, "--reviewer", "bot", "--json").json["prompt"]
    assert "you judge attempt 3" in told and "Ten tries, not one." in told
    assert "+3" in story.run("tasks", "diff", task).out
    stat = story.run("tasks", "diff", task, "--all", "--stat").out
    assert "2 files changed, 4 insertions(+)" in stat
    story.run("tasks", "diff", task, "--attempt", "4", exits=4)
    story.run("tasks", "prompt", task, "--reviewer", "nobody", exits=2)
    assert story.run("tasks", "commits", task, "--attempt", "2", "--json").json["commits"]
    story.run("tasks", "history", other)

    story.run("tasks", "approve", task)
    story.wait_for_status(task, "completed")
    landed = story.task(task)["landedHash"]
    text = story.run("tasks", "history", task).out
    assert f"Status: completed (attempt 3)   landed as {landed[:7]} on main" in text
    assert "Attempt 3  approved by checks, bot, human (" in text
    assert f"  Step 3   landed as {landed[:7]}" in text
    hashes = [each["landedHash"] for each in story.commits(task)]
    assert hashes[-1] == landed and None not in hashes
