// The drawing of what is seen: bands, gaps, marks, labels, axis.

const ROW = 24, AXIS = 30, BAND = 13, BAND_TOP = 6;
const FONT = "12px system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', sans-serif";

/** Draws a view on a canvas. */
class Drawing {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.cut = new Map();
  }

  /** Fits the canvas to its place; for print it is twice as fine as for a screen. */
  size(width, height, print = false) {
    this.scale = print ? 2 : window.devicePixelRatio || 1;
    [this.width, this.height] = [width, height];
    this.canvas.width = Math.round(width * this.scale);
    this.canvas.height = Math.round(height * this.scale);
    this.canvas.style.height = `${height}px`;
    this.gutter = Math.min(330, Math.max(110, Math.round(width * 0.28)));
    this.palette = new Palette(this.context, this.scale);
    this.cut.clear();
  }

  draw(view, top, pointer) {
    const { context, palette } = this;
    Object.assign(this, { view, top, pointer });
    this.pixel = (this.width - this.gutter) / (view.until - view.since);
    context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    context.font = FONT;
    context.textBaseline = "middle";
    context.fillStyle = palette.paper;
    context.fillRect(0, 0, this.width, this.height);
    const step = this.grid();
    context.save();
    this.clip(this.gutter, AXIS, this.width - this.gutter, this.height - AXIS);
    this.rows((lane, y) => this.bands(lane, y));
    this.gaps();
    this.rows((lane, y) => this.marks(lane, y));
    this.selected();
    context.restore();
    this.rows((lane, y) => this.label(lane, y));
    this.axis(step);
    this.measure();
  }

  x(instant) {
    return this.gutter + (instant - this.view.since) * this.pixel;
  }

  instant(x) {
    return this.view.since + (x - this.gutter) / this.pixel;
  }

  clip(x, y, width, height) {
    this.context.beginPath();
    this.context.rect(x, y, width, height);
    this.context.clip();
  }

  rows(each) {
    const { rows } = this.view;
    const first = Math.max(0, Math.floor(this.top / ROW));
    const last = Math.min(rows.length, Math.ceil((this.top + this.height - AXIS) / ROW));
    for (let row = first; row < last; row++) each(rows[row], AXIS + row * ROW - this.top, row);
  }

  grid() {
    const { context, palette, view } = this;
    const { step, found } = ticks(view.since, view.until, 90 / this.pixel, view.utc);
    this.lines = found;
    context.fillStyle = palette.line;
    for (const at of found) context.fillRect(Math.round(this.x(at)), AXIS, 1, this.height);
    this.rows((lane, y) => context.fillRect(0, y + ROW - 1, this.width, 1));
    return step;
  }

  columnsOf(lanes) {
    const columns = new Uint8Array(Math.max(1, Math.round((this.width - this.gutter) * this.scale)));
    const { since, until, picture } = this.view;
    return worst(columns, lanes, picture.kindOf, since, until);
  }

  bands(lane, y) {
    const folded = this.view.folded.has(lane.index);
    const own = lane.pieces.count > 0;
    if (own) this.band([lane], y + BAND_TOP, folded ? 8 : BAND);
    if (folded) this.band(under(lane), y + BAND_TOP + (own ? 9 : 0), own ? 5 : BAND);
    if (own && !folded) this.words(lane, y + BAND_TOP + BAND / 2 + 0.5);
  }

  band(lanes, y, height) {
    const { context, palette, gutter, scale } = this;
    runs(this.columnsOf(lanes), (from, to, value) => {
      const thin = value <= 2; // what is gone is a line
      context.fillStyle = palette.bands[value - 1];
      context.fillRect(gutter + from / scale, y + (thin ? height / 2 - 1 : 0), (to - from) / scale, thin ? 2 : height);
    });
  }

  /** The states in words, where there is room. */
  words(lane, y) {
    const { context, palette, view } = this;
    const { pieces } = lane;
    context.lineJoin = "round";
    for (let i = firstAfter(pieces.end, view.since); i < pieces.count && pieces.start[i] < view.until; i++) {
      if ((pieces.end[i] - pieces.start[i]) * this.pixel < 50) continue;
      const badge = i && pieces.noted[i - 1] & OUT_OF_MEMORY ? this.x(pieces.start[i - 1]) + 36 : 0;
      const from = Math.max(this.x(pieces.start[i]), this.gutter, badge);
      const room = Math.min(this.x(pieces.end[i]), this.width) - from - 10;
      const text = room > 40 ? this.fitting(view.picture.states[pieces.state[i]][0] + (pieces.certain[i] ? "" : "?"), room) : "";
      if (!text) continue;
      context.strokeStyle = palette.paper;
      context.lineWidth = 3.5;
      context.strokeText(text, from + 6, y);
      context.fillStyle = palette.ink;
      context.fillText(text, from + 6, y);
    }
  }

  /** When nobody was watching: through all lanes, never narrower than a pixel. */
  gaps() {
    const { context, palette, view } = this;
    const bottom = Math.min(this.height, AXIS + view.rows.length * ROW - this.top);
    for (const [since, until] of view.picture.gaps) {
      if (since >= view.until || until <= view.since) continue;
      const from = Math.max(this.x(since), this.gutter - 2);
      context.fillStyle = palette.unwatched;
      context.fillRect(from, AXIS, Math.max(1, Math.min(this.x(until), this.width + 2) - from), bottom - AXIS);
    }
  }

  /** Exits, and above all those for want of memory; what was done, and until when. */
  marks(lane, y) {
    const folded = this.view.folded.has(lane.index);
    const lanes = folded ? [lane, ...under(lane)] : [lane];
    for (const each of lanes) this.actions(each, y);
    for (const each of lanes) this.exits(each, y, folded);
  }

  exits({ pieces }, y, folded) {
    const { context, palette, view } = this;
    const { states } = view.picture;
    let drawn = -Infinity;
    for (let i = Math.max(0, firstAfter(pieces.start, view.since) - 1); i < pieces.count && pieces.start[i] <= view.until; i++) {
      if (!states[pieces.state[i]][2] || pieces.noted[i] & GOES_ON) continue;
      const x = this.x(pieces.start[i]), memory = pieces.noted[i] & OUT_OF_MEMORY;
      if (x - drawn < 2 && !memory) continue;
      drawn = x;
      context.fillStyle = palette.exit;
      context.beginPath();
      context.moveTo(x - 4, y);
      context.lineTo(x + 4, y);
      context.lineTo(x, y + 6);
      context.fill();
      if (!folded) context.fillRect(x - 0.5, y, 1.5, BAND_TOP + BAND); // of many the bands would not be seen
      if (memory) this.badge("OOM", x + 6, y + 5);
    }
  }

  badge(text, x, y) {
    const { context, palette } = this;
    context.font = "bold 9px system-ui, sans-serif";
    const width = context.measureText(text).width + 6;
    context.fillStyle = palette.exit;
    context.fillRect(x - 2, y - 5, width, 10);
    context.fillStyle = palette.paper;
    context.fillText(text, x + 1, y + 0.5);
    context.font = FONT;
  }

  actions({ actions }, y) {
    const { context, palette, view } = this;
    let drawn = -Infinity;
    context.fillStyle = palette.action;
    for (const { start, end } of actions) {
      if (start > view.until) break;
      const x = this.x(start), to = Math.min(this.x(end ?? view.picture.until), this.width);
      if (Math.max(to, x + 4) < this.gutter) continue;
      if (to - x > 1) context.fillRect(Math.max(x, this.gutter), y + ROW - 4, to - Math.max(x, this.gutter), 2);
      if (x - drawn < 1.5) continue;
      drawn = x;
      context.fillRect(x - 0.75, y + BAND_TOP + BAND - 5, 1.5, 6);
      context.beginPath();
      context.moveTo(x - 4, y + ROW - 1);
      context.lineTo(x + 4, y + ROW - 1);
      context.lineTo(x, y + ROW - 8);
      context.fill();
    }
  }

  /** What is chosen, and lines from an action to what it caused. */
  selected() {
    const { chosen, rows } = this.view;
    const place = chosen ? rows.indexOf(chosen.lane) : -1;
    if (place < 0) return;
    const { context, palette } = this;
    const y = AXIS + place * ROW - this.top;
    context.strokeStyle = palette.chosen;
    context.lineWidth = 2;
    if (chosen.piece !== undefined) {
      const { start, end } = chosen.lane.pieces;
      const from = this.x(start[chosen.piece]);
      context.strokeRect(from - 1, y + BAND_TOP - 2, Math.max(3, this.x(end[chosen.piece]) - from) + 2, BAND + 4);
    }
    if (chosen.action) {
      const x = this.x(chosen.action.start);
      context.strokeRect(x - 6, y + 1, 12, ROW - 3);
      for (const [at, instant] of chosen.action.caused) this.caused(x, y + ROW / 2, at, instant);
    }
  }

  caused(x, y, at, instant) {
    const place = this.view.rows.indexOf(this.view.picture.lanes[at]);
    if (place < 0) return;
    const { context } = this;
    const [toX, toY] = [this.x(instant), AXIS + place * ROW - this.top + ROW / 2];
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(toX, toY);
    context.stroke();
    context.beginPath();
    context.arc(toX, toY, 4, 0, 7);
    context.stroke();
  }

  label(lane, y) {
    const { context, palette, view } = this;
    const chosen = view.chosen && view.chosen.lane === lane;
    context.save();
    this.clip(0, AXIS, this.gutter, this.height);
    context.fillStyle = palette.paper;
    context.fillRect(0, y, this.gutter, ROW - 1);
    if (chosen) {
      context.fillStyle = palette.chosen;
      context.fillRect(0, y, 4, ROW - 1);
    }
    const x = 10 + lane.depth * 13;
    if (lane.below.length) this.triangle(x, y + ROW / 2, view.folded.has(lane.index));
    const bold = chosen || view.found.has(lane);
    if (bold) context.font = "bold " + FONT;
    const text = this.fitting(lane.name, this.gutter - x - 16, { bold, ends: true });
    context.fillStyle = view.found.has(lane) ? palette.found : lane.gone ? palette.quiet : palette.ink;
    context.fillText(text, x + 10, y + ROW / 2);
    const rest = this.gutter - x - 24 - context.measureText(text).width;
    context.font = FONT;
    const type = rest > 30 ? this.fitting(lane.type, rest) : "";
    context.fillStyle = palette.quiet;
    context.textAlign = "right";
    context.fillText(type, this.gutter - 8, y + ROW / 2);
    context.textAlign = "left";
    context.restore();
    context.fillStyle = palette.line;
    context.fillRect(this.gutter - 1, AXIS, 1, this.height);
  }

  triangle(x, y, folded) {
    const { context, palette } = this;
    context.fillStyle = palette.quiet;
    context.beginPath();
    const points = folded ? [[-2, -5], [-2, 5], [5, 0]] : [[-4, -3], [6, -3], [1, 4]];
    points.forEach(([dx, dy]) => context.lineTo(x + dx, y + dy));
    context.fill();
  }

  /** As much of a text as has room: its beginning, and where that tells more its end; of a name the key behind it. */
  fitting(text, room, { bold = false, ends = false } = {}) {
    const asked = `${Math.floor(room / 8)} ${bold} ${ends} ${text}`;
    if (this.cut.has(asked)) return this.cut.get(asked);
    const wide = Math.floor(room / 8) * 8;
    let shown = text.slice(0, 400);
    if (this.context.measureText(shown).width > wide) {
      const [key] = / \([^()]+\)$/.exec(text) || [ends ? text.slice(-5) : ""];
      const end = this.context.measureText("…" + key).width <= wide ? "…" + key : "…";
      let low = 0, high = Math.min(shown.length, text.length - key.length);
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (this.context.measureText(shown.slice(0, middle) + end).width <= wide) low = middle;
        else high = middle - 1;
      }
      shown = low || key ? shown.slice(0, low) + end : "";
    }
    if (this.cut.size > 20000) this.cut.clear();
    this.cut.set(asked, shown);
    return shown;
  }

  axis(step) {
    const { context, palette, view } = this;
    context.fillStyle = palette.paper;
    context.fillRect(0, 0, this.width, AXIS);
    context.fillStyle = palette.line;
    context.fillRect(0, AXIS - 1, this.width, 1);
    context.fillStyle = palette.quiet;
    context.fillText(zone(view.since, view.utc), 10, AXIS / 2);
    let shown = "", free = this.gutter;
    for (const at of this.lines) {
      const x = this.x(at), date = day(at, view.utc);
      const text = step >= DAY ? date : clock(at, view.utc, step);
      const whole = date !== shown && step < DAY ? `${date} ${text}` : text;
      if (x < free) continue;
      context.fillStyle = palette.line;
      context.fillRect(Math.round(x), AXIS - 7, 1, 7);
      context.fillStyle = whole === text ? palette.quiet : palette.ink;
      const width = context.measureText(whole).width;
      if (x + 4 + width > this.width) continue;
      context.fillText(whole, x + 4, AXIS / 2);
      [shown, free] = [date, x + width + 10];
    }
    if (this.pointer !== null && this.pointer >= this.gutter) {
      context.fillStyle = palette.quiet;
      context.fillRect(this.pointer, AXIS, 1, this.height);
    }
  }

  measure() {
    const { context, palette, view } = this;
    if (!view.measured) return;
    const [from, to] = [this.x(view.measured[0]), this.x(view.measured[1] ?? view.measured[0])].sort((a, b) => a - b);
    context.save();
    this.clip(this.gutter, 0, this.width - this.gutter, this.height);
    context.globalAlpha = 0.16;
    context.fillStyle = palette.chosen;
    context.fillRect(from, 0, Math.max(1, to - from), this.height);
    context.globalAlpha = 1;
    for (const x of [from, to]) context.fillRect(x - 0.75, 0, 1.5, this.height);
    const text = length(Math.abs((view.measured[1] ?? view.measured[0]) - view.measured[0]));
    const width = context.measureText(text).width + 12;
    const x = Math.min(Math.max((from + to) / 2 - width / 2, this.gutter), this.width - width);
    context.fillRect(x, AXIS + 2, width, 18);
    context.fillStyle = palette.paper;
    context.fillText(text, x + 6, AXIS + 11.5);
    context.restore();
  }
}
