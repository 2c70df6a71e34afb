-- Alerts: their episodes, what mutes them, and who was told. Written by the evaluator that holds the lock.

CREATE TABLE alerts (
  id uuid PRIMARY KEY,
  fingerprint text NOT NULL,
  rule text NOT NULL,
  severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
  stage text NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'firing', 'resolved')),
  labels jsonb NOT NULL,
  summary text NOT NULL,
  value double precision,
  unit text,
  started_at timestamptz NOT NULL,
  fired_at timestamptz,
  resolved_at timestamptz,
  updated_at timestamptz NOT NULL DEFAULT now(),
  inhibited_by text,
  progress jsonb NOT NULL
);
CREATE INDEX alerts_open ON alerts (started_at) WHERE state <> 'resolved';
CREATE INDEX alerts_resolved_at ON alerts (resolved_at);

CREATE TABLE alert_silences (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  matchers jsonb NOT NULL,
  comment text NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);

CREATE TABLE alert_notifications (
  id uuid PRIMARY KEY,
  receiver text NOT NULL,
  reason text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('sending', 'delivered', 'refused', 'given up')),
  attempts integer NOT NULL,
  detail text NOT NULL,
  alert_ids uuid[] NOT NULL,
  body jsonb NOT NULL,
  sent_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX alert_notifications_sending ON alert_notifications (sent_at) WHERE outcome = 'sending';
CREATE INDEX alert_notifications_sent_at ON alert_notifications (sent_at);
