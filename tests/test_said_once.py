"""No function stands under two names, and what a docstring begins to explain it explains to the end."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("mvr", "eval")
SHORTEST = 300  # of a body's syntax tree: a line that only passes something on may stand twice
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def functions() -> list[tuple[str, Function]]:
    """Each with its place."""
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node)
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, Function)
    ]


def body_of(function: Function) -> str:
    """The syntax tree of a body without its docstring, its own names numbered in the order they come."""
    own = {argument.arg for argument in ast.walk(function.args) if isinstance(argument, ast.arg)}
    nodes = function.body[1:] if ast.get_docstring(function) else function.body
    names = [node for part in nodes for node in ast.walk(part) if isinstance(node, ast.Name)]
    own |= {node.id for node in names if isinstance(node.ctx, ast.Store)}
    numbers = {
        name: str(number) for number, name in enumerate(dict.fromkeys(n.id for n in names if n.id in own))
    }
    dumped = "\n".join(ast.dump(node) for node in nodes)
    return re.sub(r"Name\(id='(\w+)'", lambda m: f"Name(id='{numbers.get(m[1], m[1])}'", dumped)


def test_no_function_stands_under_two_names() -> None:
    seen: dict[str, str] = {}
    twice = []
    for place, function in functions():
        body = body_of(function)
        if len(body) >= SHORTEST and body in seen:
            twice.append(f"{place} says again what {seen[body]} says")
        seen.setdefault(body, place)
    assert twice == []


def test_args_of_a_docstring_are_all_of_them() -> None:
    lacking = []
    for place, function in functions():
        told = (ast.get_docstring(function) or "").partition("Args:")[2]
        told = re.split(r"\n(?:Returns|Raises|Yields|>>>)", told)[0]
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        names = [argument.arg for argument in arguments if argument.arg not in ("self", "cls")]
        lacking += [f"{place}: {name}" for name in names if told and not re.search(rf"\b{name}\b", told)]
    assert lacking == []
