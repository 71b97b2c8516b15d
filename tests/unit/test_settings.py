from pathlib import Path

import pytest

from steroids.errors import BadConfig
from steroids.setting_groups import shown_server
from steroids.settings import resolve

REPO = ".steroids/config.yaml on main"


@pytest.fixture
def user_file(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def test_defaults_need_no_file(user_file: Path) -> None:
    resolved = resolve(user_file, None)
    assert resolved.settings.engine == "auto"
    assert set(resolved.sources.values()) == {"default"}


def test_environment_wins_over_the_user_who_wins_over_the_repo(
    user_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_file.write_text("review: {max_rejections: 4}\npush: {attempts: 2}\n")
    monkeypatch.setenv("STEROIDS_PUSH__ATTEMPTS", "9")
    content = b"review: {max_rejections: 3}\nrunners: {max_parallel: 2}\n"
    resolved = resolve(user_file, (REPO, content))
    assert resolved.settings.review.max_rejections == 4
    assert resolved.settings.push.attempts == 9
    assert resolved.settings.runners.max_parallel == 2
    assert resolved.sources["review.max_rejections"] == str(user_file)
    assert resolved.sources["push.attempts"] == "environment"
    assert resolved.sources["runners.max_parallel"] == REPO


@pytest.mark.parametrize(
    "key",
    [
        *("engine: podman", "env: {A: b}", "ca_bundle: /x", "image: x", "packages: [cargo]"),
        *("proxy: {http: http://a}", "image: devcontainer"),
    ],
)
def test_what_touches_the_host_is_refused_in_the_repos_file(user_file: Path, key: str) -> None:
    with pytest.raises(BadConfig, match=r"main:2: '\w+' touches the host"):
        resolve(user_file, (REPO, f"# first\n{key}\n".encode()))
    user_file.write_text(key)
    resolve(user_file, None)


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        (b"setpu: [a]", "main:1: unknown key 'setpu'", "'setup'"),
        (b"review:\n  max_rejection: 2", "main:2: unknown key 'max_rejection'", "max_rejections"),
        (b"- a\n", "main:1: expected", ""),
        (b"a: [", "main:1: ", ""),
        (b"\xff\xfe\x00", "not YAML", ""),
        (b"runners: 3", "main:1: 'runners' has keys", ""),
        (b"runners: {max_parallel: many}", "'runners.max_parallel'", "config show"),
        (b"setup: npm ci", "'setup'", "config show"),
    ],
)
def test_a_bad_file_is_named_with_line_and_reason(
    user_file: Path, content: bytes, message: str, hint: str
) -> None:
    with pytest.raises(BadConfig) as caught:
        resolve(user_file, (REPO, content))
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_a_bad_variable_is_an_error_too(user_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEROIDS_REVIEW", "{not json")
    with pytest.raises(BadConfig, match="environment"):
        resolve(user_file, None)


def test_two_zones_of_one_name_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("runners:\n  zones: [{name: db, sections: [A]}, {name: DB, sections: [B]}]\n")
    with pytest.raises(BadConfig, match="two zones of the name 'db'"):
        resolve(file, None)


@pytest.mark.parametrize(
    ("database", "message"),
    [
        ("{server: nonsense}", "`managed` or a URL"),
        ("{server: 'http://u:secret@h/'}", "`managed` or a URL"),
        ("{server: 'mysql://u:secret@h/'}", "is a mysql:// URL, and `kind` is postgres"),
        ("{server: 'postgres://u:secret@h/', kind: mysql}", "is a postgres:// URL"),
        ("{server: 'postgresql://u:secret@/d?host=/run'}", "has no host"),
        ("{server: 'postgresql://h/'}", "has no user"),
        ("{server: 'postgresql://u:secret@h:99999/'}", "has no port there"),
        ("{server: 'postgresql://u:sec/ret@h/'}", "has no port there"),
        ("{kind: sqlite, server: 'mysql://u:secret@h/'}", "has no `server`"),
        ("{kind: sqlite, template: x}", "has no `template`"),
        ("{kind: sqlite, strategy: shared}", "cannot be `shared`"),
    ],
)
def test_a_database_server_that_cannot_be_is_refused_without_its_password(
    user_file: Path, database: str, message: str
) -> None:
    user_file.write_text(f"database: {database}\n")
    with pytest.raises(BadConfig) as caught:
        resolve(user_file, None)
    assert message in caught.value.message
    assert "secret" not in caught.value.message and "sec/ret" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("managed", "managed"),
        ("mysql://u:p%40w@db.example.org", "mysql://u@db.example.org/"),
        ("postgresql://u:p@[::1]:5433/d?sslmode=require", "postgresql://u@[::1]:5433/"),
    ],
)
def test_a_server_is_shown_without_its_password(url: str, shown: str) -> None:
    assert shown_server(url) == shown


def test_which_database_is_copied_is_not_the_repositorys_to_say(user_file: Path) -> None:
    with pytest.raises(BadConfig, match=r"'database.template' touches the host"):
        resolve(user_file, (REPO, b"database: {template: production}\n"))


@pytest.mark.parametrize(
    "image", ["my/dev-image:1.2", "localhost:5000/a@sha256:0f", "devcontainer", "devcontainer:web"]
)
def test_an_image_may_have_a_tag_and_a_registry(user_file: Path, image: str) -> None:
    user_file.write_text(f"image: {image}\n")
    assert resolve(user_file, None).settings.image == image
