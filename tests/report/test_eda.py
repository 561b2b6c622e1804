import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from competition.config.experiment import Config
from competition.config.settings import DataSettings, Settings
from competition.data.eda.survey import survey
from competition.data.load import open_loader
from competition.paths import Paths
from competition.report.eda import write_eda_page
from tests.conftest import draw_images, save
from tests.data.making import index
from tests.report.parsing import read

SETTINGS = Settings(
    name="shapes <b>&",
    classes=("background", "square", "disc"),
    data=DataSettings(images="images", masks="masks", test_images="test_images", group_regex="^(g[0-9]+)_"),
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shapes")
    draw_images(root, images=14, test_images=3)
    (root / "images" / "g0_0.png").write_bytes((root / "images" / "g0_1.png").read_bytes())
    Image.new("RGB", (48, 32), "black").save(root / "images" / "g9_99.png")
    Image.new("L", (48, 32)).save(root / "masks" / "g9_99.png")
    manifest = index(SETTINGS, root)
    paths = Paths(root)
    paths.eda_page.parent.mkdir(parents=True)
    paths.eda_page.with_name("stale.png").write_bytes(b"")
    found = survey(manifest, SETTINGS, root, config=Config(), hash_file=root / "looks.csv", most=100)
    write_eda_page(found, manifest, open_loader(SETTINGS, root), paths)
    return paths.eda_page


def test_the_page_is_whole_and_needs_nothing_else(page: Path) -> None:
    parsed = read(page)
    assert all(address.startswith(("data:image/", "#")) for address in parsed.addresses)
    assert "url(" not in page.read_text(encoding="utf-8")


def test_links_inside_the_page_lead_somewhere(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    for anchor in [a for a in read(page).addresses if a.startswith("#")]:
        assert f'id="{anchor[1:]}"' in html


def test_names_from_people_are_text(page: Path) -> None:
    assert "shapes <b>&: the data" in read(page).text
    assert "<b>&:" not in page.read_text(encoding="utf-8")


def test_it_says_what_was_found(page: Path) -> None:
    text = re.sub(r"\s+", " ", read(page).text)
    assert "15 labelled images and 3 test images; every one was opened" in text
    assert "almost no contrast" in text
    assert "2 images, the same file: g0_0, g0_1" in text
    assert "median of 2 sizes" in text
    assert "It takes at least 20 images" in text


def test_the_pictures_lie_beside_it(page: Path) -> None:
    names = {path.name for path in page.parent.iterdir()}
    assert {"classes.png", "together.png", "places.png", "objects.png", "looks.png", "sizes.png"} <= names
    assert {"sheet-typical.png", "sheet-rare-classes.png", "sheet-suspicious.png"} <= names
    assert "stale.png" not in names
    for path in page.parent.glob("*.png"):
        with Image.open(path) as image:
            image.load()
            assert min(image.size) > 50


GENERATOR = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("shape", "classes", "void"),
    [((8, 8), 3, True), ((4, 900), 3, False), ((1, 1), 2, False), ((20, 20), 26, False)],
    ids=["all void", "very wide", "one pixel", "many classes"],
)
def test_strange_data_makes_a_page_too(tmp_path: Path, shape: tuple[int, int], classes: int, void: bool) -> None:
    for number in range(2):
        save(tmp_path / "images" / f"{number}.png", GENERATOR.integers(0, 256, (*shape, 3)).astype(np.uint8))
        labels = np.full(shape, 99, np.uint8) if void else GENERATOR.integers(0, classes, shape).astype(np.uint8)
        save(tmp_path / "masks" / f"{number}.png", labels)
    data = DataSettings(images="images", masks="masks")
    settings = Settings(name="odd", classes=tuple(f"유리 {n}" for n in range(classes)), void=99, data=data)
    manifest = index(settings, tmp_path)
    found = survey(manifest, settings, tmp_path, config=Config(), hash_file=tmp_path / "looks.csv", most=9)
    write_eda_page(found, manifest, open_loader(settings, tmp_path), Paths(tmp_path))
    text = read(Paths(tmp_path).eda_page).text
    assert "2 labelled images; every one was opened" in text
    assert ("Pictures show the 24 classes" in text) is (classes > 24)
