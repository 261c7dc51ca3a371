"""Claims of a study, each with a test and a rule that was fixed before looking."""

from tandem.claims.evaluate import RULES, evaluate

__all__ = ["RULES", "evaluate"]
