"""Loops over rows, laid out from the formulas of a row activation: their source, as `actbench show` prints it.

A row takes as many passes as its reductions wait for each other, and one that writes the result. All reductions that
wait for the same share a pass. What a pass computes with a function such as exp and a later pass needs again is kept in
the row of the result until that is written, so that there is one exponential an element. What is picked of a row is
computed once more, in the target's column.

A row is all that the loops work on meanwhile, and some processors look no further. On those, where arrays are large,
loops of vectors ask the memory for what the next row reads: in the pass that computes with a function, which takes
longest, or else in the last one. Where no pass computes, the first one asks for the place of the result as well.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from actbench.backends._row_notation import RowNotation, StoredLines
from actbench.backends._row_passes import OPERATORS, WHERE, Pass
from actbench.model.row_graph import INPUT, NUMBER, PICK, REPLACE, Term, in_order

IN_BLOCK = "k"
"""The column in loops over a block of columns, from its first one on.

Such loops work on views of the block. An index that begins elsewhere than at 0 might be negative, as far as LLVM knows,
and then count from the end: with AVX-512 it gathered every element by an address that it had computed.
"""

KEPT = "kept"
"""The array of what a pass keeps for a later one: the row of the result, or a place of its size."""


def loop_of(one: Pass, notation: RowNotation, numbers: Sequence[float]) -> str:
    """Return the loop over rows of a pass; `numbers` have names by their place."""
    return "\n".join(_RowWriter(one, notation, numbers).lines())


class _RowWriter:
    """Writes the passes over a row."""

    def __init__(self, of: Pass, notation: RowNotation, numbers: Sequence[float]) -> None:
        self._of = of
        self._notation = notation
        self._numbers = numbers
        self._text: dict[Term, str] = {}
        """By number, or term of one number a row, its name or value where it is known already."""
        self._array: dict[Term, str] = {}
        """By term of one number an element, the array that has it."""
        self._count = 0
        self._stage: dict[Term, int] = {}
        for term in of.ordered:
            after = max((self._stage[argument] for argument in term.arguments), default=0)
            self._stage[term] = after + term.reduces
            if term.operation == NUMBER:
                name = f"c{numbers.index(term.value)}" if notation.names_numbers else repr(term.value)
                self._text[term] = name
            elif term.operation == INPUT and not term.per_row:
                self._array[term] = term.value

    def lines(self) -> Iterator[str]:
        """Yield the lines of the loop."""
        of = self._of
        last = max(self._stage.values())
        whole = next(term.value for term in of.ordered if term.operation == INPUT and not term.per_row)
        yield f"for r in span(len({whole})):"
        yield f"    columns = len({whole}[0])"
        if self._notation.row and of.results:
            yield "    " + self._notation.row.format(name=of.results[-1])
        for stage in range(1, last + 1):
            yield from self._indented(self._per_row(stage - 1))
            yield from self._indented(self._reductions(stage))
        yield from self._indented(self._per_row(last))
        written = [(name, term) for name, term in zip(of.outputs, of.terms, strict=True) if not term.per_row]
        if written:
            yield from self._indented(self._writing(written))
        for name, term in zip(of.outputs, of.terms, strict=True):
            if term.per_row:
                yield f"    {self._element(name, '0')} = {self._text[term]}"

    def _writing(self, written: Sequence[tuple[str, Term]]) -> Iterator[str]:
        """Yield the loop that writes the results, one number an element."""
        notation = self._notation
        if notation.stored:
            yield from self._storing(written, notation.stored)
            return
        asks = self._asks_last(notation.ask)
        column = IN_BLOCK if asks else "i"
        lines, values = self._elementwise([term for _, term in written], column)
        lines += [f"{self._element(name, column)} = {value}" for (name, _), value in zip(written, values, strict=True)]
        if asks:
            yield from self._in_blocks(asks, lines)
        else:
            yield "for i in range(columns):"
            yield from self._indented(lines)

    def _in_blocks(
        self, asks: Sequence[str], lines: Sequence[str], before: Sequence[str] = (), after: Sequence[str] = ()
    ) -> Iterator[str]:
        """Yield the loop over blocks of columns: what precedes and follows the loop over one, and its lines."""
        yield "for begin in range(0, columns, block):"
        yield from self._indented([*asks, *self._views(lines, "block"), *before])
        yield f"    for {IN_BLOCK} in range(min(block, columns - begin)):"
        yield from self._indented(lines, 2)
        yield from self._indented(after)

    def _views(self, lines: Sequence[str], length: str) -> Iterator[str]:
        """Yield the lines that name the views of a block of columns that these lines use."""
        text = "\n".join(lines)
        for name in (*self._read, *self._of.results, KEPT):
            if re.search(rf"\b{name}_now\[", text):
                yield f"{name}_now = {self._element(name, f'begin : begin + {length}')}"

    def _storing(self, written: Sequence[tuple[str, Term]], stored: StoredLines) -> Iterator[str]:
        """Yield the loop that computes whole lines of the results aside, and stores them."""
        lines, values = self._elementwise([term for _, term in written], IN_BLOCK)
        places = [stored.place.format(name=name) for name, _ in written]
        lines += map("{} = {}".format, places, values)
        yield "for begin in range(0, columns, together):"
        yield from self._indented([*self._asks_last(self._notation.ask_lines), *self._views(lines, "together")])
        yield f"    for {IN_BLOCK} in range(together):"
        yield from self._indented(lines, 2)
        yield from self._indented(stored.whole.format(name=name) for name, _ in written)

    def _asks_last(self, ask: str) -> list[str]:
        """Return what the loop that writes the results asks for."""
        return [] if self._slowest else self._asks(ask, self._read, "(r + 1)")

    @cached_property
    def _read(self) -> list[str]:
        """The arrays of one number an element that are read."""
        return [*dict.fromkeys(t.value for t in self._of.ordered if t.operation == INPUT and not t.per_row)]

    @cached_property
    def _slowest(self) -> int:
        """The first stage that computes sums with a function; 0 where none does."""
        sums = [term for term in self._of.ordered if term.operation == "sum" and self._computes(term.arguments[0])]
        return min((self._stage[term] for term in sums), default=0)

    def _asks_of(self, stage: int) -> Iterator[str]:
        """Yield what a stage with sums asks for in each block."""
        if stage == self._slowest:
            yield from self._asks(self._notation.ask, self._read, "(r + 1)")
        elif not self._slowest and not self._notation.stored:
            yield from self._asks(self._notation.ask, self._of.results[-1:], "r")

    @staticmethod
    def _asks(ask: str, names: Sequence[str], row: str) -> list[str]:
        return [ask.format(name=name, row=row) for name in names] if ask else []

    def _per_row(self, stage: int) -> Iterator[str]:
        """Yield what is computed once a row, after the reductions of a stage."""
        for term in self._of.ordered:
            if term.per_row and term not in self._text and self._stage[term] == stage:
                if term.operation == PICK:
                    lines, (value,) = self._elementwise(term.arguments[:1], self._text[term.arguments[1]])
                    yield from lines
                elif term.operation == INPUT:
                    value = self._element(term.value, "0")
                else:
                    value = self._written(term, self._text, "")
                name = self._new(term.value if term.operation == INPUT else "row")
                yield f"{name} = {value}"
                self._text[term] = name

    def _reductions(self, stage: int) -> Iterator[str]:
        notation = self._notation
        here = {
            term: self._new(term.operation) for term in self._of.ordered if term.reduces and stage == self._stage[term]
        }
        for term, name in here.items():
            yield from (line.format(name=name) for line in notation.start[term.operation])
        blocks = bool(notation.block) and any(term.operation == "sum" for term in here)
        column = IN_BLOCK if blocks else "i"
        lines, values = self._elementwise([term.arguments[0] for term in here], column, self._kept(stage))
        lines += [
            notation.reduce[term.operation].format(name=name, value=value)
            for (term, name), value in zip(here.items(), values, strict=True)
        ]
        if blocks:
            before, after = (
                [line.format(name=name) for term, name in here.items() for line in around[term.operation]]
                for around in (notation.block, notation.after_block)
            )
            yield from self._in_blocks([*self._asks_of(stage)], lines, before, after)
        else:
            yield "for i in range(columns):"
            yield from self._indented(lines)
        for term, name in here.items():
            yield from (line.format(name=name) for line in notation.end[term.operation])
            self._text[term] = name

    def _elementwise(
        self, roots: Sequence[Term], column: str = "i", kept: Term | None = None
    ) -> tuple[list[str], list[str]]:
        """Return the lines that compute terms of the element in a column, and their values; what is kept is stored."""
        lines: list[str] = []
        known = self._text | {term: self._element(name, column) for term, name in self._array.items()}
        needed = [term for term in in_order(roots, known) if not term.per_row]
        uses = Counter([*(argument for user in needed for argument in user.arguments), *roots])
        for term in needed:
            value = self._written(term, known, column)
            if uses[term] > 1 or term is kept:
                name = self._new("t")
                lines.append(f"{name} = {value}")
                value = name
            if term is kept:
                self._array[term] = KEPT
                lines.append(f"{self._element(KEPT, column)} = {value}")
            known[term] = value
        return lines, [known[term] for term in roots]

    def _kept(self, stage: int) -> Term | None:
        """Return the last term of an element that this stage computes by functions and a later stage needs, if any."""
        later = [
            root
            for root in [*self._of.terms, *(term.arguments[0] for term in self._of.ordered if term.reduces)]
            if not root.per_row and self._stage_of_root(root) > stage
        ]
        here = [term.arguments[0] for term in self._of.ordered if term.reduces and self._stage[term] == stage]
        needed = {*in_order(later, [term for term in self._of.ordered if term.per_row])}
        candidates = [term for term in in_order(here) if term in needed and self._computes(term)]
        free = KEPT not in self._array.values()
        return candidates[-1] if candidates and free and self._row_of_result() else None

    def _computes(self, term: Term) -> bool:
        """Return whether a function of elements has a part in a term of one number an element."""
        functions = self._of.functions
        return not term.per_row and any(one.operation in functions and not one.per_row for one in in_order([term]))

    def _stage_of_root(self, root: Term) -> int:
        waiting = [self._stage[term] for term in self._of.ordered if term.reduces and term.arguments[0] is root]
        return min(waiting) if waiting else max(self._stage.values()) + 1

    def _row_of_result(self) -> str:
        """Return the last output that is one number an element; nothing where there is none."""
        return self._of.results[-1] if self._of.results else ""

    def _written(self, term: Term, known: Mapping[Term, str], column: str) -> str:
        texts = [known[argument] for argument in term.arguments]
        if term.operation in OPERATORS:
            return f"({texts[0]} {term.operation} {texts[1]})"
        if term.operation == REPLACE:
            element, target, value = texts
            place = f"begin + {column}" if column == IN_BLOCK else column
            return value if column == target else f"{self._call(WHERE)}({place} == {target}, {value}, {element})"
        return f"{self._call(term.operation)}({', '.join(texts)})"

    def _call(self, function: str) -> str:
        return self._notation.call.format(function=function)

    def _element(self, name: str, column: str = "i") -> str:
        if column == IN_BLOCK:
            return f"{name}_now[{column}]"
        if name != KEPT:
            return self._notation.element.format(name=name, column=column)
        place = self._notation.kept or self._notation.element
        return place.format(name=self._row_of_result(), column=column)

    def _new(self, kind: str) -> str:
        self._count += 1
        return f"{kind}{self._count}"

    @staticmethod
    def _indented(lines: Iterator[str] | Sequence[str], depth: int = 1) -> Iterator[str]:
        yield from ("    " * depth + line for line in lines)
