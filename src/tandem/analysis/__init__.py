"""A study's analysis, step by step: study and tidy frames in, tidy frames out."""
