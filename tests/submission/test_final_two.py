import pytest

from competition.submission.final_two import Candidate, choose


def candidate(name: str, cv: float, **weights: float) -> Candidate:
    return Candidate(name, cv, weights or {name: 1.0}, is_blend=len(weights) > 1)


def test_shared_weight_is_what_lies_on_the_same_experiments() -> None:
    first = candidate("e1", 0.6, a=0.5, b=0.3, c=0.2)
    assert first.shared_with(candidate("e2", 0.5, a=0.2, b=0.5, d=0.3)) == pytest.approx(0.5)
    assert first.shared_with(candidate("a", 0.5)) == pytest.approx(0.5)
    assert first.shared_with(candidate("z", 0.5)) == 0.0


def test_the_second_is_the_best_blend_that_is_another_bet() -> None:
    best = candidate("e1", 0.60, a=0.5, b=0.5)
    same = candidate("e2", 0.59, a=0.4, b=0.4, c=0.2)
    single = candidate("c", 0.58)
    other = candidate("e3", 0.57, c=0.5, d=0.5)
    assert choose([best, same, single, other]) == (best, other)
    assert choose([best, same, single]) == (best, single)
    assert choose([best, same]) == (best, None)
    assert choose([single, best, same, other]) == (single, best)
