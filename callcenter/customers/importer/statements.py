"""The SQL of an import. $1 is the tenant wherever a statement touches a table that is not temporary."""

from callcenter.customers.importer.rows import MatchRule

MERGED = (
    "company",
    "email",
    "language",
    "address",
    "owner",
    "note",
    "external_ref",
    "tags",
    "fields",
    "name",
)
"""Columns of a row in which a later row of the same customer wins, unless it is empty."""

_PLAIN = tuple(name for name in MERGED if name != "fields")

TABLES = """
CREATE TEMPORARY TABLE import_rows (
  line bigint, customer_id uuid, phone text, import_digest bigint, tags text[], fields jsonb, name text,
  company text, email text, language text, address text, owner text, note text, external_ref text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE import_phones (
  line bigint, customer_id uuid, position smallint, raw text, e164 text, national text, label text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE import_known (line bigint, customer_id uuid) ON COMMIT DROP;
CREATE TEMPORARY TABLE import_fold (line bigint, leader bigint) ON COMMIT DROP;
CREATE TEMPORARY TABLE import_folded (line bigint) ON COMMIT DROP;
CREATE TEMPORARY TABLE import_changed (customer_id uuid) ON COMMIT DROP;
CREATE TEMPORARY TABLE import_same (customer_ids uuid[]) ON COMMIT DROP;
ALTER TABLE import_same ALTER customer_ids SET STORAGE EXTERNAL;
CREATE TEMPORARY TABLE import_twins (customer_id uuid, key text) ON COMMIT DROP;
SET LOCAL statement_timeout = 0;
SET LOCAL work_mem = '64MB';
"""
"""Rows and phones as read; line → known customer; line → leading line; the merged; the changed; those whose row
is the same as last time; and of rows that went straight into the tables those that are one customer."""

_WITHOUT_PHONE = "coalesce({0}.company, '') || chr(30) || lower(coalesce({0}.email, ''))"

KEYS = {
    MatchRule.EXTERNAL_REF: "s.external_ref",
    MatchRule.PHONE: "s.phone",
    MatchRule.EMAIL: "lower(s.email)",
    MatchRule.NAME_AND_PHONE: f"""
lower(s.name) || chr(31) || coalesce(s.phone, chr(30) || {_WITHOUT_PHONE.format("s")})""",
}
"""What makes two rows of the file the same customer."""

_FIRST_PHONES = """
SELECT DISTINCT ON (customer_id) customer_id, coalesce(e164, national) AS phone FROM customer_phones
WHERE tenant_id = $1 AND national IS NOT NULL ORDER BY customer_id, position"""

FRESH_KEYS = {
    MatchRule.EXTERNAL_REF: "SELECT customer_id, external_ref AS key FROM customers WHERE tenant_id = $1",
    MatchRule.PHONE: f"SELECT customer_id, phone AS key FROM ({_FIRST_PHONES}) p",
    MatchRule.EMAIL: "SELECT customer_id, lower(email) AS key FROM customers WHERE tenant_id = $1",
    MatchRule.NAME_AND_PHONE: f"""
SELECT customer_id, {KEYS[MatchRule.NAME_AND_PHONE]} AS key FROM (
  SELECT c.customer_id, c.name, c.company, c.email, p.phone
  FROM customers c LEFT JOIN ({_FIRST_PHONES}) p USING (customer_id) WHERE c.tenant_id = $1) s""",
}
"""The same of rows that went straight into the customers' tables."""

FIND_TWINS = """
WITH keys AS ({keys}), several AS (SELECT key FROM keys GROUP BY key HAVING count(*) > 1)
INSERT INTO import_twins SELECT customer_id, key FROM keys JOIN several USING (key)"""

_LINE = "('x' || right({0}.customer_id::text, 8))::bit(32)::bigint"

TAKE_OUT_PHONES = f"""
WITH gone AS (
  DELETE FROM customer_phones p USING import_twins t
  WHERE p.tenant_id = $1 AND p.customer_id = t.customer_id RETURNING p.*
)
INSERT INTO import_phones (line, customer_id, position, raw, e164, national, label)
SELECT {_LINE.format("g")}, customer_id, position, raw, e164, national, label FROM gone g"""

TAKE_OUT_CUSTOMERS = f"""
WITH gone AS (
  DELETE FROM customers c USING import_twins t
  WHERE c.tenant_id = $1 AND c.customer_id = t.customer_id RETURNING c.*
)
INSERT INTO import_rows (
  line, customer_id, tags, fields, name, company, email, language, address, owner, note, external_ref)
SELECT {_LINE.format("g")}, customer_id, nullif(tags, '{{}}'), nullif(fields, '{{}}'), name, company, email, language,
  address, owner, nullif(note, ''), external_ref
FROM gone g"""
"""Ids end with the line, so that the order of the file is still known."""

TWINS_KEYS = "SELECT s.line, t.key FROM import_rows s JOIN import_twins t USING (customer_id)"

FIND_OTHERS = """
WITH found AS (
  SELECT g.place, c.customer_id
  FROM unnest(string_to_array($2, chr(31)), $3::bigint[]) WITH ORDINALITY AS g (external_ref, digest, place)
  LEFT JOIN LATERAL (
    SELECT customer_id, import_digest - version AS digest FROM customers
    WHERE tenant_id = $1 AND external_ref = g.external_ref LIMIT 1
  ) c ON c.digest = g.digest
), noted AS (
  INSERT INTO import_same SELECT array_agg(customer_id) FROM found WHERE customer_id IS NOT NULL
)
SELECT coalesce(array_agg(place - 1 ORDER BY place), '{}') FROM found WHERE customer_id IS NULL"""
"""Which rows are not as they were when they last made or changed a customer whom nobody has changed since.

LATERAL, so that PostgreSQL looks each up in the index, whatever it knows of the table's size. One array for the
customers of a batch is written faster than a row each."""

SAME_TWICE = """
SELECT EXISTS (
  SELECT FROM (
    SELECT unnest(customer_ids) AS customer_id FROM import_same
    UNION ALL
    SELECT DISTINCT c.customer_id FROM import_rows s CROSS JOIN LATERAL (
      SELECT customer_id FROM customers WHERE tenant_id = $1 AND external_ref = s.external_ref LIMIT 1
    ) c
  ) all_ids GROUP BY customer_id HAVING count(*) > 1)"""
"""Tells whether a row that was passed over is one customer with another row of the file."""

_BY_PHONE = """
SELECT s.line, p.customer_id FROM import_rows s
JOIN customer_phones p ON p.tenant_id = $1 AND p.e164 = s.phone
UNION
SELECT s.line, p.customer_id FROM import_rows s
JOIN customer_phones p ON p.tenant_id = $1 AND reverse(p.national) COLLATE "C" = reverse(s.phone) AND p.e164 IS NULL"""

KNOWN = {
    MatchRule.EXTERNAL_REF: """
SELECT s.line, c.customer_id FROM import_rows s
JOIN customers c ON c.tenant_id = $1 AND c.external_ref = s.external_ref""",
    MatchRule.PHONE: _BY_PHONE,
    MatchRule.EMAIL: """
SELECT s.line, c.customer_id FROM import_rows s
JOIN customers c ON c.tenant_id = $1 AND lower(s.email) COLLATE "C" = lower(c.email)""",
    MatchRule.NAME_AND_PHONE: f"""
SELECT s.line, min(c.customer_id::text)::uuid FROM ({_BY_PHONE}) p
JOIN import_rows s USING (line)
JOIN customers c ON c.tenant_id = $1 AND c.customer_id = p.customer_id AND lower(c.name) = lower(s.name)
GROUP BY s.line
UNION ALL
SELECT s.line, min(c.customer_id::text)::uuid FROM import_rows s
JOIN customers c ON c.tenant_id = $1 AND lower(c.name) COLLATE "C" = lower(s.name) COLLATE "C"
  AND {_WITHOUT_PHONE.format("c")} = {_WITHOUT_PHONE.format("s")}
WHERE s.phone IS NULL AND NOT EXISTS (
  SELECT FROM customer_phones p
  WHERE p.tenant_id = $1 AND p.customer_id = c.customer_id AND p.national IS NOT NULL)
GROUP BY s.line""",
}
"""Which customer each row is, of those there already."""

FOLD = """
INSERT INTO import_fold
SELECT line, leader FROM (
  SELECT line, min(line) OVER (PARTITION BY key) AS leader, count(*) OVER (PARTITION BY key) AS size
  FROM ({keys}) k
) g WHERE size > 1"""
"""Finds rows that are one customer; the first one leads."""

_LATEST = ", ".join(
    # arrays as text: PostgreSQL would make a matrix of them
    f"((array_agg(s.{name}{{0}} ORDER BY s.line DESC) FILTER (WHERE s.{name} IS NOT NULL))[1]){{1}} AS {name}".format(
        *(("::text", "::text[]") if name == "tags" else ("", ""))
    )
    for name in MERGED
)

FOLD_ROWS = f"""
UPDATE import_rows r SET import_digest = NULL, {", ".join(f"{name} = m.{name}" for name in MERGED)} FROM (
  SELECT f.leader, {_LATEST} FROM import_fold f JOIN import_rows s USING (line) GROUP BY f.leader
) m WHERE r.line = m.leader"""

FOLD_PHONES = """
WITH placed AS (
  SELECT line, leader, row_number() OVER (PARTITION BY leader ORDER BY line) AS place FROM import_fold
), moved AS (
  DELETE FROM import_phones p USING placed f WHERE p.line = f.line
  RETURNING f.leader AS line, f.place, p.position, p.raw, p.e164, p.national, p.label
), once AS (
  SELECT DISTINCT ON (line, coalesce(e164, national, raw)) * FROM moved
  ORDER BY line, coalesce(e164, national, raw), place, position
), counted AS (
  SELECT *, row_number() OVER (PARTITION BY line ORDER BY place, position) - 1 AS new_position FROM once
)
INSERT INTO import_phones
SELECT n.line, r.customer_id, n.new_position, n.raw, n.e164, n.national, n.label
FROM counted n JOIN import_rows r ON r.line = n.line WHERE n.new_position < 40"""
"""Unites the phones of merged rows: each number once, in order, no more than a customer may have."""

FOLD_END = """
WITH gone AS (
  DELETE FROM import_rows WHERE line IN (SELECT line FROM import_fold WHERE line <> leader) RETURNING line
), gone_known AS (
  DELETE FROM import_known WHERE line IN (SELECT line FROM import_fold WHERE line <> leader)
)
INSERT INTO import_folded SELECT line FROM gone"""

CHANGE_KNOWN = f"""
WITH changed AS (
  UPDATE customers c SET {", ".join(f"{name} = coalesce(s.{name}, c.{name})" for name in _PLAIN)},
    fields = c.fields || coalesce(s.fields, '{{}}'), version = c.version + 1, updated_at = now(),
    import_digest = s.import_digest + c.version
  FROM import_known k JOIN import_rows s USING (line)
  WHERE c.tenant_id = $1 AND c.customer_id = k.customer_id AND (
    {" OR ".join(f"s.{name} IS DISTINCT FROM c.{name} AND s.{name} IS NOT NULL" for name in _PLAIN)}
    OR NOT c.fields @> coalesce(s.fields, '{{}}'))
  RETURNING c.customer_id
)
INSERT INTO import_changed SELECT customer_id FROM changed"""

ADD_NEW = """
INSERT INTO customers (
  tenant_id, customer_id, import_digest, name, company, email, language, address, owner, tags, fields, note, source,
  external_ref)
SELECT $1, customer_id, import_digest, name, company, email, language, address, owner, coalesce(tags, '{}'),
  coalesce(fields, '{}'), coalesce(note, ''), 'import', external_ref
FROM import_rows s WHERE NOT EXISTS (SELECT FROM import_known k WHERE k.line = s.line)"""
"""Rows were staged in the order of their ids, so that the primary key grows at its end."""

ADD_PHONES_OF_NEW = """
INSERT INTO customer_phones (tenant_id, customer_id, position, raw, e164, national, label)
SELECT $1, customer_id, position, raw, e164, national, label FROM import_phones p
WHERE NOT EXISTS (SELECT FROM import_known k WHERE k.line = p.line)"""

ADD_MISSING_PHONES = """
WITH missing AS (
  SELECT k.customer_id, p.position, p.raw, p.e164, p.national, p.label
  FROM import_phones p JOIN import_known k USING (line)
  LEFT JOIN customer_phones x ON x.tenant_id = $1 AND x.customer_id = k.customer_id
    AND coalesce(x.e164, x.national, x.raw) = coalesce(p.e164, p.national, p.raw)
  WHERE x.customer_id IS NULL
), placed AS (
  SELECT m.*, row_number() OVER (PARTITION BY m.customer_id ORDER BY m.position) - 1 + (
    SELECT coalesce(max(y.position) + 1, 0) FROM customer_phones y
    WHERE y.tenant_id = $1 AND y.customer_id = m.customer_id) AS place
  FROM missing m
), inserted AS (
  INSERT INTO customer_phones (tenant_id, customer_id, position, raw, e164, national, label)
  SELECT $1, customer_id, place, raw, e164, national, label FROM placed WHERE place < 40
  RETURNING customer_id
), others AS (
  SELECT DISTINCT customer_id FROM inserted EXCEPT SELECT customer_id FROM import_changed
), touched AS (
  UPDATE customers c SET version = version + 1, updated_at = now(), import_digest = s.import_digest + version
  FROM others o JOIN import_known k USING (customer_id) JOIN import_rows s USING (line)
  WHERE c.tenant_id = $1 AND c.customer_id = o.customer_id RETURNING c.customer_id
)
INSERT INTO import_changed SELECT customer_id FROM touched"""
"""Adds numbers that known customers lack; none is ever taken away, since people may have added them."""

OUTCOMES = """
SELECT s.line, CASE WHEN k.line IS NULL THEN 'added' WHEN c.customer_id IS NULL THEN 'unchanged'
  ELSE 'changed' END
FROM import_rows s LEFT JOIN import_known k USING (line)
LEFT JOIN import_changed c ON c.customer_id = k.customer_id
UNION ALL SELECT line, 'merged' FROM import_folded"""
