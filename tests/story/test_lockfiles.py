"""Two tasks that each add a dependency, in a workspace with one lockfile."""

import json

from tests.support.story import Story, gate


def test_both_dependencies_land_and_the_lockfile_is_written_again(npm_story: Story) -> None:
    story = npm_story
    for name in ("API", "Mobile"):
        story.add_section(name, f"npm test -w apps/{name.lower()}")
    # Neighbours in the lockfile, so that no merge of text can tell what belongs where.
    added = {"API": "isarray@2.0.5", "Mobile": "isexe@2.0.0"}
    tasks = [
        story.add_task(
            name, f"Add {package}", f"{gate()}\nnpm install -w apps/{name.lower()} {package}"
        )
        for name, package in added.items()
    ]
    up = story.start("up")
    story.wait("both at the gate", lambda: len(_at_gate(story)) == 2)
    story.release("API")
    story.wait_for_status(tasks[0], "completed")
    story.release("Mobile")
    answer = story.finish(up)

    assert "package-lock.json did not merge" in answer.out
    for task in tasks:
        shown = story.task(task)
        assert (shown["status"], shown["landingFailures"]) == ("completed", 0)
    lock = json.loads(story.origin.show("package-lock.json"))
    assert {"node_modules/isarray", "node_modules/isexe"} <= lock["packages"].keys()
    body = story.origin.git("log", "-1", "--format=%B", "main").splitlines()
    assert body == ["Write package-lock.json again", "", f"Steroids-Task: {tasks[1]}"]
    assert story.task(tasks[1])["landedHash"] == story.origin.tip()

    # What landed can be installed: this container's set-up is `npm ci`.
    needs = " && ".join(f"node -e 'require(\"{each.split('@')[0]}\")'" for each in added.values())
    third = story.add_task("API", "Use both", f"{needs} && echo ok > apps/api/used")
    story.run("up")
    assert story.task(third)["status"] == "completed"

    # And what the second one did can be taken back, lockfile and all.
    story.run("tasks", "revert", tasks[1])
    lock = json.loads(story.origin.show("package-lock.json"))
    assert "node_modules/isarray" in lock["packages"]
    assert "node_modules/isexe" not in lock["packages"]


def _at_gate(story: Story) -> list[object]:
    return [event for event in story.events("log") if event["text"].startswith("at go")]
