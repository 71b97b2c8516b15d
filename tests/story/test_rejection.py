"""What the checks refuse goes back with the reason, a bounded number of times."""

from tests.support.story import Story, at_gate, gate


def test_a_rejected_task_mends_what_the_check_said_in_its_next_attempt(story: Story) -> None:
    story.add_section(
        "A", "grep -qx done apps/a/work.txt || { echo 'the work is not done'; exit 3; }"
    )
    task = story.add_task(
        "A",
        "Mends",
        """cat "$STEROIDS_FEEDBACK"
if [ "$STEROIDS_ATTEMPT" = 1 ]; then echo half > apps/a/work.txt; exit 0; fi
grep -q 'the work is not done' "$STEROIDS_FEEDBACK"
grep -qx half apps/a/work.txt
echo done > apps/a/work.txt""",
    )
    shown = story.run("up").out
    assert "'Mends' rejected: `grep" in shown and "sent back once" in shown

    first, second = (found := story.task(task))["attempts"]
    assert (found["status"], found["rejectionCount"], found["reason"]) == ("completed", 1, None)
    assert (first["status"], second["status"]) == ("rejected", "approved")
    assert "exited 3" in first["reason"] and "the work is not done" in first["reason"]
    assert second["baseCommit"] == first["tip"]
    assert [(c["attempt"], c["status"]) for c in story.commits(task)] == [
        (1, "rejected"),
        (2, "approved"),
    ]
    assert "-half\n+done" in story.run("tasks", "diff", task).out
    assert "+half" in story.run("tasks", "diff", task, "--attempt", "1").out
    whole = story.run("tasks", "diff", task, "--all").out
    assert "+done" in whole and "half" not in whole
    text = story.run("tasks", "show", task).out
    assert "attempt 1  rejected" in text and "the work is not done" in text
    assert story.origin.tasks() == [task, task]


def test_what_never_passes_is_disputed_and_the_next_task_goes_on(story: Story) -> None:
    # The bound is the repository's own: it counts as it stands on the target branch.
    config = story.repo.path / ".steroids" / "config.yaml"
    config.write_text("review:\n  max_rejections: 2\n")
    story.repo.commit("Fewer rejections")
    story.repo.git("push", "--quiet")
    story.add_section("A", "test -e apps/a/good.txt")
    bad = story.add_task("A", "Never good", "echo x >> apps/a/bad.txt")
    good = story.add_task("A", "Good", "echo x > apps/a/good.txt")
    up = story.run("up", exits=1)
    assert "'Never good' disputed: rejected 2 times" in up.out
    assert f"disputed: 'Never good'   steroids tasks show {bad[:8]}" in up.err
    shown = story.task(bad)
    assert (shown["status"], shown["rejectionCount"]) == ("disputed", 2)
    assert story.task(good)["status"] == "completed"
    assert story.origin.tasks() == [good]


def test_down_in_the_middle_keeps_the_work_and_up_goes_on_from_it(story: Story) -> None:
    story.add_section("A", "test -e apps/a/finished.txt")
    task = story.add_task(
        "A",
        "Interrupted",
        f"""if [ ! -e apps/a/committed.txt ]; then
  echo 1 > apps/a/committed.txt
  git add -A && git commit -qm 'Committed before'
  echo 2 > apps/a/left.txt
  {gate()}
fi
test -e apps/a/left.txt
echo 3 > apps/a/finished.txt""",
    )
    up = story.start("up")
    story.wait_for_line(at_gate())
    down = story.run("down")
    assert "stopped" in down.out
    story.finish(up)
    assert story.containers() == []
    shown = story.task(task)
    assert (shown["status"], shown["rejectionCount"]) == ("pending", 0)
    kept = [each["message"].strip() for each in story.commits(task)]
    assert kept == ["Committed before", "Interrupted"]

    story.run("up")
    shown = story.task(task)
    assert (shown["status"], shown["currentAttempt"]) == ("completed", 1)
    assert (shown["infrastructureFailures"], shown["rejectionCount"]) == (0, 0)
    assert story.origin.tasks() == [task] * 3
    for name in ("committed", "left", "finished"):
        assert story.origin.show(f"apps/a/{name}.txt")
