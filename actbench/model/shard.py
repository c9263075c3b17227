"""The part of a plan that a run measures, where several runs share one plan."""

from __future__ import annotations

from dataclasses import dataclass, replace

from actbench.errors import InputError
from actbench.model.cases import Block
from actbench.model.plan import Plan


@dataclass(frozen=True, slots=True)
class Shard:
    """Which part of which plan a run measures: the ``number``-th of ``count``, from 1."""

    number: int
    count: int
    plan: str
    """The digest of the whole plan."""
    blocks: tuple[str, ...]
    """The ids of all blocks of the whole plan, in its order."""


def part_of(plan: Plan, number: int, count: int) -> Plan:
    """Return the part of a plan that one of `count` shards measures; `InputError` where it is empty.

    Blocks of a family stay together: they share probes, and answers about sizes come from the same processes.
    Families go to the shard with the fewest arms so far, those with the most arms first.
    """
    families: dict[Block, list[Block]] = {}
    for block in plan.blocks:
        families.setdefault(block.family, []).append(block)
    if count > len(families):
        raise InputError(
            f"--shard {number}/{count}: the plan can be split into at most {len(families)} (one for each activation, "
            f"op and dtype): write K/{len(families)}"
        )
    arms = [0] * count
    members: set[str] = set()
    for blocks in sorted(families.values(), key=_arms, reverse=True):
        least = arms.index(min(arms))
        arms[least] += _arms(blocks)
        members |= {block.id for block in blocks} if least == number - 1 else set()
    return replace(plan, blocks=tuple(block for block in plan.blocks if block.id in members))


def _arms(blocks: list[Block]) -> int:
    return sum(len(block.timed) for block in blocks)
