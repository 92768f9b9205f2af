"""Programs that a suite starts, and that end with it."""


def ending_with_caller(command):
    """Returns a command that gets SIGTERM when the process that started it ends, even if that was killed.

    A server then stops its own PostgreSQL too. Start the command from the main thread: the signal
    comes when the thread ends that has started it, see prctl(2).
    """
    return ["setpriv", "--pdeathsig", "TERM", "--", *map(str, command)]
