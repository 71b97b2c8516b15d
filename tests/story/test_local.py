"""A repository without a remote: work lands in it, and its work tree stays the user's."""

from tests.support.story import Story


def test_work_lands_beside_a_branch_that_is_checked_out(local_story: Story) -> None:
    story, repo = local_story, local_story.repo
    story.add_section("A")
    (repo.path / "apps/a/README.md").write_text("being edited\n")
    (repo.path / "apps/b/README.md").write_text("staged\n")
    repo.git("add", "apps/b")
    mine = (repo.git("status", "--porcelain"), repo.head)
    first = story.add_task("A", "First", "echo 1 >> apps/a/README.md")
    shown = story.run("up").out
    assert "landed on steroids/main" in shown
    second = story.add_task("A", "Second", "grep -qx 1 apps/a/README.md && echo 2 > apps/a/2.txt")
    story.run("up")
    assert (repo.git("status", "--porcelain"), repo.head) == mine
    assert repo.git("show", "steroids/main:apps/a/README.md") == "a\n1"
    log = ("log", "--format=%(trailers:key=Steroids-Task,valueonly,separator=%x2C)")
    assert repo.git(*log, "main..steroids/main").split() == [second, first]

    # Merged by the user and then out of the way: the branch itself takes the next one.
    repo.git("stash", "--quiet")
    repo.git("merge", "--quiet", "--ff-only", "steroids/main")
    repo.git("checkout", "--quiet", "-b", "mine")
    third = story.add_task("A", "Third", "test -e apps/a/2.txt && echo 3 > apps/a/3.txt")
    assert "landed on main" in story.run("up").out
    assert repo.git(*log, "mine..main").split() == [third]
    assert not (repo.path / "apps/a/3.txt").exists()
