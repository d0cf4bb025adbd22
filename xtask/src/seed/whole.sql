-- Figures of consumers, of everything and of faults, from those of the lines and services, then months. {size} is the
-- number of the doubling of `calls`.

INSERT INTO exchange_traffic (series, span, start, kind, calls, consumer, provider, ours, refused, request_bytes,
                              response_bytes, latency)
SELECT c.client, c.span, c.start, 2, c.calls, c.consumer, c.provider, c.ours, c.consumer + c.ours, c.calls * 180,
       c.calls * 2400, h.latency
FROM (SELECT l.client, t.span, t.start, CAST(SUM(t.calls) AS BIGINT) AS calls,
             CAST(SUM(t.consumer) AS BIGINT) AS consumer, CAST(SUM(t.provider) AS BIGINT) AS provider,
             CAST(SUM(t.ours) AS BIGINT) AS ours
      FROM seed_line l CROSS JOIN exchange_traffic t WHERE t.series = l.line GROUP BY l.client, t.span, t.start) AS c
JOIN seed_shape h ON h.place = 8 AND h.size = {size}
ORDER BY c.client, c.span, c.start;

INSERT INTO exchange_traffic (series, span, start, kind, calls, consumer, provider, ours, refused, request_bytes,
                              response_bytes, latency)
SELECT 0, c.span, c.start, 0, c.calls, c.consumer, c.provider, c.ours, c.consumer + c.ours, c.calls * 180,
       c.calls * 2400, h.latency
FROM (SELECT t.span, t.start, CAST(SUM(t.calls) AS BIGINT) AS calls,
             CAST(SUM(t.consumer) AS BIGINT) AS consumer, CAST(SUM(t.provider) AS BIGINT) AS provider,
             CAST(SUM(t.ours) AS BIGINT) AS ours
      FROM exchange_series c CROSS JOIN exchange_traffic t WHERE c.kind = 2 AND t.series = c.id
      GROUP BY t.span, t.start) AS c
JOIN seed_shape h ON h.place = 8 AND h.size = {size};

INSERT INTO exchange_traffic (series, span, start, kind, calls, consumer, provider, ours, refused, request_bytes,
                              response_bytes, latency)
SELECT f.series, f.span, f.start, 4, f.n, CASE WHEN f.side = 1 THEN f.n ELSE 0 END,
       CASE WHEN f.side = 2 THEN f.n ELSE 0 END, CASE WHEN f.side = 3 THEN f.n ELSE 0 END,
       CASE WHEN f.side = 2 THEN 0 ELSE f.n END, f.n * 180, 0, f.latency
FROM (SELECT f.series, f.side, f.latency, t.span, t.start,
             CASE f.side WHEN 1 THEN t.consumer WHEN 2 THEN t.provider ELSE t.ours END AS n
      FROM seed_fault f CROSS JOIN exchange_traffic t WHERE t.series = 0) AS f
WHERE f.n > 0;

INSERT INTO exchange_traffic (series, span, start, kind, calls, consumer, provider, ours, refused, request_bytes,
                              response_bytes, latency)
SELECT c.series, 3, c.start, c.kind, c.calls, c.consumer, c.provider, c.ours, c.refused, c.request_bytes,
       c.response_bytes, h.latency
FROM (SELECT t.series, t.kind, s.outer_start AS start, CAST(SUM(t.calls) AS BIGINT) AS calls,
             CAST(SUM(t.consumer) AS BIGINT) AS consumer, CAST(SUM(t.provider) AS BIGINT) AS provider,
             CAST(SUM(t.ours) AS BIGINT) AS ours, CAST(SUM(t.refused) AS BIGINT) AS refused,
             CAST(SUM(t.request_bytes) AS BIGINT) AS request_bytes,
             CAST(SUM(t.response_bytes) AS BIGINT) AS response_bytes
      FROM exchange_series c CROSS JOIN exchange_traffic t CROSS JOIN seed_span s
      WHERE c.kind <> 3 AND t.series = c.id AND t.span = 2 AND s.span = 2 AND s.start = t.start GROUP BY t.series, t.kind, s.outer_start) AS c
JOIN seed_shape h ON h.place = 8 AND h.size = {size}
ORDER BY c.series, c.start;
