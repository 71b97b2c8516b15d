"""A coder that makes checks pass where it works, and not in what it hands in."""

from tests.support.story import Story, at_gate, gate

PASSES = "passes where I am"
CHECK = "npm test --workspace apps/api"

TAMPER = f"""
exec 2>&1
echo 'exports.area = (a, b) => a + b;' > apps/api/index.js
# Whatever the check may run, in every folder for programs that can be written.
mkdir -p ~/bin ~/.local/bin ~/evil
for name in npm node sh; do printf '#!/bin/true\\n' > ~/evil/$name; done
chmod 755 ~/evil/*
for folder in $(echo "$PATH" | tr : ' ') ~/bin ~/.local/bin; do
  for name in npm node sh; do cp -f ~/evil/$name $folder/ || true; done
done
# What npm reads before it runs a script, what shells and node read before they begin.
echo "script-shell=$HOME/evil/sh" > ~/.npmrc
for file in .profile .bashrc .shinit; do echo 'exit 0' > ~/$file; done
# The check's own tools, its dependencies, and files that git does not look at.
for folder in node_modules/.bin apps/api/node_modules/.bin; do
  mkdir -p $folder; cp -f ~/evil/* $folder/
done
echo 'module.exports = () => process.exit(0);' > node_modules/is-number/index.js
echo '*.test.js' >> .git/info/exclude
git update-index --assume-unchanged apps/api/index.test.js apps/api/package.json
echo 'process.exit(0)' > apps/api/index.test.js
sed -i 's/node --test/true/' apps/api/package.json
# Somebody who stays, and does it all again.
setsid sh -c 'while sleep 0.1; do
  cp ~/evil/* /workspace/node_modules/.bin/
  echo "process.exit(0)" > /workspace/apps/api/index.test.js
done' > /dev/null < /dev/null &
{CHECK} && echo '{PASSES}'
"""


def test_what_a_coder_does_to_its_container_does_not_pass_checks(npm_story: Story) -> None:
    story = npm_story
    story.configure(review={"max_rejections": 1})
    story.run("sections", "add", "Api", "--path", "apps/api/**", "--check", CHECK)
    cheats = story.add_task("Api", "Cheats", TAMPER)
    # In the same container, after it.
    honest = story.add_task("Api", "Honest", "echo '// fine' >> apps/api/index.js")
    up = story.run("up", exits=1)
    assert PASSES in [event["text"] for event in story.events("log")]
    assert "checks passed" in up.out
    found = story.task(cheats)
    assert (found["status"], found["rejectionCount"]) == ("disputed", 1)
    assert found["attempts"][0]["reason"].startswith(f"`{CHECK}` exited 1")
    assert "# fail 1" in found["attempts"][0]["reason"]
    assert story.task(honest)["status"] == "completed"
    assert story.origin.tasks() == [honest]
    assert story.origin.show("apps/api/index.js").splitlines() == [
        "exports.area = (a, b) => a * b;",
        "// fine",
    ]
    changed = story.origin.git("diff", "--name-only", "main~1", "main").splitlines()
    assert changed == ["apps/api/index.js"], "what the other one left running did not join in"


def test_what_an_agent_leaves_running_ends_with_it_and_a_users_shell_does_not(story: Story) -> None:
    story.add_section("A")
    writes = "while sleep 0.1; do echo x >> /workspace/apps/a/stays.txt; done"
    first = story.add_task(
        "A",
        "Leaves somebody",
        f"echo x > apps/a/x.txt; git add -A; git commit -qm Mine\n{gate('one')}\n"
        f"setsid sh -c '{writes}' > /dev/null 2>&1 < /dev/null &\n"
        "until [ -e apps/a/stays.txt ]; do sleep 0.1; done",
    )
    second = story.add_task("A", "Does nothing", gate("two"))
    up = story.start("up")
    story.wait_for_line(at_gate("one"))
    wait = "touch /tmp/in; until [ -e /tmp/out ]; do sleep 0.1; done; echo still here"
    shell = story.start("exec", "A", "--", "sh", "-c", wait)
    look = ("exec", "A", "--", "test", "-e", "/tmp/in")
    story.wait("the shell", lambda: story.cli.run(*look).code == 0)
    story.release("A", "one")
    story.wait_for_line(at_gate("two"))
    story.release("A", "out")
    assert "still here" in story.finish(shell).out
    story.release("A", "two")
    assert "ended what the agent left running" in story.finish(up).out
    assert story.task(first)["status"] == story.task(second)["status"] == "completed"
    assert story.commits(second) == []
