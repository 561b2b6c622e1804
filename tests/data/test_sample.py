from collections import Counter

from competition.data.manifest import Manifest
from competition.data.sample import sample_images
from tests.data.making import item, make_manifest


def hundred() -> Manifest:
    """100 images in 10 groups; class 1 in five of them, class 2 in one."""
    items = []
    for k in range(100):
        pixels = (100 - 10 * (k % 20 == 0) - 10 * (k == 57), 10 * (k % 20 == 0), 10 * (k == 57))
        items.append(item(f"i{k}", pixels, group=f"g{k // 10}"))
    return Manifest(tuple(items))


def ids(manifest: Manifest) -> list[str]:
    return [i.id for i in manifest.items]


def test_its_size_is_the_share_but_no_less_than_asked_for() -> None:
    manifest = hundred()
    assert len(sample_images(manifest, ids(manifest), share=0.05, at_least=2, seed=0)) == 5
    assert len(sample_images(manifest, ids(manifest), share=0.051, at_least=2, seed=0)) == 6
    assert len(sample_images(manifest, ids(manifest), share=0.05, at_least=16, seed=0)) == 16
    assert sample_images(manifest, ids(manifest)[:7], share=0.05, at_least=16, seed=0) == ids(manifest)[:7]


def test_every_class_occurs_in_it() -> None:
    manifest = hundred()
    for seed in range(5):
        sample = sample_images(manifest, ids(manifest), share=0.05, at_least=2, seed=seed)
        assert "i57" in sample
        assert any(manifest.item(i).pixels[1] for i in sample)


def test_the_rarest_class_comes_first_when_room_is_short() -> None:
    manifest = hundred()
    assert sample_images(manifest, ids(manifest), at_least=1, share=0.01, seed=3) == ["i57"]


def test_it_is_spread_over_the_groups() -> None:
    manifest = hundred()
    sample = sample_images(manifest, ids(manifest), share=0.05, at_least=20, seed=0)
    assert set(Counter(manifest.item(i).group for i in sample).values()) == {2}


def test_it_is_drawn_from_the_given_ids_alone() -> None:
    manifest = hundred()
    assert set(sample_images(manifest, ids(manifest)[60:], share=0.05, at_least=10, seed=0)) <= set(ids(manifest)[60:])


def test_the_seed_decides_it_and_the_order_does_not() -> None:
    manifest = hundred()
    sample = sample_images(manifest, ids(manifest), share=0.05, at_least=10, seed=0)
    assert sample == sample_images(manifest, ids(manifest)[::-1], share=0.05, at_least=10, seed=0)
    assert sample == sorted(sample, key=lambda i: int(i[1:]))
    assert sample != sample_images(manifest, ids(manifest), share=0.05, at_least=10, seed=1)


def test_images_without_groups_will_do() -> None:
    manifest = make_manifest(*[(100, 0)] * 8, (0, 100))
    sample = sample_images(manifest, ids(manifest), share=0.05, at_least=4, seed=0)
    assert len(sample) == 4
    assert "i8" in sample
