"""Images as uint8 arrays, from wherever users keep them.

A data set is named by one word: ``digits`` (scikit-learn's handwritten digits, always there), a
torchvision set (also found as ``NAME/train.npz`` under the data folder), a BadEncoder-style
``.npz`` (``x`` uint8 (N, H, W, 3), ``y`` (N,) or (N, 1)), a folder holding ``train.npz`` and
``test.npz``, or a folder of images (one sub-folder per class, or flat and unlabelled).
"""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mimic.config import resolve_path
from mimic.errors import DataError

Split = Literal["train", "test"]

DIGITS_SIZE = 16
MAX_ARRAY_BYTES = 2 * 2**30
MAX_PIXELS = 25_000_000
HELD_OUT_SHARE = 0.2
TORCHVISION = {"cifar10": "CIFAR10", "stl10": "STL10", "svhn": "SVHN", "gtsrb": "GTSRB"}
SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm"}
FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "PPM")


@dataclass(frozen=True)
class ImageSet:
    """Images with labels, if there are any.

    Args:
        name: what to call it on screen.
        images: uint8 (N, H, W, 3), RGB.
        labels: int64 (N,), or None.
        class_names: one name per class, or empty.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray | None
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        images, labels = self.images, self.labels
        if images.ndim != 4 or images.shape[-1] != 3 or images.dtype != np.uint8:
            raise DataError(
                f"{self.name} holds {images.dtype} values of shape {images.shape}.",
                "Images must be uint8 (N, height, width, 3), RGB with values 0 to 255.",
            )
        if len(images) == 0:
            raise DataError(f"{self.name} holds no image.", "Choose a data set with images.")
        if images.max() <= 1:
            raise DataError(
                f"No pixel of {self.name} is brighter than 1.",
                "Scale the values to 0 to 255 before storing them as uint8.",
            )
        if labels is not None and labels.shape != (len(images),):
            raise DataError(
                f"{self.name} has {len(images)} images but labels of shape {labels.shape}.",
                "Store one label per image.",
            )
        if labels is not None and (labels.min() < 0 or labels.max() > 100_000):
            raise DataError(
                f"{self.name} has labels from {labels.min()} to {labels.max()}.",
                "Number the classes from 0.",
            )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.images.shape[1], self.images.shape[2]

    @property
    def classes(self) -> int:
        """Number of classes, 0 when unlabelled."""
        if self.labels is None:
            return 0
        return max(int(self.labels.max()) + 1, len(self.class_names))

    def class_name(self, label: int) -> str:
        """The name of a class, or its number."""
        return self.class_names[label] if label < len(self.class_names) else str(label)

    def take(self, indices: np.ndarray) -> ImageSet:
        """The images at these positions."""
        labels = None if self.labels is None else self.labels[indices]
        return replace(self, images=self.images[indices], labels=labels)

    def draw(self, count: int, *, seed: int) -> np.ndarray:
        """Positions of ``count`` images drawn without replacement, in order; all if no more."""
        if count >= len(self):
            return np.arange(len(self))
        return np.sort(np.random.default_rng(seed).permutation(len(self))[:count])

    def sample(self, count: int, *, seed: int) -> ImageSet:
        """The images ``draw`` draws."""
        return self if count >= len(self) else self.take(self.draw(count, seed=seed))

    def need_classes(self) -> np.ndarray:
        """The labels, where at least two classes are present.

        Raises:
            DataError: if there are no labels or only one class.
        """
        if self.labels is None:
            raise DataError(
                f"{self.name} has no labels, which a probe needs.",
                "Choose labelled downstream data, or leave accuracy and ASR out.",
            )
        if len(np.unique(self.labels)) < 2:
            raise DataError(
                f"All images of {self.name} are of one class.",
                "Choose data with at least two classes.",
            )
        return self.labels

    def sha256(self) -> str:
        """SHA-256 over pixels and labels."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images).tobytes())
        if self.labels is not None:
            digest.update(self.labels.astype("<i8").tobytes())
        return digest.hexdigest()


def clean_subset(data: ImageSet, *, fraction: float, seed: int) -> ImageSet:
    """The defender's few clean images: a seeded sample without replacement, without labels.

    Args:
        data: all images.
        fraction: share to draw, above 0 and at most 1.
        seed: the draw.

    Raises:
        DataError: if fewer than 8 images remain, too few for any contrast between images.
    """
    count = round(fraction * len(data))
    if count < 8:
        raise DataError(
            f"{fraction:.2%} of {len(data)} images leaves {count} clean images.",
            "Choose a larger fraction or a larger data set; at least 8 images are needed.",
        )
    return replace(data.sample(count, seed=seed), labels=None)


def load_images(
    text: str,
    split: Split,
    *,
    data_root: str = "data",
    download: bool = False,
    image_size: int = 32,
) -> ImageSet:
    """Load one half of a data set.

    Args:
        text: the data set's word, see the module's docstring.
        split: ``train`` or ``test``. Sets that come in one piece are split 80 to 20, always alike.
        data_root: folder of torchvision sets.
        download: whether torchvision may fetch a missing set.
        image_size: side to which a folder's images are resized, in pixels.

    Raises:
        DataError: if the data set cannot be found or read.
    """
    if text == "digits":
        return one_half(load_digits(), split)
    path = resolve_path(text)
    if text in TORCHVISION:
        root = Path(data_root).expanduser()
        unpacked = root / text / f"{split}.npz"
        if not unpacked.is_file():
            return load_torchvision(text, split, data_root=str(root), download=download)
        return replace(load_npz(unpacked), name=TORCHVISION[text])
    if path.is_dir() and (path / f"{split}.npz").is_file():
        return replace(load_npz(path / f"{split}.npz"), name=path.name)
    if path.is_dir():
        for name in (split, {"train": "train", "test": "val"}[split]):
            if (path / name).is_dir():
                return replace(load_folder(path / name, image_size=image_size), name=path.name)
        return one_half(load_folder(path, image_size=image_size), split)
    if path.is_file():
        return one_half(load_npz(path), split)
    raise DataError(
        f"There is no data set '{text}'.",
        f"Choose digits, {', '.join(TORCHVISION)}, an .npz file, or a folder that exists.",
    )


def one_half(data: ImageSet, split: Split) -> ImageSet:
    """The training or test half of a set that comes in one piece (80 to 20, a fixed draw)."""
    order = np.random.default_rng(0).permutation(len(data))
    held_out = max(1, round(HELD_OUT_SHARE * len(data)))
    if len(data) < 2:
        return data
    return data.take(np.sort(order[:held_out] if split == "test" else order[held_out:]))


def load_digits() -> ImageSet:
    """scikit-learn's 1,797 handwritten digits (8x8), doubled to 16x16 RGB by bilinear resizing."""
    import sklearn.datasets
    from PIL import Image

    digits = sklearn.datasets.load_digits()
    pixels = np.round(digits.images * (255 / 16)).astype(np.uint8)  # (N, 8, 8), stored as 0 to 16
    side = (DIGITS_SIZE, DIGITS_SIZE)
    grey = np.stack(
        [np.asarray(Image.fromarray(p).resize(side, Image.Resampling.BILINEAR)) for p in pixels]
    )
    images = np.repeat(grey[..., None], 3, axis=3)  # (N, 16, 16, 3)
    names = tuple(str(n) for n in range(10))
    return ImageSet("digits", images, digits.target.astype(np.int64), names)


def load_npz(path: Path) -> ImageSet:
    """A BadEncoder-style ``.npz``; ``y`` may be missing.

    Raises:
        DataError: if the file is damaged, too large, pickled, or holds no ``x``.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            declared = sum(info.file_size for info in archive.infolist())
        if declared > MAX_ARRAY_BYTES:
            raise DataError(
                f"'{path.name}' unpacks to {declared / 2**30:.1f} GiB.",
                "Cut it to at most 2 GiB, or give a folder of images.",
            )
        with np.load(path, allow_pickle=False) as stored:
            arrays = {key: np.asarray(stored[key]) for key in ("x", "y") if key in stored}
    except DataError:
        raise
    except Exception as error:  # A hostile archive can raise nearly anything; all mean refusal.
        raise DataError(
            f"'{path.name}' cannot be read as images.",
            "It must be an .npz with x (uint8 images) and y (labels), written without pickle.",
        ) from error
    if "x" not in arrays:
        raise DataError(
            f"'{path.name}' holds no array x.", "Store the images as x and the labels as y."
        )
    labels = arrays.get("y")
    if labels is not None and labels.dtype.kind not in "iu":
        raise DataError(
            f"The labels of '{path.name}' are not whole numbers.", "Store y as integers from 0."
        )
    return ImageSet(
        path.stem,
        arrays["x"],
        None if labels is None else labels.reshape(-1).astype(np.int64),
    )


def load_folder(folder: Path, *, image_size: int) -> ImageSet:
    """A folder of images; sub-folders are classes. Each is cropped square and resized.

    Raises:
        DataError: if no image can be read, or the first unreadable one is met.
    """
    classes = sorted(d.name for d in folder.iterdir() if d.is_dir() and image_files(d))
    files = [(f, k) for k, name in enumerate(classes) for f in image_files(folder / name)]
    labelled = bool(files)
    if not labelled:
        files = [(f, 0) for f in image_files(folder)]
    if not files:
        raise DataError(
            f"The folder '{folder.name}' holds no image.",
            f"Put {', '.join(sorted(SUFFIXES))} files in it, one sub-folder per class.",
        )
    if len(files) * image_size**2 * 3 > MAX_ARRAY_BYTES:
        raise DataError(
            f"{len(files)} images of {image_size}x{image_size} pixels exceed 2 GiB.",
            "Use fewer images.",
        )
    images = np.stack([read_image(f, image_size) for f, _ in files])
    labels = np.array([k for _, k in files], dtype=np.int64) if labelled else None
    return ImageSet(folder.name, images, labels, tuple(classes))


def image_files(folder: Path) -> list[Path]:
    """Image files directly inside a folder, sorted."""
    return sorted(f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and f.is_file())


def read_image(path: Path, size: int) -> np.ndarray:
    """One image file as uint8 (size, size, 3), cropped square at its centre."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path, formats=FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise DataError(
                    f"'{path.name}' has {opened.width * opened.height / 1e6:.0f} million pixels.",
                    "Use images of at most 25 million pixels.",
                )
            fitted = ImageOps.fit(opened.convert("RGB"), (size, size), Image.Resampling.BILINEAR)
            return np.asarray(fitted)
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"'{path.name}' is not a readable image.", "Remove it or store it again as PNG."
        ) from error


def load_torchvision(name: str, split: Split, *, data_root: str, download: bool) -> ImageSet:
    """A torchvision data set; fetched only when ``download`` is true.

    Raises:
        DataError: if it is missing and may not or cannot be fetched.
    """
    import torchvision.datasets

    kind = getattr(torchvision.datasets, TORCHVISION[name])
    options: dict[str, Any] = {"train": split == "train"} if name == "cifar10" else {"split": split}
    try:
        data = kind(root=data_root, download=download, **options)
    except Exception as error:
        raise DataError(
            f"The data set {name} is not in '{data_root}' or could not be fetched.",
            "Allow the download (--download), or set the folder that holds it (--data-root).",
        ) from error
    if name == "gtsrb":
        images = np.stack([read_image(Path(p), 32) for p, _ in data._samples])
        labels = np.array([k for _, k in data._samples])
        return ImageSet("GTSRB", images, labels.astype(np.int64))
    images = np.asarray(data.data)
    if images.shape[1] == 3:  # STL-10 and SVHN store channels first.
        images = images.transpose(0, 2, 3, 1)
    labels = np.asarray(data.targets if name == "cifar10" else data.labels).astype(np.int64)
    names = tuple(getattr(data, "classes", ()))
    return ImageSet(TORCHVISION[name], np.ascontiguousarray(images), labels, names)
