SELECT territory, mid, state, at, mutation, verdict, code FROM outbox ORDER BY territory, mid
