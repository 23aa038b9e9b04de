"""otto as the foreground job of a session leader in a pty, as a shell starts it."""

import errno
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import threading
import time


class Job:
    """A command at work in a terminal of its own."""

    def __init__(self, argv, cwd, env, log):
        report, tell = os.pipe()
        os.set_inheritable(tell, True)
        pid, self.master = pty.fork()
        if pid == 0:
            os.close(report)
            _lead(argv, cwd, env, tell)
        os.close(tell)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.leader, self.report, self.open, self.output = pid, report, True, open(log, "ab", buffering=0)
        self.guard, self.code = threading.Lock(), None
        self.pid = struct.unpack("i", self._told(4))[0]
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _told(self, size):
        data = b""
        while len(data) < size:
            more = os.read(self.report, size - len(data))
            if not more:
                raise RuntimeError("the session leader ended without a word")
            data += more
        return data

    def _read(self):
        while True:
            with self.guard:
                if not self.open:
                    return
                try:
                    ready, _, _ = select.select([self.master], [], [], 0.02)
                    data = os.read(self.master, 65536) if ready else None
                except OSError:
                    return
            if data == b"":
                return
            if data:
                self.output.write(data)
            time.sleep(0.001)

    def type(self, text):
        """Typed by a person: the terminal turns ^C into SIGINT to the foreground group."""
        with self.guard:
            if self.open:
                try:
                    os.write(self.master, text)
                except OSError as error:
                    if error.errno != errno.EIO:
                        raise

    def hang_up(self):
        """The terminal goes away: nobody reads or writes it any more."""
        with self.guard:
            self.open = False
            os.close(self.master)

    def ended(self):
        return self.code is not None or bool(select.select([self.report], [], [], 0)[0])

    def wait(self, limit):
        """The exit code as a shell shows it (128 + signal), or None when it still works after `limit` seconds."""
        if self.code is None and select.select([self.report], [], [], limit)[0]:
            status = struct.unpack("i", self._told(4))[0]
            self.code = os.waitstatus_to_exitcode(status)
            self.code = 128 - self.code if self.code < 0 else self.code
            os.waitpid(self.leader, 0)
        return self.code

    def close(self):
        if self.code is None and self.wait(0) is None:
            for pid in (self.pid, self.leader):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            try:
                os.waitpid(self.leader, 0)
            except ChildProcessError:
                pass
        with self.guard:
            if self.open:
                os.close(self.master)
            self.open = False
        os.close(self.report)
        self.output.close()


def _lead(argv, cwd, env, tell):
    """The session leader: starts the job in a group of its own in the foreground, passes a hang-up on, reports how it ended."""
    try:
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.closerange(3, tell)  # other trials' terminals: a copy held here would keep them from going away
        os.closerange(tell + 1, 1024)
        job = os.fork()
        if job == 0:
            os.setpgid(0, 0)
            os.tcsetpgrp(0, os.getpid())
            for number in (signal.SIGTTOU, signal.SIGINT, signal.SIGPIPE, signal.SIGHUP, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            os.close(tell)
            os.chdir(cwd)
            os.execve(argv[0], argv, env)
        try:
            os.setpgid(job, job)
        except OSError:
            pass
        signal.signal(signal.SIGHUP, lambda *_: os.killpg(job, signal.SIGHUP))
        os.write(tell, struct.pack("i", job))
        while True:
            try:
                _, status = os.waitpid(job, 0)
                break
            except InterruptedError:
                continue
        os.write(tell, struct.pack("i", status))
    finally:
        os._exit(0)
