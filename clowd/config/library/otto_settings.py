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
  files: {description: 'path, content and optionally check: a command that gets a candidate as its last but one argument ("%s")', type: list}
  service: {description: the command that makes the service run with these files; prints what it had to do, type: list}
"""


def run(module, argv):
    code, out, err = module.run_command(argv)
    if code != 0:
        module.fail_json(msg=(err or out).strip() or "exit status %d" % code, cmd=argv)
    return [line for line in out.splitlines() if line]


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def replace(module, path, content, check):
    """The candidate is checked before it takes the file's place, so that a dead service can always be started with what is there."""
    handle, candidate = tempfile.mkstemp(prefix=".otto-", dir=module.tmpdir)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(content)
    os.chmod(candidate, 0o644)
    module.add_cleanup_file(candidate)
    if check:
        run(module, [candidate if word == "%s" else word for word in check])
    module.atomic_move(candidate, path)


def main():
    module = AnsibleModule(
        argument_spec={
            "before": {"type": "list", "elements": "list", "default": []},
            "files": {"type": "list", "elements": "dict", "default": []},
            "service": {"type": "list", "elements": "str", "required": True},
        },
        supports_check_mode=True,
    )
    did, diff = [], []
    if not module.check_mode:
        for argv in module.params["before"]:
            did += run(module, argv)
    for file in module.params["files"]:
        path, content = file["path"], file["content"]
        old = read(path)
        if old == content:
            continue
        did.append(path)
        diff.append({"before": old, "after": content, "before_header": path, "after_header": path})
        if not module.check_mode:
            replace(module, path, content, file.get("check"))
    if not module.check_mode:
        did += run(module, module.params["service"])
    module.exit_json(changed=bool(did), did=did, diff=diff)


if __name__ == "__main__":
    main()
