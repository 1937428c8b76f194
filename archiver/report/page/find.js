// Ways to what one looks for: words, the next exit, the next gap, the next action.

const MOST_HITS = 10000;

/** What a text is found in, lane by lane: the lane itself, its actions, its states. */
function hits(picture, query) {
  const wanted = query.trim().toLowerCase();
  if (!wanted) return [];
  const fits = (text) => (text || "").toLowerCase().includes(wanted);
  const states = picture.states.map(([text]) => fits(text));
  const anyState = states.includes(true);
  const found = [];
  for (const lane of picture.lanes) {
    if (found.length > MOST_HITS) break;
    if (fits(lane.name) || fits(lane.uri) || fits(lane.type)) found.push({ lane });
    for (const action of lane.actions) {
      if (fits(action.name) || fits(action.uri) || fits(action.state)) found.push({ lane, action });
    }
    for (let i = 0; anyState && i < lane.pieces.count; i++) if (states[lane.pieces.state[i]]) found.push({ lane, piece: i });
  }
  return found;
}

/** Whether two that may be chosen are the same. */
function same(one, other) {
  return Boolean(other) && one.lane === other.lane && one.piece === other.piece && one.action === other.action;
}

/** What was chosen, in another picture's lane of the same object: the state that began then, the action of that URI. */
function kept({ lane, piece, action }, now) {
  if (action) {
    const found = now.actions.find(({ uri }) => uri === action.uri);
    return found ? { lane: now, action: found } : { lane: now };
  }
  if (piece === undefined) return { lane: now };
  const same = pieceAt(now, lane.pieces.start[piece]);
  return same < 0 ? { lane: now } : { lane: now, piece: same };
}

/** When it is that something chosen began; null where it has no instant. */
function instantOf({ lane, piece, action }) {
  if (action) return action.start;
  return piece === undefined ? null : lane.pieces.start[piece];
}

/** The next (1) or the one before (-1) of what is sorted by `start`, seen from an instant; round again at the end. */
function neighbour(sorted, instant, way) {
  if (!sorted.length) return null;
  if (way > 0) return sorted.find((each) => each.start > instant) || sorted[0];
  return sorted.findLast((each) => each.start < instant) || sorted.at(-1);
}

/** The piece of a lane that holds at an instant; -1: none. */
function pieceAt({ pieces }, instant) {
  const i = firstAfter(pieces.end, instant);
  return i < pieces.count && pieces.start[i] <= instant ? i : -1;
}

/** When the state of a piece began and ended, gaps in it or not. */
function wholeOf(pieces, piece) {
  let first = piece, last = piece;
  while (first > 0 && pieces.noted[first] & GOES_ON) first--;
  while (last + 1 < pieces.count && pieces.noted[last + 1] & GOES_ON) last++;
  return [pieces.start[first], pieces.end[last]];
}
