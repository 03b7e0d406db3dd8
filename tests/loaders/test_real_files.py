"""The original files, whole: the counts that their README states."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow.compute as pc
import pytest

from tosg.files import hash_file
from tosg.kg.claims.log import FileLog, SourceLog
from tosg.kg.claims.spool import Spool
from tosg.kg.merge.merged import merge
from tosg.loaders import registry
from tosg.loaders.formats.obo_graph import read_ontology

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.merge.merged import Merged

Read = tuple[list["pa.RecordBatch"], SourceLog]


@cache
def _read(source: str, folder: Path) -> Read:
    loader = registry.make(source)
    log = SourceLog(source)
    return list(loader.claims(loader.locate([folder]), log)), log


def counts(batches: list[pa.RecordBatch], column: str) -> Counter[str]:
    """Claims per type; ``column`` tells the schema: "id" or "start"."""
    found: Counter[str] = Counter()
    for batch in batches:
        if column in batch.schema.names:
            for pair in pc.value_counts(batch.column("type")).to_pylist():
                found[pair["values"]] += pair["counts"]
    return found


def sums(log: SourceLog, name: str) -> tuple[int, int]:
    """Rows read and parsed of one file."""
    (file,) = (f for path, f in log.files.items() if path.name == name)
    return file.rows_read, file.rows_parsed


def rejected(log: SourceLog, name: str) -> dict[str, int]:
    """Rejections of one file: kind -> count."""
    (file,) = (f for path, f in log.files.items() if path.name == name)
    return {kind: r.count for kind, r in file.rejections.items()}


#: Sources of which no file is at hand, or several excerpts; their fixtures have the layout.
NOT_AT_HAND = {
    "bgee", "chembl", "ctd", "demo", "dgidb", "diseases", "dorothea", "drkg", "efo", "famplex",
    "huri", "innatedb", "kegg", "kgx", "kinase_substrate", "omnipath", "orphanet", "primekg",
    "reactome_fi", "string", "table", "guide_to_pharmacology", "pharmgkb", "ttd",
    "biomedgraphica", "celltosg", "neo4j_csv", "optimuskg", "stark_primekg",
}  # fmt: skip
AT_HAND = sorted(set(registry.names()) - NOT_AT_HAND)


@pytest.mark.parametrize("source", AT_HAND)
def test_hashes_are_those_of_the_files(source: str, shared_data: Path) -> None:
    loader = registry.make(source)
    for spec in loader.files:
        for path in shared_data.rglob(spec.filename) if spec.sha256 else ():
            assert hash_file(path) == spec.sha256


@pytest.mark.parametrize("source", AT_HAND)
def test_every_row_is_accounted_for(source: str, shared_data: Path) -> None:
    batches, log = _read(source, shared_data)
    assert batches
    for file in log.files.values():
        assert file.rows_read == file.rows_parsed + file.rows_rejected
    assert max(batch.num_rows for batch in batches) <= 100_000


#: Sources with modules of an older release beside them: of these the newer one counts.
MODULES = {"cl", "uberon"}


@pytest.mark.parametrize("source", sorted(set(AT_HAND) - MODULES))
def test_a_relationship_is_of_one_release(source: str, shared_data: Path) -> None:
    """Of two releases the merge would keep the newer one, though both files are of today."""
    claims = [b for b in _read(source, shared_data)[0] if "start" in b.schema.names]
    if claims:
        key = ["type", "start", "end", "sign", "action"]
        rows = pl.concat([pl.DataFrame(b).select(*key, "release") for b in claims])
        assert rows.unique().height == rows.unique(key).height


def _merge(folder: Path, *sources: str) -> Merged:
    """The entities of what the files of some sources say together."""
    with Spool() as spool:
        for source in sources:
            for batch in _read(source, folder)[0]:
                if "id" in batch.schema.names:
                    spool.add(batch)
        return merge(spool)


def _merged(source: str, folder: Path, label: str) -> dict[str, dict[str, Any]]:
    """What the files of one source say together: nodes of one type by id."""
    rows = _merge(folder, source).entities(label).iter_rows(named=True)
    return {row["id"]: row for row in rows}


def test_diseases_of_all_files(shared_data: Path) -> None:
    nodes = _merged("disease_ontology", shared_data, "Disease")
    assert len(nodes) == 12_350
    assert sum(n["description"] is not None for n in nodes.values()) == 9_987
    assert sum(len(n["synonyms"]) for n in nodes.values()) == 12_511
    alternative = [x for n in nodes.values() for x in n["xrefs"] if x.startswith("doid:")]
    assert len(alternative) == 1_325
    assert "doid:0000818" in nodes["doid:14566"]["xrefs"]
    assert nodes["doid:14566"]["releases"] == ["2015-05-14", "2026"]


def test_drugs_of_all_files(shared_data: Path) -> None:
    nodes = _merged("drugcentral", shared_data, "Drug")
    assert sum(n["description"] is not None for n in nodes.values()) == 2_955
    assert sum(len(n["synonyms"]) for n in nodes.values()) == 15_023
    imatinib = nodes["drugcentral:1423"]
    assert imatinib["name"] == "imatinib"
    assert "gleevec" in imatinib["synonyms"]
    assert "BCR-ABL kinase" in imatinib["description"]
    assert "cas:152459-95-5" in imatinib["xrefs"]


def test_terms_have_the_names_of_the_annotations(shared_data: Path) -> None:
    nodes = _merged("goa", shared_data, "BiologicalProcess")
    term = nodes["go:0000122"]
    assert term["name"] == "negative regulation of transcription by RNA polymerase II"
    assert term["description"].startswith("Any process that stops, prevents or reduces")
    assert (
        "negative regulation of transcription from RNA polymerase II promoter" in term["synonyms"]
    )
    for batch in _read("goa", shared_data)[0]:
        if "id" in batch.schema.names and batch.column("file")[0].as_py().startswith("GO_ann"):
            for row in batch.select(["type", "id", "name"]).to_pylist():
                if row["type"] == "BiologicalProcess":
                    assert nodes[row["id"]]["name"] == row["name"]


def test_hetionet(shared_data: Path) -> None:
    batches, log = _read("hetionet", shared_data)
    assert sums(log, "hetionet-v1.0-nodes.tsv") == (47_031, 47_031)
    assert counts(batches, "id") == {
        "Gene": 20_945,
        "BiologicalProcess": 11_381,
        "Phenotype": 5_734 + 438,
        "MolecularFunction": 2_884,
        "Pathway": 1_822,
        "Drug": 1_552,
        "CellularComponent": 1_391,
        "Anatomy": 402,
        "DrugClass": 345,
        "Disease": 137,
    }
    assert sums(log, "edges-5k.sif.gz") == (99_676, 99_676)
    releases = {(b["file"][0].as_py(), b["release"][0].as_py()) for b in batches if b.num_rows}
    assert releases == {
        ("hetionet-v1.0-nodes.tsv", "1.0"),
        ("DaG-association.tsv", "1.0"),
        ("CbG-binding.tsv", "1.0"),
        ("edges-5k.sif.gz", "excerpt of 1.0"),  # 5,000 of each kind at most
    }
    assert sums(log, "DaG-association.tsv") == (12_623, 12_623)
    assert sums(log, "CbG-binding.tsv") == (24_687, 24_687)
    licenses: Counter[str] = Counter()
    for batch in batches:
        if batch.num_rows and batch.column("file")[0].as_py() == "DaG-association.tsv":
            licenses.update(batch.column("license").to_pylist())
    assert licenses == {"ODbL 1.0": 5_940, "CC BY 4.0": 4_439, "": 2_244}


def test_ncbi_gene(shared_data: Path) -> None:
    batches, log = _read("ncbi_gene", shared_data / "entrez-gene")
    name = "Homo_sapiens.gene_info.gz"
    assert sums(log, name) == (56_425, 56_425 - 74)
    assert rejected(log, name) == {"other species": 73, "placeholder, not a gene": 1}
    names = [batch.column("name") for batch in batches]
    assert sum(column.null_count for column in names) == 0
    ensembl = sum(
        any(x.startswith("ensembl:") for x in xrefs)
        for batch in batches
        for xrefs in batch.column("xrefs").to_pylist()
    )
    assert ensembl == 22_225


def test_hgnc_complete_set(shared_data: Path) -> None:
    batches, log = _read("hgnc", shared_data / "official")
    assert (log.release, log.rejections) == ("2024-10-18", [])
    assert counts(batches, "id")["Gene"] == 43_882
    genes = [b for b in batches if "id" in b.schema.names and b["type"][0].as_py() == "Gene"]
    xrefs = Counter(
        x.partition(":")[0] for b in genes for one in b["xrefs"].to_pylist() for x in one
    )
    assert (xrefs["ncbigene"], xrefs["ensembl"]) == (43_813, 41_244)
    pairs = {
        (r["start"], r["end"])
        for b in batches
        if "start" in b.schema.names
        for r in b.to_pylist()
        if r["type"] == "ENCODES"
    }
    assert len({gene for gene, _ in pairs}) == 20_299


def test_ontology_modules(shared_data: Path) -> None:
    """The same terms from OBO and from OBO graph JSON."""
    folder = shared_data / "official" / "disease-ontology"
    read = []
    for name in ("DO_cancer_slim.obo", "DO_cancer_slim.json.gz"):
        release, terms = read_ontology(folder / name, FileLog("s", folder / name))
        found = {t.id: t for t in terms}
        read.append(
            (
                release,
                [
                    (t.id, t.name, t.definition, *map(sorted, (t.synonyms, t.xrefs, t.is_a)))
                    for t in map(found.get, sorted(found))
                    if t is not None
                ],
            )
        )
    assert read[0] == read[1]
    assert (read[0][0], len(read[0][1])) == ("2026-07-31", 730)


def test_hgnc(shared_data: Path) -> None:
    batches, log = _read("hgnc", shared_data / "obo-db-ingest")
    assert counts(batches, "id") == {"Gene": 42_791, "GeneFamily": 1_980}
    found = counts(batches, "start")
    assert (found["ENCODES"], found["MEMBER_OF"]) == (20_309, 29_684)
    assert rejected(log, "hgnc.json.gz")["gene of another species"] == 39_674
    assert sums(log, "hgnc.json.gz")[0] == 42_791 + 23 + 187_585
    xrefs: Counter[str] = Counter()
    texts = 0
    for batch in batches:
        if "id" not in batch.schema.names:
            continue
        for row in batch.select(["type", "xrefs", "description"]).to_pylist():
            if row["type"] == "Gene":
                xrefs.update({x.partition(":")[0] for x in row["xrefs"]})
            texts += row["description"] is not None
    assert (xrefs["ncbigene"], xrefs["ensembl"]) == (42_745, 39_825)
    assert texts == 853
    assert log.release == "2021-09-16"


def test_uniprot(shared_data: Path) -> None:
    batches, log = _read("uniprot", shared_data)
    assert sums(log, "uniprot.tab") == (20_421, 20_421)
    assert sum(batch.column("name").null_count for batch in batches) == 0
    assert sum(batch.column("symbol").null_count for batch in batches) == 150
    words = [w for b in batches for row in b.column("synonyms").to_pylist() for w in row]
    words += [symbol for b in batches for symbol in b.column("symbol").drop_null().to_pylist()]
    assert not any(word.endswith(";") for word in words)


def test_goa(shared_data: Path) -> None:
    batches, log = _read("goa", shared_data)
    found = counts(batches, "start")
    assert found["PARTICIPATES_IN"] + found["HAS_FUNCTION"] + found["LOCATED_IN"] == 95_411
    assert sums(log, "GO_annotations-9606-direct-expev.tsv") == (11_345, 11_345)
    assert sums(log, "go-2009-05-15.owl.gz") == (18_828, 18_828)
    assert counts(batches, "id") == {
        "BiologicalProcess": 16_482 + 7_273,
        "CellularComponent": 2_346 + 1_186,
        "MolecularFunction": 2_886,
    }
    defined = sum(
        len(batch) - batch.column("description").null_count
        for batch in batches
        if "id" in batch.schema.names
    )
    assert defined == 18_736


def test_pathways(shared_data: Path) -> None:
    batches, _ = _read("pathways", shared_data)
    assert counts(batches, "id") == {"Pathway": 1_862}
    assert counts(batches, "start") == {"PARTICIPATES_IN": 85_296}
    ours = {i for b in batches if "id" in b.schema.names for i in b.column("id").to_pylist()}
    theirs = {
        row["id"]
        for batch in _read("hetionet", shared_data)[0]
        if "id" in batch.schema.names
        for row in batch.select(["type", "id"]).to_pylist()
        if row["type"] == "Pathway"
    }
    assert len(ours & theirs) == 1_822


def test_disease_ontology(shared_data: Path) -> None:
    batches, log = _read("disease_ontology", shared_data)
    assert sums(log, "HumanDO.obo") == (8_948, 8_948 - 2_374)
    assert rejected(log, "HumanDO.obo") == {"obsolete": 2_372, "obsolete, replaced": 2}
    assert counts(batches, "start") == {"IS_A": 6_921}
    assert sums(log, "facets.tsv.gz") == (257_684, 257_684)
    assert sums(log, "allXREFinDO.tsv") == (39_264, 39_264)
    per_file: Counter[str] = Counter()
    defined: Counter[str] = Counter()
    for batch in batches:
        if "id" in batch.schema.names and len(batch):
            file = batch.column("file")[0].as_py()
            per_file[file] += len(batch)
            defined[file] += len(batch) - batch.column("description").null_count
    assert (per_file["facets.tsv.gz"], defined["facets.tsv.gz"]) == (12_178, 9_947)


def test_ontologies(shared_data: Path) -> None:
    _, log = _read("mondo", shared_data)
    animals = {"disease of another species": 2_791}
    assert sums(log, "mondo.min.tsv.gz") == (26_489, 26_489 - 2_791)
    assert rejected(log, "mondo.min.tsv.gz") == animals
    assert sums(log, "mondo_exactmatch_doid.sssom.tsv") == (11_966, 11_966 - 147)
    assert rejected(log, "mondo_exactmatch_doid.sssom.tsv") == {"obsolete subject": 147}
    _, log = _read("uberon", shared_data)
    assert sums(log, "uberon.min.tsv.gz") == (14_675, 14_675)
    assert sums(log, "uberon_import.obo.gz")[1] == 4_871
    _, log = _read("cl", shared_data)
    assert sums(log, "cl.min.tsv.gz") == (3_228, 3_227)  # one term says that it is obsolete
    assert sums(log, "general_cell_types_upper_slim.obo")[1] == 85 + 251 + 234
    assert sums(log, "blood_and_immune_upper_slim.obo")[1] == 162 + 471 + 240


def test_drugcentral(shared_data: Path) -> None:
    batches, log = _read("drugcentral", shared_data)
    structures, table = "drugcentral-2021_09_01.obo", "drugcentral.tsv"
    assert sums(log, structures) == (4_098, 4_098)
    # Names stand at other drugs' identifiers in this table; 387 fit none.
    assert sums(log, table) == (4_995, 4_995 - 387)
    assert rejected(log, table) == {"name of another identifier, unknown which": 387}
    claims = [row for batch in batches for row in batch.to_pylist()]
    names: dict[str, dict[str, str]] = {structures: {}, table: {}}
    for row in claims:
        names[row["file"]][row["id"]] = row["name"].lower()
    both = names[structures].keys() & names[table].keys()
    assert len(both) == 4_097
    # The table is newer by years: a few drugs were renamed.
    renamed = [id_ for id_ in both if names[structures][id_] != names[table][id_]]
    assert len(renamed) < 0.01 * len(both)
    assert names[table]["drugcentral:52"] == "paracetamol"
    assert names[table]["drugcentral:4979"] == "trastuzumab"
    known = set(names[table].values()) | set(names[structures].values())
    compounds = [
        row["name"].lower()
        for batch in _read("hetionet", shared_data)[0]
        if "id" in batch.schema.names
        for row in batch.select(["type", "name"]).to_pylist()
        if row["type"] == "Drug"
    ]
    assert (len(compounds), sum(name in known for name in compounds)) == (1_552, 1_347)


def test_indications(shared_data: Path) -> None:
    batches, log = _read("indications", shared_data)
    assert counts(batches, "start") == {"TREATS": 755, "PALLIATES": 390}
    assert counts(batches, "id") == {"Drug": 551, "Disease": 91}
    assert rejected(log, "indications.tsv") == {"not an indication": 243}


def test_intact(shared_data: Path) -> None:
    batches, log = _read("intact", shared_data)
    name = "IntAct_interaction_raw.csv.xz"
    assert sums(log, name) == (365_124, 279_697)
    assert rejected(log, name)["interactor missing"] == 111
    assert counts(batches, "start") == {"INTERACTS_WITH": 152_591}
    pairs = {
        pair
        for b in batches
        for pair in zip(b.column("start").to_pylist(), b.column("end").to_pylist(), strict=True)
    }
    assert len(pairs) == 152_591
    assert all(a < b for a, b in pairs)


def test_trrust(shared_data: Path) -> None:
    batches, log = _read("trrust", shared_data)
    assert sums(log, "trrust_rawdata.human.tsv")[0] == 9_396
    gone = rejected(log, "trrust_rawdata.human.tsv")
    assert set(gone) == {"unknown symbol", "ambiguous symbol"}
    assert sum(gone.values()) < 0.004 * 9_396
    signs: Counter[int] = Counter()
    for batch in batches:
        signs.update(batch.column("sign").to_pylist())
    assert signs[1] <= 3_149
    assert signs[-1] <= 1_922
    assert signs.total() == 9_396 - sum(gone.values())
    notes = {note.kind: note.count for note in log.notes}
    assert notes["row given again"] == 9


def classes(merged: Merged, label: str) -> dict[str, str]:
    """Id of the node that has each id."""
    rows = merged.entities(label).select("id", "xrefs").iter_rows()
    return {alias: id_ for id_, xrefs in rows for alias in (id_, *xrefs)}


def test_hetionets_diseases_are_those_of_mondo(shared_data: Path) -> None:
    merged = _merge(shared_data, "hetionet", "disease_ontology", "mondo")
    found = classes(merged, "Disease")
    ours = {
        row["id"]
        for batch in _read("hetionet", shared_data)[0]
        if "id" in batch.schema.names
        for row in batch.select(["type", "id"]).to_pylist()
        if row["type"] == "Disease"
    }
    apart = {id_ for id_ in ours if not found[id_].startswith("mondo:")}
    assert (len(ours), apart) == (137, set())
    assert found["doid:2994"] == "mondo:0005040"  # by MONDO's mapping: its name fits two
    assert found["doid:10652"] == "mondo:0004975"  # Alzheimer
    assert found["doid:14330"] == "mondo:0005180"  # Parkinson
    assert found["doid:8778"] == "mondo:0005011"  # Crohn
    assert found["doid:10763"] == "mondo:0005044"  # hypertension
    assert found["doid:3393"] == "mondo:0005010"  # coronary artery disease
    assert found["doid:9970"] == "mondo:0011122"  # obesity
    assert found["doid:3310"] == "mondo:0004980"  # atopic dermatitis
    by = Counter(j.how for j in merged.joins if j.type == "Disease")
    # Most by the exact mappings that MONDO publishes, which the names alone found before.
    assert by == {"same_as": 11_810, "name": 109, "synonym": 33, "replaces": 1}


def test_drugs_of_two_sources_under_other_names(shared_data: Path) -> None:
    merged = _merge(shared_data, "hetionet", "drugcentral")
    found = classes(merged, "Drug")
    assert found["drugcentral:52"] == "drugbank:DB00316"  # paracetamol, acetaminophen
    assert found["drugcentral:760"] == "drugbank:DB00091"  # ciclosporin, cyclosporine
    by = Counter(j.how for j in merged.joins if j.type == "Drug")
    assert by == {"name": 1_347, "synonym": 132}
