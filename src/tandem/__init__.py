"""tandem: do two systems pull each other along? Econometrics of coupling on yearly panels."""
