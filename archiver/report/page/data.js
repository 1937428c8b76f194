// What the file carries, unpacked: lanes with their pieces, and where in time one may want to go.

/** Reads whole numbers of seven bits a byte, the lowest first. */
function numbersOf(base64) {
  const bytes = atob(base64);
  let place = 0;
  return () => {
    let value = 0, scale = 1, byte;
    do {
      byte = bytes.charCodeAt(place++);
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte > 127);
    return value;
  };
}

const UNCERTAIN = 1, BEHIND_HOLE = 2, NOTED = 4;
const GOES_ON = 1, OUT_OF_MEMORY = 2;

/** The pieces of a lane: when each begins and ends, its state, whether it is certain, how it began. */
function piecesOf(next, since) {
  const count = next();
  const pieces = {
    count,
    start: new Float64Array(count),
    end: new Float64Array(count),
    state: new Uint16Array(count),
    certain: new Uint8Array(count),
    noted: new Uint8Array(count),
  };
  let at = since;
  for (let i = 0; i < count; i++) {
    const head = next();
    pieces.noted[i] = head & NOTED ? next() : 0;
    if (head & BEHIND_HOLE) at += next();
    pieces.state[i] = Math.floor(head / 8);
    pieces.certain[i] = head & UNCERTAIN ? 0 : 1;
    pieces.start[i] = at;
    at += next();
    pieces.end[i] = at;
  }
  return pieces;
}

/** Everything that is drawn. Raises nothing: the file was made by the same program. */
function unpack(told) {
  const next = numbersOf(told.pieces);
  const above = [];
  const lanes = told.lanes.map(([name, type, uri, depth], index) => {
    const lane = { index, name, type, uri, depth, below: [], actions: [], pieces: piecesOf(next, told.since) };
    above.length = depth;
    lane.above = depth ? above[depth - 1] : null;
    if (lane.above) lane.above.below.push(lane);
    above[depth] = lane;
    const last = lane.pieces.count - 1;
    lane.gone = last >= 0 && told.states[lane.pieces.state[last]][1] === 0;
    return lane;
  });
  const actions = told.actions.map(([at, name, state, uri, start, end, caused]) => {
    const action = { lane: lanes[at], name, state, uri, start, end, caused: caused || [] };
    action.lane.actions.push(action);
    return action;
  });
  return { ...told, lanes, actions, exits: exitsOf(lanes, told.states) };
}

/** Each beginning of a state that is an exit, in the order of time. */
function exitsOf(lanes, states) {
  const exits = [];
  for (const lane of lanes) {
    const { count, start, state, noted } = lane.pieces;
    for (let i = 0; i < count; i++) {
      if (states[state[i]][2] && !(noted[i] & GOES_ON)) exits.push({ lane, piece: i, start: start[i] });
    }
  }
  return exits.sort((one, other) => one.start - other.start);
}

/** The first place in a sorted row of numbers that holds more than a value. */
function firstAfter(row, value) {
  let low = 0, high = row.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (row[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** All that is under a lane. */
function under(lane) {
  const found = [];
  const waiting = [...lane.below];
  while (waiting.length) {
    const each = waiting.pop();
    found.push(each);
    waiting.push(...each.below);
  }
  return found;
}
