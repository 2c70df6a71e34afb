-- Positions that an operator moved, and letters that were retried or purged, stay countable.

-- Of a gap: whether its messages were deleted before they were read ('deleted'), or the log was cut back and its offsets
-- from from_offset to to_offset, which had been read, are used again by other messages ('cut').
ALTER TABLE kpi_gaps ADD COLUMN kind text NOT NULL DEFAULT 'deleted' CHECK (kind IN ('deleted', 'cut'));

-- A log may be cut at the same offset twice.
ALTER TABLE kpi_gaps DROP CONSTRAINT kpi_gaps_pkey;
ALTER TABLE kpi_gaps ADD PRIMARY KEY (consumer_group, topic, partition, from_offset, recorded_at);

-- Offsets that were counted and taken back: what merged, rejected and without_message hold of them stays.
ALTER TABLE kpi_consumer_offsets ADD COLUMN rewound bigint NOT NULL DEFAULT 0;
ALTER TABLE kpi_consumer_offsets DROP CONSTRAINT kpi_consumer_offsets_check;
ALTER TABLE kpi_consumer_offsets ADD CHECK (next_offset - first_offset + rewound = merged + rejected + without_message + lost);

-- Letters that are not in dead_letters any more; rejected goes on counting them.
ALTER TABLE kpi_consumer_offsets ADD COLUMN purged bigint NOT NULL DEFAULT 0;

-- Whether the merge of the retried message counted it as late.
ALTER TABLE dead_letters ADD COLUMN retried_late boolean;
