"""DoRothEA: signed regulation of genes by transcription factors, with levels A to E."""

from __future__ import annotations

from typing import ClassVar

from tosg.loaders.base import FileSpec
from tosg.loaders.reference.regulons import Regulons
from tosg.loaders.reference.symbols import SYMBOLS
from tosg.loaders.scores import Score

_SCORE = Score(
    "CASE confidence WHEN 'A' THEN 1.0 WHEN 'B' THEN 0.8 WHEN 'C' THEN 0.6 WHEN 'D' THEN 0.4 "
    "WHEN 'E' THEN 0.2 END",
    texts=("confidence",),
    help="levels of evidence in even steps; A is curated and supported by other evidence",
)


class DoRothEA(Regulons):
    """See the module."""

    name = "dorothea"
    title = "DoRothEA: signed regulation by transcription factors, with levels of confidence"
    homepage = "https://saezlab.github.io/dorothea"
    license = "GPL-3.0"
    scores = (_SCORE,)
    quirks = (
        "OmniPath's answer has accessions, symbols and two flags for the sign; both make 0.",
        "Of several levels of a pair the best counts.",
    )
    signs = "weight (mor): above 0 is 1, below 0 is -1"
    tested_on = "made-up rows in the layouts of decoupleR and of OmniPath's web service"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "regulons",
            ("dorothea.tsv", "dorothea.csv", "dorothea*.csv", "dorothea*.tsv"),
            "factors, levels, targets and signs",
            url=(
                "https://omnipathdb.org/interactions?datasets=dorothea&genesymbols=1"
                "&fields=sources,references,dorothea_level&format=tsv"
            ),
            whole_bytes=500_000,
        ),
        SYMBOLS,
    )
