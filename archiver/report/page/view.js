// Which stretch of time and which lanes are seen, and how that stands in the address.

const SHORTEST = 20; // milliseconds that are seen at least
const LONGEST = 2000; // characters of what is folded, in an address

class View {
  constructor(picture) {
    this.utc = false;
    this.gone = true;
    this.query = "";
    this.chosen = null; // {lane, piece} or {lane, action} or {lane}
    this.measured = null; // [from, to], to is null while it is measured
    this.load(picture);
    this.usual = this.tooMany().join(".");
    this.folded = new Set(this.usual.split(".").filter(Boolean).map(Number));
    this.fit();
    this.rows = this.seen();
  }

  /** Takes a picture; where another was seen before, what was seen of it stays, but for its end, which is followed. */
  load(picture) {
    const before = this.picture;
    const follows = before && this.until >= before.until;
    const moved = before ? picture.until - before.until : 0;
    this.picture = picture;
    if (before) this.keep(before.lanes, new Map(picture.lanes.map((lane) => [lane.uri, lane])));
    const margin = Math.max((picture.until - picture.since) * 0.01, 1);
    [this.first, this.last] = [picture.since - margin, picture.until + margin];
    if (follows) [this.since, this.until] = [this.since + moved, this.until + moved];
  }

  /** What was folded and chosen, by what it is called: its place may be another. */
  keep(before, lanes) {
    const folded = [...this.folded].map((index) => lanes.get(before[index].uri)).filter(Boolean);
    this.folded = new Set(folded.map((lane) => lane.index));
    const chosen = this.chosen && lanes.get(this.chosen.lane.uri);
    this.chosen = chosen ? kept(this.chosen, chosen) : null;
  }

  /** What is folded at first: of a large picture all that has anything below it but the top. */
  tooMany() {
    const { lanes } = this.picture;
    if (lanes.length <= 60) return [];
    const top = lanes.filter((lane) => lane.depth === 0).length === 1 ? 1 : 0;
    return lanes.filter((lane) => lane.below.length && lane.depth >= top).map((lane) => lane.index);
  }

  fit() {
    [this.since, this.until] = [this.first, this.last];
  }

  show(since, until) {
    const length = Math.min(Math.max(until - since, SHORTEST), this.last - this.first);
    const start = Math.min(Math.max(since - (length - (until - since)) / 2, this.first), this.last - length);
    [this.since, this.until] = [start, start + length];
  }

  zoom(factor, around = (this.since + this.until) / 2) {
    const length = (this.until - this.since) * factor;
    if (length < SHORTEST && factor < 1) return;
    const share = (around - this.since) / (this.until - this.since);
    this.show(around - length * share, around + length * (1 - share));
  }

  pan(share) {
    const way = (this.until - this.since) * share;
    this.show(this.since + way, this.until + way);
  }

  /** Brings an instant into view, and leaves how much is seen as it is. */
  reach(instant) {
    const length = this.until - this.since;
    if (instant < this.since || instant > this.until) this.show(instant - length / 2, instant + length / 2);
  }

  /** The lanes that have a row: not what is below what is folded, nor what is gone where that is not wanted. */
  seen() {
    const rows = [];
    let depth = Infinity;
    for (const lane of this.picture.lanes) {
      if (lane.depth > depth) continue;
      depth = this.folded.has(lane.index) ? lane.depth : Infinity;
      if (this.gone || !lane.gone || lane.below.some((each) => !each.gone)) rows.push(lane);
    }
    return rows;
  }

  fold(lane, wanted = !this.folded.has(lane.index)) {
    if (!lane.below.length) return;
    if (wanted) this.folded.add(lane.index);
    else this.folded.delete(lane.index);
    this.rows = this.seen();
  }

  /** Unfolds all above a lane, and shows what is gone where it is. */
  uncover(lane) {
    for (let each = lane.above; each; each = each.above) this.folded.delete(each.index);
    if (lane.gone) this.gone = true;
  }

  /** The view as it stands in the address. */
  hash() {
    const told = { t: `${Math.round(this.since)}~${Math.round(this.until)}` };
    const folded = [...this.folded].join(".");
    if (folded !== this.usual && folded.length < LONGEST) told.f = folded;
    if (!this.gone) told.v = "0";
    if (this.utc) told.z = "utc";
    if (this.query) told.q = this.query;
    if (this.chosen) told.c = [this.chosen.lane.index, this.chosen.piece ?? ""].join(".");
    if (this.measured && this.measured[1] !== null) told.m = this.measured.map(Math.round).join("~");
    return "#" + new URLSearchParams(told);
  }

  /** Takes a view out of an address; what is not understood in it is left as it was. */
  restore(hash) {
    const told = new URLSearchParams(hash.replace(/^#/, ""));
    if (!told.has("t")) return;
    const { lanes } = this.picture;
    const pair = (text) => (text || "").split("~").map(Number);
    const [since, until] = pair(told.get("t"));
    if (until > since) this.show(since, until);
    const folded = (told.get("f") ?? this.usual).split(".").filter(Boolean).map(Number);
    this.folded = new Set(folded.filter((index) => lanes[index]));
    this.gone = told.get("v") !== "0";
    this.utc = told.get("z") === "utc";
    this.query = told.get("q") || "";
    const [index, piece] = (told.get("c") || "").split(".");
    const lane = index ? lanes[Number(index)] : null;
    this.chosen = lane ? { lane, ...(piece && lane.pieces.count > Number(piece) ? { piece: Number(piece) } : {}) } : null;
    const measured = pair(told.get("m"));
    this.measured = measured.length === 2 && measured.every(Number.isFinite) ? measured : null;
  }
}
