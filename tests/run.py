#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs what make check and make check-slow consist of and adds up the results.

The last line is always "N passed, N failed"; the exit status is 0 only when something ran
and nothing failed. A program that crashes, hangs or ends without its report is a failure.
"""

import argparse
import collections
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
import xml.etree.ElementTree as ElementTree

UNIT_TIMEOUT_S = 120
MEMCHECK_TIMEOUT_S = 600
PYTEST_TIMEOUT_S = 1500
NAMES_MAX = 100  # of what failed, told again at the end
FUZZ_RSS_MB = 2048
FUZZ_INPUT_TIMEOUT_S = 10
FUZZ_SEED = 1
MALFORMED_RATE = 2000  # messages a second at least, sanitized on a busy machine
MODEL_TIMEOUT_S = 600
MODEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "model", "run.py")
# Rules of the registry that the rows of the unit tests' tables have to hold the code to,
# each at least twice, inside and outside. E and W are Istio's validation by the numbers of
# policy/object/entry_rules.h.
RULES = {
    **{f"E{n}": "ServiceEntry: error" for n in range(1, 43)},
    **{f"W{n}": "ServiceEntry: warning" for n in range(1, 7)},
    "1.1": "ServiceEntry: schema",
    "1.3": "ServiceEntry: what the schema refuses besides",
    "1.6": "traps of YAML",
    "2.1": "Sidecar: what it says",
    "2.2.1": "Sidecar: with a selector",
    "2.2.2": "Sidecar: of the namespace",
    "2.2.3": "Sidecar: of the root namespace",
    "2.2.4": "Sidecar: none",
    "2.3": "Sidecar: the mode",
    "2.4": "sources of the mesh's settings",
    "3.1": "exportTo",
    "3.2a": "the same host in several namespaces",
    "3.2b": "the same host in one namespace",
    "5.1": "Services, EndpointSlices and selected workloads",
    "7": "names and wildcards",
}
ROWS_MIN = 2
MEMCHECK = [
    "valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full",
    "--show-leak-kinds=definite,indirect,possible",
    "--errors-for-leak-kinds=definite,indirect,possible",
]
UNDER_WAY = set()  # processes
STOPPING = threading.Event()
LOCK = threading.Lock()  # of what several threads add to


class Count:
    """What passed, failed and was skipped, and the names of what failed."""

    def __init__(self, passed=0, failed=0, skipped=0, names=()):
        self.passed = passed
        self.failed = failed
        self.skipped = skipped
        self.names = list(names)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.names += other.names

    def __str__(self):
        text = f"{self.passed} passed"
        if self.failed:
            text += f", {self.failed} FAILED"
        if self.skipped:
            text += f", {self.skipped} skipped"
        return text


def run(command, timeout, env=None, capture=True):
    """Returns exit status (None: it hung or did not start) and output; reads no input."""
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})},
            stdout=subprocess.PIPE if capture else None,
            stderr=subprocess.STDOUT if capture else None, start_new_session=True)
    except OSError as error:
        return None, f"{command[0]}: {error.strerror}\n"
    UNDER_WAY.add(process)
    if STOPPING.is_set():
        kill(process)
    try:
        output, _ = process.communicate(timeout=timeout)
        return process.returncode, (output or b"").decode(errors="replace")
    except subprocess.TimeoutExpired:
        output = end(process)
        return None, output.decode(errors="replace") + f"\nended after {timeout} s\n"
    except BaseException:
        end(process)
        raise
    finally:
        UNDER_WAY.discard(process)


def kill(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def stop_all():
    """Threads that wait for a process wait no longer, and start none that lives."""
    STOPPING.set()
    for process in list(UNDER_WAY):
        kill(process)


def end(process):
    """SIGINT lets pytest take its namespaces down; who does not listen is killed."""
    for number, patience_s in ((signal.SIGINT, 30), (signal.SIGKILL, None)):
        try:
            os.killpg(process.pid, number)
            return process.communicate(timeout=patience_s)[0] or b""
        except ProcessLookupError:
            return b""
        except subprocess.TimeoutExpired:
            continue
    return b""


def show(kind, name, count, output="", remark=""):
    """In one piece: others may be under way."""
    text = f"{kind:<9} {name:<24} {count}\n"
    if remark:
        text += f"{'':9} {remark}\n"
    if count.failed and not count.names:
        count.names = [f"{kind} {name}"]
    if count.failed and output.strip():
        text += re.sub(r"(?m)^", "    ", output.rstrip()) + "\n"
    sys.stdout.write(text)
    sys.stdout.flush()


def cmocka_count(folder):
    """Adds up the reports (one a group of tests) that cmocka wrote into folder."""
    count, text = Count(), ""
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
            report = file.read()
        for suite in re.findall(r"<testsuite ([^>]*)>", report):
            total, failures, errors, skipped = (
                int(re.search(rf'\b{key}="(\d+)"', suite).group(1))
                for key in ("tests", "failures", "errors", "skipped"))
            count.add(Count(total - failures - errors - skipped, failures + errors, skipped))
        for case, message in re.findall(
                r'<testcase name="([^"]*)"[^>]*>\s*<(?:failure|error)>(.*?)</(?:failure|error)>',
                report, re.S):
            message = message.strip().removeprefix("<![CDATA[").removesuffix("]]>")
            text += f"{case}: {message}\n"
            count.names.append(case)
    return count, text


def rows_count(output, rows):
    """Takes the rows of tables (tests/unit/cases.h) that are good out of the output."""
    for rule in re.findall(r"(?m)^case \w+: (\S+)", output):
        rows[rule] += 1
    return re.sub(r"(?m)^case passed: .*\n", "", output)


def run_rules(rows):
    """Has each rule its rows?"""
    few = [rule for rule in RULES if rows[rule] < ROWS_MIN]
    count = Count(failed=1) if few else Count(passed=1)
    show("rules", f"{sum(rows.values())} rows of tables", count,
         f"fewer than {ROWS_MIN} rows: {', '.join(few)}")
    return count


def run_unit(program, rows, wrapper=(), timeout=UNIT_TIMEOUT_S):
    program = os.path.abspath(program)
    kind = "memcheck" if wrapper else "unit"
    with tempfile.TemporaryDirectory() as folder:
        status, output = run(
            [*wrapper, program], timeout,
            {"CMOCKA_MESSAGE_OUTPUT": "xml", "CMOCKA_XML_FILE": f"{folder}/%g.xml"})
        count, text = cmocka_count(folder)
    output = rows_count(output, rows)
    count.names = [f"{kind} {os.path.basename(program)}: {case}" for case in count.names]
    if status != 0 and count.failed == 0:
        text += f"exit status {status}\n"
        count.add(Count(failed=1))  # a crash, a hang, or valgrind
    if count.passed + count.failed == 0:
        text += "no test ran\n"
        count.add(Count(failed=1))
    show(kind, os.path.basename(program), count, text + output)
    return count


def run_replay(program, corpus):
    status, output = run([os.path.abspath(program), corpus], UNIT_TIMEOUT_S)
    lines = output.rstrip().splitlines()
    count = Count(passed=1) if status == 0 else Count(failed=1)
    show("replay", os.path.basename(program), count,
         "\n".join([f"exit status {status}", *lines[-40:]]))
    return count


def run_malformed(program, corpus, seed, messages):
    """Broken messages in one process: one test, however many."""
    status, output = run([os.path.abspath(program), corpus, seed, messages],
                         UNIT_TIMEOUT_S + int(messages) // MALFORMED_RATE)
    count = Count(passed=1) if status == 0 else Count(failed=1)
    show("malformed", os.path.basename(program), count, f"exit status {status}\n{output}",
         output.rstrip() if status == 0 else "")
    return count


def run_fuzzer(program, corpus, seconds):
    """New inputs and crashes go beside the program, the corpus is only read."""
    program = os.path.abspath(program)
    found = program + ".found"
    os.makedirs(found, exist_ok=True)
    dictionary = corpus.removesuffix(".corpus") + ".dict"
    status, output = run(
        [program, f"-max_total_time={seconds}", f"-seed={FUZZ_SEED}",
         f"-rss_limit_mb={FUZZ_RSS_MB}", f"-timeout={FUZZ_INPUT_TIMEOUT_S}",
         f"-artifact_prefix={found}/", "-verbosity=1", "-print_final_stats=1",
         *([f"-dict={dictionary}"] if os.path.exists(dictionary) else []),
         found, corpus], seconds + 120)
    runs = re.search(r"stat::number_of_executed_units:\s*(\d+)", output)
    count = Count(passed=1) if status == 0 and runs else Count(failed=1)
    show("fuzz", os.path.basename(program), count, "\n".join(output.splitlines()[-60:]),
         f"{runs.group(1)} runs" if runs else "")
    return count


def run_model(judge, seed, decisions):
    """The registry against its model: one test, however many decisions."""
    status, output = run([sys.executable, "-B", MODEL, judge, "--seed", seed,
                          "--decisions", decisions], MODEL_TIMEOUT_S)
    count = Count(passed=1) if status == 0 else Count(failed=1)
    show("model", os.path.basename(judge), count, output, output.rstrip() if status == 0 else "")
    return count


def run_pytest(arguments, timeout):
    env = {"PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.xml")
        status, _ = run(
            [sys.executable, "-m", "pytest", f"--junitxml={report}", *arguments],
            timeout, env, capture=False)
        count = Count()
        if os.path.exists(report):
            root = ElementTree.parse(report).getroot()
            count.names = [f"pytest {case.get('classname')}::{case.get('name')}"
                           for case in root.iter("testcase")
                           if case.find("failure") is not None
                           or case.find("error") is not None]
            for suite in root.iter("testsuite"):
                total, failed, skipped = (
                    int(suite.get("tests")),
                    int(suite.get("failures")) + int(suite.get("errors")),
                    int(suite.get("skipped")))
                count.add(Count(max(total - failed - skipped, 0), failed, skipped))
    if status != 0 and count.failed == 0:
        count.add(Count(failed=1))  # not collected, none selected, a hang
    show("pytest", arguments[0], count, f"exit status {status}")
    return count


def arguments_parse(argv):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unit", nargs="*", default=[], metavar="PROGRAM")
    parser.add_argument("--rules", action="store_true",
                        help="fail when the unit tests' tables leave out a rule")
    parser.add_argument("--memcheck", nargs="*", default=[], metavar="PROGRAM")
    parser.add_argument("--replay", nargs=2, action="append", default=[],
                        metavar=("PROGRAM", "CORPUS"))
    parser.add_argument("--malformed", nargs=4, action="append", default=[],
                        metavar=("PROGRAM", "CORPUS", "SEED", "MESSAGES"))
    parser.add_argument("--fuzz", nargs=2, action="append", default=[],
                        metavar=("PROGRAM", "CORPUS"))
    parser.add_argument("--model", nargs=3, action="append", default=[],
                        metavar=("JUDGE", "SEED", "DECISIONS"))
    parser.add_argument("--seconds", type=int, default=60, help="for each fuzz target")
    parser.add_argument("--limit", type=int, default=PYTEST_TIMEOUT_S, metavar="SECONDS",
                        help="for pytest")
    parser.add_argument("--pytest", nargs=argparse.REMAINDER, default=None,
                        help="all that follows is pytest's")
    return parser.parse_args(argv)


def memcheck_runs(options):
    """In their order: some tell on which ports nobody listens, and that must stay so."""
    for program in options.memcheck:
        yield run_unit(program, collections.Counter(), MEMCHECK, MEMCHECK_TIMEOUT_S)


def long_runs(options):
    for arguments in options.malformed:
        yield run_malformed(*arguments)
    for arguments in options.model:
        yield run_model(*arguments)
    for arguments in options.fuzz:
        yield run_fuzzer(*arguments, options.seconds)


def add_runs(counts, total):
    try:
        for count in counts:
            with LOCK:
                total.add(count)
            if STOPPING.is_set():
                return
    except Exception:
        traceback.print_exc()
        with LOCK:
            total.add(Count(failed=1, names=["tests/run.py"]))


def run_side_by_side(lanes, total):
    """Each lane in a thread of its own, one run behind the other."""
    threads = [threading.Thread(target=add_runs, args=(lane, total)) for lane in lanes]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except BaseException:
        stop_all()
        raise


def run_all(options, total):
    rows = collections.Counter()
    for program in options.unit:
        total.add(run_unit(program, rows))
    if options.rules:
        total.add(run_rules(rows))
    for program, corpus in options.replay:
        total.add(run_replay(program, corpus))
    run_side_by_side([memcheck_runs(options), long_runs(options)], total)
    if options.pytest is not None:
        total.add(run_pytest(options.pytest, options.limit))


def main(argv):
    options = arguments_parse(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    total = Count()
    try:
        run_all(options, total)
    except KeyboardInterrupt:
        print("interrupted")
        total.add(Count(failed=1))
    for name in total.names[:NAMES_MAX]:
        print(f"failed: {name}")
    if total.skipped:
        print(f"{total.skipped} skipped")
    print(f"{total.passed} passed, {total.failed} failed", flush=True)
    return 0 if total.passed > 0 and total.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
