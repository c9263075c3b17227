"""Settings from a file and from the environment, which the command line overrides.

There are four layers, each overriding the one before: the file, its table for the command, the environment, the command
line. The settings follow from the commands' own options, and values are read by the options' own types, so that a new
option can be set at once. All layers but the command line reach click as one `default_map`, not by its ``envvar``. Only
so can a layer override a lower layer's value of *another* option (``--rounds`` overrides a budget in the file), and an
error name the origin of a bad value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import click

from actbench.cli import settings_file
from actbench.cli.settings_file import File
from actbench.cli.subcommands import reached, with_subcommands
from actbench.errors import InputError, unknown
from actbench.model.inputs import FILE_SUFFIX
from actbench.report.settings import Configuration, Setting

VARIABLE_PREFIX = "ACTBENCH_"
"""Prefix of the variables: ACTBENCH_MAX_CALL is --max-call."""

ONE_CALL = frozenset({"all", "output", "resume", "dry-run", "report", "store", "for-bisect"})
"""Options that concern a single call, so that a setting makes no sense."""

RUNS_CODE = "it runs code, and no file or variable that happens to be there may make a command do that"

EXPLICIT = {"load": RUNS_CODE, "load-baseline": RUNS_CODE, "scheduler": RUNS_CODE}
"""Options that only the command line may give, with the reason."""

PER_COMMAND = frozenset({"format"})
"""Options whose values differ from command to command, so that only a command's table can set them."""

LISTS = frozenset({"activation", "dtype", "size", "op", "operands"})
"""Options of which most commands take several values: a list for all commands is not for one that takes a single value,
which its own table may give."""

PATHS = {"against": "", "inputs": FILE_SUFFIX}
"""Options that may be paths, and how these end: a value is one if such a path exists, relative to the file."""

TABLE_OPTIONS = frozenset({"margins"})
"""Options whose values are all GLOB=PCT, so that a table can hold them."""

REPLACES = {
    "rounds": {"target", "budget"},
    "target": {"rounds"},
    "budget": {"rounds"},
    "engine=pyperf": {"target", "budget", "operands"},
    "baseline": {"against"},
    "against": {"baseline"},
    "resume": {"engine", "rounds", "target", "budget", "timeout"},  # the resumed run has its own
}
"""By option, or option and value: the options that it makes meaningless in lower layers."""

IN_USE = "actbench.settings"
"""Key of click's context under which the settings of the running command are kept."""

Options = dict[str, click.Option]
Layer = dict[str, Setting]


def configure(ctx: click.Context, name: str, command: click.Command, args: list[str]) -> None:
    """Put a command's settings beneath its command line. Help reads no settings, so that it always works."""
    words, command, args = reached(name, command, args)
    named = _named(ctx, command, args)
    if "help" in named:
        return
    _, held = _read(ctx)
    options = settable(command)
    settings = [item for item in _without(held.get(" ".join(words), {}), named).values() if item.name not in named]
    ctx.meta[IN_USE] = settings
    defaults: dict[str, Any] = {str(options[item.name].name): _for_click(options[item.name], item) for item in settings}
    for word in reversed(words):
        defaults = {word: defaults}
    ctx.default_map = defaults


def overview(ctx: click.Context) -> Configuration:
    """Return the settings of all commands, without any command line."""
    file, held = _read(ctx)
    hidden = settings_file.hidden_by(file) if file else None
    settings = dict.fromkeys(item for layer in held.values() for item in layer.values())
    return Configuration(
        file.place() if file else None,
        hidden.place() if hidden else None,
        tuple(sorted(settings, key=lambda item: (item.name, item.origin))),
    )


def remark(ctx: click.Context, message: str) -> str:
    """Return the origins of the settings that a message is about: those whose option or value it contains."""
    about = [
        f"{item.name} is from {item.origin}"
        for item in ctx.meta.get(IN_USE, ())
        if re.search(rf"--{item.name}(?![\w-])", message)
        or any(f"'{part.strip()}'" in message for text in item.texts for part in text.split(","))
    ]
    return f" ({', '.join(about)})" if about else ""


def settable(command: click.Command) -> Options:
    """Return the options of a command that a file or the environment may set, by their long names."""
    options = (option for option in command.params if isinstance(option, click.Option))
    named = {_long_name(option): option for option in options}
    return {name: option for name, option in named.items() if name and name not in {*ONE_CALL, *EXPLICIT}}


def variable(name: str) -> str:
    """Return the name of an option's environment variable."""
    return VARIABLE_PREFIX + name.replace("-", "_").upper()


def _long_name(option: click.Parameter) -> str:
    return next((written[2:] for written in option.opts if written.startswith("--")), "")


def _named(ctx: click.Context, command: click.Command, args: list[str]) -> dict[str, Any]:
    """Return the options on the command line with their values; click reports mistakes in them."""
    scratch = click.Context(command, parent=ctx, resilient_parsing=True)
    values, _, _ = command.make_parser(scratch).parse_args(list(args))
    return {_long_name(option): values[option.name] for option in command.get_params(scratch) if option.name in values}


def _read(ctx: click.Context) -> tuple[File | None, dict[str, Layer]]:
    """Return the file, and the settings of each command. Without a file or a variable, no command is imported."""
    file = settings_file.find()
    variables = {name: text for name, text in os.environ.items() if name.startswith(VARIABLE_PREFIX) and text}
    if not (file or variables):
        return None, {}
    group = ctx.find_root().command
    assert isinstance(group, click.Group)  # noqa: S101  # commands are called through their group
    existing = {name: group.get_command(ctx, name) for name in group.list_commands(ctx)}
    whole = chain.from_iterable(with_subcommands(name, command) for name, command in existing.items() if command)
    commands = {name: settable(command) for name, command in whole}
    _refuse_unknown_variables(variables, commands)
    if file:
        _refuse_unknown_names(file, commands)
    held: dict[str, Layer] = {}
    for name, options in commands.items():
        held[name] = {}
        for layer in _layers(ctx, name, options, file, variables):
            held[name] = _without(held[name], {item.name: item.value for item in layer.values()}) | layer
    return file, held


def _without(layer: Layer, above: Mapping[str, Any]) -> Layer:
    """Return a layer without the settings that the layer above makes meaningless."""
    settled = above.keys() | {f"{name}={value}" for name, value in above.items()}
    replaced = {name for key in settled for name in REPLACES.get(key, ())}
    return {name: item for name, item in layer.items() if name not in replaced}


def _layers(
    ctx: click.Context, command: str, options: Options, file: File | None, variables: Mapping[str, str]
) -> Iterator[Layer]:
    """Yield the file, its table for the command, and the environment: read strictly, the lowest first."""
    layers: list[list[Setting]] = []
    if file:
        shared = {
            name: value
            for name, value in file.content.items()
            if name not in PER_COMMAND and not _is_for_others(options.get(name), value)
        }
        for place, table in ((file.place(), shared), (file.place(command), file.content.get(command, {}))):
            layers.append([_written(file, place, options[name], table[name]) for name in table if name in options])
    environment = ((name, variables.get(variable(name))) for name in options)
    exported = ((options[name], text) for name, text in environment if text and name not in PER_COMMAND)
    layers.append([_exported(option, text) for option, text in exported if not _is_for_others(option, text)])
    for layer in layers:
        for item in layer:
            _check(ctx, options[item.name], item)
        yield {item.name: item for item in layer}


def _is_for_others(option: click.Option | None, value: Any) -> bool:
    """Return whether a list is meant for the commands that take one."""
    is_list = isinstance(value, list) or "," in str(value)
    return option is not None and _long_name(option) in LISTS and is_list and not option.multiple


def _for_click(option: click.Option, setting: Setting) -> str | list[str]:
    return list(setting.texts) if option.multiple else setting.texts[0]


# Values


def _written(file: File, place: str, option: click.Option, value: Any) -> Setting:
    """Read the value of an option in the file."""
    name = _long_name(option)
    try:
        return Setting(name, tuple(_texts(file, option, value)), place)
    except ValueError as error:
        raise InputError(f"{name} from {place}: {error}") from None


def _texts(file: File, option: click.Option, value: Any) -> Iterator[str]:
    """Yield the values in the notation of the command line; `ValueError` where TOML's type does not fit."""
    if option.is_flag:
        if not isinstance(value, bool):
            raise ValueError("write true or false")
        yield str(value).lower()
    elif isinstance(value, dict) and _long_name(option) in TABLE_OPTIONS:
        for glob, percentage in value.items():
            yield f"{glob}={_text(percentage)}"
    elif isinstance(value, list) and not option.multiple:
        raise ValueError("write one value, not a list")
    else:
        for text in map(_text, value if isinstance(value, list) else [value]):
            yield _beside(file, text) if _is_path(option, text) else text


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError("write a string or a number")  # noqa: TRY004  # the caller makes it the user's error
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)  # 1e6


def _is_path(option: click.Option, text: str) -> bool:
    """Return whether a text may be a path; what is empty is none, lest it become the directory of the file."""
    end = "" if isinstance(option.type, click.Path) else PATHS.get(_long_name(option))
    return bool(text) and end is not None and text.endswith(end)


def _beside(file: File, text: str) -> str:
    """Return a path relative to the directory of the file, if it exists there; otherwise the text, such as 'latest'."""
    sibling = file.path.parent / text
    return str(sibling) if os.path.exists(sibling) else text  # noqa: PTH110  # Path.exists raises for names too long


def _exported(option: click.Option, text: str) -> Setting:
    """Read the value of an option in the environment."""
    name = _long_name(option)
    texts = option.type.split_envvar_value(text) if option.multiple else [text]
    return Setting(name, tuple(part.strip() for part in texts), f"environment {variable(name)}")


def _check(ctx: click.Context, option: click.Option, setting: Setting) -> None:
    """Refuse a value that the command line would refuse; whether a path exists is checked by the command."""
    if isinstance(option.type, click.Path):
        return
    try:
        option.type_cast_value(ctx, _for_click(option, setting))
    except click.BadParameter as error:
        raise InputError(f"{setting.name} from {setting.origin}: {error.message}") from None
    except InputError as error:
        raise InputError(f"{setting.name} from {setting.origin}: {error}") from None


# Names


def _refuse_unknown_names(file: File, commands: Mapping[str, Options]) -> None:
    shared = _shared(commands)
    for name, value in file.content.items():
        if name in commands:
            if not isinstance(value, dict):
                raise InputError(f"{file.place()}: '{name}' is a command: write its settings as a table [{name}]")
            for key in value:
                if key not in commands[name]:
                    raise _unknown(file.place(name), f"setting of {name}", key, key, commands[name])
        elif name in PER_COMMAND:
            raise InputError(f"{file.place()}: {name} differs from command to command: set it in a table like [check]")
        elif name not in shared:
            raise _unknown(file.place(), "setting", name, name, shared | commands.keys())


def _refuse_unknown_variables(variables: Iterable[str], commands: Mapping[str, Options]) -> None:
    known = {variable(name): name for name in _shared(commands)}
    for written in variables:
        if written not in known:
            name = written.removeprefix(VARIABLE_PREFIX).replace("_", "-").lower()
            if name in PER_COMMAND:
                raise InputError(f"{written}: {name} differs from command to command: write --{name} instead")
            raise _unknown("environment", "variable", written, name, known)


def _shared(commands: Mapping[str, Options]) -> set[str]:
    """Return the names of the settings that apply to all commands."""
    return {name for options in commands.values() for name in options} - PER_COMMAND


def _unknown(place: str, what: str, written: str, name: str, known: Iterable[str]) -> InputError:
    if name in ONE_CALL:
        return InputError(f"{place}: {written} is about one call: write --{name} on the command line")
    if name in EXPLICIT:
        return InputError(f"{place}: {written} cannot be set, because {EXPLICIT[name]}: write --{name} yourself")
    return InputError(f"{place}: {unknown(what, written, known)}")
