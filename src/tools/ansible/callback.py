# otto's eyes on a playbook: one JSON object a line, appended to the file that OTTO_EVENTS names.
# It prints nothing, keeps whatever stdout callback the user has, and never raises.
from __future__ import annotations

import json
import os
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: otto_events
type: notification
short_description: newline-delimited JSON events for otto
description: Appends one JSON object per event to the file named by the environment variable OTTO_EVENTS.
"""

BOUND = 2000


def _bounded(text):
    text = text if isinstance(text, str) else json.dumps(text, default=str)
    if len(text) <= BOUND:
        return text
    return text[: BOUND // 2] + " [...] " + text[-BOUND // 2 :]


def _of(result, name):
    """`result.host` since 2.19, `result._host` before."""
    value = getattr(result, name, None)
    return value if value is not None else getattr(result, "_" + name, None)


def _message(body):
    """What a failed task says, in one text; a censored result says only that."""
    if not isinstance(body, dict):
        return _bounded(body)
    if "censored" in body:
        return _bounded(body["censored"])
    parts = []
    if body.get("msg"):
        parts.append(_bounded(body["msg"]))
    for item in body.get("results") or []:
        if isinstance(item, dict) and (item.get("failed") or item.get("unreachable")):
            parts.append(_message(item))
            break
    for key in ("reason", "module_stderr", "stderr", "module_stdout", "stdout"):
        if body.get(key) and (len(parts) < 2):
            parts.append(_bounded(body[key]).strip())
    return _bounded("\n".join(part for part in parts if part))


def _count(play):
    """Tasks of a play as far as they are known before it runs, tags respected; includes are one task each."""
    from ansible import constants as C

    meta = getattr(C, "_ACTION_META", ("meta", "ansible.builtin.meta"))

    def tasks(entries):
        total = 0
        for entry in entries or []:
            if hasattr(entry, "block"):
                total += tasks(entry.block) + tasks(entry.always)
            elif getattr(entry, "action", None) not in meta:
                total += 1
        return total

    total = 0
    for block in play.compile():
        try:
            block = block.filter_tagged_tasks(play.get_vars())
        except Exception:
            pass
        total += tasks(block.block) + tasks(block.always)
    if getattr(play, "gather_facts", None) is True:
        total += 1
    return total


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "otto_events"
    CALLBACK_NEEDS_ENABLED = False
    CALLBACK_NEEDS_WHITELIST = False

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._file = None
        try:
            path = os.environ.get("OTTO_EVENTS")
            if path:
                self._file = open(path, "a", encoding="utf-8", errors="backslashreplace")
        except Exception:
            pass
        if self._file is None:
            self.disabled = True

    def _emit(self, event, **fields):
        try:
            line = {"event": event, "at": round(time.time(), 3), **fields}
            self._file.write(json.dumps(line, default=str, separators=(",", ":")) + "\n")
            self._file.flush()
        except Exception:
            pass

    def _try(self, event, make):
        try:
            self._emit(event, **make())
        except Exception as error:
            self._emit(event, callback_error=_bounded(str(error)))

    def _task(self, task):
        return {"task": _bounded(task.get_name().strip()), "path": task.get_path(), "action": str(task.action)}

    def v2_playbook_on_start(self, playbook):
        def make():
            tasks = 0
            try:
                tasks = sum(_count(play) for play in playbook.get_plays())
            except Exception:
                pass
            return {"playbook": os.path.basename(playbook._file_name), "tasks": tasks}

        self._try("playbook_start", make)

    def v2_playbook_on_play_start(self, play):
        def make():
            hosts = None
            try:
                inventory = play.get_variable_manager()._inventory
                hosts = len(inventory.get_hosts(play.hosts))
            except Exception:
                pass
            return {"play": _bounded(play.get_name().strip()), "hosts": hosts}

        self._try("play_start", make)

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._try("task_start", lambda: self._task(task))

    def v2_playbook_on_handler_task_start(self, task):
        self._try("task_start", lambda: {**self._task(task), "handler": True})

    def v2_playbook_on_cleanup_task_start(self, task):
        self._try("task_start", lambda: self._task(task))

    def v2_playbook_on_no_hosts_matched(self):
        self._emit("no_hosts")

    def _result(self, status, result):
        def make():
            body = _of(result, "result") or {}
            fields = {"status": status, "host": _of(result, "host").get_name(), **self._task(_of(result, "task"))}
            if status == "ok" and isinstance(body, dict) and body.get("changed"):
                fields["status"] = "changed"
            if status in ("failed", "unreachable", "ignored"):
                fields["msg"] = _message(body)
            return fields

        self._try("host_result", make)

    def v2_runner_on_ok(self, result):
        self._result("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._result("ignored" if ignore_errors else "failed", result)

    def v2_runner_on_skipped(self, result):
        self._result("skipped", result)

    def v2_runner_on_unreachable(self, result):
        self._result("unreachable", result)

    def v2_runner_retry(self, result):
        def make():
            body = _of(result, "result") or {}
            return {
                "host": _of(result, "host").get_name(),
                **self._task(_of(result, "task")),
                "attempt": body.get("attempts"),
                "of": body.get("retries"),
            }

        self._try("retry", make)

    def v2_playbook_on_stats(self, stats):
        self._try("stats", lambda: {"hosts": {host: stats.summarize(host) for host in sorted(stats.processed)}})
