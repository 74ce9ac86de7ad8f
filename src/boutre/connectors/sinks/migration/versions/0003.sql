-- The migration database, version 3: links, which say of two records that they are likely of one craft, event or person.

-- One row for each link, as the newest view of it tells it. A link that was withdrawn stays, with its status and why; that of each
-- view stands in record. view_one and view_other are views, record_one and record_other your names for their records.
CREATE TABLE link (
    recipient      TEXT NOT NULL,
    link_id        TEXT NOT NULL,
    view_id        TEXT NOT NULL REFERENCES record (view_id),
    revision       BIGINT NOT NULL,
    released       {moment} NOT NULL,
    exercise       {flag} NOT NULL,
    type           TEXT,
    status         TEXT,
    reason         TEXT,
    view_one       TEXT,
    view_other     TEXT,
    record_one     TEXT,
    record_other   TEXT,
    rule           TEXT,
    judged_by      TEXT,
    judgement      TEXT,
    probability    {real},
    independent    {flag},
    explanation_en TEXT,
    explanation_fr TEXT,
    PRIMARY KEY (recipient, link_id)
);
CREATE INDEX link_view ON link (view_id);
CREATE INDEX link_record_one ON link (record_one);
CREATE INDEX link_record_other ON link (record_other);

-- What a view of a link rests on, a row for each comparison; bits above 0 speak for it, below 0 against it.
CREATE TABLE link_evidence (
    view_id     TEXT NOT NULL REFERENCES record (view_id),
    n           BIGINT NOT NULL,
    comparison  TEXT NOT NULL,
    level       TEXT NOT NULL,
    bits        {real},
    sentence_en TEXT,
    sentence_fr TEXT,
    PRIMARY KEY (view_id, n)
);

-- Links that stand. Where nobody can say whether one does, it does not stand here.
CREATE VIEW current_link AS
SELECT * FROM link WHERE status = 'made';

-- As before, without links: who counts what holds now counts reports and alerts, and none twice for being linked.
DROP VIEW current_record;
CREATE VIEW current_record AS
SELECT r.*
FROM record AS r
WHERE r.kind NOT IN ('retraction', 'link')
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
