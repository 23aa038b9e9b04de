"""`provision` of three droplets by a real provider plugin against a stand-in API: the plugin itself can be killed, too."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

import slow
from world import REPO, Project, Skip

FIXTURE = os.path.join(REPO, "tests", "fixtures", "plugin")
SOURCE = ("cloud.example", "otto", "digitalocean")  # as in main.tf of the fixture
VERSION = "2.99.1"


def modes(every):
    return every + ["kill-plugin"]


def built(folder):
    """Builds the plugin into a mirror folder and writes the settings that make Terraform take it from there."""
    if not shutil.which("go"):
        raise Skip("no Go toolchain on PATH, and the provider plugin is built with it")
    platform = "_".join(subprocess.run(["go", "env", "GOOS", "GOARCH"], stdout=subprocess.PIPE, text=True, check=True).stdout.split())
    binary = os.path.join(folder, "mirror", *SOURCE, VERSION, platform, f"terraform-provider-{SOURCE[2]}_v{VERSION}")
    shutil.copytree(os.path.join(FIXTURE, "provider"), os.path.join(folder, "provider"))
    build = ["go", "build", "-o", binary, "."]
    done = subprocess.run(build, cwd=os.path.join(folder, "provider"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise Skip(f"the provider plugin cannot be built here: {done.stdout.strip()[-300:]}")
    settings = os.path.join(folder, "terraform.rc")
    with open(settings, "w") as file:
        file.write(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{folder}/mirror"\n  }}\n}}\n')
    return settings


class Cloud:
    """One project and one stand-in API a trial."""

    name, key = "dev/cloud/things", "dev_cloud_things"

    def __init__(self, otto, settings):
        self.project = Project(otto)
        shutil.copytree(FIXTURE, self.project.folder, ignore=shutil.ignore_patterns("provider", "cloud.py"))
        self.folder = tempfile.mkdtemp(prefix="kill-cloud-")
        self.api = subprocess.Popen([sys.executable, os.path.join(FIXTURE, "cloud.py"), self.folder, "1.0"], stdin=subprocess.DEVNULL)
        port = os.path.join(self.folder, "port")
        while not os.path.exists(port):
            if self.api.poll() is not None:
                raise RuntimeError("the stand-in API does not start")
            time.sleep(0.02)
        with open(port) as file:
            self.url = f"http://127.0.0.1:{file.read()}"
        self.project.env.update(TF_CLI_CONFIG_FILE=settings, DIGITALOCEAN_TOKEN="t", DIGITALOCEAN_API_URL=self.url)

    def close(self, keep):
        self.project.close(keep)
        self.api.send_signal(signal.SIGTERM)
        self.api.wait()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def words(self):
        return ()

    def things(self):
        with urllib.request.urlopen(f"{self.url}/v2/droplets", timeout=10) as answer:
            return {str(one["id"]): (one["name"], one["status"] == "active") for one in json.load(answer)["droplets"]}

    def twice(self):
        with contextlib.suppress(OSError):
            with open(os.path.join(self.folder, "twice.log")) as file:
                return file.read().strip()
        return ""

    state = slow.Slow.state
    why_unhealthy = slow.Slow.why_unhealthy


@contextlib.contextmanager
def prepared(args):
    folder = tempfile.mkdtemp(prefix="kill-plugin-")
    try:
        settings = built(folder)
        one = Cloud(args.otto, settings)
        try:
            began = time.time()
            code, _ = one.project.run("provision", "--yes")
            took = time.time() - began
            if code != 0 or one.why_unhealthy():
                raise RuntimeError(f"an undisturbed run ends with {code}, {one.why_unhealthy()}; see {one.project.log}")
        finally:
            one.close(keep=False)
        print(f"# plugin: an undisturbed run takes {took:.2f} s", flush=True)
        yield Ready(args, settings, took)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Ready:
    def __init__(self, args, settings, took):
        self.args, self.settings, self.took = args, settings, took

    def trials(self, modes, args):
        for mode in modes:
            for number in range(args.trials):
                yield f"plugin-{mode}-{number}", ("plugin", mode), lambda _, random, found, mode=mode, number=number: self.trial(mode, number, random, found)

    def trial(self, mode, number, random, found):
        instant = self.took * (0.08 + 0.90 * (number + random.random()) / self.args.trials)
        cloud = Cloud(self.args.otto, self.settings)
        found.folder = cloud.project.base
        try:
            slow.try_one(cloud, mode, number, instant, random, found)
        finally:
            cloud.close(keep=self.args.keep and bool(found.all))
