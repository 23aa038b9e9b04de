from world import Skip
import contextlib
def modes(every): return every + ["kill-plugin"]
@contextlib.contextmanager
def prepared(args):
    raise Skip("not yet")
    yield
