from steroids.agents.script import script_of


def test_the_fenced_block_is_the_script() -> None:
    assert script_of("Do it\n\n```sh\necho a\necho b\n```\nthen rest\n") == "echo a\necho b\n"


def test_several_blocks_run_one_after_the_other() -> None:
    assert script_of("```sh\na\n```\ntext\n```bash\nb\n```\n") == "a\n\nb\n"


def test_other_languages_and_plain_text_are_no_script() -> None:
    assert script_of("```python\nprint()\n```\nsh\n") is None
    assert script_of("") is None


def test_an_unclosed_block_is_no_script() -> None:
    assert script_of("```sh\nrm -rf /\n") is None


def test_windows_line_ends_and_longer_fences() -> None:
    assert script_of("````sh\r\necho ```\r\n````\r\n") == "echo ```\n"


def test_a_hostile_spec_is_read_in_linear_time() -> None:
    assert script_of("```sh\n" * 20_000) is None
