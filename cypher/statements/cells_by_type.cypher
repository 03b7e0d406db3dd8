// name: cells_by_type
// mode: read
// param disease: Disease = null - only cells of people with this disease or a subtype of it
// param tissue: Anatomy = null - only cells of this tissue
// returns cell_type: STRING - as the data set calls it
// returns node: NODE - the cell type of the graph that it was matched to
// returns cells: INTEGER - how many cells
// returns groups: INTEGER - in how many groups of one data set, tissue, disease, sex and stage
// returns datasets: INTEGER - from how many data sets
// help: How many cells of each type are attached.
CYPHER 5
MATCH (cells:CellGroup)
WHERE ($disease IS NULL
    OR EXISTS { (cells)-[:WITH_DISEASE]->(:Disease)-[:IS_A*0..]->(:Entity {id: $disease}) })
  AND ($tissue IS NULL
    OR EXISTS { (cells)-[:FROM_TISSUE]->(:Anatomy)-[:IS_A|PART_OF*0..]->(:Entity {id: $tissue}) })
OPTIONAL MATCH (cells)-[:OF_TYPE]->(node:CellType)
RETURN cells.cell_type AS cell_type, node, sum(cells.n_cells) AS cells, count(*) AS groups,
  count(DISTINCT cells.dataset) AS datasets
ORDER BY cells DESC, cell_type
