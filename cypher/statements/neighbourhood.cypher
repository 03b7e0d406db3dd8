// name: neighbourhood
// mode: read
// param entity: Entity - id, symbol or name of any entity
// param limit: INTEGER = 100 - rows at most
// returns relationship: RELATIONSHIP - how they are joined
// returns neighbour: NODE - the entity at the other end
// returns score: FLOAT - the greatest score that a source gives it
// returns sources: LIST<STRING> - who says so
// help: What is joined to an entity, or to a gene's proteins: the best scores of each type in turn.
CYPHER 5
MATCH (:Entity {id: $entity})-[:ENCODES*0..1]->(x)-[relationship]-(neighbour:Entity)
WITH DISTINCT relationship, neighbour
WHERE neighbour.id <> $entity
WITH type(relationship) AS type, relationship, neighbour
ORDER BY coalesce(relationship.score, -1.0) DESC, neighbour.id, startNode(relationship).id,
  relationship.sources
WITH type, collect([relationship, neighbour])[..$limit] AS ranked
UNWIND range(0, size(ranked) - 1) AS rank
WITH rank, type, ranked[rank][0] AS relationship, ranked[rank][1] AS neighbour
RETURN relationship, neighbour, relationship.score AS score, relationship.sources AS sources
ORDER BY rank, type
LIMIT $limit
