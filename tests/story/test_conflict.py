"""Two sections that change the same lines."""

from tests.support.story import Story, gate


def test_both_sides_of_a_conflict_land_and_markers_never_do(story: Story) -> None:
    for name in ("A", "B"):
        story.add_section(name)
    # The common file is nobody's, so neither waits for the other.
    first = story.add_task("A", "Ours", f"{gate()}\necho a > common.txt")
    second = story.add_task(
        "B",
        "Theirs",
        f"""case $STEROIDS_ATTEMPT in
1) {gate()}; echo b > common.txt ;;
2) grep -q "^<<<<<<<" common.txt; grep -q 'conflict with main in common.txt' "$STEROIDS_FEEDBACK" ;;
*) grep -q "^<<<<<<<" common.txt; printf 'a\\nb\\n' > common.txt ;;
esac""",
    )
    up = story.start("up")
    story.wait("both started", lambda: len(story.events("claimed")) == 2)
    story.wait("both at the gate", lambda: len(_at_gate(story)) == 2)
    story.release("A")
    story.wait_for_status(first, "completed")
    story.release("B")
    answer = story.finish(up)

    assert "conflict with main in common.txt" in answer.out
    shown = story.task(second)
    assert shown["status"] == "completed"
    assert (shown["landingFailures"], shown["rejectionCount"]) == (1, 1)
    assert [each["status"] for each in shown["attempts"]] == ["conflict", "rejected", "approved"]
    assert "conflict markers were left in common.txt" in shown["attempts"][1]["reason"]
    assert story.origin.show("common.txt") == "a\nb"
    assert sorted(set(story.origin.tasks())) == sorted([first, second])
    assert story.origin.git("log", "--format=%h", "-S<<<<<<<", "main") == ""
    assert story.origin.rewrites() == []


def _at_gate(story: Story) -> list[object]:
    return [event for event in story.events("log") if event["text"].startswith("at go")]
