-- The migration database, version 2: personal groups are encrypted under a key for each record, which stands outside the database.
-- Of trafficking, vulnerability, victims, suspects and narrative only what is declared open stands in columns and in the document.
-- Columns that held the rest are gone, so that a query for them fails rather than finding nothing.

-- Which folder of keys the table personal lies under.
CREATE TABLE personal_keys (
    id TEXT PRIMARY KEY
);

-- The personal groups of a view, whole, as one JSON text; boutre migration show opens it.
CREATE TABLE personal (
    view_id    TEXT PRIMARY KEY REFERENCES record (view_id),
    algorithm  TEXT NOT NULL,
    key_id     TEXT NOT NULL,
    nonce      {bytes} NOT NULL,
    ciphertext {bytes} NOT NULL
);

-- Which groups of a view stand there: known, and not in plain.
CREATE TABLE encrypted (
    view_id TEXT NOT NULL REFERENCES record (view_id),
    field   TEXT NOT NULL,
    PRIMARY KEY (view_id, field)
);

-- Views whose record was erased: they were deleted, or never written.
CREATE TABLE erased (
    view_id   TEXT PRIMARY KEY REFERENCES inbox (view_id),
    recipient TEXT NOT NULL,
    of_record TEXT NOT NULL,
    revises   TEXT,
    erased_at {moment} NOT NULL
);
CREATE INDEX erased_of ON erased (recipient, of_record);
CREATE INDEX erased_revises ON erased (revises);

-- Has a row until the pages that held plain text before this version are overwritten.
CREATE TABLE to_scrub (
    "at" {moment} NOT NULL
);

ALTER TABLE vulnerability RENAME TO vulnerability_1;
CREATE TABLE vulnerability (
    view_id                          TEXT PRIMARY KEY REFERENCES record (view_id),
    unaccompanied_children_min       {real},
    unaccompanied_children_max       {real},
    unaccompanied_children_estimated {flag},
    pregnant_min                     {real},
    pregnant_max                     {real},
    pregnant_estimated               {flag},
    medical_urgent                   {flag},
    disembarkation                   TEXT
);
INSERT INTO vulnerability
SELECT view_id, unaccompanied_children_min, unaccompanied_children_max, unaccompanied_children_estimated,
       pregnant_min, pregnant_max, pregnant_estimated, medical_urgent, disembarkation
FROM vulnerability_1;
DROP TABLE vulnerability_1;

ALTER TABLE trafficking RENAME TO trafficking_1;
CREATE TABLE trafficking (
    view_id                TEXT PRIMARY KEY REFERENCES record (view_id),
    perpetrators_min       {real},
    perpetrators_max       {real},
    perpetrators_estimated {flag}
);
INSERT INTO trafficking
SELECT view_id, perpetrators_min, perpetrators_max, perpetrators_estimated
FROM trafficking_1;
DROP TABLE trafficking_1;

-- Words of an alert alone: its headline, description, instruction and area. The narrative of a report stands in personal.
DELETE FROM narrative WHERE field = 'narrative';
DELETE FROM listed
WHERE field IN ('vulnerability.needs', 'trafficking.acts', 'trafficking.means', 'trafficking.exploitation');

-- As before; and what an erased record had taken the place of does not come back.
DROP VIEW current_record;
CREATE VIEW current_record AS
SELECT r.*
FROM record AS r
WHERE r.kind <> 'retraction'
  AND (r.status IS NULL OR r.status <> 'cancel')
  AND NOT EXISTS (
      SELECT 1 FROM record AS newer
      WHERE newer.recipient = r.recipient
        AND (newer.revises = r.of_record
             OR (newer.of_record = r.of_record
                 AND (newer.released > r.released OR (newer.released = r.released AND newer.view_id > r.view_id))))
  )
  AND NOT EXISTS (
      SELECT 1 FROM recall AS c JOIN record AS cr ON cr.view_id = c.view_id
      WHERE c.of_record = r.of_record AND cr.recipient = r.recipient AND (r.exercise OR NOT cr.exercise)
  )
  AND NOT EXISTS (
      SELECT 1 FROM erased AS e
      WHERE e.recipient = r.recipient AND e.revises = r.of_record
  );
