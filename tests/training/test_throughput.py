import pytest
import torch

from competition.jobspec import Progress
from competition.training import hardware
from competition.training.reporting import Reporter
from competition.training.throughput import Throughput

CPU = torch.device("cpu")


def listening(*, interval_s: float) -> tuple[list[Progress], Reporter]:
    messages: list[Progress] = []

    def send(progress: Progress) -> bool:
        messages.append(progress)
        return True

    return messages, Reporter(send, interval_s=interval_s)


def test_what_is_told_of_a_job_half_way() -> None:
    messages, reporter = listening(interval_s=0.0)
    throughput = Throughput(reporter, epochs=4, steps=8, steps_done=2, device=CPU, loss=0.5, lr=1e-3, score=0.25)
    throughput.add_step(6, seconds=3.0, waited_s=0.3)
    throughput.add_step(6, seconds=1.0, waited_s=0.1)
    throughput.validation_s = 5.0
    throughput.report("train", epoch=2, done=2, total=2)
    # 4 of 8 steps are left at 2 s each, and 3 of 4 validations at 5 s.
    peak_mib = messages[0].memory_mib
    assert messages == [Progress(2, 4, 2, 2, 0.5, 0.25, 3.0, 4 * 2.0 + 3 * 5.0, "train", 1e-3, peak_mib)]
    assert peak_mib is not None
    assert 0.9 * peak_mib <= hardware.peak_memory_mib(CPU) <= 1.1 * peak_mib
    assert throughput.wait_share == 0.1


def test_nothing_is_known_before_the_first_step() -> None:
    throughput = Throughput(Reporter(lambda _: True), epochs=1, steps=1, steps_done=0, device=CPU)
    assert (throughput.images_per_s, throughput.wait_share) == (0.0, 0.0)


def test_progress_is_not_told_more_often_than_asked_for() -> None:
    messages, reporter = listening(interval_s=3600.0)
    throughput = Throughput(reporter, epochs=1, steps=9, steps_done=0, device=CPU)
    for step in range(9):
        throughput.report("train", epoch=1, done=step + 1, total=9)
    assert len(messages) == 1


def test_a_worker_that_is_gone_stops_the_job() -> None:
    reporter = Reporter(lambda _: False)
    Throughput(reporter, epochs=1, steps=1, steps_done=0, device=CPU).report("train", epoch=1, done=1, total=1)
    assert reporter.stopping


@pytest.mark.parametrize(
    ("waited_s", "summary"),
    [
        (0.1, "4.0 images/s; 5% of the time was spent waiting for images: the device is the bottleneck."),
        (0.5, "4.0 images/s; 25% of the time was spent waiting for images: preparing them is the bottleneck"),
    ],
)
def test_the_bottleneck_is_named(waited_s: float, summary: str) -> None:
    throughput = Throughput(Reporter(lambda _: True), epochs=1, steps=2, steps_done=0, device=CPU)
    throughput.add_step(4, seconds=1.0, waited_s=waited_s)
    throughput.add_step(4, seconds=1.0, waited_s=0.0)
    assert throughput.summary().startswith(summary)


def test_what_the_device_had_to_do_still_counts_as_training() -> None:
    """A GPU is handed its steps before it has done those before: the wait at an epoch's end is part of them."""
    throughput = Throughput(Reporter(lambda _: True), epochs=1, steps=2, steps_done=0, device=CPU)
    throughput.add_step(8, seconds=1.0, waited_s=0.2)
    throughput.add_device_wait(1.0)
    assert (throughput.images_per_s, throughput.wait_share) == (4.0, 0.1)


def test_an_attempt_that_trained_nothing_tells_no_speed() -> None:
    throughput = Throughput(Reporter(lambda _: True), epochs=1, steps=2, steps_done=2, device=CPU)
    assert throughput.summary() == "All training was done in earlier attempts."
