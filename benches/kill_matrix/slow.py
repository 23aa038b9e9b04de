"""`provision` of three slow things of a made-up provider: what exists is compared with what otto says and does."""

import contextlib
import itertools
import json
import os
import shutil
import time

from world import LONG, REPO, Project, interrupt

# When a thing exists, whether its script ignores signals, whether Terraform can remove it, how many are made at once; a price means two calls.
VARIANTS = list(itertools.product(("early", "late"), ("no", "yes"), (True, False), (True, False), (None, 2, 1)))


def modes(every):
    return every


class Slow:
    """One project a trial; the variant says how its things behave."""

    name, key = "dev/slow/things", "dev_slow_things"

    def __init__(self, otto, variant):
        self.when, self.deaf, self.unmake, self.priced, self.parallel = variant
        if self.priced:  # a saved plan is applied as it is
            self.parallel = None
        self.project = Project(otto)
        shutil.copytree(os.path.join(REPO, "tests", "fixtures", "slow"), self.project.folder)
        self.cloud = os.path.join(self.project.base, "cloud")
        os.makedirs(os.path.join(self.cloud, "things"))
        self.project.env.update(SLOW_CLOUD=self.cloud, SLOW_WHEN=self.when, SLOW_DEAF=self.deaf)
        root = os.path.join(self.project.folder, "clowd", "provision", "slow")
        if not self.unmake:  # then only `orphans` finds what is to go
            edit(os.path.join(root, "main.tf"), lambda text: text[: text.index('  provisioner "local-exec" {\n    when ')] + "}\n")
        if self.priced:  # then it is planned, asked, applied
            edit(os.path.join(root, "provider.yaml"), lambda text: text.replace("prices: free\n", ""))

    def words(self):
        return ("--", f"-parallelism={self.parallel}") if self.parallel else ()

    def things(self):
        """Name and readiness by id of what exists in the made-up cloud."""
        found = {}
        folder = os.path.join(self.cloud, "things")
        for thing in os.listdir(folder):
            with contextlib.suppress(OSError):
                with open(os.path.join(folder, thing, "name")) as file:
                    found[thing] = (file.read().strip(), os.path.exists(os.path.join(folder, thing, "ready")))
        return found

    def state(self):
        """What the state holds: id to `tainted` or None."""
        try:
            with open(os.path.join(self.project.folder, ".otto", "terraform", self.key, "terraform.tfstate")) as file:
                state = json.load(file)
        except (OSError, ValueError):
            return {}
        return {i["attributes"]["id"]: i.get("status") for r in state["resources"] if r["mode"] == "managed" for i in r["instances"]}

    def why_unhealthy(self):
        things, state = self.things(), self.state()
        if sorted(name for name, _ in things.values()) != ["www-1", "www-2", "www-3"]:
            return f"things {sorted(things.values())}"
        if not all(ready for _, ready in things.values()):
            return f"half made: {sorted(things.values())}"
        if set(things) != set(state) or any(state.values()):
            return f"state {sorted(state.items())} of things {sorted(things)}"
        return None

    def twice(self):
        with contextlib.suppress(OSError):
            with open(os.path.join(self.cloud, "twice.log")) as file:
                return file.read().strip()
        return ""


def edit(path, change):
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(change(text))


@contextlib.contextmanager
def prepared(args):
    """Measures how long an undisturbed run takes; instants are stratified over that."""
    took = {}
    for parallel in (None, 2, 1):
        one = Slow(args.otto, ("early", "no", True, False, parallel))
        try:
            began = time.time()
            code, _ = one.project.run("provision", "--yes", *one.words())
            took[one.parallel] = time.time() - began
            if code != 0 or one.why_unhealthy():
                raise RuntimeError(f"an undisturbed run ends with {code}, {one.why_unhealthy()}; see {one.project.log}")
        finally:
            one.project.close(keep=False)
    one = Slow(args.otto, ("early", "no", True, False, None))
    try:
        one.project.run("provision", "--yes")
        began = time.time()
        code, _ = one.project.run("destroy", "--yes")
        took["destroy"] = time.time() - began
        if code != 0 or one.things():
            raise RuntimeError(f"an undisturbed destruction ends with {code}; see {one.project.log}")
    finally:
        one.project.close(keep=False)
    print("# slow: an undisturbed run takes " + ", ".join(f"{s:.2f} s ({n or 3})" for n, s in took.items()), flush=True)
    yield Ready(args, took)


class Ready:
    def __init__(self, args, took):
        self.args, self.took = args, took

    def trials(self, modes, args):
        for verb, title in (("provision", "slow"), ("destroy", "slow destroy")):
            for mode in modes:
                for number in range(args.trials):
                    name = f"{title}-{mode}-{number}".replace(" ", "-")
                    yield name, (title, mode), lambda _, random, found, verb=verb, mode=mode, number=number: self.trial(verb, mode, number, random, found)

    def trial(self, verb, mode, number, random, found):
        slow = Slow(self.args.otto, random.choice(VARIANTS))
        took = self.took[slow.parallel if verb == "provision" else "destroy"]
        instant = took * (0.08 + 0.90 * (number + random.random()) / self.args.trials)
        found.folder = slow.project.base
        try:
            try_one(slow, mode, number, instant, random, found, verb)
        finally:
            slow.project.close(keep=self.args.keep and bool(found.all))


def try_one(slow, mode, number, instant, random, found, verb="provision"):
    project = slow.project
    if verb == "destroy" and project.run("provision", "--yes")[0] != 0:
        return found.add("broken", "the `provision` before it failed")
    words = [verb, "--yes", *(slow.words() if verb == "provision" else ())]
    # Every third time what heals is interrupted as well.
    for attempt in range(2 if random.random() < 0.33 else 1):
        job = project.start(*(words if attempt == 0 or verb == "destroy" else ("resume", "--yes")))
        try:
            time.sleep(instant if attempt == 0 else random.uniform(0.1, 2.0))
            interrupted = interrupt(project, job, mode, random)
            code = job.wait(LONG)
        finally:
            job.close()
        if code is None:
            return found.add("broken", f"otto did not end within {LONG} s after {mode} at {instant:.2f} s")
        found.hit |= int(interrupted)
        found.at_work |= int(bool(project.busy()))
        if code == 2 and attempt:
            break  # nothing had begun that could be resumed
        unhealthy = (slow.things() or None) if verb == "destroy" else slow.why_unhealthy()
        check_code(mode, code, interrupted, project, unhealthy, found)
        check_status(slow, found)
    heal(slow, verb, number, found)
    destroy(slow, found)


def check_code(mode, code, interrupted, project, unhealthy, found):
    """0 only if the run had ended by itself, and well, before it was interrupted."""
    if code == 0 and (unhealthy or interrupted and last_run(project) != "ok"):
        found.add("exit 0", f"after {mode}, {unhealthy or 'healthy'}, the run is {last_run(project)}")
    wanted = {"int": 130, "int2": 130, "int3": 130, "term": 143, "hangup": 129, "kill": 137, "kill-all": 137}.get(mode)
    if interrupted and wanted and code not in (wanted, 0):
        found.add("exit 0", f"{code} after {mode}, {wanted} is right")


def last_run(project):
    _, out = project.run("runs", "--json")
    runs = json.loads(out)["runs"]
    return runs[0]["outcome"] if runs else "none"


def check_status(slow, found):
    """The next status is compared with what exists and what is at work."""
    before = bool(slow.project.busy())
    rows = [row for row in slow.project.status() if row["name"] == slow.name]
    after = bool(slow.project.busy())
    row = rows[0] if rows else None
    phase = row["phase"] if row else "absent"
    if before and after:
        said = row and (row["last_run"] or {}).get("outcome") == "running"
        if phase in ("provisioned", "configured", "tested") and not row["dirty"]:
            found.add("wrong status", f"a tool is at work, and it says {phase}, clean")
        if row and not said:
            found.add("wrong status", f"a tool is at work, and it says {row['last_run']} {row['dirty']}")
        return
    if before != after:
        return
    unhealthy = slow.why_unhealthy()
    if phase in ("absent", "destroyed") and slow.things():
        found.add("wrong status", f"{phase}, and there are {sorted(slow.things().values())}")
    if row and unhealthy and not row["dirty"] and phase not in ("absent", "destroyed"):
        found.add("wrong status", f"{phase}, clean, health {row['health']}: {unhealthy}")
    if row and unhealthy and row["health"] == "ok" and phase not in ("absent", "destroyed"):
        found.add("wrong status", f"health ok: {unhealthy}")
    if row and (row["last_run"] or {}).get("outcome") == "running":
        found.add("wrong status", "it says that its last run is at work, and nothing is")


def heal(slow, verb, number, found):
    project = slow.project
    if verb == "destroy" and number % 2 == 0:
        return  # the same again is what is asked next
    words = ("resume", "--yes") if number % 2 == 0 else ("provision", "--yes")
    code, _ = project.run(*words)
    if code != 0 and words[0] == "resume":
        code2, out = project.run("runs", "--json")
        if code2 == 0 and not json.loads(out)["runs"]:
            words, code = ("provision", "--yes"), project.run("provision", "--yes")[0]  # it had not begun
    if code == 22:
        found.add("stale lock", f"`otto {' '.join(words)}` ends with 22")
    left = project.quiet(20)
    if left:
        found.add("broken", f"still at work after it was healed: {left}")
    unhealthy = slow.why_unhealthy()
    if code != 0 or unhealthy:
        found.add("unhealed", f"`otto {' '.join(words)}` ends with {code}, {unhealthy or 'healthy'}")
    lost = [thing for thing in slow.things().items() if thing[0] not in slow.state()]
    if lost:
        found.add("lost", str(lost))
    if slow.twice():
        found.add("twice", slow.twice())
    rows = [row for row in project.status() if row["name"] == slow.name]
    if code == 0 and not (rows and rows[0]["phase"] == "provisioned" and not rows[0]["dirty"] and rows[0]["last_run"]["outcome"] == "ok"):
        found.add("wrong status", f"healed, and it says {rows and (rows[0]['phase'], rows[0]['dirty'], rows[0]['last_run'])}")
    if project.locks():
        found.add("stale lock", str(project.locks()))


def destroy(slow, found):
    project = slow.project
    code, _ = project.run("destroy", "--yes")
    if code != 0:
        found.add("undestroyed", f"`otto destroy --yes` ends with {code}")
    left = project.quiet(20)
    if left:
        found.add("orphans", f"processes {left}")
    if slow.things():
        found.add("orphans", f"things {sorted(slow.things().items())}")
    for folder in (f"terraform/{slow.key}", f"hosts/{slow.key}"):
        if os.path.exists(os.path.join(project.folder, ".otto", folder)):
            found.add("orphans", f"the folder {folder}")
    rows = [row for row in project.status() if row["name"] == slow.name]
    if code == 0 and rows and (rows[0]["phase"] != "destroyed" or rows[0]["dirty"]):
        found.add("wrong status", f"destroyed, and it says {rows[0]['phase']}, {rows[0]['dirty']}")
