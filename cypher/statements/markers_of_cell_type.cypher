// name: markers_of_cell_type
// mode: read
// param cell_type: CellType - id or name of the cell type; its subtypes count
// param min_fraction: FLOAT = 0.25 - least fraction of the type's cells that express it
// param limit: INTEGER = 50 - rows at most
// returns gene: NODE - a gene or protein
// returns difference: FLOAT - mean inside less mean outside
// returns inside: FLOAT - mean of log1p counts per 10,000 over the type's cells
// returns outside: FLOAT - the same over all other cells of the same data sets
// returns fraction: FLOAT - fraction of the type's cells that express it
// help: Genes that a cell type expresses more than the other cells of the same data sets.
CYPHER 5
MATCH (:Entity {id: $cell_type})<-[:IS_A*0..]-(:CellType)<-[:OF_TYPE]-(cells:CellGroup)
WITH collect(DISTINCT cells) AS ours, collect(DISTINCT cells.dataset) AS datasets
MATCH (other:CellGroup) WHERE other.dataset IN datasets AND NOT other IN ours
WITH ours, collect(other) AS others
WITH ours, others, reduce(n = 0, g IN ours | n + g.n_cells) AS n_inside,
  reduce(n = 0, g IN others | n + g.n_cells) AS n_outside
UNWIND ours AS cells
MATCH (cells)-[e:EXPRESSES]->(gene)
WITH others, n_inside, n_outside, gene, sum(e.mean * cells.n_cells) / n_inside AS inside,
  sum(e.fraction * cells.n_cells) / n_inside AS fraction
WHERE fraction >= $min_fraction
// A group without EXPRESSES has the gene below the threshold of storing: it counts as 0.
OPTIONAL MATCH (other:CellGroup)-[e:EXPRESSES]->(gene) WHERE other IN others
WITH gene, inside, fraction, n_outside, sum(e.mean * other.n_cells) AS total
WITH gene, inside, fraction, total / n_outside AS outside
RETURN gene, inside - outside AS difference, inside, outside, fraction
ORDER BY difference DESC, gene.id
LIMIT $limit
