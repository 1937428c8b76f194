// Of each column of pixels the worst that happened in it, so that nothing is averaged away.

/** How bad a kind of state is, by its place in `kinds`: 0 nothing, then two for each kind, the second uncertain. */
const rank = (kind, certain) => 2 * kind + (certain ? 1 : 2);

/** Fills a row of columns with the worst rank of a lane's pieces; the instants are those of the columns' edges. */
function worst(columns, pieces, kinds, since, until) {
  const scale = columns.length / (until - since);
  for (let i = firstAfter(pieces.end, since); i < pieces.count && pieces.start[i] < until; i++) {
    paint(columns, pieces, kinds, i, since, scale);
  }
  return columns;
}

function paint(columns, pieces, kinds, i, since, scale) {
  const value = rank(kinds[pieces.state[i]], pieces.certain[i]);
  const from = Math.max(0, Math.floor((pieces.start[i] - since) * scale));
  const to = Math.min(columns.length, Math.max(from + 1, Math.ceil((pieces.end[i] - since) * scale)));
  for (let x = from; x < to; x++) if (columns[x] < value) columns[x] = value;
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
