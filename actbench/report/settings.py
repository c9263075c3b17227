"""Settings that differ from actbench's defaults, with their origins, in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of one option from a file or the environment."""

    name: str
    """The option's long name, without its dashes."""
    texts: tuple[str, ...]
    """Its values in the notation of the command line; several only where the option repeats."""
    origin: str
    """``actbench.toml [check]``, or ``environment ACTBENCH_MARGIN``."""

    @property
    def value(self) -> str:
        """All values in one line."""
        return ", ".join(self.texts) or "nothing"


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings that apply to some command, and the file that was read."""

    file: str | None
    passed_over: str | None
    """A second file with settings, which the first one hides."""
    settings: tuple[Setting, ...]


def as_text(configuration: Configuration) -> str:
    """Return the file, then one line per setting."""
    file = configuration.file or "none, neither actbench.toml nor [tool.actbench] in pyproject.toml, here or above"
    if configuration.passed_over:
        file += f"  -> hides {configuration.passed_over}: keep one of them"
    lines = [f"{item.name:<28} {item.value}  ({item.origin})" for item in configuration.settings]
    return "\n".join(["settings that are not defaults", f"{'file':<28} {file}", *(lines or [f"{'settings':<28} none"])])
