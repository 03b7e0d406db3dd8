// name: drugs_for_disease
// mode: read
// param disease: Disease - id or name of the disease; its subtypes count
// returns drug: NODE - a drug
// returns how: STRING - TREATS or PALLIATES
// returns for: NODE - the disease or subtype
// returns sources: LIST<STRING> - who says so
// help: Drugs that treat or ease a disease.
CYPHER 5
MATCH (:Entity {id: $disease})<-[:IS_A*0..]-(for:Disease)<-[r:TREATS|PALLIATES]-(drug:Drug)
WITH DISTINCT drug, r, for
RETURN drug, type(r) AS how, for, r.sources AS sources
ORDER BY how DESC, drug.name, drug.id, for.id
