"""What agents do to their commits, all the way from their container to the remote."""

from tests.support.story import Story

PLENTY = 1_000_000


def test_three_attempts_work_lands_whatever_was_done_to_the_history(story: Story) -> None:
    story.configure(max_bundle_bytes=PLENTY)
    for name in ("A", "B"):
        story.add_section(name)
    rewritten = story.add_task(
        "A",
        "Rewritten",
        """case "$STEROIDS_ATTEMPT" in
1) echo 1 > apps/a/one; git add .; git commit -qm One; exit 3;;
2) cat apps/a/one; git commit -q --amend -m 'One, again'
   echo 2 > apps/a/two; git add .; git commit -qm Two; exit 3;;
3) cat apps/a/one apps/a/two; git checkout -q -b mine; echo 3 > apps/a/three;;
esac""",
    )
    large = story.add_task(
        "B",
        "Large",
        """case "$STEROIDS_ATTEMPT" in
1) echo good > apps/b/good; git add .; git commit -qm Good
   head -c 5000000 /dev/urandom > apps/b/noise.bin;;
2) cat apps/b/good; head -c 5000000 /dev/zero > apps/b/zeros.bin
   git add .; git commit -qm Zeros;;
3) test ! -e apps/b/zeros.bin; git show --stat steroids-refused-2; echo better > apps/b/good;;
esac""",
    )
    story.run("up")

    shown = story.task(rewritten)
    assert (shown["status"], shown["currentAttempt"]) == ("completed", 3)
    subjects = [(each["attempt"], each["message"].strip()) for each in story.commits(rewritten)]
    assert subjects == [(1, "One"), (2, "One, again"), (2, "Two"), (3, "Rewritten")]
    for number, name in enumerate(("one", "two", "three"), 1):
        assert story.origin.show(f"apps/a/{name}") == str(number)
    texts = [event["text"] for event in story.events("notice")]
    assert "rewrote commits of earlier runs; they are kept" in texts

    shown = story.task(large)
    assert (shown["status"], shown["currentAttempt"]) == ("completed", 3), shown
    first, second = (shown["attempts"][index]["reason"] for index in (0, 1))
    # Too large as a whole, which is told by the runner; and as a file, which the controller finds.
    assert "what it left uncommitted was refused" in first and "apps/b/noise.bin (5.0 MB)" in first
    assert "steroids-refused-1" in first and "steroids-refused-2" in second
    assert "its commits were refused" in second and "apps/b/zeros.bin is a file of 5.0 MB" in second
    subjects = [(each["attempt"], each["message"].strip()) for each in story.commits(large)]
    assert subjects == [(1, "Good"), (3, "Large")]
    assert story.origin.show("apps/b/good") == "better"


def test_leftovers_and_files_outside_the_section_as_the_project_wants_them(story: Story) -> None:
    story.configure(leftovers="fail", out_of_section="reroute")
    for name in ("A", "B"):
        story.add_section(name)
    left = story.add_task(
        "A",
        "Left",
        """test "$STEROIDS_ATTEMPT" = 1 && echo x > apps/a/x
test "$STEROIDS_ATTEMPT" = 2 && { echo y > apps/a/y; git add .; git commit -qm Y; }; true""",
    )
    moved = story.add_task(
        "A", "Moved", "test -e apps/b/z || { echo z > apps/b/z; git add .; git commit -qm Z; }"
    )
    story.run("up")
    shown = story.task(left)
    assert (shown["status"], shown["currentAttempt"]) == ("completed", 2)
    assert "it left changes uncommitted, 1 file: apps/a/x" in shown["attempts"][0]["reason"]
    shown = story.task(moved)
    assert (shown["status"], shown["section"], shown["rejectionCount"]) == ("completed", "B", 0)
    assert [each["status"] for each in shown["attempts"]] == ["rerouted", "approved"]
    assert story.origin.show("apps/b/z") == "z"
