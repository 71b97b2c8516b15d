"""Two sections at once, each in a container of its own."""

from tests.support.story import Story, at_gate, gate


def test_breaking_one_sections_node_modules_leaves_the_others_whole(npm_story: Story) -> None:
    story = npm_story
    for name in ("API", "Mobile"):
        story.add_section(name, f"npm test -w @example/{name.lower()}")
    breaks = story.add_task(
        "API",
        "Breaks its own",
        f"""rm -rf node_modules
if npm test -w @example/api; then echo 'still works?'; exit 1; fi
{gate()}
echo 'exports.perimeter = (a, b) => 2 * (a + b);' >> apps/api/index.js""",
    )
    works = story.add_task(
        "Mobile",
        "Goes on working",
        f"""{gate()}
npm test -w @example/mobile
echo 'exports.perimeter = (a, b) => 2 * (a + b);' >> apps/mobile/index.js
git add -A && git commit -qm 'Add perimeter'""",
    )

    up = story.start("up", "--json")
    story.wait("both at work", lambda: len(_working(story)) == 2)
    story.wait("both at the gate", lambda: _said(story, at_gate()) == {"API", "Mobile"})
    seen = story.runners()
    assert {each["task"] for each in seen} == {"Breaks its own", "Goes on working"}
    assert len({each["container"] for each in seen}) == 2
    module = "node_modules/is-number/package.json"
    story.run("exec", "API", "--", "test", "-e", module, exits=1)
    story.run("exec", "Mobile", "--", "test", "-e", module)
    story.release("Mobile")
    story.release("API")
    answer = story.finish(up)

    for task in (breaks, works):
        shown = story.task(task)
        assert (shown["status"], shown["currentAttempt"]) == ("completed", 1)
        assert shown["landedHash"] and story.origin.contains(shown["landedHash"])
    assert sorted(story.origin.tasks()) == sorted([breaks, works])
    for app in ("api", "mobile"):
        assert "perimeter" in story.origin.show(f"apps/{app}/index.js")
    kinds = [line["kind"] for line in answer.lines()]
    assert kinds.count("landed") == kinds.count("drained") == kinds.count("checked") == 2
    assert story.runners() == []
    story.wait("containers gone", lambda: story.containers() == [])


def test_up_shows_its_steps_then_follows_and_a_second_up_has_nothing_to_do(story: Story) -> None:
    story.add_section("A", "grep -q new apps/a/README.md")
    story.add_section("B")
    story.add_task("A", "Say new", "echo new >> apps/a/README.md")
    shown = story.run("up").out
    for words in ("engine", "snapshot", "runner", "A  ready", "Say new  attempt 1", "A  drained"):
        assert words in shown
    assert "checks passed" in shown and "pushed to origin" in shown
    again = story.run("up")
    assert "nothing to do" in again.err
    assert story.origin.show("apps/a/README.md") == "a\nnew"
    # The user's own checkout is theirs.
    assert story.repo.git("status", "--porcelain", "--untracked-files=no") == ""
    assert story.repo.git("log", "--format=%s") == "start"


def _working(story: Story) -> list[dict[str, object]]:
    return [each for each in story.runners() if each["status"] == "working"]


def _said(story: Story, text: str) -> set[str]:
    return {event["section"] for event in story.events("log") if event["text"] == text}
