"""An agent that tries to have its code run where it should not be."""

from pathlib import Path

from tests.support.story import Story

HOOKS = (
    "pre-commit post-commit commit-msg prepare-commit-msg post-checkout post-merge post-rewrite"
    " reference-transaction post-index-change pre-auto-gc fsmonitor-watchman pre-push"
)


def planting(canary: Path) -> str:
    """Shell that makes each way that git knows to run a program write its uid to `canary`."""
    return f"""mkdir -p {canary.parent} /tmp/hooks
touch {canary}; chmod 777 {canary.parent}; chmod 666 {canary}
cat > /tmp/evil <<'E'
#!/bin/sh
id -u >> {canary}
exit 1
E
cat > /tmp/evil-filter <<'E'
#!/bin/sh
id -u >> {canary}
exec cat
E
for hook in {HOOKS}; do printf '#!/bin/sh\\nid -u >> {canary}\\n' > /tmp/hooks/$hook; done
chmod 755 /tmp/evil /tmp/evil-filter /tmp/hooks/*
cp /tmp/hooks/* .git/hooks/ 2>/dev/null || {{ mkdir .git/hooks; cp /tmp/hooks/* .git/hooks/; }}
git config core.hooksPath /tmp/hooks
git config core.fsmonitor /tmp/evil
git config core.pager /tmp/evil
git config diff.external /tmp/evil
git config diff.evil.textconv /tmp/evil-filter
git config filter.evil.clean /tmp/evil-filter
git config filter.evil.smudge /tmp/evil-filter
git config merge.evil.driver /tmp/evil
printf '* filter=evil diff=evil merge=evil\\n' > .gitattributes
git status > /dev/null"""


def test_what_an_agent_plants_runs_as_the_agent_and_nowhere_else(
    story: Story, tmp_path: Path
) -> None:
    canary = tmp_path / "canary" / "uids"
    plant = planting(canary)
    story.add_section("A", f"! test -e {canary}")
    story.add_section("B")
    planted = story.add_task("A", "Plants", f"{plant}\necho work > apps/a/work.txt")
    # In the same container, after the runner has collected the work.
    looks = story.add_task("A", "Looks", f"echo uids $(sort -u {canary})\necho x > apps/a/x.txt")
    moved = story.add_task(
        "B",
        "Moves .git away",
        f"""{plant}
mv .git /tmp/evil.git
echo 'gitdir: /tmp/evil.git' > .git
echo work > apps/b/work.txt""",
    )
    looks_too = story.add_task("B", "Looks too", f"echo uids $(sort -u {canary})")
    story.run("up")
    for task in (planted, looks, moved, looks_too):
        assert story.task(task)["status"] == "completed"
    # The agent itself could run them, so they were good; nobody else did.
    uids = [event["text"] for event in story.events("log") if event["text"].startswith("uids")]
    assert uids == ["uids 1000"] * 2
    for app in ("a", "b"):
        assert story.origin.show(f"apps/{app}/work.txt") == "work"
    for task in (planted, moved):
        assert "work.txt" in story.run("tasks", "diff", task).out
    story.repo.git("fetch", "--quiet", "origin")
    assert not canary.parent.exists()


def test_broken_repositories_and_bad_objects_are_refused_and_mended_in_the_next_attempt(
    story: Story,
) -> None:
    for name in ("A", "B"):
        story.add_section(name)
    first = 'if [ "$STEROIDS_ATTEMPT" = 1 ]; then'
    removed = story.add_task(
        "A",
        "Removes .git",
        f"""echo work > apps/a/work.txt
{first} rm -rf .git; fi""",
    )
    bad = story.add_task(
        "B",
        "Commits a .git",
        f"""{first}
  blob=$(echo '[core] fsmonitor = evil' | git hash-object -w --stdin)
  inner=$(printf "100644 blob $blob\\tconfig\\n" | git mktree)
  tree=$(printf "040000 tree $inner\\t.git\\n" | git mktree)
  git reset -q --soft $(git commit-tree $tree -p HEAD -m 'Looks harmless')
  git read-tree HEAD^ 2>/dev/null || true
  exit 0
fi
echo work > apps/b/work.txt""",
    )
    story.run("up")
    for task, words in ((removed, "repository is broken"), (bad, "commits were refused")):
        shown = story.task(task)
        assert (shown["status"], shown["currentAttempt"]) == ("completed", 2), shown
        assert words in shown["attempts"][0]["reason"]
    assert sorted(story.origin.tasks()) == sorted([removed, bad])
    names = story.origin.git("ls-tree", "-r", "--name-only", "main").splitlines()
    assert [name for name in names if name.startswith(".git/")] == []
