"""Blending test predictions, against nnU-Net's ensembling: `python -m tests.benchmarks.bench_blend [COMPETITION]`.

Five models, 24 images of 11 x 360 x 480. nnU-Net's side is its own `average_probabilities` on compressed float32 npz
files and its argmax, where nnunetv2 is installed, else the same steps by hand (it says which). comp's side is
`Predictions` on its shards, the certificate of rounding included. Both read warm files; comp is also held to one core.

COMPETITION is a folder with a finished experiment of five folds and test images: its models then predict the
probabilities, as only those of real models compress like real ones. Without it they are made of smooth noise.
Peak memory is that of separate processes with 10 and with 1000 images, and with 2 and with 20 models.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from competition.data.probabilities import Shard, ShardWriter
from competition.ensemble.members import Member
from competition.ensemble.predictions import Predictions
from competition.paths import archive_of

CLASSES, HEIGHT, WIDTH, IMAGES, MODELS, ROUNDS = 11, 360, 480, 24, 5, 5
FASTER, SMALLER, ARCHIVED, GROWTH = 25.0, 1 / 4, 1 / 8, 1.1
NAMES = tuple(f"class {c}" for c in range(CLASSES))

try:
    from nnunetv2.ensembling.ensemble import average_probabilities

    THEIRS = "nnunetv2.ensembling.ensemble.average_probabilities"
except ImportError:
    THEIRS = "nnU-Net's steps by hand (nnunetv2 is not installed)"

    def average_probabilities(list_of_files: list[str]) -> np.ndarray:
        """Load each file's float32 probabilities, add them up, divide."""
        total = np.load(list_of_files[0])["probabilities"]
        for file in list_of_files[1:]:
            total += np.load(file)["probabilities"]
        total /= len(list_of_files)
        return total


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["peak"]:
        print(peak_mib(Path(arguments[1]), int(arguments[2])))
        return
    source = real(Path(arguments[0])) if arguments else smooth_noise()
    print("Probabilities:", f"models of {arguments[0]}" if arguments else "smooth noise")
    with tempfile.TemporaryDirectory() as folder:
        missed = compare(Path(folder), source)
    with tempfile.TemporaryDirectory() as folder:
        missed += memory(Path(folder))
    for claim in missed:
        print("MISSED:", claim)
    if missed:
        raise SystemExit(1)


def compare(folder: Path, source: Iterator[tuple[int, str, np.ndarray]]) -> list[str]:
    """Speed and size; what was claimed and not reached."""
    files, members, writing = store(folder, source)
    npz_bytes = sum(Path(f).stat().st_size for each in files.values() for f in each)
    shards = [Shard.open(member.test[0]) for member in members]
    raw_bytes = sum(shard.disk_bytes for shard in shards)
    weights = {member.name: 1 / MODELS for member in members}

    def theirs() -> list[np.ndarray]:
        return [average_probabilities(each).argmax(0) for each in files.values()]

    def ours() -> list[np.ndarray]:
        return [labels for _, labels in Predictions(members, weights)]

    def blending() -> list[np.ndarray]:
        return [labels for _, labels in Predictions(members, weights, verify=False)]

    differing = np.mean([a != b for a, b in zip(theirs(), ours(), strict=True)])
    made = Predictions(members, weights)
    assert sum(1 for _ in made) == IMAGES
    print(
        f"Pixels that differ: {100 * differing:.4f} %; in doubt by the certificate: {100 * made.doubtful_share:.4f} %"
    )
    assert differing <= made.doubtful_share
    every = os.sched_getaffinity(0)
    medians = medians_of({"theirs": theirs, "all cores": ours})
    os.sched_setaffinity(0, {min(every)})
    medians |= medians_of({"theirs, one core": theirs, "one core": ours, "one core, unverified": blending})
    os.sched_setaffinity(0, every)
    print(f"{THEIRS} + argmax: {medians['theirs']:.2f} s; held to one core {medians['theirs, one core']:.2f} s")
    ratios = {
        f"comp, {len(every)} cores": medians["theirs"] / medians["all cores"],
        "comp, one core": medians["theirs, one core"] / medians["one core"],
        "comp, one core, checksums not read": medians["theirs, one core"] / medians["one core, unverified"],
    }
    for name, seconds in zip(
        ratios, [medians[k] for k in ("all cores", "one core", "one core, unverified")], strict=True
    ):
        print(f"{name}: {seconds:.3f} s, {ratios[name]:.1f} times as fast")
    for shard in shards:
        shard.archive()
    packed = sum(archive_of(shard.path).stat().st_size for shard in shards)
    per_image = 1e6 * IMAGES * MODELS
    print(f"Writing, an image and model: npz {1000 * writing[0]:.0f} ms, shard {1000 * writing[1]:.1f} ms")
    print(
        f"Bytes, an image and model: npz {npz_bytes / per_image:.2f} MB; shard {raw_bytes / per_image:.2f} MB "
        f"(1/{npz_bytes / raw_bytes:.2f}); archived {packed / per_image:.2f} MB (1/{npz_bytes / packed:.1f}); "
        f"plain float32 {4 * raw_bytes / per_image:.2f} MB"
    )
    claims = {
        f"{FASTER:g} times as fast on one core": ratios["comp, one core, checksums not read"] >= FASTER,
        f"a shard is at most {SMALLER:g} of the npz": raw_bytes <= SMALLER * npz_bytes,
        f"an archive is at most {ARCHIVED:g} of the npz": packed <= ARCHIVED * npz_bytes,
    }
    return [claim for claim, reached in claims.items() if not reached]


def store(
    folder: Path, source: Iterator[tuple[int, str, np.ndarray]]
) -> tuple[dict[str, list[str]], list[Member], tuple[float, float]]:
    """Both formats of the same probabilities, and the median seconds that writing an image took in each."""
    files: dict[str, list[str]] = {}
    writers = [open_writer(folder / f"m{m}" / "test.u8", "test").__enter__() for m in range(MODELS)]
    seconds: tuple[list[float], list[float]] = ([], [])
    for model, image_id, probabilities in source:
        path = folder / f"{model}-{image_id}.npz"
        start = time.perf_counter()
        np.savez_compressed(path, probabilities=probabilities)
        middle = time.perf_counter()
        writers[model].add(image_id, probabilities)
        seconds[0].append(middle - start)
        seconds[1].append(time.perf_counter() - middle)
        files.setdefault(image_id, []).append(str(path))
    for writer in writers:
        writer.__exit__(None, None, None)
    members = [Member(f"m{m}", (oof(folder, m),), (folder / f"m{m}" / "test.u8",)) for m in range(MODELS)]
    return files, members, (statistics.median(seconds[0]), statistics.median(seconds[1]))


def memory(folder: Path) -> list[str]:
    """Peak memory of blending with few and many images and models; what was claimed and not reached."""
    peaks = {}
    for models, images in ((3, 10), (3, 1000), (2, 50), (20, 50)):
        place = folder / f"{models}-{images}"
        generator = np.random.default_rng(0)
        for m in range(models):
            oof(place, m)
            with open_writer(place / f"m{m}" / "test.u8", "test") as writer:
                for n in range(images):
                    writer.add(f"i{n}", softmax(generator.normal(size=(CLASSES, 90, 120)).astype(np.float32)))
        ran = [sys.executable, "-m", "tests.benchmarks.bench_blend", "peak", str(place), str(models)]
        peaks[models, images] = float(subprocess.run(ran, check=True, capture_output=True, text=True).stdout)
    for (models, images), peak in peaks.items():
        print(f"Peak memory, {models} models, {images} images of 11 x 90 x 120: {peak:.1f} MiB")
    return [
        f"memory flat in {what}"
        for what, few, many in (("images", (3, 10), (3, 1000)), ("models", (2, 50), (20, 50)))
        if peaks[many] > GROWTH * peaks[few]
    ]


def peak_mib(folder: Path, models: int) -> float:
    """Blend all that lies in a folder; the most memory that this process ever held."""
    members = [Member(f"m{m}", (folder / f"m{m}" / "oof.u8",), (folder / f"m{m}" / "test.u8",)) for m in range(models)]
    for _ in Predictions(members, {member.name: 1 / models for member in members}):
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def medians_of(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The median seconds of each, taken in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(each) for name, each in seconds.items()}


def real(competition: Path) -> Iterator[tuple[int, str, np.ndarray]]:
    """What the five fold models of the first finished experiment say of 24 test images, at 360 x 480."""
    import torch
    from safetensors.torch import load_file

    from competition.config import read_config
    from competition.data.images import read_image
    from competition.paths import Paths
    from competition.settings import read_settings
    from competition.training.model import Segmenter, build, normalisation
    from competition.training.precision import resolve
    from competition.training.predict import at_size, probabilities

    paths, settings = Paths(competition), read_settings(competition / "competition.yaml")
    name = next(f.parent.parent.name for f in sorted(paths.runs.glob("experiments/*/fold4/model.safetensors")))
    config = read_config(paths.experiment_config(name))
    folder = competition / str(settings.data.test_images)
    images = sorted(folder.iterdir())[:: max(1, len(list(folder.iterdir())) // IMAGES)][:IMAGES]
    height, width = config.data.size
    for model in range(MODELS):
        network = build(config.model, classes=CLASSES, root=competition)
        network.load_state_dict(load_file(paths.job(name, model).model))
        segmenter = Segmenter(
            network, normalisation(config.model, root=competition), resolve(config.train.precision, torch.device("cpu"))
        ).eval()
        for path in images:
            pixels = cv2.resize(read_image(path), (width, height), interpolation=cv2.INTER_AREA)
            with torch.inference_mode():
                logits = segmenter(torch.from_numpy(pixels[None]))[0]
            yield model, path.stem, probabilities(at_size(logits, (HEIGHT, WIDTH)))


def smooth_noise() -> Iterator[tuple[int, str, np.ndarray]]:
    """Logits of an eighth of the size, enlarged, with a part that all models share."""
    for n in range(IMAGES):
        shared = np.random.default_rng(n).normal(0, 4, (HEIGHT // 8, WIDTH // 8, CLASSES))
        for model in range(MODELS):
            own = np.random.default_rng([n, model]).normal(0, 1.5, shared.shape)
            logits = cv2.resize((shared + own).astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
            yield model, f"i{n:02}", softmax(np.ascontiguousarray(logits.transpose(2, 0, 1)))


def softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(axis=0))
    return raised / raised.sum(axis=0)


def open_writer(path: Path, part: str) -> ShardWriter:
    return ShardWriter(path, classes=NAMES, part=part, split_hash="s", fingerprint="f")  # type: ignore[arg-type]


def oof(folder: Path, model: int) -> Path:
    """An out-of-fold shard of one pixel: members must have one."""
    path = folder / f"m{model}" / "oof.u8"
    with open_writer(path, "oof") as writer:
        writer.add("o", np.full((CLASSES, 1, 1), 1 / CLASSES, np.float32))
    return path


if __name__ == "__main__":
    main(sys.argv[1:])
