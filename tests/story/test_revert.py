"""Taking back what has landed, from the command line."""

from tests.support.story import Story


def test_a_landed_task_is_taken_back_and_checked_before(story: Story) -> None:
    # What `user` needs is `lib`.
    story.add_section("A", "test ! -e apps/a/user || test -e apps/a/lib")
    lib = story.add_task("A", "Add lib", "echo 1 > apps/a/lib")
    user = story.add_task("A", "Use it", "echo 1 > apps/a/user; echo 2 >> apps/a/README.md")
    story.run("up")
    before = story.origin.tip()

    # It merges, and its checks fail.
    answer = story.run("tasks", "revert", lib, exits=1)
    assert "added " in answer.out and 'Revert "Add lib"' in answer.out
    assert "rejected" in answer.out and story.origin.tip() == before
    assert "pending: it has not landed" in answer.err
    answer = story.run("tasks", "revert", lib, exits=6)
    assert "is being reverted by task" in answer.err and "hint: steroids tasks show" in answer.err

    story.run("tasks", "skip", 'Revert "Add lib"')
    made = story.run("tasks", "revert", user, "--reason", "Not wanted.", "--json").json["task"]
    assert (made["title"], made["reverts"]) == ('Revert "Use it"', user)
    assert made["status"] == "completed" and made["landedHash"] == story.origin.tip()
    body = story.origin.git("log", "-1", "--format=%B", "main")
    assert "Not wanted." in body and f"Steroids-Task: {made['id']}" in body
    assert story.origin.show("apps/a/README.md") == "a"
    assert story.task(user)["status"] == "completed"
    short = made["id"][:8]
    assert f"by task {short}" in story.run("tasks", "show", user).out
    assert f"Taken back by task {short}" in story.run("tasks", "history", user).out
    assert f"Takes back task {user[:8]}" in story.run("tasks", "history", made["id"]).out

    again = story.run("tasks", "revert", made["id"], "--detach").out
    assert "follow it" not in again and "added" in again
    story.wait("back", lambda: story.origin.git("ls-tree", "main", "apps/a/user"))

    later = story.add_task("A", "Change it", "echo other > apps/a/user")
    story.run("up")
    refused = story.run("tasks", "revert", made["id"], exits=6)
    assert "was reverted by" in refused.err
    conflict = story.run("tasks", "revert", user, "--json", exits=7)
    assert "apps/a/user" in conflict.json["error"] and later
    assert conflict.json["code"] == "REVERT_CONFLICT"
