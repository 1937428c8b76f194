// The pointer: what is under it, what it drags, and what is said beside it.

class Pointer {
  constructor(page) {
    this.page = page;
    this.x = null; // null: it is elsewhere
  }

  /** The instant under it; null where there is none. */
  instant() {
    const { drawing } = this.page;
    return this.x === null || this.x < drawing.gutter ? null : drawing.instant(this.x);
  }

  listen() {
    const { page } = this, canvas = page.of("lanes");
    let held = null;
    canvas.addEventListener("pointerdown", (event) => {
      held = { x: event.offsetX, since: page.view.since, until: page.view.until, moved: false };
      canvas.setPointerCapture(event.pointerId);
      if (event.shiftKey) page.view.measured = [page.drawing.instant(event.offsetX), null];
    });
    canvas.addEventListener("pointermove", (event) => this.hover(event, held));
    canvas.addEventListener("pointerup", (event) => {
      if (held && event.shiftKey) page.view.measured = [page.view.measured?.[0] ?? 0, page.drawing.instant(event.offsetX)];
      else if (held && !held.moved) this.clicked(event);
      held = null;
      page.changed();
    });
    canvas.addEventListener("pointerleave", () => { this.x = null; page.of("tip").hidden = true; page.changed(); });
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    const map = page.of("minimap");
    const goes = (event) => {
      if (!event.buttons) return;
      const { view } = page, half = (view.until - view.since) / 2, at = page.minimap.instant(view, event.offsetX);
      view.show(at - half, at + half);
      page.changed();
    };
    map.addEventListener("pointerdown", goes);
    map.addEventListener("pointermove", goes);
  }

  wheel(event) {
    const { page } = this;
    if (event.ctrlKey || event.metaKey) page.view.zoom(1.0015 ** event.deltaY, page.around());
    else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      page.view.pan((event.deltaX || event.deltaY) / page.drawing.width);
    } else return;
    event.preventDefault();
    page.changed();
  }

  /** What lies under the pointer. */
  at({ offsetX, offsetY }) {
    const { page } = this, { view, drawing } = page;
    const lane = view.rows[Math.floor((offsetY - AXIS + page.of("scroller").scrollTop) / ROW)];
    if (!lane || offsetY < AXIS) return null;
    if (offsetX < drawing.gutter) return { lane };
    const near = 5 / drawing.pixel, instant = drawing.instant(offsetX);
    const inRow = (offsetY - AXIS + page.of("scroller").scrollTop) % ROW;
    const action = inRow > 14 ? lane.actions.find(({ start }) => Math.abs(start - instant) < near) : undefined;
    if (action) return { lane, action };
    const piece = pieceAt(lane, instant);
    return piece < 0 ? { lane } : { lane, piece };
  }

  clicked(event) {
    const { page } = this;
    const found = this.at(event);
    if (found && found.piece === undefined && !found.action) page.view.fold(found.lane);
    page.choose(found, { reach: false });
  }

  hover(event, held) {
    const { page } = this;
    this.x = event.offsetX;
    if (held && event.shiftKey && page.view.measured) page.view.measured = [page.view.measured[0], page.drawing.instant(event.offsetX)];
    else if (held && Math.abs(event.offsetX - held.x) > 3) {
      held.moved = true;
      const way = (held.x - event.offsetX) / page.drawing.pixel;
      page.view.show(held.since + way, held.until + way);
    }
    this.tip(event);
    page.changed();
  }

  tip(event) {
    const { page } = this;
    const tip = page.of("tip"), found = this.at(event), instant = page.drawing.instant(event.offsetX);
    const inPlot = event.offsetX >= page.drawing.gutter;
    const gap = inPlot && page.gaps.find(({ start, end }) => start <= instant && instant < end);
    const lines = [
      found ? page.about(found) : "",
      found && (found.action || found.piece !== undefined) ? found.action?.uri || found.lane.uri : "",
      gap ? `nobody was watching: ${gap.text}` : "",
      inPlot ? moment(instant, page.view.utc) : "",
    ].filter(Boolean);
    tip.hidden = !lines.length;
    tip.textContent = lines.join("\n");
    const right = event.clientX > innerWidth / 2;
    tip.style.left = right ? "" : `${event.clientX + 14}px`;
    tip.style.right = right ? `${innerWidth - event.clientX + 14}px` : "";
    const low = event.clientY > innerHeight * 0.7;
    tip.style.top = low ? "" : `${event.clientY + 16}px`;
    tip.style.bottom = low ? `${innerHeight - event.clientY + 12}px` : "";
  }
}
