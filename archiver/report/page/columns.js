// Of each column of pixels the worst that happened in it, so that nothing is averaged away.

/** How bad a kind of state is, by its place in `kinds`: 0 nothing, then two for each kind, the second uncertain. */
const rank = (kind, certain) => 2 * kind + (certain ? 1 : 2);

const RANKS = 11;

/** Fills a row of columns with the worst rank of the pieces of some lanes; the instants are those of its edges. */
function worst(columns, lanes, kinds, since, until) {
  const scale = columns.length / (until - since);
  const stretches = Array.from({ length: RANKS }, () => []);
  for (const { pieces } of lanes) {
    for (let i = firstAfter(pieces.end, since); i < pieces.count && pieces.start[i] < until; i++) {
      const from = Math.max(0, Math.floor((pieces.start[i] - since) * scale));
      const to = Math.min(columns.length, Math.max(from + 1, Math.ceil((pieces.end[i] - since) * scale)));
      stretches[rank(kinds[pieces.state[i]], pieces.certain[i])].push(from, to);
    }
  }
  // From good to bad, each stretch at once: what is worse covers what is better.
  stretches.forEach((found, value) => {
    for (let n = 0; n < found.length; n += 2) columns.fill(value, found[n], found[n + 1]);
  });
  return columns;
}

/** Calls back for each run of equal columns that hold anything. */
function runs(columns, found) {
  let from = 0;
  for (let x = 1; x <= columns.length; x++) {
    if (x < columns.length && columns[x] === columns[from]) continue;
    if (columns[from]) found(from, x, columns[from]);
    from = x;
  }
}
