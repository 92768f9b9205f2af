#!/usr/bin/env python3
"""Copies a directory as it is after each system call of a running program.

    snapshots.py PID DIRECTORY TARGET

strace stops the program after each call that can change files. If the directory has changed, its copy becomes
TARGET/1, TARGET/2 and so on. A copy is what the program would leave if it were killed at that moment. Prints "ready" when
strace has attached itself. SIGTERM ends it.
"""
import os
import selectors
import signal
import subprocess
import sys
import time

CALLS = (
    "mkdir,mkdirat,open,openat,creat,rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,write,pwrite64,ftruncate,"
    "fsync,fdatasync,fchmod,utimensat"
)  # A call of copy_file_range would begin again after each stop.


def main(pid, directory, target):
    strace = subprocess.Popen(
        ["strace", "-f", "-p", str(pid), "-e", f"trace={CALLS}", "-e", f"inject={CALLS}:signal=SIGSTOP"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
    )
    signal.signal(signal.SIGTERM, lambda *_: strace.send_signal(signal.SIGINT))
    os.makedirs(target)
    number, last, is_ready = 0, None, False
    selector = selectors.DefaultSelector()
    selector.register(strace.stderr, selectors.EVENT_READ)
    while True:
        # The lines only say that something happened. What happened is seen in /proc.
        lines = os.read(strace.stderr.fileno(), 1 << 16) if selector.select(0.001) else None
        if lines == b"":
            break
        if not is_ready and lines and b"attached" in lines:
            is_ready = True
            print("ready", flush=True)
        if not is_stopped(pid):
            continue
        now = listing(directory)
        if now != last:
            number, last = number + 1, now
            subprocess.run(["cp", "-a", directory, f"{target}/{number}"], check=True)
        os.kill(pid, signal.SIGCONT)
    os.kill(pid, signal.SIGCONT)


def is_stopped(pid):
    """Whether all threads are stopped. A thread that waits sleeps, unless the whole process is stopped."""
    try:
        states = {open(f"/proc/{pid}/task/{task}/stat").read().rpartition(")")[2].split()[0] for task in os.listdir(f"/proc/{pid}/task")}
    except (FileNotFoundError, ProcessLookupError):
        return False
    return bool(states) and states <= {"t", "T"}


def listing(directory):
    found = []
    for place, _, files in os.walk(directory):
        for name in [place, *(os.path.join(place, file) for file in files)]:
            status = os.lstat(name)
            found.append((name, status.st_ino, status.st_size, status.st_mtime_ns, status.st_nlink))
    return sorted(found)


main(int(sys.argv[1]), *sys.argv[2:])
