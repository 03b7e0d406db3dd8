// name: signed_paths
// mode: read
// param start: Gene - id or symbol of the gene where the signal starts
// param end: Gene - id or symbol of the gene where it ends
// param interactions: BOOLEAN = false - whether INTERACTS_WITH may be a step, in either direction
// param limit: INTEGER = 20 - paths at most
// returns path: PATH - from gene to gene; ENCODES joins a gene and its protein and is no step
// returns sign: INTEGER - product of the steps' signs: 1 up, -1 down, 0 where a sign is unknown
// returns steps: INTEGER - steps of the path
// returns names: LIST<STRING> - symbols or names along the path, each once in a row
// returns score: FLOAT - product of the scores (0.5 for none); each node between divides by log10(10 + its relationships)
// returns unsigned: LIST<STRING> - steps whose sign no source knows; mere contact is one of them
// help: Shortest signaling paths between two genes: of known signs, then of any, then with contacts.
CYPHER 5
MATCH (start:Entity {id: $start}), (end:Entity {id: $end})
WITH start, end, COLLECT { MATCH (end)-[:ENCODES*0..1]->(x) RETURN x } AS ends
// Of each tier the shortest: 0 has steps of known sign, 1 also others that act, 2 also contacts.
UNWIND CASE WHEN $interactions THEN [0, 1, 2] ELSE [0, 1] END AS tier
// levels[i]: what a signal from the start lands on after i steps and no fewer. It goes on from
// there, from the proteins of a gene, or from the gene of a protein and that gene's other proteins:
// never from a gene to another gene of the same protein.
WITH start, end, ends, tier, reduce(levels = [[start]], i IN range(1, 10) |
  CASE WHEN last(levels) = [] OR i > 1 AND any(x IN last(levels) WHERE x IN ends) THEN levels
  ELSE levels + [COLLECT {
    UNWIND last(levels) AS landed
    MATCH (landed)<-[:ENCODES*0..1]-()-[:ENCODES*0..1]->(x)
    MATCH (x)-[r:REGULATES|PHOSPHORYLATES|INTERACTS_WITH]-(y)
    WHERE CASE type(r) WHEN 'INTERACTS_WITH' THEN tier = 2
      ELSE startNode(r) = x AND (tier > 0 OR r.sign IN [1, -1]) END
      AND none(level IN levels[1..] WHERE y IN level)
    RETURN DISTINCT y
  }] END) AS levels
WITH start, end, tier, levels, size(levels) - 1 AS steps, [x IN last(levels) WHERE x IN ends] AS reached
WHERE steps > 0 AND reached <> []
// kept[i]: those of level i that lead to the end. left[i]: from where the signal goes on. Only
// along these are the paths themselves looked for.
WITH start, end, tier, steps, reduce(kept = [reached], i IN range(steps - 1, 1, -1) | [COLLECT {
    UNWIND kept[0] AS y
    MATCH (x)-[r:REGULATES|PHOSPHORYLATES|INTERACTS_WITH]-(y)
    WHERE CASE type(r) WHEN 'INTERACTS_WITH' THEN tier = 2
      ELSE startNode(r) = x AND (tier > 0 OR r.sign IN [1, -1]) END
    MATCH (landed)<-[:ENCODES*0..1]-()-[:ENCODES*0..1]->(x)
    WHERE landed IN levels[i]
    RETURN DISTINCT landed
  }] + kept) AS kept
WITH start, end, tier, steps, [[start]] + kept AS kept
WITH start, end, tier, steps, kept, [level IN kept | COLLECT {
    UNWIND level AS landed
    MATCH (landed)<-[:ENCODES*0..1]-()-[:ENCODES*0..1]->(x)
    RETURN DISTINCT x
  }] AS left
MATCH path = (start)
  ((x)-[r:REGULATES|PHOSPHORYLATES|INTERACTS_WITH|ENCODES]-(y)
    WHERE CASE type(r)
      WHEN 'ENCODES' THEN any(level IN left WHERE x IN level AND y IN level)
      ELSE any(i IN range(1, steps) WHERE x IN left[i - 1] AND y IN kept[i])
        AND CASE type(r) WHEN 'INTERACTS_WITH' THEN tier = 2
          ELSE startNode(r) = x AND (tier > 0 OR r.sign IN [1, -1]) END
    END){1,30}(end)
WITH DISTINCT path, steps
WITH path, steps, nodes(path) AS passed, relationships(path) AS along
WITH path, steps, passed, along, [r IN along WHERE type(r) <> 'ENCODES'] AS signals
WHERE size(signals) = steps
  AND none(i IN range(1, size(along) - 1) WHERE passed[i]:Protein
    AND type(along[i - 1]) = 'ENCODES' AND type(along[i]) = 'ENCODES')
WITH path, steps, passed, [r IN along | [type(r), r.sign]] AS how,
  size([r IN signals WHERE type(r) = 'INTERACTS_WITH']) AS contacts,
  [r IN signals WHERE NOT coalesce(r.sign, 0) IN [1, -1] |
    coalesce(startNode(r).symbol, startNode(r).name, startNode(r).id) + ' ' + type(r) + ' '
    + coalesce(endNode(r).symbol, endNode(r).name, endNode(r).id)] AS unsigned,
  reduce(product = 1, r IN signals | product * coalesce(r.sign, 0)) AS sign,
  reduce(product = 1.0, r IN signals | product * coalesce(r.score, 0.5)) AS product,
  [n IN passed | coalesce(n.symbol, n.name, n.id)] AS called
WITH *, reduce(score = product, n IN passed[1..-1] | score / log10(10 +
  COUNT { (n)-[:REGULATES|PHOSPHORYLATES|INTERACTS_WITH]-() })) AS score
RETURN path, sign, steps,
  [i IN range(0, size(called) - 1) WHERE i = 0 OR called[i] <> called[i - 1] | called[i]] AS names,
  score, unsigned
ORDER BY contacts, size(unsigned), score DESC, names, [n IN passed | n.id], sign DESC, how
LIMIT $limit
