"""A process that measures on request: requests and answers are lines of JSON.

In a process of its own lives what needs another environment, other libraries, or a memory in which
nothing else is.
"""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self


class ChildEndedError(RuntimeError):
    """The process has ended before it answered; what it wrote to standard error says why.

    Parameters
    ----------
    status
        Its exit status.
    """

    def __init__(self, status: int) -> None:
        super().__init__(f"the process that measures ended with status {status}")
        self.status = status


class Child:
    """A process on one thread; use it in a ``with`` statement.

    Parameters
    ----------
    command
        Its program and arguments.
    variables
        What its environment has beside that of this process.
    """

    def __init__(self, command: Sequence[str], variables: Mapping[str, str]) -> None:
        self._command = command
        self._variables = variables

    def __enter__(self) -> Self:
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **threads, **self._variables},
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # A process that has ended does not read what it was sent.
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def ask(self, **request: Any) -> Any:
        """Send a request and return the answer.

        Raises
        ------
        ChildEndedError
            If the process has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise ChildEndedError(self._process.wait())
        return json.loads(answer)
