from pathlib import Path

from steroids.runner.relocation import mentions


def test_files_and_links_that_name_the_folder_are_found(tmp_path: Path) -> None:
    root = tmp_path / "root"
    work = root / "workspace"
    (work / "bin").mkdir(parents=True)
    (work / ".git").mkdir()
    (work / "bin/tool").write_text(f"#!{root}/workspace/bin/python\n")
    (work / "bin/cache.bin").write_bytes(b"\0" * 5000 + str(root).encode() + b"\0")
    (work / "absolute").symlink_to(root / "workspace/bin")
    (work / "relative").symlink_to("bin")
    (work / "plain").write_text("nothing of the kind")
    (work / "empty").touch()
    (work / "bin/tool.pyc").write_text(str(root))
    (work / ".git/config").write_text(str(root))

    found = {str(path.relative_to(work)) for path in mentions(str(root), work)}

    assert found == {"bin/tool", "bin/cache.bin", "absolute"}
