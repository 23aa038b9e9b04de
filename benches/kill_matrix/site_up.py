"""`up`, `test --failover` and `destroy` of whole sites on `local`, with the real tools, interrupted in each stage."""

import collections
import contextlib
import http.client
import json
import os
import subprocess
import time
import urllib.parse

from slow import check_code, edit
from world import LONG, Project, interrupt

STAGES = ["images", "provision", "config", "test", "destroy"]
MARKS = {"images": "packer", "provision": "terraform", "config": "ansible-playbook"}
DOMAINS = {"dev/local/hello": ["hello.localhost", "www.hello.localhost"], "dev/local/blog": ["blog.localhost"]}


def modes(every):
    return every


class Site(Project):
    """The project that `otto init` writes: two sites, four hosts."""

    def __init__(self, otto):
        super().__init__(otto)
        init = [otto, "init", "project"]
        subprocess.run(init, cwd=self.base, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        self.ports = set()

    def hosts(self):
        """Living processes by host folder, in the way of /proc: who works in it belongs to it."""
        found = collections.defaultdict(list)
        for process in self.processes():
            _, inside, host = process.cwd.partition("/.otto/hosts/")
            if inside and process.session not in self.sessions:
                found["/".join(host.removesuffix(" (deleted)").split("/")[:2])].append(process)
        return found

    def why_not_serving(self, rows):
        """Every domain of every site answers with a page, by a real request."""
        for row in rows:
            if not row["endpoint"]:
                return f"{row['name']} has no endpoint"
            url = urllib.parse.urlsplit(row["endpoint"])
            self.ports.add(url.port)
            for domain in DOMAINS[row["name"]]:
                connection = http.client.HTTPConnection(url.hostname, url.port, timeout=5)
                try:
                    connection.request("GET", "/", headers={"Host": domain})
                    answer = connection.getresponse()
                    body = answer.read()
                    if answer.status != 200 or not answer.getheader("X-Served-By"):
                        return f"{domain} answers {answer.status}"
                    with open(self.page(row["name"].rpartition("/")[2]), "rb") as file:
                        if body != file.read():
                            return f"{domain} answers with another page than the project's"
                except OSError as error:
                    return f"{domain} at {row['endpoint']}: {error}"
                finally:
                    connection.close()
        return None

    def page(self, site):
        return os.path.join(self.folder, "sites", site, "html", "index.html")

    def change(self, stage):
        """Something to do for a stage of sites that are up: one more host, or another page."""
        if stage == "provision":
            edit(os.path.join(self.folder, "sites", "hello", "site.yaml"), lambda text: text.replace("count: 2", "count: 3", 1))
        else:
            edit(self.page("hello"), lambda text: text.replace("</body>", "<p>changed</p></body>", 1))

    def why_unhealthy(self):
        rows = self.status()
        if sorted(row["name"] for row in rows) != sorted(DOMAINS):
            return f"status lists {[row['name'] for row in rows]}"
        for row in rows:
            if (row["phase"], row["health"], row["dirty"]) != ("tested", "ok", None):
                return f"{row['name']} is {row['phase']}, {row['health']}, {row['dirty']}, {[c for c in row['checks'] if c['state'] != 'ok']}"
        return self.why_not_serving(rows)


def measured(args):
    """How long each stage takes in an undisturbed run, in seconds."""
    project = Site(args.otto)
    try:
        code, _ = project.run("tools", "install", "--yes", limit=900)
        if code:
            raise RuntimeError(f"`otto tools install --yes` ends with {code}; see {project.log}")
        code, out = project.run("up", "--yes", "--json")
        why = project.why_unhealthy()
        if code or why:
            raise RuntimeError(f"an undisturbed `otto up` ends with {code}, {why}; see {project.log}")
        stages = {name: ms / 1000 for name, ms in json.loads(out.splitlines()[-1])["totals"]["stages_ms"].items()}
        for stage, words in (("test", ("test", "--failover")), ("destroy", ("destroy", "--yes"))):
            began = time.time()
            code, _ = project.run(*words)
            if code:
                raise RuntimeError(f"an undisturbed `otto {' '.join(words)}` ends with {code}; see {project.log}")
            stages[stage] = time.time() - began
    finally:
        project.close(keep=False)
    return stages


@contextlib.contextmanager
def prepared(args):
    stages = measured(args)
    print("# site: undisturbed, " + ", ".join(f"{stage} takes {stages[stage]:.2f} s" for stage in STAGES), flush=True)
    yield Ready(args, stages)


class Ready:
    def __init__(self, args, stages):
        self.args, self.took = args, stages

    def trials(self, modes, args):
        wanted = args.stages.split(",") if args.stages else STAGES
        for mode_number, mode in enumerate(modes):
            for stage_number, stage in enumerate(wanted):
                # With less than one trial a mode and stage, each mode has one stage, all stages occur.
                count = args.stage_trials or int(mode_number % len(wanted) == stage_number)
                for number in range(count):
                    yield (
                        f"site-{mode}-{stage}-{number}",
                        (f"site {stage}", mode),
                        lambda name, random, found, mode=mode, stage=stage, number=number: self.trial(mode, stage, number, random, found),
                    )

    def trial(self, mode, stage, number, random, found):
        trials = self.args.stage_trials or 1
        instant = self.took[stage] * (0.08 + 0.90 * (number + random.random()) / trials)
        project = Site(self.args.otto)
        found.folder = project.base
        try:
            try_one(project, mode, stage, number, instant, random, found)
        finally:
            project.close(keep=self.args.keep and bool(found.all))


def try_one(project, mode, stage, number, instant, random, found):
    words = {"test": ("test", "--failover"), "destroy": ("destroy", "--yes")}.get(stage, ("up", "--yes"))
    again = stage in ("provision", "config") and random.random() < 0.5
    if (again or words[0] != "up") and project.run("up", "--yes")[0] != 0:
        return found.add("broken", "the `up` before it failed")
    if again:
        project.change(stage)
    job = project.start(*words)
    try:
        wait_for(project, job, MARKS.get(stage))
        time.sleep(instant)
        interrupted = interrupt(project, job, mode, random)
        code = job.wait(LONG)
    finally:
        job.close()
    if code is None:
        return found.add("broken", f"otto did not end within {LONG} s after {mode} at {instant:.2f} s of {stage}")
    found.hit, found.at_work = int(interrupted), int(bool(project.busy()))
    unhealthy = None if stage == "destroy" or code else project.why_unhealthy()
    check_code(mode, code, interrupted, project, unhealthy, found)
    check_status(project, found)
    heal(project, stage, number, found)
    destroy(project, found)


def wait_for(project, job, tool):
    while tool and not job.ended() and not any(tool in process.words[:2] for process in project.tools()):
        time.sleep(0.02)


def check_status(project, found):
    before = bool(project.busy())
    rows = {row["name"]: row for row in project.status()}
    after, hosts = bool(project.busy()), project.hosts()
    for name in DOMAINS:
        row, key = rows.get(name), name.replace("/", "_")
        living = [host for host in hosts if host.startswith(key + "/")]
        clean = row and row["phase"] == "tested" and not row["dirty"] and row["health"] == "ok"
        if not before and not after and living and (not row or row["phase"] in ("absent", "destroyed")):
            found.add("wrong status", f"{name}: {row and row['phase']}, and {living} live")
        if clean:
            why = project.why_not_serving([row])
            if why:
                found.add("wrong status", f"tested and ok, but {why}")
        outcome = row and (row["last_run"] or {}).get("outcome")
        if outcome == "running" and not before and not after:
            found.add("wrong status", f"{name}: it says that its last run is at work, and nothing is")
    at_work = [p for p in project.tools() if any(word in ("terraform", "ansible-playbook") for word in p.words[:2])]
    if before and after and at_work and rows and not any((row["last_run"] or {}).get("outcome") == "running" for row in project.status()) and project.busy():
        found.add("wrong status", f"at work is {at_work}, and it says {[(row['name'], row['last_run']) for row in rows.values()]}")


def heal(project, stage, number, found):
    words = ("resume", "--yes") if number % 2 == 0 else ("up", "--yes")
    code, _ = project.run(*words)
    if code != 0 and words[0] == "resume" and not json.loads(project.run("runs", "--json")[1])["runs"]:
        words, code = ("up", "--yes"), project.run("up", "--yes")[0]  # it had not begun
    if code == 22:
        found.add("stale lock", f"`otto {' '.join(words)}` ends with 22")
    left = project.quiet(30)
    if left:
        found.add("broken", f"still at work after it was healed: {left}")
    if project.locks():
        found.add("stale lock", str(project.locks()))
    if stage == "destroy" and words[0] == "resume":
        if code != 0:
            found.add("unhealed", f"`otto resume --yes` of a destruction ends with {code}")
        return
    unhealthy = project.why_unhealthy()
    if code != 0 or unhealthy:
        found.add("unhealed", f"`otto {' '.join(words)}` ends with {code}, {unhealthy or 'healthy'}")
    known = {f"{row['name'].replace('/', '_')}/{host['name']}" for row in project.status() for host in row["hosts"]}
    living = project.hosts()
    for host in set(living) - known:
        found.add("lost", f"{host}: {living[host]}")
    for folder in folders(project, "hosts", 2):
        if folder not in known:
            found.add("lost", f"the folder {folder}")
    for host, processes in living.items():
        masters = [p for p in processes if p.session == p.pid or "master" in p.argv[0]]
        if len(masters) > 1:
            found.add("twice", f"{host}: {masters}")


def folders(project, name, depth):
    base = os.path.join(project.folder, ".otto", name)
    level = [base] if os.path.isdir(base) else []
    for _ in range(depth):
        level = [os.path.join(one, entry) for one in level for entry in os.listdir(one) if os.path.isdir(os.path.join(one, entry))]
    return [os.path.relpath(one, base) for one in level if not os.path.basename(one).startswith(".")]


def destroy(project, found):
    code, _ = project.run("destroy", "--yes")
    if code != 0:
        found.add("undestroyed", f"`otto destroy --yes` ends with {code}")
    left = project.quiet(30) + [process for processes in project.hosts().values() for process in processes]
    if left:
        found.add("orphans", f"processes {left}")
    for name in ("hosts", "terraform"):
        left = [folder for folder in folders(project, name, 1) if folder.startswith("dev_")]
        if left:
            found.add("orphans", f"folders {name}/{left}")
    for port in project.ports:
        if any(f":{port:04X} " in line and " 0A " in line for line in listening()):
            found.add("orphans", f"port {port} is still listened on")
    parts = [one for one in folders(project, "images", 3) if ".tree." in one]
    if parts:
        found.add("orphans", f"parts of images {parts}")
    for row in project.status():
        if code == 0 and (row["phase"] != "destroyed" or row["dirty"]):
            found.add("wrong status", f"destroyed, and it says {row['phase']}, {row['dirty']}")


def listening():
    with open("/proc/net/tcp") as file:
        return [line for line in file if " 0100007F:" in line]
