-- The text of an OpenAPI document lies in the content store, under the name in `blob`; `bytes` is then empty. Rows
-- without a name still hold their text here and are moved when the module starts.
ALTER TABLE exchange_document ADD COLUMN blob TEXT;
