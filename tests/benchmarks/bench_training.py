"""How fast comp trains, beside the loop that a blog post shows: `python -m tests.benchmarks.bench_training`.

Both train the same network from the same weights on CamVid's official training frames, and score its validation frames
after every epoch: SMP's Unet on EfficientNet-lite0 with ImageNet weights, 192x256, batches of 8, 6 epochs. The loop by
hand computes in float32, and two workers decode every PNG with OpenCV in every epoch. comp runs its own recipe, as a
fold job does, and makes its cache of decoded images first. Each run is a process of its own; the two kinds take turns.

It ends with exit code 1 where a bound is missed. A processor without native bfloat16 cannot meet the first three.
With `--device cuda:0` both train on the GPU, which the bounds are not meant for.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.data.shared import CAMVID, shared_data

SIZE, BATCH, EPOCHS, LR = (192, 256), 8, 6, 1e-3
OVERRIDES = (
    "data.size=192x256",
    "model.encoder=tu-tf_efficientnet_lite0",
    "model.weights=offline",
    f"train.batch_size={BATCH}",
)
BOUNDS = {"training images/s": 2.2, "wall time": 2.3, "inference images/s": 2.0}
OVERHEAD = 1.05


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--pairs", type=int, default=2)
    options.add_argument("--run", choices=WAYS)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--epochs", type=int, default=EPOCHS, help="fewer say less of the score")
    options.add_argument("--device", default="cpu")
    given = options.parse_args()
    if given.run:
        found = WAYS[given.run](given.seed, given.epochs, given.device)
        print(json.dumps(found))
        return
    runs: dict[str, list[dict[str, Any]]] = {"reference": [], "comp": []}
    for seed in range(given.pairs):
        for kind, results in runs.items():
            results.append(in_a_process(kind, seed, given.epochs, given.device))
            print(f"{kind:>10}, seed {seed}: {results[-1]}", file=sys.stderr, flush=True)
    overhead, *inference = (
        in_a_process(kind, 0, given.epochs, given.device)
        for kind in ("overhead", "inference-by-hand", "inference-by-comp")
    )
    meets = report(runs, overhead, [one["images_per_s"] for one in inference])
    if given.device == "cpu" and not meets:
        raise SystemExit(1)


def in_a_process(kind: str, seed: int, epochs: int, device: str) -> dict[str, Any]:
    given = ("--run", kind, "--seed", str(seed), "--epochs", str(epochs), "--device", device)
    command = [sys.executable, "-m", "tests.benchmarks.bench_training", *given]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def report(runs: dict[str, list[dict[str, Any]]], overhead: dict[str, Any], inference: list[float]) -> bool:
    """Print the table; whether every bound is met."""

    def medians(what: str) -> tuple[float, float]:
        theirs, ours = ([run[what] for run in runs[kind]] for kind in ("reference", "comp"))
        return statistics.median(theirs), statistics.median(ours)

    print(f"{runs['comp'][0]['precision']} on {runs['comp'][0]['device']}, torch {runs['comp'][0]['torch']}")
    print(f"{'':<26}{'by hand':>10}{'comp':>10}{'ratio':>8}{'wanted':>9}")
    rate, wall, score = medians("images_per_s"), medians("wall_s"), medians("score")
    ratios = {
        "training images/s": rate[1] / rate[0],
        "wall time": wall[0] / wall[1],
        "inference images/s": inference[1] / inference[0],
    }
    print(line("training images/s", *rate, ratios))
    print(line("wall time", *wall, ratios))
    print(line("inference images/s", *inference, ratios))
    scores = {kind: [run["score"] for run in results] for kind, results in runs.items()}
    print(f"{'mIoU, per seed':<26}" + "".join(f"{' '.join(f'{100 * s:.1f}' for s in scores[k]):>10}" for k in scores))
    print(f"{'mIoU, median':<26}{100 * score[0]:>10.2f}{100 * score[1]:>10.2f}")
    bare, loop = 1e3 * overhead["bare_s"], 1e3 * overhead["loop_s"]
    print(f"{'a step of the loop, ms':<26}{bare:>10.1f}{loop:>10.1f}{loop / bare:>8.3f}{f'<= {OVERHEAD}':>9}")
    return all(ratios[what] >= bound for what, bound in BOUNDS.items()) and loop <= OVERHEAD * bare


def line(what: str, theirs: float, ours: float, ratios: dict[str, float]) -> str:
    return f"{what:<26}{theirs:>10.1f}{ours:>10.1f}{ratios[what]:>8.2f}{f'>= {BOUNDS[what]}':>9}"


def official() -> tuple[list[str], list[str]]:
    """The ids of the official training and validation frames."""
    rows = [row.split(",") for row in (camvid().folder / "meta.csv").read_text().splitlines()[1:]]
    part = {name: [Path(row[0]).stem for row in rows if row[1] == name] for name in ("train", "val")}
    return part["train"], part["val"]


def camvid() -> Any:
    folder = shared_data()
    if folder is None:
        raise SystemExit("The CamVid images are not here; name the folder of data sets in COMP_SHARED_DATA.")
    return CAMVID.within(folder)


def reference(seed: int, epochs: int, device: str) -> dict[str, Any]:
    """The loop of a blog post. The score that is compared is taken afterwards, the way that comp takes it."""
    import albumentations as A
    import cv2
    import numpy as np
    import torch
    from albumentations.pytorch import ToTensorV2
    from segmentation_models_pytorch.losses import DiceLoss
    from torch.utils.data import DataLoader, Dataset

    class Frames(Dataset):  # type: ignore[type-arg]
        def __init__(self, ids: list[str], transform: A.Compose) -> None:
            self.ids, self.transform = ids, transform

        def __len__(self) -> int:
            return len(self.ids)

        def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
            folder = camvid().folder
            image = cv2.cvtColor(cv2.imread(str(folder / "images" / f"{self.ids[i]}.png")), cv2.COLOR_BGR2RGB)
            mask = cv2.imread(str(folder / "masks" / f"{self.ids[i]}.png"), cv2.IMREAD_UNCHANGED)
            mask[mask == CAMVID.void] = 255
            changed = self.transform(image=image, mask=mask)
            return changed["image"], changed["mask"].long()

    end = [A.Normalize(mean=(0.5,) * 3, std=(0.5,) * 3), ToTensorV2()]
    resize = A.Resize(*SIZE, interpolation=cv2.INTER_LINEAR)
    augmented = A.Compose([resize, A.HorizontalFlip(p=0.5), A.RandomBrightnessContrast(p=0.5), *end])
    train_ids, valid_ids = official()
    torch.manual_seed(seed)
    model = lite0_unet().to(device)
    since_start = time.perf_counter()  # after the imports and the weights, for both
    train = DataLoader(Frames(train_ids, augmented), BATCH, shuffle=True, num_workers=2, drop_last=False)
    valid = DataLoader(Frames(valid_ids, A.Compose([resize, *end])), BATCH, num_workers=2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, epochs=epochs, steps_per_epoch=len(train))
    cross_entropy, dice = torch.nn.CrossEntropyLoss(ignore_index=255), DiceLoss("multiclass", ignore_index=255)
    training_s = 0.0
    for _epoch in range(epochs):
        model.train()
        since = time.perf_counter()
        for images, masks in train:
            optimizer.zero_grad()
            images, masks = images.to(device), masks.to(device)
            logits = model(images)
            loss = cross_entropy(logits, masks) + dice(logits, masks)
            loss.backward()
            optimizer.step()
            scheduler.step()
        loss.item()  # waits for the device
        training_s += time.perf_counter() - since
        model.eval()
        matrix = np.zeros((11, 11), np.int64)
        with torch.no_grad():
            for images, masks in valid:
                found, known = model(images.to(device)).argmax(1).cpu().numpy(), masks.numpy() != 255
                matrix += np.bincount(11 * masks.numpy()[known] + found[known], minlength=121).reshape(11, 11)
    wall_s = time.perf_counter() - since_start
    return {
        "images_per_s": epochs * len(train_ids) / training_s,
        "wall_s": wall_s,
        "score": own_size_score(model.cpu()),
    }


def own_size_score(model: Any) -> float:
    """mIoU over the official validation frames at their own size, in float32."""
    import cv2
    import numpy as np
    import torch
    from torch.nn import functional as F

    from competition.config.settings import Metric
    from competition.scoring import confusion, metrics

    matrices = []
    for name in official()[1]:
        image = cv2.cvtColor(cv2.imread(str(camvid().folder / "images" / f"{name}.png")), cv2.COLOR_BGR2RGB)
        truth = cv2.imread(str(camvid().folder / "masks" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
        truth[truth == CAMVID.void] = 255
        pixels = torch.from_numpy(cv2.resize(image, SIZE[::-1])).permute(2, 0, 1)[None]
        with torch.no_grad():
            logits = F.interpolate(model((pixels / 255 - 0.5) / 0.5), size=truth.shape, mode="bilinear")
        matrices.append(confusion.count(logits[0].argmax(0).numpy().astype(np.uint8), truth, 11))
    return metrics.score(Metric.MIOU, np.stack(matrices))


def lite0_unet() -> Any:
    """The network with the weights of the package, built by comp's own function to save the renaming of 288 keys."""
    from competition.training.network.model import build_network

    ours = config(0, EPOCHS)
    return build_network(ours.model, classes=len(CAMVID.classes), root=Path(), size=ours.train_size)


def comp(seed: int, epochs: int, device: str) -> dict[str, Any]:
    """A fold job, as a worker's child runs it."""
    from competition.training import recipe
    from competition.training.reporting import Reporter

    with tempfile.TemporaryDirectory() as folder:
        spec = replace(job(Path(folder), seed, epochs), device=device)
        since = time.perf_counter()
        done = recipe.train(spec, Reporter(lambda _progress: True))
        wall_s = time.perf_counter() - since
    facts = {key: done.facts[key] for key in ("precision", "device", "torch", "wait_share")}
    images = epochs * len(official()[0])
    return {"images_per_s": images / done.train_s, "wall_s": wall_s, "score": done.score, **facts}


def config(seed: int, epochs: int) -> Any:
    from competition.config.experiment import Config, with_overrides

    return with_overrides(Config(), [*OVERRIDES, f"seed={seed}", f"train.epochs={epochs}"])


def job(root: Path, seed: int, epochs: int) -> Any:
    """Fold 0 of the official split, in a competition made in the folder `root`; it has no test images."""
    from competition.data.split.folds import NEVER, Scheme, Split
    from competition.jobspec import JobSpec
    from competition.lifecycle import JobKind
    from competition.paths import Paths

    manifest, settings = camvid().index(root)
    paths = Paths(root)
    manifest.write(paths.manifest(manifest.fingerprint))
    validating = set(official()[1])
    split = Split(Scheme.IMPORTED, 1, 0, {item.id: 0 if item.id in validating else NEVER for item in manifest.items})
    split.write(paths.folds(manifest.fingerprint, 1))
    return JobSpec(
        root,
        "token",
        f"seed-{seed}",
        JobKind.FOLD,
        0,
        config(seed, epochs),
        settings,
        manifest.fingerprint,
        1,
        split.hash,
    )


def overhead(seed: int, epochs: int, on: str, steps: int = 46, rounds: int = 3) -> dict[str, float]:
    """Seconds of a step: forward, backward and update on tensors that lie ready; and of one within an epoch's loop."""
    import torch

    from competition.training import hardware, seeds
    from competition.training.dataset import TrainingImages, load_batches, plan_batches
    from competition.training.job_data import load_job_data
    from competition.training.learner import Learner
    from competition.training.loss_meter import LossMeter, Position
    from competition.training.reporting import Reporter

    device = torch.device(on)
    with tempfile.TemporaryDirectory() as folder:
        spec = job(Path(folder), seed, epochs)
        reporter = Reporter(lambda _progress: True)
        data = load_job_data(spec, reporter)
        seeds.seed_everything(seed, spec.config.train.deterministic)
        wanted = plan_batches(data.train, seed=seed, batch_size=BATCH, epochs=100)
        batches = load_batches(TrainingImages(data.cache, spec.config), wanted, workers=2, device=device)
        hardware.bind(device)
        learner = Learner(segmenter(spec.config, device), spec.config, epochs=100, steps=steps, device=device)
        learner.segmenter.train()
        resident = next(batches)
        images, masks = resident.images.to(device), resident.masks.to(device)
        network, criterion, optimizer = learner.segmenter, learner._criterion, learner._optimizer
        bare, loop = [], []
        for _round in range(rounds):
            since = time.perf_counter()
            for _step in range(steps):
                optimizer.zero_grad(set_to_none=True)
                loss = criterion(network(images), masks)
                loss.backward()
                optimizer.step()
            loss.item()
            bare.append((time.perf_counter() - since) / steps)
            losses = LossMeter(Position())
            since = time.perf_counter()
            for _step in range(steps):
                batch = next(batches)
                losses.add(learner.step(batch), batch.plan)
                if reporter.is_due:
                    losses.read()
            losses.read()
            loop.append((time.perf_counter() - since) / steps)
    return {"bare_s": statistics.median(bare), "loop_s": statistics.median(loop)}


def inference_by_hand(seed: int, epochs: int, device: str) -> dict[str, float]:
    """Images per second from decoded pixels to labels at the images' own size, in float32, as a script would do it."""
    import numpy as np
    import torch
    from torch.nn import functional as F

    def one_pass(data: Any) -> None:
        with torch.no_grad():
            for start in range(0, len(data.valid), BATCH):
                items = data.valid[start : start + BATCH]
                pixels = np.stack([data.cache.images[data.cache.index[item.id]] for item in items])
                images = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float().contiguous() / 255 - 0.5) / 0.5
                size = (items[0].height, items[0].width)
                logits = F.interpolate(network(images.to(device)), size=size, mode="bilinear")
                logits.argmax(1).to(torch.uint8).cpu().numpy()

    network = lite0_unet().eval().to(device)
    return passes(one_pass, seed, epochs)


def inference_by_comp(seed: int, epochs: int, on: str) -> dict[str, float]:
    """The same by comp, which also sets its process up."""
    import torch

    from competition.config.experiment import PredictConfig
    from competition.training import hardware, predict

    device = torch.device(on)
    hardware.bind(device)
    ours = segmenter(config(seed, epochs), device).to(device, memory_format=torch.channels_last)

    def one_pass(data: Any) -> None:
        found = predict.predictions(
            ours,
            data.cache.images,
            data.cache.index,
            data.valid,
            batch_size=BATCH,
            device=device,
            config=PredictConfig(),
        )
        for _item, logits in found:
            predict.labels(logits)

    return passes(one_pass, seed, epochs)


def passes(one_pass: Callable[[Any], None], seed: int, epochs: int, rounds: int = 3) -> dict[str, float]:
    """The median rate of passes over the validation frames."""
    from competition.training.job_data import load_job_data
    from competition.training.reporting import Reporter

    rates = []
    with tempfile.TemporaryDirectory() as folder:
        data = load_job_data(job(Path(folder), seed, epochs), Reporter(lambda _progress: True))
        for _round in range(rounds):
            since = time.perf_counter()
            one_pass(data)
            rates.append(len(data.valid) / (time.perf_counter() - since))
    return {"images_per_s": statistics.median(rates)}


def segmenter(config: Any, device: Any) -> Any:
    """comp's network with its arithmetic."""
    from competition.training.network.model import Segmenter, normalisation
    from competition.training.network.precision import resolve_precision

    precision = resolve_precision(config.train.precision, device)
    return Segmenter(lite0_unet(), normalisation(config.model, root=Path(), fold=0), precision)


WAYS = {
    "reference": reference,
    "comp": comp,
    "overhead": overhead,
    "inference-by-hand": inference_by_hand,
    "inference-by-comp": inference_by_comp,
}

if __name__ == "__main__":
    main()
