"""Small gene and protein tables that the fixtures of many sources need."""

from __future__ import annotations


def tsv(*rows: str) -> str:
    """Rows whose fields are written with `` ; `` between them."""
    return "".join(row.replace(" ; ", "\t") + "\n" for row in rows)


_GENE_INFO_HEADER = (
    "#Format: tax_id GeneID Symbol LocusTag Synonyms dbXrefs chromosome map_location description "
    "type_of_gene Symbol_from_nomenclature_authority Full_name_from_nomenclature_authority "
    "Nomenclature_status Other_designations Modification_date "
    "(tab is used as a separator, pound sign - start of a comment)\n"
)


def gene(
    id_: str,
    symbol: str,
    *,
    tax: str = "9606",
    synonyms: str = "-",
    xrefs: str = "-",
    text: str = "-",
    official: str | None = None,
    full: str = "-",
    others: str = "-",
    day: str = "20150530",
) -> str:
    """One row of gene_info."""
    official = symbol if official is None else official
    fields = [tax, id_, symbol, "-", synonyms, xrefs, "1", "1p1", text, "protein-coding"]
    return "\t".join([*fields, official, full, "O", others, day]) + "\n"


GENE_INFO = _GENE_INFO_HEADER + "".join(
    (
        gene(
            "11",
            "AAA1",
            synonyms="ALT1|SHARED",
            xrefs="MIM:138670|HGNC:HGNC:5|Ensembl:ENSG00000000011|IMGT/GENE-DB:X",
            text='protein "a" 1',
            full="alpha one",
            others="first\u00df|second",
        ),
        gene("12", "BBB2", synonyms="SHARED|AAA1", text="beta two", official="-", day="20150607"),
        gene("13", "TWIN", text="twin of 14", official="-"),
        gene("14", "TWIN", text="twin of 13", official="-"),
        gene("15", "OFF", text="approved"),
        gene("16", "OFF", text="not approved", official="-"),
        gene("192343", "NEWENTRY", text="Record to support submission", official="-"),
        gene("6775062", "trnT", tax="63221", text="tRNA", official="-"),
        gene("x17", "BAD", text="bad number"),
        gene("11", "AAA1", text="again", full="alpha one"),
    )
)

UNIPROT = tsv(
    "Entry ; Entry name ; Status ; Protein names ; Gene names ; Organism ; Length",
    "P00011 ; AAA1_HUMAN ; reviewed ; Alpha kinase 1 (EC 2.7.11.1) (Kinase (type a) 1) (AK1)"
    " [Cleaved into: Alpha light chain; Alpha heavy chain] ; AAA1 ALT1 ; Homo sapiens (Human) ; 90",
    "P00012 ; BBB2_HUMAN ; reviewed ; Ligase [ADP-forming] subunit beta (Fragment) ; "
    " ; Homo sapiens (Human) ; 80",
    "Q9XXX9 ; CCC3_MOUSE ; reviewed ; Gamma ; Ccc3 ; Mus musculus (Mouse) ; 70",
    "nonsense ; DDD4_HUMAN ; reviewed ; Delta ; DDD4 ; Homo sapiens (Human) ; 60",
    'A0A0A0B1C2 ; EEE5_HUMAN ; reviewed ; Protein "5" (Leu(A) form) ; EEE5; EEE6 E6 ;'
    " Homo sapiens (Human) ; 5",
)
