"""Blending test predictions, against nnU-Net's ensembling.

    python -m tests.benchmarks.bench_blend SCRATCH [COMPETITION]

Five models, 24 images of 11 x 360 x 480. nnU-Net's side is its own `average_probabilities` on compressed float32 npz
files and its argmax, where nnunetv2 is installed, else the same steps by hand (it says which). comp's side is
`Predictions` on its shards, the certificate of rounding included. Both find their files in memory. nnU-Net's steps use
one core whatever there is; comp is measured on one and on all. Processor time is printed beside the clock's, as other
work on the machine disturbs it less.

COMPETITION is a folder with a finished experiment of five folds and test images: its models then predict the
probabilities, as only those of real models compress like real ones. Without it they are made of smooth noise. SCRATCH
keeps them for the next time (about 1 GB).

Peak memory is that of separate processes with 10 and with 1000 images, and with 2 and with 20 models.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from competition.ensemble.inputs import BlendedExperiment
from competition.ensemble.predict import Predictions
from competition.ensemble.source import Blend
from competition.files import replacing
from competition.predictions import archive
from competition.predictions.probabilities import ShardWriter
from competition.predictions.shards import Shard

CLASSES, HEIGHT, WIDTH, IMAGES, MODELS, ROUNDS = 11, 360, 480, 24, 5, 3
FASTER, SMALLER, ARCHIVED, GROWTH = 25.0, 1 / 4, 1 / 8, 1.1
Predict = Callable[[int, str], np.ndarray]
"""The probabilities, float32 (C, H, W), that a model gives an image."""
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
    if arguments[0] == "peak":
        print(peak_mib(Path(arguments[1]), int(arguments[2])))
        return
    scratch = Path(arguments[0])
    scratch.mkdir(parents=True, exist_ok=True)
    images, predict = real(Path(arguments[1])) if len(arguments) > 1 else smooth_noise()
    print("Probabilities:", "models of a competition" if len(arguments) > 1 else "smooth noise", flush=True)
    missed = compare(scratch, images, predict)
    with tempfile.TemporaryDirectory() as folder:
        missed += memory(Path(folder))
    print("missed:", "; ".join(missed) or "nothing")
    raise SystemExit(bool(missed))


def compare(folder: Path, images: list[str], predict: Predict) -> list[str]:
    """Speed and size; what was claimed and not reached."""
    files, members = store(folder, images, predict)
    npz_bytes = sum(Path(f).stat().st_size for each in files.values() for f in each)
    shards = [Shard.open(member.test[0]) for member in members]
    raw_bytes = sum(shard.disk_bytes for shard in shards)
    weights = {member.name: 1 / MODELS for member in members}

    def theirs() -> list[np.ndarray]:
        return [average_probabilities(each).argmax(0) for each in files.values()]

    def ours(*, verify: bool = True) -> list[np.ndarray]:
        return [labels for _, labels in Predictions(Blend(members, weights), verify=verify)]

    made = Predictions(Blend(members, weights))
    differing = np.mean([a != labels for a, (_, labels) in zip(theirs(), made, strict=True)])
    share = made.undecided_share
    print(f"pixels that differ: {100 * differing:.4f} %; in doubt by the certificate: {100 * share:.4f} %", flush=True)
    assert differing <= share
    every = os.sched_getaffinity(0)
    all_cores = medians_of({"comp, all cores": ours})
    os.sched_setaffinity(0, {min(every)})
    one_core = medians_of({THEIRS: theirs, "comp": ours, "comp, checksums not compared": lambda: ours(verify=False)})
    os.sched_setaffinity(0, every)
    print(f"{len(images)} images, {MODELS} models; on one core:")
    for name, (wall, processor) in (one_core | all_cores).items():
        ratios = f"{one_core[THEIRS][0] / wall:6.1f} and {one_core[THEIRS][1] / processor:6.1f} times as fast"
        print(f"  {name:<56} {wall:7.3f} s, processor {processor:7.3f} s; {ratios}", flush=True)
    packed = sum(packed_bytes(shard, folder) for shard in shards)
    each = 1e6 * len(images) * MODELS
    print(
        f"MB, an image and model: npz {npz_bytes / each:.2f}; shard {raw_bytes / each:.2f} "
        f"(1/{npz_bytes / raw_bytes:.2f}); archived {packed / each:.2f} (1/{npz_bytes / packed:.1f}); "
        f"plain float32 {4 * raw_bytes / each:.2f}"
    )
    claims = {
        f"{FASTER:g} times as fast": one_core[THEIRS][1] >= FASTER * one_core["comp"][1],
        f"a shard takes at most {SMALLER:g} of the npz": raw_bytes <= SMALLER * npz_bytes,
        f"an archive takes at most {ARCHIVED:g} of the npz": packed <= ARCHIVED * npz_bytes,
    }
    return [claim for claim, reached in claims.items() if not reached]


def store(folder: Path, images: list[str], predict: Predict) -> tuple[dict[str, list[str]], list[BlendedExperiment]]:
    """Both formats of the same probabilities."""
    files: dict[str, list[str]] = {image_id: [] for image_id in images}
    seconds: list[tuple[float, float]] = []
    for model in range(MODELS):
        with open_writer(folder / f"m{model}" / "test.u8", "test") as writer:
            for image_id in images:
                path = folder / f"{model}-{image_id}.npz"
                if path.exists():
                    probabilities = np.load(path)["probabilities"]
                    writer.add(image_id, probabilities)
                else:
                    probabilities = predict(model, image_id)
                    start = time.process_time()
                    with replacing(path) as aside, aside.open("wb") as file:
                        np.savez_compressed(file, probabilities=probabilities)
                    middle = time.process_time()
                    writer.add(image_id, probabilities)
                    seconds.append((middle - start, time.process_time() - middle))
                files[image_id].append(str(path))
    if seconds:
        npz, shard = np.median(seconds, axis=0)
        print(f"writing, an image and model: npz {1000 * npz:.0f} ms, shard {1000 * shard:.0f} ms of the processor")
    members = [BlendedExperiment(f"m{m}", (oof(folder, m),), (folder / f"m{m}" / "test.u8",)) for m in range(MODELS)]
    return files, members


def packed_bytes(shard: Shard, folder: Path) -> int:
    """What an archive of the shard takes."""
    place = folder / "archive.zip"
    images = (shard[image_id].tobytes() for image_id in shard.ids)
    archive.write(place, images, sha256=shard.sha256, advance=lambda: None)
    return place.stat().st_size


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
    members = [
        BlendedExperiment(f"m{m}", (folder / f"m{m}" / "oof.u8",), (folder / f"m{m}" / "test.u8",))
        for m in range(models)
    ]
    for _ in Predictions(Blend(members, {member.name: 1 / models for member in members})):
        pass
    # Not ru_maxrss: that of a new process begins with what its parent held.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024  # type: ignore[index]


def medians_of(works: dict[str, Callable[[], object]]) -> dict[str, tuple[float, float]]:
    """The median seconds of each, by the clock and of the processor, taken in turns."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            wall, processor = time.perf_counter(), time.process_time()
            work()
            seconds[name].append((time.perf_counter() - wall, time.process_time() - processor))
    return {name: tuple(np.median(each, axis=0).tolist()) for name, each in seconds.items()}  # type: ignore[misc]


def real(competition: Path) -> tuple[list[str], Predict]:
    """What the five fold models of the first finished experiment say of 24 test images, at 360 x 480."""
    import torch
    from safetensors.torch import load_file

    from competition.config.experiment import read_config
    from competition.config.settings import read_settings
    from competition.data.images import read_image
    from competition.paths import Paths
    from competition.training.network.model import Segmenter, build_network, normalisation
    from competition.training.network.precision import resolve_precision
    from competition.training.predict import at_size, probabilities

    paths, settings = Paths(competition), read_settings(competition / "competition.yaml")
    name = next(f.parent.parent.name for f in sorted(paths.runs.glob("experiments/*/fold4/model.safetensors")))
    config = read_config(paths.experiment_config(name))
    every = sorted((competition / str(settings.data.test_images)).iterdir())
    images = {path.stem: path for path in every[:: len(every) // IMAGES][:IMAGES]}
    height, width = config.data.size

    @cache
    def segmenter(model: int) -> Segmenter:
        network = build_network(config.model, classes=CLASSES, root=competition, size=config.train_size)
        network.load_state_dict(load_file(paths.job(name, model).model))
        normal = normalisation(config.model, root=competition, fold=0)
        return Segmenter(network, normal, resolve_precision(config.train.precision, torch.device("cpu"))).eval()

    def predict(model: int, image_id: str) -> np.ndarray:
        pixels = cv2.resize(read_image(images[image_id]), (width, height), interpolation=cv2.INTER_AREA)
        with torch.inference_mode():
            logits = segmenter(model)(torch.from_numpy(pixels[None]))[0]
        return probabilities(at_size(logits, (HEIGHT, WIDTH)))

    return list(images), predict


def smooth_noise() -> tuple[list[str], Predict]:
    """Logits of an eighth of the size, enlarged, with a part that all models share."""

    def predict(model: int, image_id: str) -> np.ndarray:
        size = (HEIGHT // 8, WIDTH // 8, CLASSES)
        shared = np.random.default_rng(int(image_id)).normal(0, 4, size)
        own = np.random.default_rng([int(image_id), model]).normal(0, 1.5, size)
        logits = cv2.resize((shared + own).astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
        return softmax(np.ascontiguousarray(logits.transpose(2, 0, 1)))

    return [str(n) for n in range(IMAGES)], predict


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
