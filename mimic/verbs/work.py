"""What a verb works with: its run, settings and device, and the subject they name."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import numpy as np
import torch

from mimic import pretrained, workspace
from mimic.checkpoint import EncoderFile, MatchError, load_encoder
from mimic.compute import choose_precision
from mimic.config import PUBLIC_PREFIX, CleanSubsetConfig, Config, SubjectConfig, resolve_path
from mimic.datasets import ImageSet, Split, clean_subset, doubts_between, load_images
from mimic.errors import ConfigError, RunError
from mimic.evaluation import Judge
from mimic.evaluation.judge import find_target
from mimic.pretrained import PretrainedEncoder
from mimic.run import Progress, Run, note_input
from mimic.trigger import Trigger, fitting_trigger, trigger_file
from mimic.views import Recipe, choose_recipe

C = TypeVar("C", bound=Config, covariant=True)

STOP_CHECK_SECONDS = 0.25
USUAL_IMAGE_SIZE = 32
LIVE_PROBE_IMAGES = 4_000
LIVE_TEST_IMAGES = 2_000
EXAMPLES = 24
JUDGING_SEED = 0
"""Draws the images that judge. The run's own seed must not: before and after would not compare."""


class Stopped(Exception):  # noqa: N818 - a request, not an error
    """Someone asked the run to stop."""


class Work(Generic[C]):
    """One execution of a verb.

    Args:
        run: the run directory.
        config: the verb's settings.
        device: where to compute.
        progress: the run's status.
        on_progress: also told of the progress.
    """

    def __init__(
        self,
        run: Run,
        config: C,
        device: torch.device,
        progress: Progress,
        on_progress: Callable[[float, str], None] | None = None,
    ) -> None:
        self.run, self.config, self.device, self.progress = run, config, device, progress
        self.on_progress = on_progress
        self.precision = choose_precision(config.asked_precision, device)
        self.started = time.perf_counter()
        self.warnings: list[str] = []
        self.encoders: dict[str, dict[str, Any]] = {}
        self.encoder_side: int | None = None
        """Input size of the suspect encoder, once it is loaded and if its file tells."""
        self._halves: dict[str, dict[Split, ImageSet]] = {}
        self._checked = 0.0

    def warn(self, sentence: str) -> None:
        """Put a doubt beside the result, where no reader of the figures can miss it."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def step(self, share: float, message: str = "", *, stoppable: bool = True) -> None:
        """Tell the progress, and stop here if someone asked for it and the work can.

        Raises:
            Stopped: if the run is to end.
        """
        self.progress.update(share, message)
        if self.on_progress is not None:
            self.on_progress(share, message)
        if stoppable and time.monotonic() - self._checked > STOP_CHECK_SECONDS:
            self._checked = time.monotonic()
            self.check_stop()

    def check_stop(self) -> None:
        """Raise ``Stopped`` if the run is to end."""
        if self.run.stop_requested():
            raise Stopped

    def steps(self, first: float, last: float, message: str) -> Callable[[float], None]:
        """A ``step`` for a part of the work, from share ``first`` to ``last``."""
        return lambda share: self.step(first + (last - first) * share, message)

    @property
    def seconds(self) -> float:
        """Time spent so far."""
        return time.perf_counter() - self.started

    def located(self, text: str) -> Path:
        """The path of an input file, which ``timm:NAME`` names too."""
        if not text.startswith(PUBLIC_PREFIX):
            return resolve_path(text)
        return self.pretrained(text).path

    def pretrained(self, text: str) -> PretrainedEncoder:
        """The public encoder that ``timm:NAME`` names."""
        folder = resolve_path(self.config.data_root)
        return pretrained.locate(text, folder=folder, download=self.config.download)

    def file(self, name: str, text: str) -> Path:
        """An input file's path; its SHA-256 is recorded, and checked when a run is resumed."""
        path = self.located(text)
        note_input(self.run, name, path, check=self.check_stop)
        return path

    def images(self, text: str, split: Split) -> ImageSet:
        """Load a data set; its SHA-256 is recorded, and its doubts go beside the result."""
        with workspace.refusals_leave_nothing(self.run, resolve_path(text)):
            data = load_images(
                text,
                split,
                data_root=self.config.data_root,
                download=self.config.download,
                image_size=self.config.image_size or self.encoder_side or USUAL_IMAGE_SIZE,
            )
        about, name = self.run.about(), f"{text} ({split})"
        now = {"images": len(data), "sha256": data.sha256()}
        if about["inputs"].get(name, now) != now:
            raise RunError(
                f"The data set {text} has changed since the run began.",
                "Restore the images, or start a new run.",
            )
        about["inputs"][name] = now
        self.run.write_json("run.json", about)
        halves = self._halves.setdefault(text, {})
        halves[split] = data
        doubts = doubts_between(halves["train"], halves["test"]) if len(halves) == 2 else ()
        for sentence in (*data.warnings, *doubts):
            self.warn(sentence)
        return data

    def trigger(self, text: str, images: ImageSet) -> Trigger:
        """Make the trigger for images; its file is recorded, doubts about it become warnings."""
        path = self.file("trigger", trigger_file(text) or text)
        with workspace.refusals_leave_nothing(self.run, path):
            height, width = images.size
            trigger = fitting_trigger(text, height=height, width=width)
        for doubt in trigger.warnings:
            self.warn(doubt)
        return trigger

    def encoder(self, name: str, text: str, **instead: str) -> EncoderFile:
        """Load an encoder file onto the device.

        Args:
            name: what the file is to this run.
            text: its path.
            instead: options of ``load_encoder`` against the run's settings.
        """
        given = {
            name: getattr(self.config, name)
            for name in ("normalization", "input_size", "max_pool", "heads")
            if hasattr(self.config, name)
        }
        if text.startswith(PUBLIC_PREFIX):
            given = self.pretrained(text).fill(given)
        path = self.file(name, text)
        try:
            with workspace.refusals_leave_nothing(self.run, path):
                loaded = load_encoder(path, **(given | instead))
        except MatchError as error:
            if error.match is not None:
                self.run.write_json("match.json", error.match.to_json())
            raise
        if self.run.about()["inputs"].get(name, {}).get("sha256") != loaded.file.sha256:
            raise RunError(
                f"The file given as {name} changed while the run began.",
                "Start a new run once nothing writes to it.",
            )
        for doubt in loaded.warnings:
            self.warn(doubt)
        architecture = loaded.encoder.architecture
        self.encoders[name] = {
            "sha256": loaded.file.sha256,
            "family": loaded.family.id,
            "architecture": architecture.name,
            "normalization": loaded.normalization.to_json(),
            "input_size": loaded.size.to_json(),
            "max_pool": loaded.max_pool.to_json(),
            **({"heads": architecture.head_count} if architecture.kind == "vit" else {}),
        }
        if name == "encoder":
            self.encoder_side = loaded.input_size
        loaded.encoder.to(self.device)
        if loaded.head is not None:
            loaded.head.to(self.device)
        return loaded


class Subject:
    """The suspect encoder with its data, trigger and clean twin, each loaded when first needed."""

    def __init__(self, work: Work[SubjectConfig]) -> None:
        self.work, self.config = work, work.config
        if not self.config.encoder:
            raise ConfigError(
                "No encoder is given.", "Give one with --encoder FILE, or use --subject demo."
            )

    @cached_property
    def teacher(self) -> EncoderFile:
        """The suspect encoder."""
        return self.work.encoder("encoder", self.config.encoder)

    @cached_property
    def twin(self) -> EncoderFile | None:
        """The clean encoder that shows the floor, if one is given."""
        if not self.config.clean_twin:
            return None
        return self.work.encoder("clean_twin", self.config.clean_twin)

    @cached_property
    def data(self) -> ImageSet:
        """Images like the encoder was trained on, at its own size."""
        _ = self.teacher
        return self.work.images(self.config.data, "train")

    @property
    def downstream_name(self) -> str:
        """The labelled data the probes use."""
        return self.config.downstream or self.config.data

    @cached_property
    def train(self) -> ImageSet:
        """Labelled images probes are fitted on."""
        data = self.data if not self.config.downstream else self.downstream("train")
        return data.sample(self.config.probe_images, seed=JUDGING_SEED)

    @cached_property
    def test(self) -> ImageSet:
        """Labelled images probes are scored on."""
        return self.downstream("test").sample(self.config.test_images, seed=JUDGING_SEED)

    def downstream(self, split: Split) -> ImageSet:
        """One half of the downstream data."""
        _ = self.teacher  # Its input size decides how large image files are read.
        return self.work.images(self.downstream_name, split)

    @property
    def is_labelled(self) -> bool:
        """Whether probes can be fitted: at least two classes on both sides."""
        labels = (self.train.labels, self.test.labels)
        return all(found is not None and len(np.unique(found)) > 1 for found in labels)

    @cached_property
    def trigger(self) -> Trigger | None:
        """The suspected trigger, if one is given."""
        if not self.config.trigger:
            return None
        return self.work.trigger(self.config.trigger, self.test)

    @cached_property
    def target(self) -> int | None:
        """The class the trigger leads to: as given, or found with the suspect and a probe.

        None without a trigger, and where it would have to be found without labels.
        """
        if self.trigger is None:
            return None
        if self.config.target_class >= 0:
            return self.config.target_class
        if not self.is_labelled:
            return None
        judge = Judge(
            self.train, self.test, self.trigger, None, self.work.device, self.work.precision
        )
        prediction = judge.predict(self.teacher.encoder, self.teacher.preprocessing)
        return find_target(prediction)

    @property
    def target_found(self) -> bool:
        """Whether the target class was not named, but is the suspect's most frequent answer."""
        return self.target is not None and self.config.target_class < 0

    @property
    def choices(self) -> int:
        """Out of how many classes the target was picked for the suspect's answers; 1 if named."""
        return max(self.train.classes, self.test.classes) if self.target_found else 1

    def judge(self) -> Judge | None:
        """The judge of final scores, or None without labels."""
        if not self.is_labelled:
            return None
        return Judge(
            self.train, self.test, self.trigger, self.target,
            self.work.device, self.work.precision, seed=self.config.seed,
        )  # fmt: skip

    def live_judge(self) -> Judge | None:
        """The quicker judge used while training: fewer images, the same rules."""
        judge = self.judge()
        if judge is None:
            return None
        return Judge(
            self.train.sample(LIVE_PROBE_IMAGES, seed=JUDGING_SEED),
            self.test.sample(LIVE_TEST_IMAGES, seed=JUDGING_SEED),
            judge.trigger, judge.target, judge.device, judge.precision,
        )  # fmt: skip

    def examples(self) -> np.ndarray:
        """Positions of test images to show, spread over the classes, target class left out."""
        order = np.random.default_rng(JUDGING_SEED).permutation(len(self.test))
        if self.test.labels is not None:
            order = order[self.test.labels[order] != self.target]
            rank = np.zeros(len(order), dtype=int)  # how often the class came before
            seen: dict[int, int] = {}
            for position, label in enumerate(self.test.labels[order]):
                rank[position] = seen.get(int(label), 0)
                seen[int(label)] = rank[position] + 1
            order = order[np.argsort(rank, kind="stable")]
        return order[:EXAMPLES]

    def pictures(self, chosen: np.ndarray) -> dict[str, np.ndarray]:
        """Test images, uint8 (n, H, W, 3), as they are and stamped, for the pages to show.

        Args:
            chosen: their positions. Without a trigger the stamped ones are the images themselves.
        """
        images = self.test.images[chosen]
        stamped = images if self.trigger is None else self.trigger.apply(images)
        return {"images": images, "stamped": stamped}

    def clean_subset(self) -> ImageSet:
        """The defender's clean images."""
        config = cast(CleanSubsetConfig, self.config)
        return clean_subset(self.data, fraction=config.clean_fraction, seed=config.seed)

    def recipe(self) -> Recipe:
        """How views are drawn."""
        return choose_recipe(cast(CleanSubsetConfig, self.config).views, self.config.data)

    def describe(self, data: ImageSet, test: ImageSet) -> dict[str, Any]:
        """Name, sizes and class balance of a data set, for the result."""
        counts: list[int] = []
        if data.labels is not None:
            counts = np.bincount(data.labels, minlength=data.classes).tolist()
        return {
            "name": data.name,
            "images": len(data),
            "test_images": len(test),
            "classes": data.classes,
            "class_names": list(data.class_names),
            "shape": list(data.images.shape[1:]),
            "class_counts": counts,
        }
