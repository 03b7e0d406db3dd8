// name: signed_paths
// mode: read
// param start: Gene - id or symbol of the gene where the signal starts
// param end: Gene - id or symbol of the gene where it ends
// param through: LIST<Entity> = [] - what it has to land on between, in this order
// param interactions: BOOLEAN = false - whether INTERACTS_WITH may be a step, in either direction
// param limit: INTEGER = 20 - paths at most
// returns path: PATH - from gene to gene; ENCODES and MEMBER_OF join what acts as one and are no steps
// returns sign: INTEGER - product of the steps' signs: 1 up, -1 down, 0 where a sign is unknown
// returns steps: INTEGER - steps of the path
// returns names: LIST<STRING> - symbols or names along the path, each once in a row
// returns score: FLOAT - product of the scores (0.5 for none); each node between divides by log10(10 + its relationships)
// returns unsigned: LIST<STRING> - steps whose sign no source knows; mere contact is one of them
// returns memberships: LIST<STRING> - where it goes from a part to its complex or family, or back, and steps that a source says of a family
// help: Shortest signaling paths between two genes: of known signs, then of any, then with contacts.
CYPHER 5
MATCH (start:Entity {id: $start}), (end:Entity {id: $end})
// What a signal has to land on: an entity, a protein of a gene, or a complex of which it is a part.
WITH start, end, [id IN $through + [$end] | COLLECT {
    MATCH (:Entity {id: id})-[:ENCODES*0..1]->()-[:MEMBER_OF*0..2]->(x) RETURN DISTINCT x
  }] AS stops
// Of each tier the shortest: 0 has steps of known sign, 1 also others that act, 2 also contacts.
UNWIND CASE WHEN $interactions THEN [0, 1, 2] ELSE [0, 1] END AS tier
// levels[i]: what a signal from the start lands on after i steps and no fewer, since the last stop
// (from `base`, with the stops in `left` to come). It goes on from there, from the proteins of a gene,
// or from the gene of a protein and that gene's other proteins, from their complexes, or from the
// parts of a complex, never from a gene to another gene of the same protein, or from one part of a
// complex to another.
WITH start, end, tier, reduce(
  to = {levels: [[start]], base: 0, left: stops}, i IN range(1, 10 * size(stops)) |
  CASE WHEN to.left = [] OR last(to.levels) = [] OR size(to.levels) > to.base + 10 THEN to
  ELSE head([found IN [COLLECT {
      UNWIND last(to.levels) AS landed
      MATCH (landed)<-[down:MEMBER_OF*0..2]-()<-[:ENCODES*0..1]-()-[:ENCODES*0..1]->()-[up:MEMBER_OF*0..2]->(x)
      WHERE down = [] OR up = []
      WITH DISTINCT x
      MATCH (x)-[r:REGULATES|PHOSPHORYLATES|INTERACTS_WITH]-(y)
      WHERE CASE type(r) WHEN 'INTERACTS_WITH' THEN tier = 2
        ELSE startNode(r) = x AND (tier > 0 OR r.sign IN [1, -1]) END
      WITH DISTINCT y
      WHERE none(level IN to.levels[to.base + 1..] WHERE y IN level)
      RETURN y
    }] |
    CASE WHEN any(y IN head(to.left) WHERE y IN found)
    THEN {levels: to.levels + [[y IN head(to.left) WHERE y IN found]],
      base: size(to.levels), left: tail(to.left)}
    ELSE {levels: to.levels + [found], base: to.base, left: to.left} END]) END) AS to
WHERE to.left = []
WITH start, end, tier, to.levels AS levels, size(to.levels) - 1 AS steps
// kept[i]: those of level i that lead to the end. Only along these are the paths looked for.
WITH start, end, tier, steps, reduce(kept = [last(levels)], i IN range(steps - 1, 0, -1) | [COLLECT {
    UNWIND kept[0] AS y
    MATCH (x)-[r:REGULATES|PHOSPHORYLATES|INTERACTS_WITH]-(y)
    WHERE CASE type(r) WHEN 'INTERACTS_WITH' THEN tier = 2
      ELSE startNode(r) = x AND (tier > 0 OR r.sign IN [1, -1]) END
    WITH DISTINCT x
    MATCH (landed)<-[down:MEMBER_OF*0..2]-()<-[:ENCODES*0..1]-()-[:ENCODES*0..1]->()-[up:MEMBER_OF*0..2]->(x)
    WHERE down = [] OR up = []
    WITH DISTINCT landed
    WHERE landed IN levels[i]
    RETURN landed
  }] + kept) AS kept
// best: of the ways to each landing the first, since whatever follows keeps their order. A few more
// than $limit: what follows may not use a relationship again. No aggregation: Neo4j 5.26 refuses one
// inside of reduce.
WITH start, end, reduce(
  best = [{at: start, along: [], contacts: 0, unsigned: 0, score: 1.0}], i IN range(1, steps) | COLLECT {
    WITH COLLECT {
      UNWIND best AS way
      WITH way, way.at AS landed
      MATCH hop = (landed)<-[down:MEMBER_OF*0..2]-()<-[:ENCODES*0..1]-()-[:ENCODES*0..1]->()-[up:MEMBER_OF*0..2]->(x)
      WHERE down = [] OR up = []
      MATCH (x)-[r:REGULATES|PHOSPHORYLATES|INTERACTS_WITH]-(y)
      WHERE CASE type(r) WHEN 'INTERACTS_WITH' THEN tier = 2
        ELSE startNode(r) = x AND (tier > 0 OR r.sign IN [1, -1]) END
        AND y IN kept[i] AND NOT r IN way.along AND none(h IN relationships(hop) WHERE h IN way.along)
      WITH way, y, r, hop, way.along + relationships(hop) + r AS along,
        [n IN nodes(hop) WHERE i > 1 OR n <> start] AS between
      WITH {at: y, along: along,
        contacts: way.contacts + CASE WHEN type(r) = 'INTERACTS_WITH' THEN 1 ELSE 0 END,
        unsigned: way.unsigned + CASE WHEN coalesce(r.sign, 0) = 0 THEN 1 ELSE 0 END,
        score: reduce(score = way.score * coalesce(r.score, 0.5), n IN between | score / log10(10 +
          COUNT { (n)-[:REGULATES|PHOSPHORYLATES|INTERACTS_WITH]-() }))} AS longer
      RETURN longer ORDER BY longer.contacts, longer.unsigned, longer.score DESC,
        [r IN longer.along | [startNode(r).id, type(r), endNode(r).id, -coalesce(r.sign, 0)]]
    } AS found
    UNWIND kept[i] AS y
    UNWIND [way IN found WHERE way.at = y][..$limit + 20] AS one
    RETURN one
  }) AS ways
UNWIND ways AS way
WITH start, end, way, way.at AS landed
MATCH hop = (landed)<-[:MEMBER_OF*0..2]-()<-[:ENCODES*0..1]-(end)
WHERE none(h IN relationships(hop) WHERE h IN way.along)
WITH DISTINCT start, end, way.along + relationships(hop) AS along, way.contacts AS contacts,
  way.unsigned AS missing, reduce(score = way.score, n IN nodes(hop)[..-1] | score / log10(10 +
    COUNT { (n)-[:REGULATES|PHOSPHORYLATES|INTERACTS_WITH]-() })) AS score
ORDER BY contacts, missing, score DESC,
  [r IN along | [startNode(r).id, type(r), endNode(r).id, -coalesce(r.sign, 0)]]
LIMIT $limit
MATCH path = (start)
  ((x)-[r:REGULATES|PHOSPHORYLATES|INTERACTS_WITH|ENCODES|MEMBER_OF]-(y) WHERE r IN along){1,60}(end)
WHERE relationships(path) = along
WITH path, contacts, missing, score, nodes(path) AS passed, along,
  [r IN along WHERE NOT type(r) IN ['ENCODES', 'MEMBER_OF']] AS signals,
  [n IN nodes(path) | coalesce(n.symbol, n.name, n.id)] AS called,
  [r IN along | [r, coalesce(startNode(r).symbol, startNode(r).name, startNode(r).id) + ' ' + type(r)
    + ' ' + coalesce(endNode(r).symbol, endNode(r).name, endNode(r).id)]] AS told
RETURN path, reduce(product = 1, r IN signals | product * coalesce(r.sign, 0)) AS sign,
  size(signals) AS steps,
  [i IN range(0, size(called) - 1) WHERE i = 0 OR called[i] <> called[i - 1] | called[i]] AS names,
  score,
  [t IN told WHERE t[0] IN signals AND coalesce(t[0].sign, 0) = 0 | t[1]] AS unsigned,
  [t IN told WHERE type(t[0]) = 'MEMBER_OF'
    OR t[0] IN signals AND any(e IN t[0].evidence WHERE e CONTAINS '"families":') |
    t[1] + CASE type(t[0]) WHEN 'MEMBER_OF' THEN '' ELSE ', said of a family' END] AS memberships
ORDER BY contacts, missing, score DESC, names, [n IN passed | n.id], sign DESC,
  [r IN along | [type(r), r.sign]]
