#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Asks the registry and the model the same questions, and tells where they differ.

	tests/model/run.py JUDGE [--decisions N] [--seed N] [--one SEED]

On a difference: the seed, the question, both answers, and the manifests with everything
taken out that the difference does not need. Exits with 1 when there is one.
"""

import argparse
import copy
import json
import multiprocessing
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import generate  # noqa: E402
import model  # noqa: E402

QUESTIONS = 350  # about each registry
BATCH = 20  # registries for each start of the judge
DIFFERENCES_SHOWN = 3
JUDGE_TIMEOUT_S = 120
MINIMISE_ROUNDS = 4


def orders_of(settings, manifests, questions):
    """The judge's input."""
    text = "\n---\n".join(json.dumps(manifest) for manifest in manifests) + "\n"
    lines = [f"settings {settings['mode'] or '-'}"]
    lines += [f"zone {zone}" for zone in settings["zones"]]
    lines += [f"own {prefix}" for prefix in settings["own"]]
    lines += [f"probe {address}" for address in settings["probes"]]
    lines += [f"file {len(text.encode())}\n{text}build"]
    return "\n".join(lines + questions) + "\n"


def ask_judge(program, orders):
    done = subprocess.run([program], input=orders.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=JUDGE_TIMEOUT_S)
    lines = done.stdout.decode().splitlines()
    if done.returncode != 0:
        lines.append(f"ended with {done.returncode}: {done.stderr.decode().strip()}")
    return lines


def ask_model(settings, manifests, questions):
    registry = model.Registry(manifests, settings)
    answers = [f"built {registry.mode()} entries={len(registry.entries)} "
               f"pods={registry.pod_count()}"]
    for question in questions:
        kind, *words = question.split(" ")
        source = model.address_of(words[0])
        if kind == "judge":
            answers.append(registry.judge(source, words[1]))
        elif kind == "reach":
            answers.append(registry.reach(source, model.address_of(words[1]), int(words[2]),
                                          int(words[3])))
        else:
            answers.append(registry.mode_of(registry.pod_at(source)))
    return answers


def normal(answer):
    """What does not depend on an order that nobody promised."""
    words = answer.split(" ")
    for index, word in enumerate(words):
        key, sign, value = word.partition("=")
        if sign and key in ("ports", "static", "targets"):
            words[index] = f"{key}={','.join(sorted(set(value.split(','))))}"
    return " ".join(words)


def differs(program, settings, manifests, question):
    """The answers when they differ, else None."""
    try:
        modelled = ask_model(settings, manifests, [question])
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        return None  # no longer a valid manifest
    judged = ask_judge(program, orders_of(settings, manifests, [question]))
    judged += ["no answer"] * (len(modelled) - len(judged))
    if judged[0].startswith("refused"):
        return None
    for one, other in list(zip(judged, modelled))[::-1]:
        if normal(one) != normal(other):
            return one, other
    return None


def without(value):
    """Copies of a manifest's part, each with one thing less."""
    if isinstance(value, dict):
        for key in value:
            yield {k: v for k, v in value.items() if k != key}
            for less in without(value[key]):
                yield {**value, key: less}
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield value[:index] + value[index + 1:]
            for less in without(element):
                yield value[:index] + [less] + value[index + 1:]


def minimise(program, settings, manifests, question):
    """Takes out what the difference does not need: objects, then what is in them."""
    for _ in range(MINIMISE_ROUNDS):
        before = json.dumps([settings, manifests])
        for index in range(len(manifests) - 1, -1, -1):
            less = manifests[:index] + manifests[index + 1:]
            if less and differs(program, settings, less, question):
                manifests = less
        for index in range(len(manifests)):
            found = True
            while found:
                found = False
                for less in without(manifests[index]):
                    rest = manifests[:index] + [less] + manifests[index + 1:]
                    if differs(program, settings, rest, question):
                        manifests, found = rest, True
                        break
        for less in without({k: settings[k] for k in ("zones", "own", "probes")}):
            less = {**settings, **less}
            if all(k in less for k in settings) and \
                    differs(program, less, manifests, question):
                settings = less
        if json.dumps([settings, manifests]) == before:
            break
    return settings, manifests


def tell(program, registry, question, judged, modelled):
    lines = [f"seed {registry.seed}: {question}"]
    if judged.startswith("refused"):
        return "\n".join(lines + [f"  registry: {judged}"])
    settings, manifests = minimise(program, registry.settings,
                                   copy.deepcopy(registry.manifests), question)
    judged, modelled = differs(program, settings, manifests, question) or (judged, modelled)
    lines += [f"  registry: {judged}", f"  model:    {modelled}",
              f"  {json.dumps({k: v for k, v in settings.items() if k != 'probes'})}"]
    lines += [f"  {json.dumps(manifest)}" for manifest in manifests]
    return "\n".join(lines)


def run_batch(job):
    """Returns the number of decisions and the texts of the differences."""
    program, seeds, questions = job
    registries = [generate.Registry(seed, questions) for seed in seeds]
    judged = ask_judge(program, "".join(
        orders_of(r.settings, r.manifests, r.questions) for r in registries))
    decisions, texts = 0, []
    for registry in registries:
        modelled = ask_model(registry.settings, registry.manifests, registry.questions)
        mine, judged = judged[:len(modelled)], judged[len(modelled):]
        mine += ["no answer"] * (len(modelled) - len(mine))
        decisions += len(modelled)
        for index, (one, other) in enumerate(zip(mine, modelled)):
            if normal(one) != normal(other):
                question = registry.questions[max(index - 1, 0)]
                texts.append((registry, question, one, other))
                break  # one of each registry is enough
    shown = [tell(program, *text) for text in texts[:DIFFERENCES_SHOWN]]
    return decisions, len(texts), shown


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("judge")
    parser.add_argument("--decisions", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=1, help="of the first registry")
    parser.add_argument("--one", type=int, help="only the registry of this seed")
    options = parser.parse_args(argv)
    count = -(-options.decisions // (QUESTIONS + 1))
    seeds = range(options.seed, options.seed + count)
    if options.one is not None:
        seeds = [options.one]
    program = os.path.abspath(options.judge)
    jobs = [(program, seeds[i:i + BATCH], QUESTIONS) for i in range(0, len(seeds), BATCH)]
    decisions, differences, shown = 0, 0, 0
    with multiprocessing.Pool() as pool:
        for made, different, texts in pool.imap(run_batch, jobs):
            decisions += made
            differences += different
            for text in texts[:max(DIFFERENCES_SHOWN - shown, 0)]:
                print(text, flush=True)
                shown += 1
    print(f"{decisions} decisions about {len(seeds)} registries, "
          f"{differences} registries differ")
    return 1 if differences or not decisions else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
