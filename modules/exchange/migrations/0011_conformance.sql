-- Conformance runs: what was found when a system's use of the exchange, or a service it provides, was tested. Never
-- changed. The newest run of a service or system is what a path to production asks for.
CREATE TABLE exchange_conformance (
    id TEXT PRIMARY KEY,
    subsystem_id TEXT NOT NULL REFERENCES exchange_subsystem (id),
    -- The service tested; NULL when the subsystem was tested as a consumer.
    service_id TEXT REFERENCES exchange_service (id),
    at INTEGER NOT NULL,
    passed INTEGER NOT NULL,
    checks TEXT NOT NULL,
    actor TEXT NOT NULL,
    actor_name TEXT
) STRICT;
CREATE INDEX exchange_conformance_subsystem ON exchange_conformance (subsystem_id, at);
CREATE INDEX exchange_conformance_service ON exchange_conformance (service_id, at);
