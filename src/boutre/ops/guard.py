"""
Ends a process when the one that started it is gone, however it went.

What a test or a demo starts must not outlive it, even when it is killed: an orphaned broker holds a port and half a
gigabyte. Linux can tie a child to its parent (PR_SET_PDEATHSIG), but it ties it to the *thread* that started it, and a
broker may be started from a thread that ends. So a shell waits on a pipe that only this process holds open: the pipe
closes when this process ends for whatever reason, and the shell then kills what it guards.
"""

from __future__ import annotations

import subprocess

# Reading ends with status 0 on a line (released) and with 1 when the pipe closes (the owner is gone).
_WATCH = 'read -r _ || kill -9 "$1"'


class Guard:
    """
    Kills the process *pid* when this process ends before `release`.

    A child forked without exec (multiprocessing's fork) holds the pipe too: then the last of them must end.
    """

    def __init__(self, pid: int) -> None:
        self._shell = subprocess.Popen(  # noqa: S603 - the script is the constant above, its argument a number
            ["/bin/sh", "-c", _WATCH, "boutre-guard", str(pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def release(self) -> None:
        """
        Let the guarded process live on, or be reaped: the guard goes. A second call does nothing.
        """
        if self._shell.poll() is None:
            self._shell.communicate(b"\n")
