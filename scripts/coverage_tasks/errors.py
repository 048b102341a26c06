"""The one error that a task ends with."""


class TaskError(Exception):
    """Something the user can put right: one sentence that names the cause and the remedy."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        """Keep the code the task exits with."""
        super().__init__(message)
        self.exit_code = exit_code
