// The whole at once, above the rest: where one is in it, and a way to anywhere.

class Minimap {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.height = 46;
  }

  size(width, print = false) {
    this.scale = print ? 2 : window.devicePixelRatio || 1;
    this.width = width;
    this.canvas.width = Math.round(width * this.scale);
    this.canvas.height = Math.round(this.height * this.scale);
    this.canvas.style.height = `${this.height}px`;
    this.palette = new Palette(this.context, this.scale);
    this.whole = null;
  }

  /** The lanes in strips, as many as there are pixels for; drawn once, and then copied. */
  drawn(view) {
    const { picture } = view;
    const whole = document.createElement("canvas");
    [whole.width, whole.height] = [this.canvas.width, this.canvas.height];
    const context = whole.getContext("2d");
    context.scale(this.scale, this.scale);
    context.fillStyle = this.palette.paper;
    context.fillRect(0, 0, this.width, this.height);
    const lanes = picture.lanes.filter((lane) => lane.pieces.count);
    const strips = Math.max(1, Math.min(lanes.length, Math.floor((this.height - 6) / 2)));
    const high = Math.min(10, (this.height - 6) / strips);
    const fills = high < 6 ? this.palette.plain : this.palette.bands;
    for (let strip = 0; strip < strips; strip++) {
      const [from, to] = [strip, strip + 1].map((place) => Math.floor((place * lanes.length) / strips));
      const columns = new Uint8Array(whole.width);
      worst(columns, lanes.slice(from, to), picture.kindOf, view.first, view.last);
      runs(columns, (start, end, value) => {
        context.fillStyle = fills[value - 1];
        context.fillRect(start / this.scale, 3 + strip * high, (end - start) / this.scale, Math.max(1, high - 1));
      });
    }
    context.fillStyle = this.palette.unwatched;
    for (const [since, until] of picture.gaps) {
      const x = this.x(view, Math.max(since, view.first));
      context.fillRect(x, 0, Math.max(1, this.x(view, Math.min(until, view.last)) - x), this.height);
    }
    context.fillStyle = this.palette.exit;
    for (const { start } of picture.exits) context.fillRect(this.x(view, start) - 0.5, 0, 1.5, 5);
    return whole;
  }

  x(view, instant) {
    return ((instant - view.first) / (view.last - view.first)) * this.width;
  }

  instant(view, x) {
    return view.first + (x / this.width) * (view.last - view.first);
  }

  draw(view) {
    const { context, palette } = this;
    if (!this.whole) this.whole = this.drawn(view);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.whole, 0, 0);
    context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    const [from, to] = [this.x(view, view.since), this.x(view, view.until)];
    context.globalAlpha = 0.62;
    context.fillStyle = palette.paper;
    context.fillRect(0, 0, from, this.height);
    context.fillRect(to, 0, this.width - to, this.height);
    context.globalAlpha = 1;
    context.strokeStyle = palette.chosen;
    context.lineWidth = 2;
    context.strokeRect(from + 1, 1, Math.max(2, to - from - 2), this.height - 2);
  }
}
