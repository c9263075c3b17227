"""Loops over rows, laid out from the formulas of a row activation: their source, as `actbench show` prints it.

A row takes as many passes as its reductions wait for each other, and one that writes the result. All reductions that
wait for the same share a pass. What a pass computes with a function such as exp and a later pass needs again is kept in
the row of the result until that is written, so that there is one exponential an element. What is picked of a row is
computed once more, in the target's column.

A row is all that the loops work on meanwhile, and the processor looks no further. So where arrays are large, loops of
vectors ask the memory for what the next row reads: in the pass that computes with a function, which takes longest, or
else in the last one. Where no pass computes, the first one asks for the place of the result as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from actbench.backends._row_notation import RowNotation, StoredLines
from actbench.model.row_graph import INPUT, NUMBER, PICK, REPLACE, Term, in_order, traced
from actbench.model.rule import Formula

IN_LINES = "k"
"""The column in loops over whole lines, from their first one on."""

KEPT = "kept"
"""The array of what a pass keeps for a later one: the row of the result, or a place of its size."""

OPERATORS = ("+", "-", "*", "/", "<", ">")

WHERE = "where"
"""The function by which loops choose between two numbers: every backend has its own."""


@dataclass(frozen=True)
class Pass:
    """One formula over rows: it reads `inputs`, and writes `outputs`, by their names."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    terms: tuple[Term, ...]

    @classmethod
    def of(cls, formula: Formula, outputs: Sequence[str], per_row: Sequence[str] | frozenset[str]) -> Pass:
        """Trace a formula."""
        inputs, terms = traced(formula, per_row)
        same: dict[tuple[object, ...], Term] = {}
        unique: dict[Term, Term] = {}
        for term in in_order(terms):
            arguments = tuple(unique[argument] for argument in term.arguments)
            key = (term.operation, term.value, *map(id, arguments))
            unique[term] = same.setdefault(key, Term(term.operation, arguments, term.value, term.per_row))
        return cls(inputs, tuple(outputs), tuple(unique[term] for term in terms))

    @cached_property
    def ordered(self) -> list[Term]:
        """All terms, arguments first."""
        return [*in_order(self.terms)]

    @property
    def functions(self) -> list[str]:
        """The functions of the namespace that it calls."""
        called = (term.operation for term in self.ordered if not term.reduces)
        return [
            *dict.fromkeys(name for name in called if name not in {INPUT, NUMBER, PICK, REPLACE, WHERE, *OPERATORS})
        ]

    @property
    def numbers(self) -> list[float]:
        """The numbers in it."""
        return [*dict.fromkeys(term.value for term in self.ordered if term.operation == NUMBER)]

    @property
    def results(self) -> list[str]:
        """The outputs that are one number an element."""
        return [name for name, term in zip(self.outputs, self.terms, strict=True) if not term.per_row]

    def source(self, notation: RowNotation, numbers: Sequence[float]) -> str:
        """Return the loop over rows; `numbers` have names by their place."""
        return "\n".join(_RowWriter(self, notation, numbers).lines())


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
        lines, values = self._elementwise([term for _, term in written])
        lines += [f"{self._element(name)} = {value}" for (name, _), value in zip(written, values, strict=True)]
        if asks := self._asks_last(notation.ask):
            yield "for begin in range(0, columns, block):"
            yield from self._indented(asks)
            yield "    for i in range(begin, min(begin + block, columns)):"
            yield from self._indented(lines, 2)
        else:
            yield "for i in range(columns):"
            yield from self._indented(lines)

    def _storing(self, written: Sequence[tuple[str, Term]], stored: StoredLines) -> Iterator[str]:
        """Yield the loop that computes whole lines of the results aside, and stores them."""
        lines, values = self._elementwise([term for _, term in written], IN_LINES)
        yield "for begin in range(0, columns, together):"
        yield from self._indented(self._asks_last(stored.ask))
        for name in (*self._read, KEPT):
            if any(f"{name}_now[" in line for line in (*lines, *values)):
                yield f"    {name}_now = {self._element(name, 'begin : begin + together')}"
        yield f"    for {IN_LINES} in range(together):"
        places = [stored.place.format(name=name) for name, _ in written]
        yield from self._indented([*lines, *map("{} = {}".format, places, values)], 2)
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
        lines, values = self._elementwise([term.arguments[0] for term in here], kept=self._kept(stage))
        lines += [
            notation.reduce[term.operation].format(name=name, value=value)
            for (term, name), value in zip(here.items(), values, strict=True)
        ]
        if notation.block and any(term.operation == "sum" for term in here):
            yield "for begin in range(0, columns, block):"
            yield from self._indented(self._asks_of(stage))
            for term, name in here.items():
                yield from self._indented(line.format(name=name) for line in notation.block[term.operation])
            yield "    for i in range(begin, min(begin + block, columns)):"
            yield from self._indented(lines, 2)
            for term, name in here.items():
                yield from self._indented(line.format(name=name) for line in notation.after_block[term.operation])
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
            place = f"begin + {column}" if column == IN_LINES else column
            return value if column == target else f"{self._call(WHERE)}({place} == {target}, {value}, {element})"
        return f"{self._call(term.operation)}({', '.join(texts)})"

    def _call(self, function: str) -> str:
        return self._notation.call.format(function=function)

    def _element(self, name: str, column: str = "i") -> str:
        if column == IN_LINES:
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
