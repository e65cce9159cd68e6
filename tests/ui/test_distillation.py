import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from mimic.run import Run, Status
from tests.ui.test_pages import open_page, without_escapes
from ui import agreement_chart, distillation, live_charts, progress_words


def records(agreement: float | None) -> list[dict[str, Any]]:
    evaluation = {"accuracy": 0.9, "asr": 0.02, "asr_all": 0.1}
    return [
        {"epoch": e, "epochs": 4, "loss": 1.0, "agreement": agreement, "evaluation": evaluation}
        for e in (1, 2)
    ]


@pytest.mark.parametrize("agreement", [0.875, None])
def test_the_agreement_is_no_share_of_images_and_has_a_chart_of_its_own(
    agreement: float | None,
) -> None:
    lines = records(agreement)
    scored = live_charts.scores(lines, 4, [])
    assert {row["measure"] for row in scored.datasets["heads"]} == {"accuracy", "attack success"}
    drawn = agreement_chart.drawn(lines, 4)
    count = 0 if agreement is None else len(lines)
    assert [row["value"] for row in drawn.datasets["lines"]] == [agreement] * count
    assert len(drawn.datasets["heads"]) == min(count, 1)
    line = drawn.to_dict()["layer"][0]["encoding"]["y"]
    assert (line["title"], line["scale"]["domain"][0]) == ("CKA (0 to 1)", 0)
    said = progress_words.agreement_sentence(lines)
    assert ("0.875" in said) == (agreement is not None)
    assert "greement" not in progress_words.score_sentence(lines)


def test_how_a_training_ended_is_told(runs_root: Path, fabricate: Callable[[Path], None]) -> None:
    fabricate(runs_root)
    path = runs_root / "demo-distill" / "result.json"
    long = "Memory ran out, so each batch was split into 2 micro-batches; " * 3
    new = {"stopped_early_at": 35, "reference": True, "notes": [long]}
    path.write_text(json.dumps(json.loads(path.read_text()) | new))
    app = open_page("distil")
    assert not app.exception
    told = without_escapes(app)
    assert "ended early at epoch 35 of 60 in 24 s on cpu (float32, reference path)" in told
    assert long.strip() in told


@pytest.mark.parametrize(
    ("state", "drawn"), [("finished", "plotly_chart"), ("running", "vega_lite_chart")]
)
def test_charts_of_an_ended_run_can_be_saved_as_svg(
    runs_root: Path, fabricate: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch,
    state: str, drawn: str,
) -> None:  # fmt: skip
    fabricate(runs_root)
    told = Status(state=state)
    monkeypatch.setattr(distillation.jobs, "state_of", lambda _: told)
    app = open_page("distil")
    assert not app.exception
    kinds = {kind: len(app.get(kind)) for kind in ("plotly_chart", "vega_lite_chart")}
    other = ({"plotly_chart", "vega_lite_chart"} - {drawn}).pop()
    assert kinds[drawn] >= 2
    assert not kinds[other]


def test_old_runs_say_their_epochs(runs_root: Path, distill_run: Callable[..., Run]) -> None:
    result = distill_run(runs_root).result()
    assert result
    assert distillation.lasted(result) == "60 epochs"


def ask_for_details() -> None:
    """A page with the training details of a distillation that has them all."""
    import dataclasses

    import streamlit as st

    from mimic.config import DistillConfig, option
    from ui.training_inputs import training_details

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Later(DistillConfig):
        warm_up: float = option(0.1, "share of the updates")
        patience: int = option(0, "measurements without a rise")
        reference: bool = option(False, "compute plainly")

    st.write(sorted(training_details(Later).items()))
    st.write(sorted(training_details(DistillConfig)))


def test_details_are_asked_where_a_distillation_has_them() -> None:
    app = AppTest.from_function(ask_for_details).run()
    assert not app.exception
    assert {"Warm-up share", "Patience (measurements)"} <= {n.label for n in app.number_input}
    assert "Reference path (slow, float32)" in [c.label for c in app.checkbox]


def left_in(root: Path, asr: float = 0.9, **changes: Any) -> None:
    """Make the finished distillation one after which the trigger still works."""
    path = root / "demo-distill" / "result.json"
    result = json.loads(path.read_text())
    result["scores"]["student"] |= {"asr": asr, "asr_interval": [asr - 0.02, asr + 0.02]}
    path.write_text(json.dumps(result | changes))


@pytest.mark.parametrize("mode", ["simple", "expert"])
def test_the_advice_to_clean_more_gently_is_one_press_away(
    mode: str, runs_root: Path, fabricate: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(runs_root)
    left_in(runs_root)
    monkeypatch.setattr("mimic.job.spawn", lambda run: None)
    app = open_page("distil", mode=mode)
    told = without_escapes(app)
    assert "It changes only this:\n- Clone loss: off instead of weight 1." in told
    assert "about 24 s" in told
    app.get_by_key("clean-more-gently").click().run()
    assert not app.exception
    (new,) = (Run(d) for d in runs_root.glob("distill-*"))
    before, after = Run(runs_root / "demo-distill").config().to_json(), new.config().to_json()
    assert {k for k in after if after[k] != before[k]} == {"clone_weight"}
    assert app.get_by_key("run").value == new.id


def test_nothing_gentler_is_offered_where_the_backdoor_is_gone(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    app = open_page("distil")
    assert "clean-more-gently" not in [b.key for b in app.button]


def test_where_nothing_gentler_was_measured_this_is_said(
    runs_root: Path, fabricate: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(runs_root)
    left_in(runs_root)
    monkeypatch.setattr("mimic.gentler.gentler", lambda config, result: None)
    app = open_page("distil")
    assert "already as gentle as any that was measured" in without_escapes(app)
    assert "clean-more-gently" not in [b.key for b in app.button]


@pytest.mark.parametrize("mode", ["simple", "expert"])
def test_the_cleaned_encoder_can_be_taken_home_below_the_verdict(
    mode: str, runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    path = runs_root / "demo-distill" / "result.json"
    named = {"model_card_file": "MODEL_CARD.md"}
    path.write_text(json.dumps(json.loads(path.read_text()) | named))
    (runs_root / "demo-distill" / "MODEL_CARD.md").write_text("# A cleaned image encoder")
    app = open_page("distil", mode=mode)
    offered = [b.label.rpartition(", ")[0] for b in app.get("download_button")]
    assert [label for label in offered if label] == [
        "Cleaned encoder (.safetensors)", "In the layout of the original", "Model card (.md)",
    ]  # fmt: skip
    heads = [h.value for h in app.header]
    assert heads.index("Before and after") < heads.index("Take the cleaned encoder home")


@pytest.mark.parametrize(
    ("mode", "charts"),
    [("simple", ["Accuracy"]), ("expert", ["Loss", "Accuracy", "Agreement"])],
)
@pytest.mark.parametrize("state", ["running", "finished"])
def test_simple_draws_accuracy_and_attack_success_alone(
    mode: str, charts: list[str], state: str, runs_root: Path, fabricate: Callable[[Path], None],
    distill_run: Callable[..., Run],
) -> None:  # fmt: skip
    fabricate(runs_root)
    run = distill_run(runs_root, "distill-a", state)
    run.record(records(0.5)[-1] | {"epoch": 61, "epochs": 61})
    app = open_page("distil", mode=mode, run="distill-a")
    drawn_by = "vega_lite_chart" if state == "running" else "plotly_chart"
    drawn = [chart.proto.alt.split()[0] for chart in app.get(drawn_by)]
    assert drawn == charts
    told = without_escapes(app)
    assert "attack success 2.0%" in told
    for word in ("total loss", "Loss terms", "Agreement"):
        assert (word in told) == (mode == "expert")


def test_simple_tells_how_long_a_cleaning_took_and_where_but_no_number_format(
    runs_root: Path, distill_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = distill_run(runs_root)
    result = run.result()
    assert result is not None
    assert "float32" in distillation.how(run, result)
    monkeypatch.setattr("ui.mode.DEFAULT", "simple")
    assert distillation.how(run, result).endswith("60 rounds in 24 s on this machine.")
    monkeypatch.setattr(distillation, "is_bundled", lambda run: True)
    assert distillation.how(run, result).endswith("in 24 s on the machine that made the demo.")
