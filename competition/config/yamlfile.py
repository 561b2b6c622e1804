"""Reading YAML into a frozen pydantic model, with every problem reported at once, each with its key."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from competition.errors import ConfigError, all_problems, did_you_mean


class Section(BaseModel):
    """A group of keys: frozen, every key known, no silent coercion (`true` is not 1, `"3"` is not 3)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True)


UnusedKeys = tuple[bool, list[str], str]
"""A condition under which dotted keys have no effect: whether it holds, the keys, and the reason."""
AnySection = TypeVar("AnySection", bound=Section)


class _Loader(yaml.SafeLoader):
    """YAML 1.1 as PyYAML reads it, except that `1e-3` is a number."""


class _Dumper(yaml.SafeDumper):
    """The matching writer: the text `1e-3` is written in quotes."""


for _both in (_Loader, _Dumper):
    _both.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
        list("-+0123456789."),
    )


def parse_value(text: str) -> Any:
    """The value of `text` as YAML reads it (`0.5`, `1e-3`, `true`, `[1, 2]`, `adamw`).

    Raises:
        ConfigError: the text is not YAML.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{text!r} is not a YAML value: {_where(error)}") from error


def load(path: Path) -> Any:
    """The plain values in the YAML file at `path`.

    Raises:
        ConfigError: the file is missing, cannot be read or is not YAML.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except FileNotFoundError as error:
        raise ConfigError(f"{path} does not exist.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {_where(error)}", hint="Fix that line by hand.") from error


def read(path: Path, model: type[AnySection]) -> AnySection:
    """The model that the YAML file at `path` describes.

    Raises:
        ConfigError: the file is missing, is not YAML, or has unknown keys or wrong values (all are named).
    """
    raw = load(path)
    if not isinstance(raw, dict):
        raise ConfigError(f"{path} must hold keys and values, not {_kind(raw)}.")
    return build(raw, model, source=path.name)


def build(raw: Mapping[str, Any], model: type[AnySection], *, source: str) -> AnySection:
    """The model that nested plain values describe; `source` names them in errors.

    Raises:
        ConfigError: unknown keys or wrong values; all are named.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        problems = [_sentence(e, model) for e in error.errors(include_url=False)]
        raise ConfigError(all_problems(source, problems)) from error


def dump(section: Section, *, nulls: bool = True) -> str:
    """The YAML text of a model, in the order its keys are declared, that `read` turns back into the same.

    Args:
        nulls: also write the keys whose value is null.
    """
    raw = section.model_dump(mode="json", exclude_none=not nulls)
    text: str = yaml.dump(raw, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return text


def leaf_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every dotted leaf key of a model: `seed`, `optimizer.lr`, …"""
    for name, field in model.model_fields.items():
        nested = _nested_model(field.annotation)
        if nested is None:
            yield prefix + name
        else:
            yield from leaf_keys(nested, f"{prefix}{name}.")


def _nested_model(annotation: Any) -> type[BaseModel] | None:
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _sentence(error: Any, model: type[BaseModel]) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{key}: no such key.{did_you_mean(key, leaf_keys(model))}"
    if error["type"] == "missing":
        return f"{key}: is missing."
    message = error["msg"].removeprefix("Value error, ")
    field = model.model_fields.get(key)
    value = "the value" if field is not None and not field.repr else repr(error["input"])  # a secret is not repeated
    return f"{key}: {value} is wrong: {message[:1].lower()}{message[1:]}."


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"{problem} (line {mark.line + 1}, column {mark.column + 1})" if mark else str(problem)


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
