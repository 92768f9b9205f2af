"""The programs that a suite starts end with it."""

import os
import select
import subprocess
import sys

SUITE = """
import subprocess
from children import ending_with_caller
subprocess.run(ending_with_caller(["sh", "-c", "echo $$; exec sleep 1000"]))
"""


def test_a_program_ends_with_a_suite_that_is_killed():
    suite = subprocess.Popen([sys.executable, "-c", SUITE], stdout=subprocess.PIPE, text=True)
    program = os.pidfd_open(int(suite.stdout.readline()))
    suite.kill()
    suite.wait()
    # The descriptor of a process is readable when the process has ended.
    assert select.select([program], [], [], 60)[0]
    os.close(program)
