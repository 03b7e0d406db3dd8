// name: signals_in_cell_type
// mode: read
// param cell_type: CellType - id or name of the cell type; its subtypes count
// param dataset: STRING = null - only groups of this data set
// param method: STRING = null - only scores of this method
// param deviations: FLOAT = 2.0 - least size of a score, in standard deviations over its seeds
// param limit: INTEGER = 50 - rows at most
// returns source: NODE - where the signal comes from
// returns target: NODE - what it acts on
// returns type: STRING - type of the relationship that was scored
// returns sign: INTEGER - 1 raises, -1 lowers, 0 unknown
// returns score: FLOAT - the score in the group of cells, in the unit of its method
// returns sd: FLOAT - its standard deviation over the seeds
// returns seeds: INTEGER - how many models it is the mean of
// returns group: STRING - id of the group of cells
// returns dataset: STRING - its data set
// returns method: STRING - what made the score
// help: Edges that carry signal in cells of a type, as a model scored them, strongest first.
CYPHER 5
MATCH (:Entity {id: $cell_type})<-[:IS_A*0..]-(:CellType)<-[:OF_TYPE]-(cells:CellGroup)
WHERE $dataset IS NULL OR cells.dataset = $dataset
WITH DISTINCT cells
MATCH (source:Entity)-[s:SIGNALS_IN]->(cells)
WHERE ($method IS NULL OR s.method = $method)
  AND abs(s.score) >= $deviations * coalesce(s.sd, 0.0)
MATCH (target:Entity {idx: s.target_idx})
RETURN source, target, s.type AS type, s.sign AS sign, s.score AS score, s.sd AS sd,
  s.seeds AS seeds, cells.id AS group, cells.dataset AS dataset, s.method AS method
ORDER BY abs(score) DESC, source.id, target.id, type, sign, group, method
LIMIT $limit
