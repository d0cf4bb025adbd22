-- Calls as rows, one for each that the figures of the hours from $1 up to $2 count.
INSERT INTO exchange_call (request_id, message_id, client, provider, service, agreement, agreement_version, snapshot,
    consumer_auth, method, endpoint, request_in, request_out, response_in, closed_at, request_size, response_size, status,
    outcome, fault, side, monitored_at)
SELECT id, id, client, provider, service, agreement, 2, 1, 'oauth2', 'GET', '/ho-so/*', at,
       CASE WHEN side IN (1, 3) THEN NULL ELSE at + 900 END, CASE WHEN side = 0 THEN at + took - 2000 END, at + took,
       180, 2400, CASE WHEN side = 0 THEN 200 ELSE 500 END,
       CASE side WHEN 0 THEN 'answered' WHEN 2 THEN 'upstream_failed' ELSE 'refused' END, fault, side, at + took
FROM (SELECT c.*, f.fault, usual / 2 + usual * luck / 1000 AS took
      FROM (SELECT l.agreement, l.client_path AS client, l.provider_path AS provider, l.service_path AS service, l.usual,
                   CAST(10000000 + s.n % 10000000 AS TEXT) || '-0000-4000-8000-'
                       || CAST(100000000000 + l.n * 1000000 + x.n AS TEXT) AS id,
                   t.start + 3600000000 / t.calls * x.n + (l.n * 7919 + x.n * 104729) % 999983 % (3600000000 / t.calls) AS at,
                   (l.n * 48271 + x.n * 69621) % 1009 AS luck,
                   CASE WHEN x.n < t.consumer THEN 1 WHEN x.n < t.consumer + t.provider THEN 2
                        WHEN x.n < t.consumer + t.provider + t.ours THEN 3 ELSE 0 END AS side
            FROM seed_span s CROSS JOIN exchange_traffic t CROSS JOIN seed_line l CROSS JOIN seed_number x
            WHERE s.span = 1 AND s.start >= $1 AND s.start < $2 AND t.span = 1 AND t.kind = 3 AND t.start = s.start
                AND l.line = t.series AND x.n < t.calls) AS c
      LEFT JOIN seed_fault f ON f.side = c.side) AS ended
ORDER BY at;
