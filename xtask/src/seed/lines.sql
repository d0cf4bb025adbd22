-- Figures of the lines from $1 up to $2, and of their services. {size} is the number of the doubling of `calls`.

-- Hours of the newest days, drawn from what the hour expects.
INSERT INTO exchange_traffic (series, span, start, kind, calls, consumer, provider, ours, refused, request_bytes,
                              response_bytes, latency)
SELECT c.line, 1, c.start, 3, c.calls, c.consumer, c.provider, c.ours, c.consumer + c.ours, c.calls * 180,
       c.calls * 2400, h.latency
FROM (SELECT line, start, place, calls, (calls * 12 + luck) / 1000 AS consumer,
             (calls * 9 + (luck + 500) % 1000) / 1000 AS provider, (calls + (luck + 700) % 1000) / 1000 AS ours
      FROM (SELECT l.line, l.place, s.start,
                   (l.share * s.expected / 100000 + (l.n * 48271 + s.n * 69621) % 999979 * 1000) / 1000000000 AS calls,
                   (l.n * 7919 + s.n * 104729) % 999983 % 1000 AS luck
            FROM seed_line l CROSS JOIN seed_span s WHERE l.n >= $1 AND l.n < $2 AND s.span = 1) AS drawn
      WHERE calls > 0) AS c
JOIN seed_shape h ON h.place = c.place AND h.size = {size}
ORDER BY c.line, c.start;

-- Days before them.
INSERT INTO exchange_traffic (series, span, start, kind, calls, consumer, provider, ours, refused, request_bytes,
                              response_bytes, latency)
SELECT c.line, 2, c.start, 3, c.calls, c.consumer, c.provider, c.ours, c.consumer + c.ours, c.calls * 180,
       c.calls * 2400, h.latency
FROM (SELECT line, start, place, calls, (calls * 12 + luck) / 1000 AS consumer,
             (calls * 9 + (luck + 500) % 1000) / 1000 AS provider, (calls + (luck + 700) % 1000) / 1000 AS ours
      FROM (SELECT l.line, l.place, s.start,
                   (l.share * s.expected / 100000 + (l.n * 48271 + s.n * 69621) % 999979 * 1000) / 1000000000 AS calls,
                   (l.n * 7919 + s.n * 104729) % 999983 % 1000 AS luck
            FROM seed_line l CROSS JOIN seed_span s
            WHERE l.n >= $1 AND l.n < $2 AND s.span = 2 AND s.expected > 0) AS drawn
      WHERE calls > 0) AS c
JOIN seed_shape h ON h.place = c.place AND h.size = {size}
ORDER BY c.line, c.start;

-- The newest days are the sums of their hours.
INSERT INTO exchange_traffic (series, span, start, kind, calls, consumer, provider, ours, refused, request_bytes,
                              response_bytes, latency)
SELECT c.series, 2, c.start, 3, c.calls, c.consumer, c.provider, c.ours, c.consumer + c.ours, c.calls * 180,
       c.calls * 2400, h.latency
FROM (SELECT t.series, l.place, s.outer_start AS start, CAST(SUM(t.calls) AS BIGINT) AS calls,
             CAST(SUM(t.consumer) AS BIGINT) AS consumer, CAST(SUM(t.provider) AS BIGINT) AS provider,
             CAST(SUM(t.ours) AS BIGINT) AS ours
      FROM seed_line l CROSS JOIN exchange_traffic t CROSS JOIN seed_span s
      WHERE l.n >= $1 AND l.n < $2 AND t.series = l.line AND t.span = 1 AND s.span = 1 AND s.start = t.start
      GROUP BY t.series, l.place, s.outer_start) AS c
JOIN seed_shape h ON h.place = c.place AND h.size = {size}
ORDER BY c.series, c.start;

INSERT INTO exchange_traffic (series, span, start, kind, calls, consumer, provider, ours, refused, request_bytes,
                              response_bytes, latency)
SELECT c.service, c.span, c.start, 1, c.calls, c.consumer, c.provider, c.ours, c.consumer + c.ours, c.calls * 180,
       c.calls * 2400, h.latency
FROM (SELECT l.service, l.place, t.span, t.start, CAST(SUM(t.calls) AS BIGINT) AS calls,
             CAST(SUM(t.consumer) AS BIGINT) AS consumer, CAST(SUM(t.provider) AS BIGINT) AS provider,
             CAST(SUM(t.ours) AS BIGINT) AS ours
      FROM seed_line l CROSS JOIN exchange_traffic t
      WHERE l.n >= $1 AND l.n < $2 AND t.series = l.line GROUP BY l.service, l.place, t.span, t.start) AS c
JOIN seed_shape h ON h.place = c.place AND h.size = {size}
ORDER BY c.service, c.span, c.start;
