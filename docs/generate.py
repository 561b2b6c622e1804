"""Write docs/reference from the code: `python docs/generate.py` (or `make docs`). A test compares."""

import inspect
from pathlib import Path

from pydantic import BaseModel
from typer.testing import CliRunner

from competition.config.experiment import Config
from competition.config.settings import UNLOCKED, DataSettings, Settings
from competition.ensemble.export import ExportPaths
from competition.paths import EnsemblePaths, JobPaths, Paths, PseudoPaths
from competition.team.roles import ALIASES, RIGHTS, Role

REFERENCE = Path(__file__).parent / "reference"
NOTE = "<!-- Written by docs/generate.py from the code. Change the code, then run `make docs`. -->\n\n"


def pages() -> dict[str, str]:
    """The text of every generated page, by file name."""
    return {
        "commands.md": commands(),
        "configuration.md": configuration(),
        "roles.md": roles(),
        "files.md": files(),
    }


def command_names() -> list[str]:
    """Every command and subcommand as it is typed, without `comp`."""
    from competition.cli.app import make_app

    app = make_app()
    names = [c.name or c.callback.__name__ for c in app.registered_commands if c.callback and not c.hidden]
    for group in app.registered_groups:
        for command in group.typer_instance.registered_commands if group.typer_instance else []:
            if command.callback:
                names.append(f"{group.name} {command.name or command.callback.__name__}")
    return names


def commands() -> str:
    """`--help` of every command."""
    text = "# Commands\n\n" + NOTE
    text += "Exit codes: 0 success, 1 expected error (one message), 2 usage, 3 a bug in comp, 130 interrupted.\n"
    text += "Data goes to stdout, talk and progress to stderr.\n"
    for name in ["", *command_names()]:
        text += f"\n## comp{' ' + name if name else ''}\n\n```\n{_help(name)}\n```\n"
    return text


def configuration() -> str:
    """Every key of baseline.yaml and competition.yaml."""
    text = "# Configuration\n\n" + NOTE
    text += "## baseline.yaml\n\nEvery leaf key can be set with `comp init --set KEY=VALUE` (the baseline) or "
    text += "`comp run --set KEY=VALUE` (an experiment).\n"
    text += "\n| key | default | values |\n|---|---|---|\n| `seed` | `42` | 0 to 2147483647 |\n"
    for section, field in Config.model_fields.items():
        model = field.annotation
        if inspect.isclass(model) and issubclass(model, BaseModel):
            text += f"\n### {section}\n\n{inspect.getdoc(model)}\n\n{_keys(model, section + '.')}"
    text += "\n## competition.yaml\n\nWritten by `comp init`; locked once an experiment exists, but for "
    text += f"{', '.join(f'`{key}`' for key in UNLOCKED)}.\n\n{inspect.getdoc(Settings)}\n\n"
    text += _keys(Settings, "", skip=("data",))
    text += f"\n### data\n\n{inspect.getdoc(DataSettings)}\n\n{_keys(DataSettings, 'data.')}"
    return text


def roles() -> str:
    """The roles, how people spell them, and what only some may do."""
    text = "# Roles\n\n" + NOTE + "| role | also understood |\n|---|---|\n"
    for role in Role:
        spelled = ", ".join(alias for alias, meant in ALIASES.items() if meant is role)
        text += f"| {role} | {spelled} |\n"
    text += "\nUpper and lower case, hyphens, underscores and spaces make no difference.\n"
    text += "\n| to do this without `--force` | takes one of the roles |\n|---|---|\n"
    for right, allowed in RIGHTS.items():
        text += f"| {right} | {', '.join(sorted(allowed)) or 'no role'} |\n"
    text += "\nIn a lineage of their own, members promote without a role. "
    text += "Everything else is open to every member. `--force` is open to everybody and is recorded as an event; "
    text += "if no role has the right, it is the only way. A split that leaks takes `--allow-leaks REASON` instead.\n"
    return text


def files() -> str:
    """Every file of a competition, from paths.py."""
    paths = Paths(Path())
    rows = [
        (paths.competition, Paths.competition),
        (paths.baseline, Paths.baseline),
        (paths.database, Paths.database),
        (paths.database_log, Paths.database_log),
        (paths.database_copy("<revision>"), Paths.database_copy),
        (paths.mlflow, Paths.mlflow),
        (paths.crash_log, Paths.crash_log),
        (paths.manifest("<fingerprint>"), Paths.manifest),
        (paths.findings("<fingerprint>"), Paths.findings),
        (Path(str(paths.folds("<fingerprint>", 1)).replace("v1", "v<N>")), Paths.folds),
        (paths.cache("<fingerprint>"), Paths.cache),
        (paths.experiment_config("<name>"), Paths.experiment_config),
        (paths.experiment_code("<name>"), Paths.experiment_code),
    ]
    rows += _members(JobPaths(paths.experiment("<name>") / "fold<k>"))
    rows += _members(paths.ensemble("<name>"))
    pseudo = paths.pseudo("<name>")
    rows += [(pseudo.facts, PseudoPaths.facts)]
    rows += [(Path(str(pseudo.manifest(0)).replace("fold0", "fold<k>")), PseudoPaths.manifest)]
    rows += [(Path(str(pseudo.labels(0)).replace("fold0", "fold<k>")), PseudoPaths.labels)]
    rows += [(paths.submissions(), Paths.submissions)]
    rows += [(paths.unfinished_blend("<name>"), Paths.unfinished_blend)]
    rows += [(paths.augment_preview("<name>"), Paths.augment_preview)]
    rows += [(paths.report_page, Paths.report_page)]
    rows += [(paths.comparison_page("<a>", "<b>"), Paths.comparison_page)]
    rows += [(paths.eda_page, Paths.eda_page), (paths.eda_summary, Paths.eda_summary)]
    exported = ExportPaths(Path("<exported>"))
    rows += [
        *_members(exported),
        (Path(str(exported.model("<name>", 0)).replace("fold0", "fold<k>")), ExportPaths.model),
        (exported.code("<name>"), ExportPaths.code),
    ]
    text = "# Files\n\n" + NOTE + "| file | what it holds |\n|---|---|\n"
    for path, source in rows:
        text += f"| `{path}` | {inspect.getdoc(source)} |\n"
    text += "\nThe debug job's files lie in `debug/` instead of `fold<k>/`, "
    text += "those of further seeds in `fold<k>-repeat<r>/`.\n"
    text += "Each file is written aside and renamed.\n"
    return text


def _members(paths: JobPaths | EnsemblePaths | ExportPaths) -> list[tuple[Path, object]]:
    properties = inspect.getmembers(type(paths), lambda member: isinstance(member, property))
    return [(getattr(paths, name), member) for name, member in properties]


def _keys(model: type[BaseModel], prefix: str, *, skip: tuple[str, ...] = ()) -> str:
    text = "| key | default | values |\n|---|---|---|\n"
    properties = model.model_json_schema()["properties"]
    definitions = model.model_json_schema().get("$defs", {})
    plain = model.model_construct().model_dump(mode="json", warnings=False)
    for name, field in model.model_fields.items():
        if name not in skip:
            default = "required" if field.is_required() else f"`{plain.get(name)}`"
            text += f"| `{prefix}{name}` | {default} | {_values(properties[name], definitions)} |\n"
    return text


def _values(schema: dict[str, object], definitions: dict[str, dict[str, object]]) -> str:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        return _values(definitions[reference.rpartition("/")[2]], definitions)
    alternatives = schema.get("anyOf")
    if isinstance(alternatives, list):
        return " or ".join(_values(a, definitions) for a in alternatives)
    if "enum" in schema:
        return ", ".join(f"`{v}`" for v in schema["enum"])  # type: ignore[attr-defined]
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return "a list" if "prefixItems" not in schema else "HEIGHTxWIDTH, multiples of 32"
    bounds = [
        f"{words} {schema[key]}"
        for key, words in (
            ("minimum", "from"),
            ("exclusiveMinimum", "above"),
            ("maximum", "to"),
            ("exclusiveMaximum", "below"),
        )
        if key in schema
    ]
    kind = {"string": "text", "null": "nothing"}.get(str(schema.get("type")), str(schema.get("type", "text")))
    return " ".join([kind, *bounds])


def _help(name: str) -> str:
    from competition.cli.app import make_app

    ran = CliRunner().invoke(make_app(), [*name.split(), "--help"], env={"COLUMNS": "80"}, prog_name="comp")
    lines = ran.stdout.rstrip().splitlines()
    return "\n".join(line.rstrip() for line in lines).strip()


if __name__ == "__main__":
    for page, text in pages().items():
        (REFERENCE / page).write_text(text, encoding="utf-8")
