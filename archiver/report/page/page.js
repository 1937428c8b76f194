// What the reader does, and what becomes of it: keys, pointer, address, paper, and news where there are any.

const CAUSED = {
  told: "it was told to", forced: "told to, and killed when it had not ended in time", crash: "by itself, told by nobody",
  oom: "out of memory", unknown: "nobody was watching, so nobody knows why",
};

class Page {
  constructor() {
    this.of = (id) => document.getElementById(id);
    this.drawing = new Drawing(this.of("lanes"));
    this.minimap = new Minimap(this.of("minimap"));
    this.take(JSON.parse(this.of("picture").textContent));
    this.view = new View(this.picture);
    this.view.found = new Set();
    this.view.restore(location.hash);
    this.hits = [];
    this.hit = -1;
    this.pointer = new Pointer(this);
    this.searched(this.view.query, false);
    this.of("search").value = this.view.query;
    this.listen();
    this.resized();
    this.draw(); // at once: whoever opens the page waits for nothing else
  }

  take(told) {
    this.picture = unpack(told);
    this.picture.kindOf = Uint8Array.from(told.states, ([, kind]) => kind);
    this.starts = [...this.picture.actions].sort((one, other) => one.start - other.start);
    this.gaps = told.gaps.map(([start, end, text]) => ({ start, end, text }));
  }

  // --- drawing ---

  fits() {
    const { clientWidth, clientHeight } = this.of("scroller");
    return this.drawing.width === clientWidth && this.drawing.height === Math.max(AXIS + 3 * ROW, clientHeight);
  }

  resized() {
    this.lay(); // before the room is measured: a bar to scroll with takes some of it
    const scroller = this.of("scroller");
    this.drawing.size(scroller.clientWidth, Math.max(AXIS + 3 * ROW, scroller.clientHeight));
    this.minimap.size(scroller.clientWidth);
    this.changed();
  }

  /** Draws anew before the next frame, and writes the view into the address a little later. */
  changed() {
    if (!this.waiting) this.waiting = requestAnimationFrame(() => this.draw());
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.tell(), 200);
  }

  /** What is seen gets its height. */
  lay() {
    this.view.rows = this.view.seen();
    this.of("height").style.height = `${AXIS + this.view.rows.length * ROW}px`;
  }

  draw() {
    cancelAnimationFrame(this.waiting);
    this.waiting = 0;
    const { view, drawing } = this;
    this.lay();
    drawing.draw(view, this.of("scroller").scrollTop, this.pointer.x);
    this.minimap.draw(view);
    this.of("gone-button").setAttribute("aria-pressed", String(view.gone));
    this.of("utc").setAttribute("aria-pressed", String(view.utc));
    this.of("hits").textContent = this.hits.length ? `${this.hit + 1} of ${this.hits.length}` : view.query ? "not found" : "";
  }

  tell() {
    const hash = this.view.hash();
    if (hash !== location.hash) history.replaceState(null, "", hash);
    this.told = location.hash;
  }

  /** On paper: all rows of the time that is seen, in the colours of paper. */
  print(begins) {
    document.documentElement.classList.toggle("paper", begins);
    if (!begins) return this.resized();
    this.view.rows = this.view.seen();
    const rows = Math.min(this.view.rows.length, 400);
    this.drawing.size(1000, AXIS + rows * ROW, true);
    this.drawing.draw(this.view, 0, null);
    this.minimap.size(1000, true);
    this.minimap.draw(this.view);
  }

  // --- choosing ---

  /** Chooses a lane, one of its pieces or an action, brings it into view, and says what it is. */
  choose(chosen, { reach = true } = {}) {
    const { view } = this;
    view.chosen = chosen;
    if (chosen) {
      view.uncover(chosen.lane);
      this.lay();
      const instant = instantOf(chosen);
      if (reach && instant !== null) view.reach(instant);
      this.scrollTo(view.rows.indexOf(chosen.lane));
    }
    this.say(chosen ? this.about(chosen) : "");
    this.changed();
  }

  scrollTo(row) {
    const scroller = this.of("scroller");
    const room = scroller.clientHeight - AXIS - ROW;
    if (row * ROW < scroller.scrollTop) scroller.scrollTop = row * ROW;
    if (row * ROW > scroller.scrollTop + room) scroller.scrollTop = row * ROW - room;
  }

  say(text) {
    this.of("said").textContent = text;
  }

  about({ lane, piece, action }) {
    const { utc } = this.view;
    const subject = `${lane.type} ${lane.name}`;
    if (action) {
      const long = action.end === null ? "" : length(action.end - action.start);
      const took = action.end === null ? ", not finished" : action.end > action.start ? `, took ${long}` : "";
      const state = action.state ? ` (${action.state})` : "";
      const caused = action.caused.map(([at, instant]) => `${this.picture.lanes[at].name} at ${clock(instant, utc, instant % SECOND ? 1 : SECOND)}`);
      const then = caused.length ? `; caused ${caused.slice(0, 5).join(", ")}${caused.length > 5 ? " ..." : ""}` : "";
      return `${subject}: ${action.name || "action"}${state} at ${moment(action.start, utc)}${took}${then}`;
    }
    if (piece === undefined) {
      const below = lane.below.length ? `, ${under(lane).length} under it` : "";
      return `${subject}${below}, ${lane.pieces.count} states, ${lane.actions.length} actions  ${lane.uri}`;
    }
    const { pieces } = lane;
    const state = this.picture.states[pieces.state[piece]][0];
    const [start, end] = wholeOf(pieces, piece);
    const noted = pieces.noted[piece];
    const cause = noted & GOES_ON ? "" : this.picture.causes[(noted >> 2) - 1];
    const notes = [noted & OUT_OF_MEMORY ? "out of memory" : CAUSED[cause], pieces.certain[piece] ? "" : "last known"];
    const note = notes.filter(Boolean).join(", ");
    return `${subject}: ${state} since ${moment(start, utc)} for ${length(end - start)}${note ? ` (${note})` : ""}`;
  }

  /** From where the next of something is looked for. */
  instant() {
    const { view } = this;
    const instant = view.chosen && instantOf(view.chosen);
    if (typeof instant === "number" && instant >= view.since && instant <= view.until) return instant;
    return view.chosen || this.jumped ? (view.since + view.until) / 2 : view.first - 1;
  }

  jump(sorted, way, what) {
    const found = neighbour(sorted, this.instant(), way);
    this.jumped = true;
    if (!found) return this.say(`there is no ${what}`);
    if (found.lane) return this.choose(found.piece === undefined ? { lane: found.lane, action: found } : { lane: found.lane, piece: found.piece });
    return found;
  }

  toGap() {
    const from = this.gap === undefined ? this.view.first - 1 : this.gap;
    const found = neighbour(this.gaps, from, 1);
    if (!found) return this.say("there is no gap: it was watched throughout");
    this.gap = found.start;
    const { view } = this;
    view.reach(found.start);
    if (found.end > view.until) view.show(found.start - (found.end - found.start) / 4, found.end + (found.end - found.start) / 4);
    this.say(`nobody was watching from ${moment(found.start, view.utc)} for ${length(found.end - found.start)}: ${found.text}`);
    this.changed();
  }

  searched(query, go = true) {
    this.view.query = query;
    this.hits = hits(this.picture, query);
    this.hit = go ? -1 : this.hits.findIndex((each) => same(each, this.view.chosen));
    this.view.found = new Set(this.hits.map(({ lane }) => lane));
    if (go && this.hits.length) this.next(1);
    else if (go) this.changed();
  }

  next(way) {
    if (!this.hits.length) return this.say("nothing is searched for, or nothing is found: / to search");
    this.hit = (this.hit + way + this.hits.length) % this.hits.length;
    this.choose(this.hits[this.hit]);
  }

  /** First one end, then the other, then none. */
  measure() {
    const { view } = this;
    const chosen = view.chosen && instantOf(view.chosen);
    const at = this.pointer.instant() ?? chosen ?? (view.since + view.until) / 2;
    if (!view.measured) view.measured = [at, null];
    else if (view.measured[1] === null) view.measured = [view.measured[0], at];
    else view.measured = null;
    const [from, to] = view.measured || [];
    if (!view.measured) this.say("");
    else this.say(to === null ? "measuring: m again at the other end" : `${length(Math.abs(to - from))} between the two`);
    this.changed();
  }

  fit() {
    const { view } = this;
    const { lane, piece } = view.chosen || {};
    const [start, end] = piece === undefined ? [0, 0] : [lane.pieces.start[piece], lane.pieces.end[piece]];
    const margin = (end - start) * 0.1;
    if (end > start && Math.abs(view.since - (start - margin)) > (end - start) * 0.2) view.show(start - margin, end + margin);
    else view.fit();
    this.changed();
  }

  /** Up and down a lane, left and right a state. */
  step(lanes, states) {
    const { view } = this;
    this.lay(); // keys may be faster than what is drawn
    const place = view.chosen ? view.rows.indexOf(view.chosen.lane) : lanes > 0 ? -1 : 0;
    if (lanes || !view.chosen) {
      const lane = view.rows[Math.min(Math.max(place + (lanes || 1), 0), view.rows.length - 1)];
      if (lane) this.choose({ lane });
      return;
    }
    const { lane, piece } = view.chosen;
    const last = lane.pieces.count - 1;
    if (last < 0) return;
    const next = piece === undefined ? Math.max(0, pieceAt(lane, (view.since + view.until) / 2)) : piece + states;
    this.choose({ lane, piece: Math.min(Math.max(next, 0), last) });
  }

  // --- what the reader does ---

  listen() {
    const act = (work) => () => { work(); this.changed(); };
    const { view } = this;
    this.keys = {
      w: act(() => view.zoom(1 / 1.5, this.around())), s: act(() => view.zoom(1.5, this.around())),
      a: act(() => view.pan(-0.25)), d: act(() => view.pan(0.25)),
      "/": () => this.of("search").focus(), n: () => this.next(1), N: () => this.next(-1),
      f: () => this.fit(), e: () => this.jump(this.picture.exits, 1, "exit"), E: () => this.jump(this.picture.exits, -1, "exit"),
      g: () => this.toGap(), "]": () => this.jump(this.starts, 1, "action"), "[": () => this.jump(this.starts, -1, "action"),
      m: () => this.measure(), v: act(() => { view.gone = !view.gone; }), u: act(() => { view.utc = !view.utc; }),
      "?": () => this.help(), Escape: () => this.escape(),
    };
    this.onLanes = {
      ArrowUp: () => this.step(-1, 0), ArrowDown: () => this.step(1, 0), ArrowLeft: () => this.step(0, -1),
      ArrowRight: () => this.step(0, 1), Enter: act(() => view.chosen && view.fold(view.chosen.lane)),
      " ": act(() => view.chosen && view.fold(view.chosen.lane)),
    };
    document.addEventListener("keydown", (event) => this.pressed(event));
    for (const [id, key] of [["fit", "f"], ["exit", "e"], ["gap", "g"], ["gone-button", "v"], ["utc", "u"], ["help-button", "?"]]) {
      this.of(id).addEventListener("click", () => this.keys[key]());
    }
    this.of("fold").addEventListener("click", act(() => this.foldAll()));
    this.of("search").addEventListener("input", (event) => this.searched(event.target.value));
    this.of("search").addEventListener("keydown", (event) => this.inSearch(event));
    this.of("close").addEventListener("click", () => this.of("help").close());
    this.pointer.listen();
    new ResizeObserver(() => this.fits() || this.resized()).observe(this.of("scroller"));
    window.addEventListener("hashchange", () => this.moved());
    window.addEventListener("beforeprint", () => this.print(true));
    window.addEventListener("afterprint", () => this.print(false));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.resized());
    this.of("scroller").addEventListener("scroll", () => this.changed());
    if (document.body.dataset.live) this.hear(document.body.dataset.live);
  }

  pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input, dialog *")) return;
    const on = event.target === this.of("lanes") ? this.onLanes[event.key] : undefined;
    const work = on || this.keys[event.key];
    if (!work) return;
    event.preventDefault();
    work();
  }

  inSearch(event) {
    if (event.key === "Enter") this.next(event.shiftKey ? -1 : 1);
    if (event.key === "Escape") this.of("lanes").focus();
  }

  escape() {
    this.view.measured = null;
    this.choose(null);
  }

  help() {
    this.of("help").showModal();
  }

  foldAll() {
    const { view } = this;
    if (view.folded.size) return view.folded.clear();
    const heads = this.picture.lanes.filter((lane) => lane.below.length), inner = heads.filter((lane) => lane.depth);
    view.folded = new Set((inner.length ? inner : heads).map((lane) => lane.index));
  }

  moved() {
    if (location.hash === this.told) return;
    this.view.restore(location.hash);
    this.of("search").value = this.view.query;
    this.searched(this.view.query, false);
    this.changed();
  }

  /** Around which instant is zoomed: the pointer's, that of what is chosen, the middle. */
  around() {
    const { view } = this;
    const chosen = view.chosen && instantOf(view.chosen);
    return this.pointer.instant() ?? (chosen > view.since && chosen < view.until ? chosen : undefined);
  }

  /** News: the same picture with what came meanwhile; what is seen stays, unless it was the end. */
  hear(from) {
    const news = new EventSource(from);
    news.addEventListener("picture", (event) => {
      this.take(JSON.parse(event.data));
      const { view } = this;
      view.load(this.picture);
      this.searched(view.query, false);
      this.minimap.whole = null;
      this.changed();
    });
  }
}

try {
  window.page = new Page();
} catch (error) {
  // What stands for the script is shown where it cannot do its work.
  document.documentElement.classList.remove("drawn");
  throw error;
}
