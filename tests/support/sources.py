"""Small source files in the exact formats of the originals, made up, with every trap in them.

Accessions, numbers and symbols have the right shape; what they say is invented.
"""

from __future__ import annotations

import gzip
import lzma
from typing import TYPE_CHECKING

import pyarrow as pa

from support.fixtures import Fixture, fixtures
from support.reference_tables import GENE_INFO, UNIPROT, tsv
from tosg.kg.claims.log import SourceLog
from tosg.loaders import registry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


HETIONET_NODES = tsv(
    "id ; name ; kind",
    "Anatomy::UBERON:0000002 ; uterine cervix ; Anatomy",
    'Biological Process::GO:0000001 ; the "first" process ; Biological Process',
    "Cellular Component::GO:0000002 ; a component ; Cellular Component",
    "Compound::DB00014 ; Goserelin ; Compound",
    "Compound::DB00015 ; Another ; Compound",
    "Disease::DOID:14 ; some disease ; Disease",
    "Disease::DOID:15 ; other disease ; Disease",
    "Gene::11 ; AAA1 ; Gene",
    "Gene::12 ; BBB2 ; Gene",
    "Molecular Function::GO:0000003 ; a function ; Molecular Function",
    "Pathway::PC7_10399 ; a set ; Pathway",
    "Pathway::WP100_r74146 ; a pathway ; Pathway",
    "Pharmacologic Class::N0000000069 ; a class ; Pharmacologic Class",
    "Side Effect::C0000727 ; Acute abdomen ; Side Effect",
    "Symptom::D000006 ; Abdomen, Acute ; Symptom",
    "Gene::11 ; AAA1 ; Gene",  # given twice
    "Planet::3 ; earth ; Planet",  # a kind that is none
    "Gene::13 ; liar ; Disease",  # contradicts itself
    "Disease::14 ; bare number ; Disease",  # fine: DOID's prefix is understood
    "Gene::12x ; bad number ; Gene",
    "Gene::16 ; a name ; with a tab ; Gene",
)

SIF_ROWS = (
    "Anatomy::UBERON:0000002 ; AdG ; Gene::11",
    "Anatomy::UBERON:0000002 ; AeG ; Gene::11",
    "Anatomy::UBERON:0000002 ; AuG ; Gene::11",
    "Compound::DB00014 ; CbG ; Gene::11",
    "Compound::DB00014 ; CcSE ; Side Effect::C0000727",
    "Compound::DB00014 ; CdG ; Gene::11",
    "Compound::DB00014 ; CpD ; Disease::DOID:14",
    "Compound::DB00014 ; CrC ; Compound::DB00015",
    "Compound::DB00014 ; CtD ; Disease::DOID:14",
    "Compound::DB00014 ; CuG ; Gene::11",
    "Disease::DOID:14 ; DaG ; Gene::11",
    "Disease::DOID:14 ; DdG ; Gene::11",
    "Disease::DOID:14 ; DlA ; Anatomy::UBERON:0000002",
    "Disease::DOID:14 ; DpS ; Symptom::D000006",
    "Disease::DOID:14 ; DrD ; Disease::DOID:15",
    "Disease::DOID:14 ; DuG ; Gene::11",
    "Gene::11 ; GcG ; Gene::12",
    "Gene::11 ; GiG ; Gene::12",
    "Gene::11 ; GpBP ; Biological Process::GO:0000001",
    "Gene::11 ; GpCC ; Cellular Component::GO:0000002",
    "Gene::11 ; GpMF ; Molecular Function::GO:0000003",
    "Gene::11 ; GpPW ; Pathway::WP100_r74146",
    "Gene::11 ; Gr>G ; Gene::12",
    "Pharmacologic Class::N0000000069 ; PCiC ; Compound::DB00014",
)

HETIONET_SIF = tsv(
    "source ; metaedge ; target",
    *SIF_ROWS,
    "Gene::11 ; GxG ; Gene::12",  # no such metaedge
    "Gene::11 ; CtD ; Disease::DOID:14",  # ends of another
    "Gene::11 ; GiG ; Gene::1x",  # bad number
    "Gene::12 ; GpPW ; Pathway::PC7_10399",
    "Disease::DOID:15 ; DaG ; Gene::12",  # not in the table
)

HETIONET_DAG = tsv(
    "doid_id ; doid_name ; entrez_gene_id ; gene_symbol ; sources ; license",
    "DOID:14 ; some disease ; 11 ; AAA1 ; DISEASES|DisGeNET ; ODbL 1.0",
    "DOID:14 ; some disease ; 12 ; BBB2 ; GWAS Catalog ; ",
    "14b ; some disease ; 12 ; BBB2 ; DOAF ; CC BY 4.0",
)

HETIONET_CBG = tsv(
    "drugbank_id ; entrez_gene_id ; sources ; pubmed_ids ; actions ; affinity_nM ; license ; urls",
    "DB00014 ; 11 ; DrugBank (target)|ChEMBL ; 105|109 ; inhibitor|Antagonist  ; 62.4 ; "
    "CC BY-NC 4.0 ; https://x.org/1|https://x.org/2",
    "DB00015 ; 12 ; PDSP Ki ;  ;  ; n/a ;  ; ",
    "DB15 ; 12 ; PDSP Ki ;  ;  ;  ;  ; ",
)

METAEDGES = tsv(
    "metaedge ; abbreviation ; edges ; source_nodes ; target_nodes ; unbiased",
    "Anatomy - downregulates - Gene ; AdG ; 1 ; 1 ; 1 ; 0",
    "Gene - teleports - Gene ; GxG ; 1 ; 1 ; 1 ; 0",
)

HGNC = """{"graphs": [{"nodes": [
{"id": "http://purl.obolibrary.org/obo/SO_0000100", "meta": null, "type": "CLASS", "lbl": "kind"},
{"id": "http://purl.obolibrary.org/obo/hgnc_5", "type": "CLASS", "lbl": "AAA1", "meta":
 {"definition": {"val": "alpha one"}, "deprecated": false, "xrefs": [
  {"val": "http://purl.obolibrary.org/obo/ncbigene_11"},
  {"val": "http://purl.obolibrary.org/obo/ensembl_ENSG00000000011"},
  {"val": "http://purl.obolibrary.org/obo/refseq_NM_020039"},
  {"val": "http://purl.obolibrary.org/obo/merops_S01.1"}]}},
{"id": "http://purl.obolibrary.org/obo/hgnc_6", "type": "CLASS", "lbl": "BBB2", "meta": null},
{"id": "http://purl.obolibrary.org/obo/hgnc_7", "type": "CLASS", "lbl": "OLD", "meta":
 {"deprecated": true}},
{"id": "http://purl.obolibrary.org/obo/hgnc_x", "type": "CLASS", "lbl": "BAD", "meta": {}}],
"edges": [
{"sub": "http://purl.obolibrary.org/obo/hgnc_5", "pred": "is_a", "obj": "SO_0000100"},
{"sub": "http://purl.obolibrary.org/obo/hgnc_5",
 "pred": "http://purl.obolibrary.org/obo/RO0002205",
 "obj": "http://purl.obolibrary.org/obo/uniprot_P00011"},
{"sub": "http://purl.obolibrary.org/obo/hgnc_5",
 "pred": "http://purl.obolibrary.org/obo/RO0002350",
 "obj": "http://purl.obolibrary.org/obo/hgnc.genegroup_100"},
{"sub": "http://purl.obolibrary.org/obo/hgnc_5",
 "pred": "http://purl.obolibrary.org/obo/ROHOM0000017",
 "obj": "http://purl.obolibrary.org/obo/mgi_1"},
{"sub": "http://purl.obolibrary.org/obo/hgnc_5", "pred": "http://x.org/new", "obj": "y"},
{"sub": "http://purl.obolibrary.org/obo/hgnc_6",
 "pred": "http://purl.obolibrary.org/obo/RO0002205",
 "obj": "http://purl.obolibrary.org/obo/uniprot_nonsense"}],
"meta": {"basicPropertyValues": [
 {"pred": "http://www.geneontology.org/formats/oboInOwl#hasDate", "val": "16:09:2021 12:16"}]}}]}
"""

GENE_GROUPS = r"""format-version: 1.4
data-version: 2025-10-07
ontology: hgnc.genegroup

[Typedef]
id: RO:0002162
name: in taxon

[Term]
id: hgnc.genegroup:100
name: Alpha family
def: "Kinases\, \(mostly\) of \"alpha\" type."
synonym: "AF" RELATED OMO:0003000 []
synonym: "Alphas" []
is_a: hgnc.genegroup:101 ! Kinases
is_a: SO:0005855 ! gene group

[Term]
id: hgnc.genegroup:101
name: Kinases
is_a: SO:0005855 ! gene group

[Term]
id: SO:0005855
name: gene group
"""

GOA = tsv(
    "go_id ; go_name ; go_domain ; tax_id ; annotation_type ; size ; gene_ids ; gene_symbols",
    "GO:0000001 ; first process ; biological_process ; 9606 ; direct ; 2 ; 11|12 ; AAA1|BBB2",
    "GO:0000002 ; a component ; cellular_component ; 9606 ; direct ; 1 ; 11 ; AAA1",
    "GO:0000003 ; a function ; molecular_function ; 9606 ; direct ; 2 ; 12|x ; BBB2|X",
    "GO:0000001 ; first process ; biological_process ; 10090 ; direct ; 1 ; 99 ; Aaa1",
    "GO:0000004 ; nowhere ; nonsense ; 9606 ; direct ; 1 ; 11 ; AAA1",
    "GO:7 ; bad ; biological_process ; 9606 ; direct ; 1 ; 11 ; AAA1",
)

GO_OWL = """<?xml version="1.0"?>
<!DOCTYPE rdf:RDF [
    <!ENTITY owl "http://www.w3.org/2002/07/owl#" >
    <!ENTITY xsd "http://www.w3.org/2001/XMLSchema#" >
    <!ENTITY rdfs "http://www.w3.org/2000/01/rdf-schema#" >
]>
<rdf:RDF xmlns="http://www.gong.manchester.ac.uk/go.owl#"
     xml:base="http://www.gong.manchester.ac.uk/go.owl"
     xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#"
     xmlns:owl="http://www.w3.org/2002/07/owl#"
     xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
    <owl:Ontology rdf:about="">
        <date rdf:datatype="&xsd;string"
            >Fri May 15 12:11:00 CEST 2009</date>
    </owl:Ontology>
    <owl:AnnotationProperty rdf:about="#def"/>
    <owl:Class rdf:about="#GO_0000001">
        <rdfs:label
            >first process</rdfs:label>
        <rdfs:subClassOf rdf:resource="#GO_0000009"/>
        <rdfs:subClassOf>
            <owl:Restriction>
                <owl:onProperty rdf:resource="#part_of"/>
                <owl:someValuesFrom rdf:resource="#GO_0000009"/>
            </owl:Restriction>
        </rdfs:subClassOf>
        <namespace
            >biological_process</namespace>
        <synonym
            >process one</synonym>
        <def
            >What comes &#39;first&#39; &amp; stays.</def>
    </owl:Class>
    <owl:Class rdf:about="#GO_0000009">
        <rdfs:label>process</rdfs:label>
        <namespace>biological_process</namespace>
    </owl:Class>
    <owl:Class rdf:about="#GO_0000010">
        <rdfs:label>of no namespace</rdfs:label>
    </owl:Class>
</rdf:RDF>
"""

PATHWAYS = tsv(
    "identifier ; name ; url ; n_genes ; n_coding_genes ; source ; license ; genes ; coding_genes",
    "PC7_10399 ; a set ;  ; 2 ; 2 ; pid ; CC0 1.0 ; 11|12 ; 11|12",
    "WP100_r74146 ; a pathway ; http://x.org ; 3 ; 1 ; wikipathways ; CC BY 3.0 ; 12|x ; 12",
    "XX1 ; bad ;  ; 1 ; 1 ; pid ; CC0 1.0 ; 11 ; 11",
)

HUMAN_DO = r"""format-version: 1.2
date: 14:05:2015 16:40
default-namespace: disease_ontology
ontology: doid

[Term]
id: DOID:14
name: some disease
alt_id: DOID:140
alt_id: DOID:15
def: "A disease\, of some kind." [JA:Epilepsy Genetics Kiel, url:http\://x.org]
comment: Xref MGI.\nOMIM mapping confirmed.
synonym: "SD" EXACT [CSP2005:0485-6737]
synonym: "sickness" NARROW []
xref: MSH:D006394
xref: SNOMEDCT_2010_1_31:33176006
xref: NOWHERE:1
is_a: DOID:15 ! other disease
created_by:

[Term]
id: DOID:15
name: other disease

[Term]
id: DOID:16
name: gone disease
is_obsolete: true

[Term]
id: DOID:17
name: renamed disease
is_obsolete: true
replaced_by: DOID:14

[Term]
id: DOID:15
name: other disease again

[Typedef]
id: part_of
name: part of
"""

FACETS = tsv(
    "?id ; ?name ; ?definition ; ?facet ; ?import_keyword ; ?import_id",
    '"DOID:14" ; "some disease" ; "It hurts a \\"lot\\"." ; "anatomy" ; "x" ; "UBERON:0000002"',
    '"DOID:14" ; "some disease" ; "It hurts a \\"lot\\"." ; "symptom" ; "y" ; "SYMP:0000001"',
    '"DOID:18" ; "new disease" ;  ;  ;  ; ',
    '"DO-18" ; "bad" ;  ;  ;  ; ',
)

DO_XREFS = tsv(
    "id ; label ; xref",
    '"DOID:14" ; "some disease" ; "MIM:264300"',
    '"DOID:18" ; "new disease" ; "ORDO:752"',
    '"DOID:14" ; "some disease" ; "UMLS_CUI:C0000001"',
    '"DOID:14" ; "some disease" ; "MIM:PS264300"',
)

MONDO = tsv(
    "MONDO_0000014 ; some disease ; SD||some illness",
    "MONDO_0000016 ; obsolete thing ; ",
    "MONDO_16 ; bad ; ",
    "MONDO_0000015 ; other \u201cdisease\u201d ; ",
)

CELLS = tsv(
    "CL_0000084 ; T cell ; T-cell||T lymphocyte",
    "CL_0000542 ; lymphocyte ; ",
    "CL_0000473 ; OBSOLETE defensive cell ; ",
)

SLIM = """format-version: 1.2
data-version: cl/releases/2026-06-08/subsets/slim.owl
ontology: cl/subsets/slim.owl

[Term]
id: CL:0000084
name: T cell
def: "A lymphocyte with a T cell receptor." [GOC:add]
synonym: "T-lymphocyte" EXACT []
is_a: CL:0000542 {is_inferred="true"} ! lymphocyte
relationship: BFO:0000050 UBERON:0000178 ! part of blood
relationship: RO:0002202 CL:0000827 ! develops from pro-T cell

[Term]
id: UBERON:0000178
name: blood
xref: http://neurolex.org/wiki/Category\\:Blood

[Term]
id: GO:0042098
name: T cell proliferation
namespace: biological_process

[Term]
id: PR:000001004
name: CD4 molecule
"""

ANATOMY = tsv("UBERON_0000178 ; blood ; whole blood||vertebrate blood", "UBERON_x ; bad ; ")

DRUGS = tsv(
    "identifier ; name ; definition ; synonyms ; alts ; parents ; species",
    '1 ; Goserelin ; Called "g" by some. ; zoladex|goserelinum ;  ;  ; ',
    "x2 ; bad ;  ;  ;  ;  ; ",
    "3 ; plain ;  ;  ;  ;  ; ",
)

STRUCTURES = """format-version: 1.2
data-version: 2021_09_01
ontology: drugcentral

[Term]
id: drugcentral:1
name: Goserelin
xref: cas:65807-02-5
xref: inchikey:BLCLNMBMMGCOAS-URPVMXJPSA-N
property_value: smiles "CC[C@H]1\\\\C" xsd:string
"""

INDICATIONS = tsv(
    "doid_id ; drugbank_id ; disease ; drug ; category ; n_curators ; n_resources",
    "DOID:14 ; DB00014 ; some disease ; Goserelin ; DM ; 2 ; 1",
    "DOID:15 ; DB00014 ; other disease ; Goserelin ; SYM ; 3 ; 4",
    "DOID:14 ; DB00015 ; some disease ; Another ; NOT ; 2 ; 0",
    "DOID:14 ; DB00015 ; some disease ; Another ; MAYBE ; 1 ; 1",
    "DOID:14 ; DB15 ; some disease ; Bad ; DM ; 1 ; 1",
)

INTACT = (
    "A,B,altA,altB\n"
    "uniprotkb:P00012,uniprotkb:P00011,intact:EBI-1,intact:EBI-2\n"
    "uniprotkb:P00011-2,uniprotkb:P00012-PRO_0000045,intact:EBI-1,intact:EBI-2\n"
    'uniprotkb:P00011,uniprotkb:P00012,"intact:EBI-1|chebi:""CHEBI:1"", x",intact:EBI-2\n'
    '"chebi:""CHEBI:34159""",uniprotkb:P00011,"two\nlines",intact:EBI-2\n'
    "uniprotkb:P00011,,intact:EBI-1,\n"
    "uniprotkb:P00011,uniprotkb:P00011-2,x,y\n"
    "uniprotkb:Q9XXX9,uniprotkb:P00011,x,y\n"
    "uniprotkb:A0A0A0B1C2,uniprotkb:P00011,x,y\n"
)

TRRUST = tsv(
    "AAA1 ; BBB2 ; Activation ; 123;45",
    "AAA1 ; BBB2 ; Repression ; 678",
    "AAA1 ; BBB2 ; Activation ; 123;45",
    "ALT1 ; OFF ; Unknown ; 1724219e;9",
    "SHARED ; BBB2 ; Activation ; 1",
    "TWIN ; BBB2 ; Activation ; 1",
    "NOGENE ; BBB2 ; Activation ; 1",
    "AAA1 ; AAA1 ; Unknown ; 2",
    "AAA1 ; BBB2 ; Perhaps ; 2",
)

DEMO_GENES = tsv(
    "symbol ; ncbigene ; hgnc ; uniprot ; name ; former_symbol ; text",
    "AAA1 ; 11 ; 5 ; P00011 ; alpha one ; OLD1 ; Kinase that starts it.",
    "BBB2 ; 12 ; 6 ; P00012 ; beta two ;  ; Receptor that waits for it.",
    "RNA3 ; 13 ;  ;  ; gamma three ;  ; Makes no protein.",
    "BAD ; x17 ; 7 ; P00013 ; bad number ;  ; ",
    "WORSE ; 18 ; 8 ; P1 ; bad accession ;  ; ",
    " ; 19 ; 9 ; P00019 ; nameless ;  ; ",
)

DEMO_TERMS = tsv(
    "type ; id ; name ; text",
    "Drug ; drugbank:DB00014 ; Goserelin ; Peptide.",
    "Disease ; MONDO:0000001 ; disease ; What one would rather not have.",
    "Pathway ; reactome:none ; bad ; ",
)

DEMO_RELATIONSHIPS = tsv(
    "type ; start ; end ; sign ; action",
    "INTERACTS_WITH ; AAA1 ; BBB2 ;  ; ",
    "INTERACTS_WITH ; AAA1 ; RNA3 ;  ; ",
    "PHOSPHORYLATES ; AAA1 ; BBB2 ;  ; ",
    "REGULATES ; AAA1 ; BBB2 ; -1 ; ",
    "TARGETS ; drugbank:DB00014 ; AAA1 ;  ; inhibitor",
    "TARGETS ; drugbank:DB00014 ; AAA1 ;  ; inhibitor",
    "ASSOCIATED_WITH ; BBB2 ; mondo:0000001 ;  ; ",
    "REGULATES ; AAA1 ; NOGENE ; 1 ; ",
    "REGULATES ; AAA1 ; BBB2 ; up ; ",
)

_GENES = ("Homo_sapiens.gene_info.gz", GENE_INFO)
_PROTEINS = ("uniprot.tab", UNIPROT)

#: Source -> key of the file -> its name and text.
_FILES: dict[str, dict[str, tuple[str, str]]] = {
    "hetionet": {
        # The real node file has Windows line ends.
        "nodes": ("hetionet-v1.0-nodes.tsv", HETIONET_NODES.replace("\n", "\r\n")),
        "edges": ("edges.sif.gz", HETIONET_SIF),
        "metaedges": ("metaedges.tsv", METAEDGES),
        "gene_disease": ("DaG-association.tsv", HETIONET_DAG),
        "drug_gene": ("CbG-binding.tsv", HETIONET_CBG),
    },
    "ncbi_gene": {"gene_info": _GENES},
    "hgnc": {"genes": ("hgnc.json.gz", HGNC), "groups": ("hgnc.genegroup.obo", GENE_GROUPS)},
    "uniprot": {"proteins": _PROTEINS},
    "goa": {
        "annotations": ("GO_annotations-9606-direct-expev.tsv", GOA),
        "ontology": ("go-2009-05-15.owl.gz", GO_OWL),
    },
    "pathways": {"pathways": ("pathways.tsv", PATHWAYS)},
    "disease_ontology": {
        "terms": ("HumanDO.obo", HUMAN_DO),
        "definitions": ("facets.tsv.gz", FACETS),
        "xrefs": ("allXREFinDO.tsv", DO_XREFS),
    },
    "mondo": {"terms": ("mondo.min.tsv.gz", MONDO)},
    "cl": {
        "terms": ("cl.min.tsv.gz", CELLS),
        "general_slim": ("general_cell_types_upper_slim.obo", SLIM),
        "immune_slim": ("blood_and_immune_upper_slim.obo", SLIM),
    },
    "uberon": {"terms": ("uberon.min.tsv.gz", ANATOMY)},
    "drugcentral": {
        "drugs": ("drugcentral.tsv", DRUGS),
        "structures": ("drugcentral-2021_09_01.obo", STRUCTURES),
    },
    "indications": {"indications": ("indications.tsv", INDICATIONS)},
    "intact": {
        "interactions": ("IntAct_interaction_raw.csv.xz", INTACT),
        "proteins": _PROTEINS,
    },
    "trrust": {"regulation": ("trrust_rawdata.human.tsv", TRRUST), "symbols": _GENES},
    "demo": {
        "genes": ("genes.tsv", DEMO_GENES),
        "terms": ("terms.tsv", DEMO_TERMS),
        "relationships": ("relationships.tsv", DEMO_RELATIONSHIPS),
    },
}


#: Sources of the first release, whose fixtures the tests of loading use.
FIRST = list(_FILES)

#: Fixtures by source; the older of two layouts of a source is named as in ``hgnc@old``.
FIXTURES: dict[str, Fixture] = fixtures()
FIXTURES |= {
    f"{name}@old" if name in FIXTURES else name: Fixture(
        files,
        partial=name == "demo",
        # IntAct's older table states no species.
        needs=("proteins",) if name == "intact" else (),
    )
    for name, files in _FILES.items()
}

#: Name of a fixture -> key of the file -> its name and text.
FILES = {name: fixture.files for name, fixture in FIXTURES.items()}


def contents(source: str) -> dict[str, tuple[str, bytes]]:
    """Files of a fixture, text and others: key -> name and bytes, not yet compressed."""
    texts = {key: (name, text.encode()) for key, (name, text) in FILES[source].items()}
    return {**texts, **FIXTURES[source].binary}


def source_of(fixture: str) -> str:
    """Source that a fixture is of."""
    return fixture.partition("@")[0]


def old(source: str) -> str:
    """Name of the fixture of a source's older layout, where it has two."""
    return f"{source}@old" if f"{source}@old" in FIXTURES else source


def compress(name: str, data: bytes) -> bytes:
    """As the ending of the name says; the same bytes every time."""
    if name.endswith(".gz"):
        return gzip.compress(data, mtime=0)
    return lzma.compress(data) if name.endswith(".xz") else data


def write_source(source: str, folder: Path, changed: Mapping[str, bytes] | None = None) -> None:
    """Write a source's files; ``changed`` gives other content (not yet compressed) by key."""
    folder.mkdir(parents=True, exist_ok=True)
    for key, (name, whole) in contents(source).items():
        data = (changed or {}).get(key, whole)
        (folder / name).write_bytes(compress(name, data))


def read_source(
    source: str, folder: Path, options: Mapping[str, object] | None = None
) -> tuple[list[pa.RecordBatch], SourceLog]:
    """All claims of the files in a folder, and the log."""
    loader = registry.make(source_of(source), {**FIXTURES[source].options, **(options or {})})
    log = SourceLog(loader.source)
    return list(loader.claims(loader.locate([folder]), log)), log


def rows(batches: list[pa.RecordBatch], column: str) -> list[dict[str, object]]:
    """Claims as dicts without empty fields; ``column`` tells the schema: "id" or "start"."""
    return [
        {k: v for k, v in row.items() if v not in (None, [])}
        for batch in batches
        if column in batch.schema.names
        for row in batch.to_pylist()
    ]


def kinds(log: SourceLog, file: str) -> dict[str, tuple[int, int]]:
    """Rejections of one file: kind -> (count, first line)."""
    (found,) = (f for path, f in log.files.items() if path.name == file)
    return {kind: (r.count, r.line) for kind, r in found.rejections.items()}


def notes(log: SourceLog, file: str) -> dict[str, int]:
    """Notes of one file: kind -> count."""
    (found,) = (f for path, f in log.files.items() if path.name == file)
    return {kind: n.count for kind, n in found.notes.items()}
