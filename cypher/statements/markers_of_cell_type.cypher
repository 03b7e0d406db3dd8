// name: markers_of_cell_type
// mode: read
// param cell_type: CellType - id or name of the cell type; its subtypes count
// param min_fraction: FLOAT = 0.25 - least fraction of the type's cells that express it
// param unit: STRING = null - only means in this unit, as in log1p_cp10k
// param limit: INTEGER = 50 - rows at most
// returns gene: NODE - a gene or protein
// returns difference: FLOAT - mean inside less mean outside
// returns inside: FLOAT - mean over the type's cells
// returns outside: FLOAT - mean over all other cells of the same data sets
// returns fraction: FLOAT - fraction of the type's cells that express it
// returns unit: STRING - of the means; data sets of one unit count together
// returns cells: INTEGER - the type's cells in which it was measured
// help: Genes that a cell type expresses more than other cells of the data sets that measure them.
CYPHER 5
MATCH (:Entity {id: $cell_type})<-[:IS_A*0..]-(:CellType)<-[:OF_TYPE]-(cells:CellGroup)
WITH collect(DISTINCT cells) AS ours, collect(DISTINCT cells.dataset) AS ids
MATCH (d:Dataset)<-[:FROM]-(cells:CellGroup)
WHERE d.id IN ids AND ($unit IS NULL OR d.mean_unit = $unit)
WITH ours, d, sum(CASE WHEN cells IN ours THEN cells.n_cells ELSE 0 END) AS own,
  sum(CASE WHEN cells IN ours THEN 0 ELSE cells.n_cells END) AS rest
WHERE rest > 0
CALL (ours, d, own, rest) {
  // Unmeasured is not zero: the cells of a data set count for the genes that it measured.
  WITH d.variable_entities AS entities, d.measured AS measured
  UNWIND range(0, size(entities) - 1) AS i
  WITH entities[i] AS id
  WHERE measured[i] AND id <> ''
  RETURN id, own AS n_inside, rest AS n_outside, 0.0 AS inside, 0.0 AS outside, 0.0 AS expressing
  UNION ALL
  // A group without EXPRESSES has the gene below the threshold of storing: it adds nothing.
  MATCH (d)<-[:FROM]-(cells:CellGroup)-[e:EXPRESSES]->(gene)
  WITH gene.id AS id, e.mean * cells.n_cells AS total, e.fraction * cells.n_cells AS n,
    cells IN ours AS is_ours
  RETURN id, 0 AS n_inside, 0 AS n_outside, sum(CASE WHEN is_ours THEN total END) AS inside,
    sum(CASE WHEN is_ours THEN null ELSE total END) AS outside,
    sum(CASE WHEN is_ours THEN n END) AS expressing
}
WITH d.mean_unit AS unit, id, sum(n_inside) AS cells, sum(inside) / sum(n_inside) AS inside,
  sum(outside) / sum(n_outside) AS outside, sum(expressing) / sum(n_inside) AS fraction
WHERE fraction >= $min_fraction
MATCH (gene:Entity {id: id})
RETURN gene, inside - outside AS difference, inside, outside, fraction, unit, cells
ORDER BY unit DESC, difference DESC, gene.id
LIMIT $limit
