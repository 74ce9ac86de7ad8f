-- The migration database, version 1. The same statements for SQLite and PostgreSQL; what stands in braces is a type of the dialect.
-- Every row belongs to one view. Nothing is ever changed: an update or a cancellation is a view of its own.
-- NULL means unknown. What was withheld stands in the table withheld, what was sealed in sealed, what was coarsened in field_state.

CREATE TABLE inbox (
    view_id     TEXT PRIMARY KEY,
    topic       TEXT NOT NULL,
    "partition" BIGINT NOT NULL,
    "offset"    BIGINT NOT NULL,
    "at"        {moment} NOT NULL
);

CREATE TABLE record (
    view_id                  TEXT PRIMARY KEY REFERENCES inbox (view_id),
    of_record                TEXT NOT NULL,
    recipient                TEXT NOT NULL,
    kind                     TEXT NOT NULL,
    exercise                 {flag} NOT NULL,
    status                   TEXT,
    revision                 BIGINT,
    revises                  TEXT,
    repeats                  TEXT,
    member                   TEXT,
    authority                TEXT,
    feed                     TEXT,
    reference                TEXT,
    type                     TEXT,
    nature                   TEXT,
    outcome                  TEXT,
    observed                 {moment},
    observed_precision       TEXT,
    observed_uncertainty_s   {real},
    observed_until           {moment},
    observed_until_precision TEXT,
    reported                 {moment},
    reported_precision       TEXT,
    received                 {moment},
    accepted                 {moment},
    late                     {flag},
    released                 {moment} NOT NULL,
    reliability              TEXT,
    credibility              TEXT,
    probability              {real},
    validation               TEXT,
    tlp                      TEXT,
    pap                      TEXT,
    legal_basis              TEXT,
    retention_days           BIGINT,
    consent                  TEXT,
    policy                   TEXT NOT NULL,
    document                 {document} NOT NULL
);
CREATE INDEX record_of ON record (of_record);
CREATE INDEX record_revises ON record (revises);
CREATE INDEX record_observed ON record (observed);

CREATE TABLE position (
    view_id    TEXT PRIMARY KEY REFERENCES record (view_id),
    latitude   {real},
    longitude  {real},
    accuracy_m {real},
    fix        TEXT,
    place      TEXT,
    locode     TEXT
);

CREATE TABLE persons (
    view_id             TEXT PRIMARY KEY REFERENCES record (view_id),
    total_min           {real},
    total_max           {real},
    total_estimated     {flag},
    survivors_min       {real},
    survivors_max       {real},
    survivors_estimated {flag},
    dead_min            {real},
    dead_max            {real},
    dead_estimated      {flag},
    missing_min         {real},
    missing_max         {real},
    missing_estimated   {flag},
    injured_min         {real},
    injured_max         {real},
    injured_estimated   {flag},
    outcome             TEXT
);

CREATE TABLE person_count (
    view_id         TEXT NOT NULL REFERENCES record (view_id),
    n               BIGINT NOT NULL,
    sex             TEXT,
    age_band        TEXT,
    condition       TEXT,
    nationality     TEXT,
    count_min       {real},
    count_max       {real},
    count_estimated {flag},
    PRIMARY KEY (view_id, n)
);

CREATE TABLE migration (
    view_id          TEXT PRIMARY KEY REFERENCES record (view_id),
    departure        TEXT,
    embarked         TEXT,
    destination      TEXT,
    route            TEXT,
    detection        TEXT,
    fare_min         {real},
    fare_max         {real},
    fare_estimated   {flag},
    currency         TEXT,
    facilitated      {flag},
    asylum_requested {flag}
);

CREATE TABLE vulnerability (
    view_id                          TEXT PRIMARY KEY REFERENCES record (view_id),
    unaccompanied_children_min       {real},
    unaccompanied_children_max       {real},
    unaccompanied_children_estimated {flag},
    pregnant_min                     {real},
    pregnant_max                     {real},
    pregnant_estimated               {flag},
    medical_urgent                   {flag},
    risk                             TEXT,
    referral                         TEXT,
    disembarkation                   TEXT
);

CREATE TABLE trafficking (
    view_id                 TEXT PRIMARY KEY REFERENCES record (view_id),
    status                  TEXT,
    decided_by              TEXT,
    unit                    TEXT,
    victims_min             {real},
    victims_max             {real},
    victims_estimated       {flag},
    perpetrators_min        {real},
    perpetrators_max        {real},
    perpetrators_estimated  {flag},
    recruitment             TEXT,
    relationship            TEXT
);

CREATE TABLE action (
    view_id             TEXT PRIMARY KEY REFERENCES record (view_id),
    kind                TEXT,
    status              TEXT,
    authority           TEXT,
    unit                TEXT,
    legal_ground        TEXT,
    boarded             {flag},
    detected_by         TEXT,
    zone                TEXT,
    smugglers_min       {real},
    smugglers_max       {real},
    smugglers_estimated {flag}
);

CREATE TABLE measure (
    view_id         TEXT NOT NULL REFERENCES record (view_id),
    n               BIGINT NOT NULL,
    kind            TEXT NOT NULL,
    count_min       {real},
    count_max       {real},
    count_estimated {flag},
    detail          TEXT,
    PRIMARY KEY (view_id, n)
);

CREATE TABLE craft (
    view_id                    TEXT PRIMARY KEY REFERENCES record (view_id),
    kind                       TEXT,
    source_kind                TEXT,
    hull                       TEXT,
    length_m_min               {real},
    length_m_max               {real},
    length_m_estimated         {flag},
    engine_kind                TEXT,
    engine_count_min           {real},
    engine_count_max           {real},
    engine_count_estimated     {flag},
    engine_power_kw_min        {real},
    engine_power_kw_max        {real},
    engine_power_kw_estimated  {flag},
    persons_on_board_min       {real},
    persons_on_board_max       {real},
    persons_on_board_estimated {flag},
    activity                   TEXT
);

CREATE TABLE claim (
    view_id    TEXT NOT NULL REFERENCES record (view_id),
    n          BIGINT NOT NULL,
    attribute  TEXT NOT NULL,
    value      TEXT NOT NULL,
    source     TEXT,
    first_seen {moment},
    last_seen  {moment},
    PRIMARY KEY (view_id, n)
);
CREATE INDEX claim_value ON claim (attribute, value);

-- Words in their own language: the narrative of a report, and the headline, description, instruction and area of an alert.
CREATE TABLE narrative (
    view_id        TEXT NOT NULL REFERENCES record (view_id),
    field          TEXT NOT NULL,
    n              BIGINT NOT NULL,
    language       TEXT NOT NULL,
    text           TEXT NOT NULL,
    translation_of TEXT,
    PRIMARY KEY (view_id, field, n)
);

CREATE TABLE warning (
    view_id       TEXT PRIMARY KEY REFERENCES record (view_id),
    message       TEXT,
    category      TEXT,
    severity      TEXT,
    urgency       TEXT,
    certainty     TEXT,
    onset         {moment},
    expires       {moment},
    lives_at_risk {flag}
);

CREATE TABLE recall (
    view_id   TEXT PRIMARY KEY REFERENCES record (view_id),
    of_record TEXT,
    kind      TEXT,
    scope     TEXT,
    reason    TEXT
);
CREATE INDEX recall_of ON recall (of_record);

-- Fields that hold a list of codes or short texts, a row for each: craft.colours, vulnerability.needs, event.classes ...
CREATE TABLE listed (
    view_id TEXT NOT NULL REFERENCES record (view_id),
    field   TEXT NOT NULL,
    n       BIGINT NOT NULL,
    scheme  TEXT,
    value   TEXT NOT NULL,
    PRIMARY KEY (view_id, field, n)
);

CREATE TABLE withheld (
    view_id   TEXT NOT NULL REFERENCES record (view_id),
    field     TEXT NOT NULL,
    agreement TEXT,
    clause    TEXT NOT NULL,
    ask       TEXT,
    PRIMARY KEY (view_id, field)
);

CREATE TABLE sealed (
    view_id        TEXT NOT NULL REFERENCES record (view_id),
    field          TEXT NOT NULL,
    algorithm      TEXT NOT NULL,
    content_key_id TEXT NOT NULL,
    PRIMARY KEY (view_id, field)
);

-- What is not as its source gave it: coarsened or put under a pseudonym, by which rule and how.
CREATE TABLE field_state (
    view_id TEXT NOT NULL REFERENCES record (view_id),
    n       BIGINT NOT NULL,
    field   TEXT NOT NULL,
    state   TEXT NOT NULL,
    clause  TEXT NOT NULL,
    method  TEXT,
    PRIMARY KEY (view_id, n)
);

-- What holds now: the newest view of each record that no other record took the place of, that was not cancelled and not taken back.
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
      WHERE c.of_record = r.of_record AND cr.recipient = r.recipient
  );
