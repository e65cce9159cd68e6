import json
from pathlib import Path

import pytest

from mimic.cli import main
from mimic.config import DistillConfig, InspectConfig
from mimic.errors import RunError
from mimic.reporting import current_report, make_report, report_path
from mimic.run import Run, Status, find_run, write_note


@pytest.mark.parametrize(
    ("kind", "config", "cause"),
    [
        ("inspect", InspectConfig(), "is about a distillation"),
        ("distill", DistillConfig(), "has no outcome yet"),
    ],
)
def test_only_finished_distillations_have_reports(
    tmp_path: Path, kind: str, config: DistillConfig, cause: str
) -> None:
    run = Run.create(tmp_path, kind, config, run_id="one")
    with pytest.raises(RunError, match=cause):
        make_report(run, root=tmp_path)
    assert not report_path(run, tmp_path).exists()


def test_a_damaged_run_is_refused_in_two_sentences(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "distill", DistillConfig(), run_id="one")
    run.write_status(Status(state="finished"))
    run.write_json("result.json", {"scores": {}})
    (run.directory / "run.json").write_text('{"kind": "distill", "config": 3}')
    with pytest.raises(RunError, match="damaged"):
        make_report(run, root=tmp_path)


def test_the_report_of_a_bundled_run_lies_among_the_own_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "runs"
    run = find_run("demo-distill", root)
    assert main(["report", "demo-distill", "--root", str(root), "--json"]) == 0
    told = json.loads(capsys.readouterr().out.strip().split("\n")[-1])
    file = Path(told["file"])
    assert (file, told["run"]) == (report_path(run, root).absolute(), "demo-distill")
    assert told["bytes"] == file.stat().st_size > 1_000_000
    assert not (run.directory / "report.html").exists()


def test_a_report_is_drawn_anew_only_when_something_it_tells_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Path] = []

    def draw(_run: Run, output: Path, **_root: Path) -> Path:
        drawn.append(output)
        output.write_text(f"drawn {len(drawn)}")
        return output

    monkeypatch.setattr("mimic.reporting.make_report", draw)
    run = Run.create(tmp_path, "distill", DistillConfig(), run_id="one")
    file = current_report(run, root=tmp_path)
    assert file == run.directory / "report.html"
    assert current_report(run, root=tmp_path).read_text() == "drawn 1"
    write_note(run, "changed")
    assert current_report(run, root=tmp_path).read_text() == "drawn 2"
    file.write_text("cut off")
    assert current_report(run, root=tmp_path).read_text() == "drawn 3"
