// Instants and lengths of time for a person.

const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const STEPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE,
  5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY,
  91 * DAY, 182 * DAY, 364 * DAY, 3640 * DAY,
];

/** How far the reader's zone is ahead of UTC at an instant, in milliseconds. */
const ahead = (instant, utc) => (utc ? 0 : -new Date(instant).getTimezoneOffset() * MINUTE);

const two = (number) => String(number).padStart(2, "0");

function zone(instant, utc) {
  const minutes = ahead(instant, utc) / MINUTE;
  if (!minutes) return "UTC";
  const whole = Math.abs(minutes);
  return `UTC${minutes < 0 ? "-" : "+"}${Math.floor(whole / 60)}${whole % 60 ? ":" + two(whole % 60) : ""}`;
}

function day(instant, utc) {
  return new Date(instant + ahead(instant, utc)).toISOString().slice(0, 10);
}

/** The time of day, as exact as a step needs it. */
function clock(instant, utc, step = 1) {
  const text = new Date(instant + ahead(instant, utc)).toISOString().slice(11, 23);
  if (step >= MINUTE) return text.slice(0, 5);
  return step >= SECOND ? text.slice(0, 8) : text;
}

function moment(instant, utc) {
  const exact = instant % SECOND ? 1 : SECOND;
  return `${day(instant, utc)} ${clock(instant, utc, exact)} ${zone(instant, utc)}`;
}

/** A length in its two largest units, as the commands have it: `345ms`, `45s`, `3h12m`, `3d4h`. */
function length(milliseconds) {
  const whole = Math.round(milliseconds);
  if (whole < SECOND) return `${whole}ms`;
  const seconds = Math.floor(whole / SECOND);
  const units = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];
  const first = units.findIndex(([, size]) => seconds >= size);
  const [[large, size], next] = [units[first], units[first + 1]];
  const rest = next ? Math.floor((seconds % size) / next[1]) : 0;
  return `${Math.floor(seconds / size)}${large}` + (rest ? `${rest}${next[0]}` : "");
}

/** The instants at which the axis has a line, no closer than so many milliseconds, and the step between them. */
function ticks(since, until, apart, utc) {
  const step = STEPS.find((each) => each >= apart) || STEPS.at(-1);
  const shift = ahead(since, utc);
  const found = [];
  for (let at = Math.ceil((since + shift) / step) * step; at - shift <= until; at += step) {
    const instant = at - shift;
    found.push(instant - (ahead(instant, utc) - shift)); // where summer time began meanwhile
  }
  return { step, found };
}
