"""A repository with a dev container, in a company with a proxy."""

import json
from collections.abc import Iterator

import pytest

from steroids.engines.base import Engine
from steroids.provisioning.images import ImageSettings, ensure_runner_image
from tests.support.engines import SESSION, TEST_LABEL, sweep
from tests.support.forward_proxy import forward_proxy
from tests.support.story import Story

ASK = "curl -fsS --max-time 20 http://{}.invalid/"
DOCKERFILE = f"""FROM {{base}}
LABEL {TEST_LABEL}={SESSION}
RUN {ASK.format("build")} > /opt/built
"""
DEVCONTAINER = {
    "build": {"dockerfile": "Dockerfile"},
    "containerEnv": {"TEAM": "blue", "MINE": "the repository's"},
    "postCreateCommand": f"{ASK.format('set-up')} > .set-up-said",
    "mounts": ["source=/,target=/host,type=bind"],
    "initializeCommand": "touch /tmp/steroids-was-here",
}


@pytest.fixture(scope="module", autouse=True)
def swept(story_engine: Engine) -> Iterator[None]:
    yield
    sweep(story_engine)


def test_build_set_up_and_agent_of_a_dev_container_go_through_the_proxy(story: Story) -> None:
    assert story.engine is not None
    usual = ensure_runner_image(story.engine, ImageSettings(), progress=print)
    files = {
        ".devcontainer/devcontainer.json": json.dumps(DEVCONTAINER),
        ".devcontainer/Dockerfile": DOCKERFILE.format(base=usual.refs[0]),
        ".gitignore": ".set-up-said\n",
    }
    story.repo.commit("Add a dev container", files)
    story.repo.git("push", "--quiet", "origin", "main")
    script = (
        "cat /opt/built .set-up-said > apps/a/said.txt\n"
        f"{ASK.format('agent')} >> apps/a/said.txt\n"
        "echo $TEAM $MINE >> apps/a/said.txt"
    )
    with forward_proxy() as proxy:
        # A password is in no history, and yet not handed out by mistake.
        url = f"http://somebody:geheim@{proxy.address}"
        story.configure(image="devcontainer", proxy={"http": url}, env={"MINE": "mine"})
        story.add_section("A", f"{ASK.format('check')} | grep -q through")
        task = story.add_task("A", "Say where it was", script)
        refused = story.run("up", exits=3)
        assert "has a user name or password in it" in refused.err + refused.out
        assert "geheim" not in refused.err + refused.out
        assert proxy.seen == []

        assert "geheim" not in story.run("config", "show").out

        passed_on = {"http": url, "passwords": True}
        story.configure(image="devcontainer", proxy=passed_on, env={"MINE": "mine"})
        shown = story.run("up").out
        assert shown.count("left out: initializeCommand; mounts") == 1, shown
        assert story.task(task)["status"] == "completed"
        said = story.origin.show("apps/a/said.txt").splitlines()
        assert said == [*(3 * ["through the proxy"]), "blue mine"]
        assert {"build.invalid", "set-up.invalid", "agent.invalid", "check.invalid"} <= set(
            proxy.seen
        )
        assert proxy.logins == {"somebody:geheim"}
        assert "left out" not in story.run("up").out

    # What the next start would take stays, until all is to go.
    here = ("--engine", story.engine.name, "--json")
    listed = story.run("images", "list", *here).json["images"]
    (snapshot,) = [one for one in listed if one["kind"] == "snapshot" and one["project"]]
    assert snapshot["project"] == story.repo.path.name
    assert snapshot["sizeBytes"] >= snapshot["ownBytes"] >= 0
    prune = ("images", "prune", *here, "--project", str(story.repo.path))
    assert story.run(*prune, "--keep", "0").json["removed"] == []
    (removed,) = story.run(*prune, "--all").json["removed"]
    assert snapshot["ref"].endswith(removed["what"].removeprefix("snapshot "))
    story.run("prune", "--dry-run")

    # Neither engine keeps what only the build was told.
    for image in story.engine.images.list({TEST_LABEL: SESSION}):
        assert "geheim" not in history(story.engine, image.id)
        assert "geheim" not in str(image.labels)


def history(engine: Engine, image: str) -> str:
    client = engine.images._client  # type: ignore[attr-defined]
    return json.dumps(client.history(image)) + json.dumps(client.inspect_image(image))
