// name: side_effects_of_drug
// mode: read
// param drug: Drug - id or name of the drug
// returns effect: NODE - a phenotype that it brings about
// returns drugs: INTEGER - how many drugs bring it about
// returns sources: LIST<STRING> - who says so
// help: The side effects of a drug, those of few drugs first.
CYPHER 5
MATCH (:Entity {id: $drug})-[r:CAUSES]->(effect:Phenotype)
RETURN effect, count { (effect)<-[:CAUSES]-(:Drug) } AS drugs, r.sources AS sources
ORDER BY drugs, effect.name, effect.id
