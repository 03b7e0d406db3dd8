// name: upstream_regulators
// mode: read
// param gene: Gene - id or symbol of the gene
// param sign: INTEGER = null - only 1 (up), -1 (down) or 0 (unknown)
// param limit: INTEGER = 100 - rows at most
// returns regulator: NODE - a gene, or a complex or metabolite, that regulates it
// returns how: STRING - REGULATES or PHOSPHORYLATES
// returns sign: INTEGER - 1 up, -1 down, 0 unknown
// returns score: FLOAT - the greatest score that a source gives
// returns sources: LIST<STRING> - who says so
// returns complex: STRING - the complex through which it does, where it is not the gene itself
// help: What regulates a gene, its protein or their complexes: those of known sign first.
CYPHER 5
MATCH (:Entity {id: $gene})-[:ENCODES*0..1]->()-[:MEMBER_OF*0..2]->(y)<-[r:REGULATES|PHOSPHORYLATES]-(x)
WHERE $sign IS NULL OR coalesce(r.sign, 0) = $sign
OPTIONAL MATCH (encoder:Gene)-[:ENCODES]->(x)
WITH coalesce(encoder, x) AS regulator, type(r) AS how, coalesce(r.sign, 0) AS sign,
  r.score AS score, coalesce(r.sources, [null]) AS claimed,
  CASE WHEN y:Complex OR y:GeneFamily THEN coalesce(y.name, y.id) END AS complex
UNWIND claimed AS source
WITH regulator, how, sign, score, source, complex ORDER BY source
RETURN regulator, how, sign, max(score) AS score, collect(DISTINCT source) AS sources, complex
ORDER BY abs(sign) DESC, complex IS NOT NULL, coalesce(score, -1.0) DESC, regulator.symbol,
  regulator.id, how, sign, complex
LIMIT $limit
