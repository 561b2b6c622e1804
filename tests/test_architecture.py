"""The rules of the house, held by reading the code's imports."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import competition

PACKAGE = Path(competition.__file__).parent
HEAVY = ("torch", "cv2", "sklearn", "albumentations", "segmentation_models_pytorch", "pandas", "matplotlib")

EXPORTED = "ensemble/exported/predict.py"
"""Copied by `comp export`."""

LAYERS = [
    {"errors", "files", "names", "paths", "lifecycle", "wording"},
    {"config"},
    {"demo", "jobspec", "team"},
    {"scoring"},
    {"data"},
    {"store"},
    {"experiments"},
    {"predictions"},
    {"ensemble", "notify", "queue"},
    {"submission"},
    {"report"},
    {"api"},
    {"cli"},
]
"""From the bottom up: a module imports its own layer and those below."""


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if p.parent != PACKAGE or p.stem not in ("__init__", "__main__"))


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    """The dotted names that a module imports anywhere, those for the type checker alone left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Whoever reads one of them would have to read all. What `cli.app` loads by name when it is called is left out."""
    names = {str(p.relative_to(PACKAGE.parent).with_suffix("")).replace("/", "."): p for p in modules()}
    TopologicalSorter({name: imports_of(path) & names.keys() for name, path in names.items()}).prepare()


def parts_imported(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imports_of(path) if name.startswith("competition.") and name.count(".")}


def layer_of(part: str) -> int:
    return next((level for level, parts in enumerate(LAYERS) if part in parts), -1)


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    part = part_of(path)
    if part == "training":
        allowed = {"config", "data", "jobspec", "predictions", "scoring", *LAYERS[0]}
        assert parts_imported(path) - {"training"} <= allowed
        return
    assert layer_of(part) >= 0, f"{part} has no layer: give it one in LAYERS"
    wrong = [p for p in parts_imported(path) if layer_of(p) > layer_of(part)]
    assert not wrong


@pytest.mark.parametrize("room", ["network", "augmenting"])
def test_the_rooms_in_training_know_nothing_of_the_rest_of_it_but_its_seeds(room: str) -> None:
    imported = {name for p in (PACKAGE / "training" / room).glob("*.py") for name in imports_of(p)}
    outside = {name for name in imported if re.match(rf"competition\.training\.(?!{room}\b)", name)}
    assert {name.split(".")[2] for name in outside} == {"seeds"}


def test_only_the_child_process_reaches_training() -> None:
    reaching = {
        str(p.relative_to(PACKAGE)) for p in modules() if part_of(p) != "training" and "training" in parts_imported(p)
    }
    assert reaching == {"queue/children.py"}


def test_torch_is_imported_in_training_alone() -> None:
    roots = {p: {name.split(".")[0] for name in imports_of(p)} for p in modules()}
    outside = {
        str(p.relative_to(PACKAGE)) for p, names in roots.items() if "torch" in names and part_of(p) != "training"
    }
    assert outside == {EXPORTED}


def test_the_exported_program_and_comp_do_not_import_each_other() -> None:
    assert not [name for name in imports_of(PACKAGE / EXPORTED) if name.split(".")[0] == "competition"]
    assert not [p for p in modules() if any(name.startswith("competition.ensemble.exported") for name in imports_of(p))]


def test_the_list_of_commands_loads_what_typing_needs_and_no_more() -> None:
    """`comp --help` and completion pay for it each time."""
    program = (
        "import sys; from competition.cli.app import make_app; make_app(); "
        "print(*{m.partition('.')[0] for m in sys.modules})"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pydantic", "sqlalchemy", "numpy", "yaml", "matplotlib", *HEAVY} & set(loaded)


def test_sqlalchemy_stays_in_the_store() -> None:
    roots = {p: {name.split(".")[0] for name in imports_of(p)} for p in modules()}
    outside = {part_of(p) for p, names in roots.items() if "sqlalchemy" in names}
    assert outside == {"store"}


def words_of_one_database(path: Path) -> set[str]:
    """Names, keywords and SQL in a module's code that only one database, or its driver, understands."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {name for name in imports_of(path) if re.match(r"sqlite3|psycopg|sqlalchemy\.dialects", name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and re.match(r"sqlite_|postgresql_", node.arg or ""):
            found.add(str(node.arg))
        elif isinstance(node, ast.Attribute) and node.attr in ("driver_connection", "exec_driver_sql", "json_each"):
            found.add(node.attr)
        elif isinstance(node, ast.Constant) and re.match(r"PRAGMA|BEGIN|SELECT|sqlite:", str(node.value)):
            found.add(str(node.value))
    return found


def test_only_the_engine_and_the_migrations_know_which_database_it_is() -> None:
    knowing = {str(p.relative_to(PACKAGE)) for p in modules() if words_of_one_database(p)}
    trackers = {"training/tracking.py"}  # the address of MLflow's own database
    assert {name for name in knowing if "store/migrations/" not in name} - trackers == {"store/engine.py"}


@pytest.mark.parametrize(
    "command", [["--help"], ["leaderboard"], ["queue"], ["assign", "--list"], ["status"], ["report"]]
)
def test_light_commands_load_nothing_heavy(command: list[str], ready: Path) -> None:
    code = (
        "import sys; from competition.cli.boundary import run; code = run(sys.argv[1:]); "
        f"print('HEAVY', [m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr); sys.exit(code)"
    )
    ran = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, cwd=ready, check=True)
    assert "HEAVY []" in ran.stderr


def commands() -> list[Path]:
    """The modules that hold commands: they add them to the app in `register`."""
    return [path for path in sorted((PACKAGE / "cli").glob("*.py")) if "register" in functions_of(path)]


def functions_of(path: Path) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def names_called(path: Path) -> set[str]:
    """The dotted names of what a module calls, from the package on where a name was imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    called = [ast.unparse(node.func).split(".") for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {".".join([imported.get(head, head), *rest]) for head, *rest in called}


def functions_that_write_rows() -> set[str]:
    """The dotted names of the functions in store/ that open a write transaction."""
    return {
        ".".join((*path.relative_to(PACKAGE.parent).with_suffix("").parts, name))
        for path in (PACKAGE / "store").rglob("*.py")
        for name, function in functions_of(path).items()
        if "store.write()" in ast.unparse(function)
    }


def test_no_command_imports_another() -> None:
    names = {f"competition.cli.{path.stem}" for path in commands()}
    assert len(names) > 25
    assert {path.stem: both for path in commands() if (both := imports_of(path) & names)} == {}


@pytest.mark.parametrize("path", sorted((PACKAGE / "cli").rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_command_writes_a_file_or_a_row(path: Path) -> None:
    """A notebook must be able to do the same, so that work is below cli/."""
    rows = functions_that_write_rows()
    assert "competition.store.members.assign" in rows
    files = {
        name for name in names_called(path) if name.rpartition(".")[2] in ("write_text", "write_json", "write_bytes")
    }
    assert (files | names_called(path) & rows) == set()


@pytest.mark.parametrize("path", commands(), ids=lambda p: p.stem)
def test_commands_leave_tables_to_show(path: Path) -> None:
    assert "competition.cli.show.output.table" not in names_called(path)
    assert not [name for name in imports_of(path) if name.split(".")[0] == "rich"]
