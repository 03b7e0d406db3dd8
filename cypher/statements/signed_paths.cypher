// name: signed_paths
// mode: read
// param start: Gene - id or symbol of the gene where the signal starts
// param end: Gene - id or symbol of the gene where it ends
// param interactions: BOOLEAN = false - whether INTERACTS_WITH may be a step, in either direction
// param limit: INTEGER = 20 - paths at most
// returns path: PATH - from gene to gene; ENCODES joins a gene and its protein
// returns sign: INTEGER - product of the steps' signs: 1 up, -1 down, 0 where a sign is unknown
// returns steps: INTEGER - steps of the path besides ENCODES
// returns names: LIST<STRING> - symbols or names along the path, each once in a row
// help: The shortest signaling paths between two genes (10 relationships at most), with the sign.
CYPHER 5
MATCH (start:Entity {id: $start}), (end:Entity {id: $end})
MATCH path = ALL SHORTEST (start)
  ((x)-[r:REGULATES|PHOSPHORYLATES|INTERACTS_WITH|ENCODES]-(y)
    WHERE type(r) = 'ENCODES'
      OR (type(r) = 'INTERACTS_WITH' AND $interactions)
      OR (type(r) IN ['REGULATES', 'PHOSPHORYLATES'] AND startNode(r) = x)){1,10}(end)
WITH path, [n IN nodes(path) | coalesce(n.symbol, n.name, n.id)] AS passed,
  [r IN relationships(path) WHERE type(r) <> 'ENCODES' | coalesce(r.sign, 0)] AS signs
WITH path, signs,
  [i IN range(0, size(passed) - 1) WHERE i = 0 OR passed[i] <> passed[i - 1] | passed[i]] AS names
RETURN path, reduce(product = 1, s IN signs | product * s) AS sign, size(signs) AS steps, names
ORDER BY steps, abs(sign) DESC, names, [n IN nodes(path) | n.id]
LIMIT $limit
