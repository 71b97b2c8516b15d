import pytest

from steroids.wire.size import parse, shown


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("12", 12), ("512m", 512 << 20), ("2g", 2 << 30), ("3G", 3 << 30), ("64k", 64 << 10)],
)
def test_a_size_is_read_and_shown_as_it_is_written(text: str, size_bytes: int) -> None:
    assert parse(text) == size_bytes
    assert shown(size_bytes) == (text.lower() if text[-1].isalpha() else f"{text} bytes")


def test_what_is_no_round_number_is_shown_shorter() -> None:
    assert shown(12_638_257_152) == "11.8g"
    assert shown(1023) == "1023 bytes"
    assert shown(1 << 40) == "1024g"


@pytest.mark.parametrize("text", ["", "g", "2t", "-1", "2 g", "1.5g"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no size"):
        parse(text)
