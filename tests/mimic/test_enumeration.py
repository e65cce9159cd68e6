import pytest

from mimic.enumeration import enumerated


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([], ""),
        (["test images"], "test images"),
        (["test images", "trigger"], "test images and trigger"),
        (("test images", "trigger", "target class"), "test images, trigger and target class"),
        (["a", "b", "c", "d"], "a, b, c and d"),
    ],
)
def test_a_sentence_names_them_all(names: list[str], told: str) -> None:
    assert enumerated(names) == told
