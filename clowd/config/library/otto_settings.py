#!/usr/bin/python
"""Writes the settings of one service and makes it run with them, in one step.

Ansible starts a Python on the host for every module it runs (two for a template), which is most of the time of a run. This module does
what command, template, template and command would do, with --check and --diff like them.
"""

import os
import tempfile

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
options:
  before: {description: commands to run first; what one prints is what it changed, type: list}
  files: {description: 'path, content and optionally
    check: a command that gets a candidate as its last but one argument ("%s");
    unique: words that only one file of the folder may hold, dropped when another one has them;
    unless: a command, the file is left alone when it succeeds', type: list}
  test: {description: a command that tests all settings once they are written; when it fails they are put back, type: list}
  service: {description: the command that makes the service run with these files; prints what it had to do, type: list}
"""


def run(module, argv):
    code, out, err = module.run_command(argv)
    if code != 0:
        module.fail_json(msg=(err or out).strip() or "exit status %d" % code, cmd=argv)
    return [line for line in out.splitlines() if line]


def read(path):
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def without(path, content, words):
    """Somebody else's file, or another site's, may have claimed the port's first place: a second claim is an error for nginx."""
    folder = os.path.dirname(path)
    for place in folder, os.path.join(os.path.dirname(folder), "conf.d"):
        for name in sorted(os.listdir(place)) if os.path.isdir(place) else []:
            other = os.path.join(place, name)
            if other != path and os.path.isfile(other) and not name.startswith(".") and words in read(other):
                return content.replace(words, "")
    return content


def replace(module, path, content, check):
    """The candidate is checked before it takes the file's place, so that a dead service can always be started with what is there."""
    handle, candidate = tempfile.mkstemp(prefix=".otto-", dir=module.tmpdir)
    with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(content)
    os.chmod(candidate, 0o644)
    module.add_cleanup_file(candidate)
    if check:
        run(module, [candidate if word == "%s" else word for word in check])
    module.atomic_move(candidate, path)


def refuse(module, before):
    """A machine may serve other things: settings that it does not accept are not left there."""
    code, out, err = module.run_command(module.params["test"])
    if code == 0:
        return
    for path, old in before.items():
        if old is None:
            os.remove(path)
        else:
            replace(module, path, old, None)
    module.fail_json(msg="%s; the settings are as they were" % ((err or out).strip() or "exit status %d" % code))


def main():
    module = AnsibleModule(
        argument_spec={
            "before": {"type": "list", "elements": "list", "default": []},
            "files": {"type": "list", "elements": "dict", "default": []},
            "test": {"type": "list", "elements": "str", "default": []},
            "service": {"type": "list", "elements": "str", "required": True},
        },
        supports_check_mode=True,
    )
    did, diff = [], []
    if not module.check_mode:
        for argv in module.params["before"]:
            did += run(module, argv)
    before = {}
    for file in module.params["files"]:
        path, content = file["path"], file["content"]
        if file.get("unless") and module.run_command(file["unless"])[0] == 0:
            continue
        if file.get("unique"):
            content = without(path, content, file["unique"])
        old = read(path)
        if old == content:
            continue
        did.append(path)
        diff.append({"before": old, "after": content, "before_header": path, "after_header": path})
        if not module.check_mode:
            before[path] = old if os.path.lexists(path) else None
            replace(module, path, content, file.get("check"))
    if before and module.params["test"]:
        refuse(module, before)
    if not module.check_mode:
        did += run(module, module.params["service"])
    module.exit_json(changed=bool(did), did=did, diff=diff)


if __name__ == "__main__":
    main()
