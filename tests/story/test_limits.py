"""Limits, as a user meets them: held inside, and told when something runs into one."""

from tests.support.story import Story

EAT = "python3 -c \"x = b'x' * 900_000_000; print(len(x))\""
SCRIPT = f"""case $STEROIDS_ATTEMPT in
1) {EAT};;
2) head -c 200000000 /dev/zero > /tmp/much; sleep 100;;
3) echo x > apps/a/eater;;
4) git rm -q apps/a/eater; echo x > apps/a/good;;
esac"""


def test_what_runs_into_a_limit_is_ended_and_told_why_and_work_goes_on(story: Story) -> None:
    limits = {"memory": "300m", "pids": 200, "cpus": 1.5, "disk": "150m"}
    story.configure(runners=limits)
    story.add_section("A", f"! [ -e apps/a/eater ] || {EAT}")
    task = story.add_task("A", "Too much of everything", SCRIPT)

    up = story.run("up", "--keep", "-d")
    story.wait_for_status(task, "completed")

    first, second, third, _ = (each["reason"] for each in story.task(task)["attempts"])
    assert first.startswith("the script exited 137: ran out of memory (limit 300m)")
    assert second.startswith("wrote too much: 190.7m of files in its container")
    assert second.endswith("runners.disk allows 150m")
    assert "ran out of memory (limit 300m)" in third
    # Memory ended the agent and not its runner; too much on disk went with its container.
    begun = [(each["kind"], each["attempt"]) for each in story.events() if each["attempt"]]
    readies = [each["runnerId"] for each in story.events("ready")]
    assert len(readies) == 2 and ("claimed", 2) in begun
    assert story.events("lost") == []
    (now,) = story.runners()
    assert now["id"] == readies[1]
    assert now["unlimited"] == ["disk"]
    (told, _) = (e for e in story.events("notice") if "limits" in e["data"])
    assert told["text"].endswith(
        "does not keep the limit of disk (150m): its storage has no quotas, so the size is looked "
        "at now and then instead"
    )
    assert up.code == 0
    found = story.run("doctor", "--json").json["findings"]
    (limit,) = (each for each in found if each["name"] == "limits")
    assert limit["ok"] and "disk (150m)" in limit["detail"]
