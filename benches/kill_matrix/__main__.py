"""The kill matrix: otto is interrupted at every kind of instant in every way, and nothing may be lost.

    python3 benches/kill_matrix [--otto target/debug/otto] [--trials 20] [--stage-trials 3]
        [--part slow,plugin,site] [--modes int,kill,...] [--seed 1] [--jobs 2] [--keep]

Parts:
  slow     `provision` and `destroy` of the made-up provider of tests/fixtures/slow: three things that take about a second each
  plugin   the same on a real provider plugin (tests/fixtures/plugin, built with Go, skipped where there is no Go) against a stand-in API
  site     `up` and `destroy` of a whole site on `local`, instants stratified over the stages
Modes: int (one ^C typed), int2 (two, 1 s or 0.3 s apart), int3 (three), term (SIGTERM to otto), kill (SIGKILL of otto), kill-all (of otto and its
supervisors), kill-tool (of terraform, packer or ansible-playbook, whichever is at work), kill-plugin (of terraform's provider plugin), hangup (the
terminal goes away).

Each trial runs otto as the foreground job of a session leader in a pty, as a shell does, and interrupts it at a seeded instant, stratified
over the run's own duration. Then: the exit code is not 0 (unless the run had ended), the next `otto status` tells the truth, `otto resume`
(or the same command again, every other trial) ends healthy, `otto destroy` leaves no process, port, folder or thing. Every column of the
table but `trials`, `hit` (the run had not ended before) and `at work` (a tool was, after otto's end) must be 0; the exit code says so. --otto may also be given as OTTO. Tools come from OTTO_TEST_CACHE
(a cache folder as XDG_CACHE_HOME is), else from the user's own.
"""

import argparse
import os
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import plugin  # noqa: E402
import site_up  # noqa: E402
import slow  # noqa: E402
from world import BAD, REPO, Findings, Skip  # noqa: E402

MODES = ["int", "int2", "int3", "term", "kill", "kill-all", "kill-tool", "hangup"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--otto", default=os.environ.get("OTTO", os.path.join(REPO, "target", "debug", "otto")))
    parser.add_argument("--trials", type=int, default=20, help="a mode, of slow and plugin")
    parser.add_argument("--stage-trials", type=int, default=3, help="a mode and stage, of site")
    parser.add_argument("--part", default="slow,plugin,site")
    parser.add_argument("--modes", default="")
    parser.add_argument("--stages", default="", help="of site: images,provision,config,test,destroy")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="trials at once")
    parser.add_argument("--only", default="", help="run the trials whose name begins so")
    parser.add_argument("--keep", action="store_true", help="keep the folders of trials that found something")
    args = parser.parse_args()
    args.otto = os.path.abspath(args.otto)
    args.modes = [mode for mode in args.modes.split(",") if mode]
    return args


def run_all(args, trials, setup):
    """Each trial is (name, row, function of (name, seed, findings)); several at once."""
    rows, lock, done = {}, threading.Lock(), [0]

    def one(trial):
        name, row, function = trial
        found = Findings(name)
        try:
            function(name, random.Random(f"{args.seed}/{name}"), found)
        except Exception as error:  # a trial that breaks is a finding, never a pass
            found.add("broken", f"{type(error).__name__}: {error}")
        with lock:
            rows.setdefault(row, []).append(found)
            done[0] += 1
            for column, what in found.all:
                print(f"  {name} (seed {args.seed}): {column}: {what}", flush=True)
            if found.all and found.folder:
                print(f"  {name}: see {found.folder}" if args.keep else f"  {name}: run it again with --only {name} --keep", flush=True)
            if done[0] % 20 == 0:
                print(f"# {done[0]} of {len(trials)} trials", flush=True)

    with ThreadPoolExecutor(max_workers=args.jobs) as pool:
        list(pool.map(one, trials))
    return [(row, rows[row]) for row in dict.fromkeys(trial[1] for trial in trials)]


def table(rows):
    heads = ["part", "mode", "trials", "hit", "at work"] + BAD
    lines = [heads]
    bad = 0
    for (part, mode), findings in rows:
        counts = [sum(1 for found in findings for column, _ in found.all if column == name) for name in BAD]
        bad += sum(counts)
        lines.append([part, mode, str(len(findings)), str(sum(found.hit for found in findings)), str(sum(found.at_work for found in findings))] + [str(n) for n in counts])
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    for number, line in enumerate(lines):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return bad


def main():
    args = arguments()
    if not os.access(args.otto, os.X_OK):
        sys.exit(f"{args.otto}: no otto there; build it, or give --otto")
    print(f"# seed {args.seed}, otto {args.otto}")
    began, rows = time.time(), []
    for name in args.part.split(","):
        part = {"slow": slow, "plugin": plugin, "site": site_up}[name]
        modes = [mode for mode in (args.modes or part.modes(MODES)) if mode in part.modes(MODES)]
        try:
            with part.prepared(args) as ready:
                trials = [trial for trial in ready.trials(modes, args) if trial[0].startswith(args.only)]
                rows += run_all(args, trials, ready)
        except Skip as why:
            print(f"# {name} skipped: {why}")
    bad = table(rows)
    trials = sum(len(findings) for _, findings in rows)
    print(f"# {trials} trials in {time.time() - began:.0f} s, {bad} findings")
    sys.exit(1 if bad or not trials else 0)


if __name__ == "__main__":
    main()
