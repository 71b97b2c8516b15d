"""A section whose workspace has its own files only: set up, worked in, checked, landed."""

import pytest

from tests.support.engines import REAL
from tests.support.story import Story

# Not by names of files: what a check names, it has.
HAS_A_PART = '[ "$(ls apps/mobile)" = package.json ]'


@pytest.mark.parametrize("story_engine", REAL[:1], indirect=True)
def test_a_section_has_its_own_files_and_loses_nobody_elses(npm_story: Story) -> None:
    story = npm_story
    story.configure(sparse=True)
    # npm goes by the manifests of all workspaces; the check sees what the coder saw.
    check = f"npm test -w @example/api && {{ test -e widened || {{ {HAS_A_PART}; }}; }}"
    story.add_section("API", check)
    before = set(story.origin.git("ls-tree", "-r", "--name-only", "main").splitlines())
    plain = story.add_task(
        "API",
        "Stays at home",
        f"{HAS_A_PART}\necho 'exports.one = 1;' >> apps/api/index.js\nrm -f .git/index",
    )
    wide = story.add_task(
        "API",
        "Goes out",
        """git sparse-checkout add /apps/mobile/
echo 'exports.two = 2;' >> apps/mobile/index.js
touch widened
node -e 'if (require("./apps/mobile/index.js").area(2, 3) !== 6) process.exit(1)'""",
    )
    up = story.run("up")
    assert story.task(plain)["status"] == story.task(wide)["status"] == "completed", up
    after = set(story.origin.git("ls-tree", "-r", "--name-only", "main").splitlines())
    assert after == before | {"widened"}
    assert "exports.one" in story.origin.show("apps/api/index.js")
    assert "exports.two" in story.origin.show("apps/mobile/index.js")
    assert "apps/mobile/index.js" in up.out  # Told as outside of its section.
