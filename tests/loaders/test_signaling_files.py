"""Sources of signaling on the files that they publish; the numbers are plain counts of these."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tosg.kg.claims.log import SourceLog
from tosg.kg.claims.schemas import RELATIONSHIP_CLAIMS
from tosg.loaders import registry

if TYPE_CHECKING:
    from pathlib import Path

#: Source -> files below the shared data, relationships by type, rows rejected.
WHOLE = {
    "collectri": (
        ("official/omnipath/collectri.csv", "official/hgnc/hgnc_complete_set.txt.gz"),
        {"REGULATES": 41_668},
        1_510,
    ),
    "celltalkdb": (
        ("official/ligand-receptor/Human-2020-Shao-LR-pairs.txt",),
        {"REGULATES": 3_398},
        0,
    ),
    "kgx": (
        ("official/kgx/graph_nodes.tsv", "official/kgx/graph_edges.tsv"),
        {
            "INTERACTS_WITH": 165,
            "HAS_PHENOTYPE": 124,
            "EXPRESSED_IN": 20,
            "LOCATED_IN": 8,
            "ASSOCIATED_WITH": 3 + 22,
        },
        185 + 12,
    ),
    "liana": (("official/omnipath/omni_resource.csv",), {"REGULATES": 4_620}, 30_736),
    "drugbank_vocabulary": (("official/drugbank",), {}, 0),
    "drugcentral_targets": (
        ("official/drugcentral/drug.target.interaction.tsv.gz",),
        {"TARGETS": 13_895},
        4_485,
    ),
    "hpo_annotations": (
        (
            "official/hpo/phenotype.hpoa.gz",
            "official/hpo/genes_to_phenotype.txt.gz",
            "official/hpo/genes_to_disease.txt",
        ),
        {"ASSOCIATED_WITH": 15_708},
        711 + 17_074 + 7_551,
    ),
    "sider": (("official/sider",), {"CAUSES": 163_206, "TREATS": 16_204}, 146_643 + 14_631),
    "reactome": (
        ("official/reactome",),
        {"PART_OF": 2_769, "PARTICIPATES_IN": 51_056},
        19_857 + 19_977 + 250_953,
    ),
}


@pytest.mark.parametrize("source", WHOLE)
def test_whole_files(source: str, shared_data: Path) -> None:
    paths, expected, rejected = WHOLE[source]
    loader, log = registry.make(source), SourceLog(source)
    files = loader.locate([shared_data / path for path in paths])
    found: Counter[str] = Counter()
    for batch in loader.claims(files, log):
        if batch.schema == RELATIONSHIP_CLAIMS:
            found.update(batch.column("type").to_pylist())
    assert {kind: found[kind] for kind in expected} == expected
    assert sum(r.count for r in log.rejections) == rejected
