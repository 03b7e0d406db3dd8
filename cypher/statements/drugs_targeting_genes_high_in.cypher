// name: drugs_targeting_genes_high_in
// mode: read
// param cell_type: CellType - id or name of the cell type; its subtypes count
// param disease: Disease = null - only cells of people with this disease or a subtype of it
// param tissue: Anatomy = null - only cells of this tissue
// param min_mean: FLOAT = 1.0 - least mean in a group of cells, in the unit of its data set
// param min_fraction: FLOAT = 0.25 - least fraction of the group's cells that express it
// param unit: STRING = null - only means in this unit, as in log1p_cp10k
// param limit: INTEGER = 50 - rows at most
// returns drug: NODE - a drug
// returns gene: NODE - a gene that it targets, itself or by its protein
// returns actions: LIST<STRING> - what it does to its target
// returns mean: FLOAT - greatest mean over the groups
// returns fraction: FLOAT - greatest fraction over the groups
// returns groups: INTEGER - groups of cells in which the gene is high
// returns unit: STRING - of the means; log1p_cp10k is log1p of counts per 10,000
// help: Drugs that target genes high in a cell type, in a disease where one is given.
CYPHER 5
MATCH (:Entity {id: $cell_type})<-[:IS_A*0..]-(:CellType)<-[:OF_TYPE]-(cells:CellGroup)
WHERE ($disease IS NULL
    OR EXISTS { (cells)-[:WITH_DISEASE]->(:Disease)-[:IS_A*0..]->(:Entity {id: $disease}) })
  AND ($tissue IS NULL
    OR EXISTS { (cells)-[:FROM_TISSUE]->(:Anatomy)-[:IS_A|PART_OF*0..]->(:Entity {id: $tissue}) })
WITH DISTINCT cells
// Means in different units are not compared with each other: each has its own rows.
MATCH (d:Dataset)<-[:FROM]-(cells)
WHERE $unit IS NULL OR d.mean_unit = $unit
MATCH (cells)-[e:EXPRESSES]->(measured)
WHERE e.mean >= $min_mean AND e.fraction >= $min_fraction
MATCH (gene:Gene)-[:ENCODES*0..1]->(measured)
WITH gene, d.mean_unit AS unit, max(e.mean) AS mean, max(e.fraction) AS fraction,
  count(DISTINCT cells) AS groups
MATCH (gene)-[:ENCODES*0..1]->()<-[t:TARGETS]-(drug:Drug)
WITH drug, gene, unit, mean, fraction, groups, t.action AS action ORDER BY action
RETURN drug, gene, collect(DISTINCT action) AS actions, mean, fraction, groups, unit
ORDER BY unit DESC, mean DESC, gene.id, drug.id
LIMIT $limit
