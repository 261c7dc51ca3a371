"""Claims of a study, each with a test and a rule that was fixed before looking."""
