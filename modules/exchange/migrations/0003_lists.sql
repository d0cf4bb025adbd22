-- Lists of calls by service, agreement and ending.
CREATE INDEX exchange_call_service ON exchange_call (service, request_in);
CREATE INDEX exchange_call_agreement ON exchange_call (agreement, request_in);
CREATE INDEX exchange_call_ended ON exchange_call (outcome, request_in);
