-- Where the calls of an agreement go, when it was named in the catalogue, and where a service's sandbox lives (without
-- one, invented answers are made from its description).
ALTER TABLE exchange_agreement ADD COLUMN environment TEXT NOT NULL DEFAULT 'production';
ALTER TABLE exchange_agreement ADD COLUMN published_at INTEGER;
ALTER TABLE exchange_service ADD COLUMN sandbox_url TEXT;
