"""The one error a user of the pipeline sees."""


class TandemError(ValueError):
    """A mistake in data or study that the user can mend; one sentence says where and how."""
