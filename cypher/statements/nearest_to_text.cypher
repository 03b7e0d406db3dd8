// name: nearest_to_text
// mode: read
// param text: TEXT VECTOR - what to look for, in plain words
// param type: LABEL = null - only entities of this type, as in Gene or Disease
// param limit: INTEGER = 10 - rows at most
// returns entity: NODE - an entity
// returns similarity: FLOAT - cosine of the angle between its text and yours, from -1 to 1
// help: The entities whose texts mean most nearly what you write; exact, over all of them.
CYPHER 5
MATCH (entity:Entity)
WHERE entity.embedding IS NOT NULL AND ($type IS NULL OR $type IN labels(entity))
WITH entity, 2.0 * vector.similarity.cosine(entity.embedding, $text) - 1.0 AS similarity
RETURN entity, similarity
ORDER BY similarity DESC, entity.id
LIMIT $limit
