"""Raw tables -> tidy observations and a ledger of every change made on the way."""

from tandem.sources.checks import check_identities
from tandem.sources.inventory import read_codebook, read_sources
from tandem.sources.observations import read_observations
from tandem.sources.seed import seed_checks, seed_figures
from tandem.sources.tables import read_table

__all__ = [
    "check_identities",
    "read_codebook",
    "read_observations",
    "read_sources",
    "read_table",
    "seed_checks",
    "seed_figures",
]
