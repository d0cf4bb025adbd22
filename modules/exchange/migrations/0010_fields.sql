-- Where a call went when not to production, and the filter its answer went through: the fingerprint of the agreed
-- fields and how many others were taken out.
ALTER TABLE exchange_call ADD COLUMN environment TEXT;
ALTER TABLE exchange_call ADD COLUMN filter TEXT;
ALTER TABLE exchange_call ADD COLUMN removed_fields INTEGER;
