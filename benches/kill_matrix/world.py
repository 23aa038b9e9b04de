"""What a trial stands on: a project in a folder of its own, the processes that belong to it, otto's verbs, and what was found wrong."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

from terminal import Job

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# lost: it exists and no state knows it. orphans: left after destroy. unhealed: resume or up did not end healthy.
BAD = ["lost", "twice", "orphans", "stale lock", "wrong status", "exit 0", "unhealed", "undestroyed", "broken"]
LONG = 120
TOOLS = ("terraform", "tofu", "packer", "ansible-playbook", "orphans")


class Skip(Exception):
    """This part cannot be run here, and why."""


class Findings:
    def __init__(self, name):
        self.name, self.all, self.hit, self.at_work, self.folder = name, [], 0, 0, None

    def add(self, column, what):
        self.all.append((column, what))


class Process:
    def __init__(self, pid, session, argv, cwd):
        self.pid, self.session, self.argv, self.cwd = pid, session, argv, cwd
        self.words = [os.path.basename(word) for word in argv[:3]]

    def is_tool(self):
        return any(word in TOOLS for word in self.words[:2])

    def __repr__(self):
        return f"{self.pid} {' '.join(self.argv)[:80]} in {self.cwd}"


def processes():
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rsplit(b")", 1)[1].split()
            if fields[0] in (b"Z", b"X"):
                continue
            with open(f"/proc/{name}/cmdline", "rb") as file:
                argv = file.read().decode(errors="replace").split("\0")
            cwd = os.readlink(f"/proc/{name}/cwd")
        except (OSError, IndexError):
            continue
        found.append(Process(int(name), int(fields[3]), argv, cwd))
    return found


class Project:
    """A folder with a project, its own HOME and XDG folders, and otto run in it."""

    def __init__(self, otto, prefix="kill-"):
        self.otto = otto
        self.base = os.path.realpath(tempfile.mkdtemp(prefix=prefix))
        self.folder = os.path.join(self.base, "project")
        # CI too: what bills is not made there with nothing but a fresh store, and the made-up provider says no price.
        dropped = ("OTTO", "CLOWD", "TF_", "CI")
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        cache = os.environ.get("OTTO_TEST_CACHE") or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        self.env.update(HOME=os.path.join(self.base, "home"), XDG_STATE_HOME=os.path.join(self.base, "state"), XDG_CACHE_HOME=cache)
        self.env.update(TERM="xterm-256color", TF_CLI_CONFIG_FILE=os.environ.get("TF_CLI_CONFIG_FILE", "/dev/null"))
        # What a killed Packer leaves behind goes with the trial.
        self.env["TMPDIR"] = os.path.join(self.base, "tmp")
        os.makedirs(self.env["TMPDIR"])
        os.makedirs(self.env["HOME"])
        self.sessions = set()  # of supervisors that were seen
        self.log = os.path.join(self.base, "terminal.log")

    # What runs

    def start(self, *words):
        with open(self.log, "a") as file:
            file.write(f"\n$ otto {' '.join(words)}\n")
        return Job([self.otto, *words], self.folder, self.env, self.log)

    def run(self, *words, limit=LONG):
        """Runs a verb off a terminal; exit code and standard output."""
        with open(self.log, "ab") as file:
            file.write(f"\n$ otto {' '.join(words)} (piped)\n".encode())
            file.flush()
            done = subprocess.run(
                [self.otto, *words], cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=file, timeout=limit, check=False
            )
            file.write(done.stdout[:4000])
            file.write(f"= {done.returncode}\n".encode())
        return done.returncode, done.stdout.decode()

    def status(self):
        _, out = self.run("status", "--json")
        return json.loads(out)["deployments"]

    # What belongs to it

    def processes(self):
        """Every process of the project: by its working folder, by its command line, by the session of a supervisor."""
        everything = processes()
        inside = self.base + "/"
        self.sessions |= {p.session for p in everything if "__supervise" in p.words and any(inside in word for word in p.argv)}
        mine = {os.getpid()}
        return [
            p
            for p in everything
            if p.pid not in mine and (p.session in self.sessions or (p.cwd + "/").startswith(inside) or any(inside in word for word in p.argv))
        ]

    def supervisors(self):
        return [p for p in self.processes() if "__supervise" in p.words]

    def tools(self):
        """Tools at work under a supervisor: the tool itself, not what it started."""
        return [p for p in self.processes() if p.session in self.sessions and p.is_tool()]

    def busy(self):
        """What is at work under a supervisor, or was: tools and all that they started."""
        return [p for p in self.processes() if p.session in self.sessions]

    def quiet(self, limit):
        """Waits until none but hosts' own processes are left; what is left then."""
        deadline = time.time() + limit
        while True:
            left = [p for p in self.processes() if not self.is_host(p)]
            if not left or time.time() > deadline:
                return left
            time.sleep(0.05)

    def is_host(self, process):
        return "/.otto/hosts/" in process.cwd and process.session not in self.sessions

    def locks(self):
        """Files of locks that somebody holds."""
        import fcntl

        held = []
        folder = os.path.join(self.folder, ".otto", "locks")
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            with open(os.path.join(folder, name), "rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    held.append(name)
        return held

    def close(self, keep):
        for process in self.processes():
            if process.pid != os.getpid():
                kill(process.pid, signal.SIGKILL)
        if not keep:
            time.sleep(0.05)
            shutil.rmtree(self.base, ignore_errors=True)


def kill(pid, number):
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


def interrupt(project, job, mode, random):
    """Does it. False when there was nothing to do it to: the run had ended."""
    if mode in ("int", "int2", "int3"):
        pause = random.choice([0.3, 1.0])
        for number in range({"int": 1, "int2": 2, "int3": 3}[mode]):
            if number:
                time.sleep(pause)
            if job.ended():
                return number > 0
            job.type(b"\x03")
        return True
    if mode == "term":
        return not job.ended() and kill(job.pid, signal.SIGTERM)
    if mode == "hangup":
        alive = not job.ended()
        job.hang_up()
        return alive
    if mode == "kill":
        return not job.ended() and kill(job.pid, signal.SIGKILL)
    if mode == "kill-all":
        supervisors = project.supervisors()
        if job.ended():
            return False
        victims = [job.pid] + [p.pid for p in supervisors]
        random.shuffle(victims)
        for pid in victims:
            kill(pid, signal.SIGKILL)
        for process in project.supervisors():  # one that was being born
            kill(process.pid, signal.SIGKILL)
        return True
    wanted = {"kill-tool": lambda p: p.is_tool(), "kill-plugin": lambda p: "terraform-provider" in p.argv[0]}[mode]
    while not job.ended():
        victims = [p for p in project.processes() if p.session in project.sessions and wanted(p)]
        if victims and any([kill(p.pid, signal.SIGKILL) for p in victims]):
            return True
        time.sleep(0.005)
    return False
