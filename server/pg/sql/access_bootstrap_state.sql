-- Whether anybody has ever enrolled.
SELECT EXISTS (SELECT FROM token)::text
