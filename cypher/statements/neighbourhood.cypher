// name: neighbourhood
// mode: read
// param entity: Entity - id, symbol or name of any entity
// param limit: INTEGER = 100 - rows at most
// returns relationship: RELATIONSHIP - how they are joined
// returns neighbour: NODE - the entity at the other end
// returns score: FLOAT - the greatest score that a source gives it
// returns sources: LIST<STRING> - who says so
// help: What is joined to an entity, or to the proteins of a gene, best scores first.
CYPHER 5
MATCH (:Entity {id: $entity})-[:ENCODES*0..1]->(x)-[relationship]-(neighbour:Entity)
WITH DISTINCT relationship, neighbour
WHERE neighbour.id <> $entity
RETURN relationship, neighbour, relationship.score AS score, relationship.sources AS sources
ORDER BY type(relationship), coalesce(score, -1.0) DESC, neighbour.id,
  startNode(relationship).id, sources
LIMIT $limit
