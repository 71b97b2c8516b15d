"""What set-ups downloaded serves the next ones; only those of the target branch write it."""

import json
from typing import Any

from tests.support.repos import Repo
from tests.support.story import Story

CACHE = "/var/cache/steroids"


def test_changed_lockfiles_are_set_up_without_the_network(npm_story: Story) -> None:
    story = npm_story
    story.add_section("Api", "test -e apps/api/done", "cd apps/api && npm test")
    first = story.add_task("Api", "Downloads", "touch apps/api/done")
    story.run("up")
    assert story.task(first)["status"] == "completed"

    story.repo.git("pull", "--quiet", "--rebase")
    forget_a_dependency(story.repo)
    story.repo.git("rm", "--quiet", "apps/api/done")
    story.repo.commit("Mobile needs nothing")
    story.repo.git("push", "--quiet")

    # The target's own change makes a new snapshot; the task's is set up again for its checks, for
    # its second attempt in its own container, and for the checks of that.
    second = story.add_task(
        "Api",
        "Downloads nothing",
        f"""\
set -eux
getent hosts example.org && exit 1
touch {CACHE}/mine && exit 1
touch {CACHE}/current/.npm/mine && exit 1
test -d node_modules/is-number
if grep '"1.0.1"' node_modules/.package-lock.json; then
    touch apps/api/done
else
    sed -i 's/"version": "1.0.0"/"version": "1.0.1"/' apps/api/package.json package-lock.json
fi
""",
    )
    story.configure(network="none")
    story.run("up")
    done = story.task(second)
    assert (done["status"], done["currentAttempt"]) == ("completed", 2), done


def forget_a_dependency(repo: Repo) -> None:
    """In manifest and lockfile."""
    manifest, lock = repo.path / "apps/mobile/package.json", repo.path / "package-lock.json"
    for path, at in ((manifest, ()), (lock, ("packages", "apps/mobile"))):
        content: dict[str, Any] = json.loads(path.read_text())
        found = content
        for key in at:
            found = found[key]
        del found["dependencies"]
        path.write_text(json.dumps(content))
