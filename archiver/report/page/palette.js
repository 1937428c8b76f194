// Colours and patterns, as the style has them: each kind of state is told by both.

/** The colours and patterns of a theme, made for one canvas. */
class Palette {
  constructor(context, scale) {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(`--${name}`).trim();
    this.scale = scale;
    for (const name of ["paper", "ink", "quiet", "line", "chosen", "action", "exit", "found"]) this[name] = of(name);
    this.bands = [];
    /** The same without their patterns, for what is too low to have one. */
    this.plain = [];
    for (const [kind, draw] of [["gone", null], ["up", null], ["other", dots], ["starting", slashes], ["down", crosses]]) {
      const [colour, mark] = [of(kind), of(`${kind}-mark`)];
      this.plain.push(colour, of(`${kind}-doubt`));
      this.bands.push(this.pattern(context, 6, colour, mark, draw), this.pattern(context, 6, of(`${kind}-doubt`), colour, doubt));
    }
    this.unwatched = this.pattern(context, 12, of("blind"), of("blind-mark"), hatch);
  }

  pattern(context, size, ground, mark, draw) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = size * this.scale;
    const tiled = tile.getContext("2d");
    tiled.scale(this.scale, this.scale);
    tiled.fillStyle = ground;
    tiled.fillRect(0, 0, size, size);
    tiled.strokeStyle = tiled.fillStyle = mark;
    if (draw) draw(tiled, size);
    const pattern = context.createPattern(tile, "repeat");
    pattern.setTransform(new DOMMatrix().scale(1 / this.scale));
    return pattern;
  }
}

function slashes(tile, size) {
  tile.lineWidth = 1.4;
  stroke(tile, [[-1, 1, 1, -1], [0, size, size, 0], [size - 1, size + 1, size + 1, size - 1]]);
}

function crosses(tile, size) {
  tile.lineWidth = 1;
  stroke(tile, [[0, 0, size, size], [0, size, size, 0]]);
}

function dots(tile, size) {
  tile.fillRect(size / 2 - 1, size / 2 - 1, 2, 2);
}

function doubt(tile, size) {
  tile.lineWidth = 1;
  stroke(tile, [[0, 0.5, size / 2, 0.5], [0, size - 0.5, size / 2, size - 0.5]]);
}

function hatch(tile, size) {
  tile.lineWidth = 1.5;
  stroke(tile, [[-2, 2, 2, -2], [0, size, size, 0], [size - 2, size + 2, size + 2, size - 2]]);
}

function stroke(tile, lines) {
  tile.beginPath();
  for (const [x, y, toX, toY] of lines) {
    tile.moveTo(x, y);
    tile.lineTo(toX, toY);
  }
  tile.stroke();
}
