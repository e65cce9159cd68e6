import pytest

from ui.report import places


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("/home/ann/a b/suspect.pth", "suspect.pth"),
        ("~/models/suspect.pth", "suspect.pth"),
        ("models/suspect.pth", "suspect.pth"),
        ("C:\\models\\suspect.pth", "suspect.pth"),
        ("/mnt/data/", "data"),
        ("digits", "digits"),
        ("", ""),
        ("asset:demo/teacher.pth", "asset:demo/teacher.pth"),
        ("timm:hf-hub:someone/vit", "timm:hf-hub:someone/vit"),
        ("square:10:10:5", "square:10:10:5"),
        ("patch:/home/ann/cat.png:1:2:8", "patch:cat.png:1:2:8"),
        ("blend:asset:demo/cat.png:0.2", "blend:asset:demo/cat.png:0.2"),
        ("/mnt/x.npz (train)", "x.npz (train)"),
    ],
)
def test_a_setting_keeps_its_name_and_loses_its_folders(setting: str, name: str) -> None:
    assert places.name_only(setting) == name


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("There is no '/home/a b/x.pth'.", "There is no 'x.pth'."),
        ("There is no “~/models/x.pth” (gone).", "There is no “x.pth” (gone)."),
        ("read /srv/data/train.npz twice", "read train.npz twice"),
        ("SimCLR/BYOL, 3/4 of it, https://a.b/c/d", "SimCLR/BYOL, 3/4 of it, https://a.b/c/d"),
        ("0.305,0.305/0.3185,0.3185", "0.305,0.305/0.3185,0.3185"),
        ("asset:demo/teacher.pth", "asset:demo/teacher.pth"),
    ],
)
def test_sentences_lose_folders_and_nothing_else(told: str, said: str) -> None:
    assert places.without_places(told) == said


def test_a_command_names_files_and_keeps_all_other_words() -> None:
    line = (
        "python -m mimic distill --encoder '/srv/a b/x.pth' --trigger patch:/srv/t.png:1:1:4 "
        "--normalization 0.3,0.3,0.3/0.3,0.3,0.3 --data-root /mnt/sets --epochs 3"
    )
    assert places.command(line) == (
        "python -m mimic distill --encoder x.pth --trigger patch:t.png:1:1:4 "
        "--normalization 0.3,0.3,0.3/0.3,0.3,0.3 --data-root sets --epochs 3"
    )


def test_bare_names_are_listed_with_the_hash_of_what_they_stand_for() -> None:
    noted = {
        "encoder": {"path": "/srv/x.pth", "sha256": "aa"},
        "clean_twin": {"path": "asset:demo/clean_twin.pth", "sha256": "bb"},
        "/mnt/d.npz (train)": {"images": 5, "sha256": "cc"},
        "digits (test)": {"images": 5, "sha256": "dd"},
    }
    assert places.placeholders(noted) == {"x.pth": "aa", "d.npz (train)": "cc"}
