"use strict";

// Communities on the map: their outlines, their colours and signs, the people in them, the chosen one and its circle.

const GREY = "#e3e1dc";
const STRIPE = "#a9a69f";
const NAME_ZOOM = 13; // names of communities appear from here
const PIE = { covered: "#1b6a78", falsely: "#e0b24a", left: "#fff" };

const outlines = units.shapes.map((text) => new Shape(geo.paths(text)));
const middles = geo.points(units.middle);
const cityBox = outlines.reduce((box, { box: b }) => [Math.min(box[0], b[0]), Math.min(box[1], b[1]), Math.max(box[2], b[2]), Math.max(box[3], b[3])], [Infinity, Infinity, -Infinity, -Infinity]);
const toBounds = (box) => L.latLngBounds(geo.latlng(box[0], box[3]), geo.latlng(box[2], box[1]));
const cityBounds = toBounds(cityBox);
const widthOf = (i) => outlines[i].box[2] - outlines[i].box[0];

function boundsOf(i) {
  return within(i).reduce((bounds, c) => bounds.extend(toBounds(outlines[c].box)), L.latLngBounds([]));
}

const touch = document.createElement("canvas").getContext("2d");

/** The community at a place of the map, or -1. */
function communityAt(latlng) {
  const [x, y] = geo.world(latlng);
  return communities.findIndex((i) => {
    const box = outlines[i].box;
    return x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3] && touch.isPointInPath(outlines[i].path(0), x, y);
  });
}

// -- colours and patterns -------------------------------------------------------------------------------

/** A fill of stripes (nothing known) or dots (at least this much), made once per colour; always the same size on paper. */
const pattern = (() => {
  const made = new Map();
  return (kind, colour) => {
    const key = kind + colour;
    if (!made.has(key)) {
      const tile = document.createElement("canvas");
      tile.width = tile.height = 20; // twice the size it is drawn at, for sharp print
      const pen = tile.getContext("2d");
      pen.scale(2, 2);
      pen.fillStyle = colour;
      pen.fillRect(0, 0, 10, 10);
      if (kind === "stripes") drawStripes(pen);
      else drawDots(pen);
      made.set(key, pen.createPattern(tile, "repeat"));
    }
    return made.get(key);
  };
})();

function drawStripes(pen) {
  pen.strokeStyle = STRIPE;
  pen.lineWidth = 1.4;
  pen.beginPath();
  for (const shift of [-10, 0, 10]) { pen.moveTo(shift - 1, 11); pen.lineTo(shift + 11, -1); }
  pen.stroke();
}

function drawDots(pen) {
  pen.fillStyle = "rgba(255,255,255,0.95)";
  pen.strokeStyle = "rgba(29,43,54,0.55)";
  pen.lineWidth = 0.6;
  pen.beginPath();
  pen.arc(5, 5, 1.7, 0, 7);
  pen.fill();
  pen.stroke();
}

/** What a community is filled with: a colour, and stripes or dots over it where it needs them. */
function fillOf(i, state) {
  const { value, sign } = shownValue(i, state);
  if (sign === "a" || sign === "d") return { colour: GREY, kind: "flat" };
  if (value === null || sign === "n" || sign === "s" || sign === "w") return { colour: GREY, kind: "stripes" };
  return { colour: palette(state.measure)[classOf(value, state.measure)], kind: sign === "i" ? "dots" : "flat" };
}

/** What the map shows of every community, worked out once for a choice of rule, measure, walker and gates. */
const shown = (() => {
  let key = null, table = null;
  return (state) => {
    const now = [state.layer, state.measure, state.walker, state.gates].join("|");
    if (now !== key) {
      const people = communities.map((i) => peopleOf(i, state));
      table = {
        people, fill: communities.map((i) => fillOf(i, state)), unmet: communities.map((i) => unmet(i, state)),
        most: people.reduce((most, p) => Math.max(most, p?.demand ?? 0), 1),
      };
      key = now;
    }
    return table;
  };
})();

function paintCommunities(pen, view, state) {
  const { fill } = shown(state), grain = grainOf(view.zoom), turn = new DOMMatrix().scale(0.5 / view.scale);
  inWorld(pen, view, () => {
    const border = new Path2D();
    pen.globalAlpha = piesShown(state) ? 0.5 : 0.84; // below pies the colour steps back
    for (const i of communities) {
      if (!outlines[i].within(view.box)) continue;
      const { colour, kind } = fill[i], path = outlines[i].path(grain);
      pen.fillStyle = kind === "flat" ? colour : pattern(kind, colour);
      if (kind !== "flat") pen.fillStyle.setTransform(turn);
      pen.fill(path);
      border.addPath(path);
    }
    pen.globalAlpha = 0.75;
    pen.strokeStyle = "#5d6a72";
    pen.lineWidth = (view.zoom < 11 ? 0.4 : 0.8) / view.scale;
    pen.stroke(border);
  });
}

// -- the chosen unit ------------------------------------------------------------------------------------

/** Outlines the chosen unit, or the communities of a chosen district. */
function paintSelection(pen, view, state) {
  if (state.unit < 0 || state.unit === CITY) return;
  const width = (isCommunity(state.unit) ? 3.2 : 1.6) * view.factor;
  inWorld(pen, view, () => {
    pen.lineJoin = "round";
    for (const [colour, extra] of [["rgba(255,255,255,0.9)", 3], [INK, 0]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = (width + extra) / view.scale;
      for (const c of within(state.unit)) if (outlines[c].within(view.box)) pen.stroke(outlines[c].path(grainOf(view.zoom)));
    }
  });
}

const BAND_DASH = [[], [9, 4], [3, 4]]; // the bands of a circle are told apart without colour too

/** The ground that can be walked to from the chosen community, smallest band darkest. */
function paintCircles(pen, view, state) {
  const bands = circlesShown(state);
  inWorld(pen, view, () => {
    [...bands.entries()].reverse().forEach(([k, { shape }]) => paintBandOfCircle(pen, view, shape, k));
  });
}

function paintBandOfCircle(pen, view, shape, k) {
  const path = shape.path(grainOf(view.zoom));
  pen.fillStyle = "rgba(120,60,140,0.13)";
  pen.fill(path);
  pen.setLineDash([]);
  pen.strokeStyle = "rgba(255,255,255,0.85)";
  pen.lineWidth = (4.5 * view.factor) / view.scale;
  pen.stroke(path);
  pen.setLineDash(BAND_DASH[k % 3].map((part) => (part * view.factor) / view.scale));
  pen.strokeStyle = "#5d2a74";
  pen.lineWidth = (2.2 * view.factor) / view.scale;
  pen.stroke(path);
}

/** The bands on the map: those of the chosen community, unless a facility with a circle of its own is chosen. */
const circlesShown = (state) => (!state.circle || circleTo(state.place, state) ? [] : circlesOf(state.unit, state.walker));

/** Where the walk of a circle starts, and the minutes of each band at its northern end. */
function paintMinutes(pen, view, state) {
  const bands = circlesShown(state);
  if (bands.length) paintDot(pen, view, ...bands[0].start, 5 * view.factor, "#5d2a74", "#fff");
  for (const { minutes, shape } of bands) {
    const [x, y] = northernmost(shape);
    writeText(pen, view, say("minutes_of", minutes), x, y, { colour: "#4a1f5e", bold: true, shift: -8 });
  }
}

function northernmost(shape) {
  let best = [0, Infinity];
  for (const path of shape.paths) for (let i = 0; i < path.length; i += 2) if (path[i + 1] < best[1]) best = [path[i], path[i + 1]];
  return best;
}

const bandOf = new Map(data.bands.map(({ rule, shape }) => [rule, { text: shape, shape: null }]));

/** The ground from which people walk to a green within the coloured rule. */
function paintBand(pen, view, state) {
  const band = state.circle && state.measure === "share" ? bandOf.get(state.layer) : undefined;
  if (!band) return;
  band.shape ??= new Shape(geo.paths(band.text));
  inWorld(pen, view, () => {
    const path = band.shape.path(grainOf(view.zoom));
    pen.fillStyle = "rgba(84,150,70,0.22)";
    pen.fill(path);
    pen.strokeStyle = "#2f6a24";
    pen.lineWidth = (1.4 * view.factor) / view.scale;
    pen.setLineDash([5 / view.scale, 3 / view.scale]);
    pen.stroke(path);
  });
}

// -- people ---------------------------------------------------------------------------------------------

/** People of a community by what reaches them: covered, covered only in a straight line, not covered; null if unknown. */
function peopleOf(i, state) {
  if (!drawsPeople(state)) return null;
  const series = chosen(entryByKey.get(state.layer), state), demand = number(series, "demand", i);
  const covered = number(series, COVERED[state.measure] ?? "covered", i);
  if (!demand || covered === null || "nad".includes(statusOf(series, i))) return null;
  const radius = state.measure === "gap" ? number(series, "radius_covered", i) : null;
  const falsely = radius === null ? 0 : Math.max(0, radius - covered);
  return { demand, covered, falsely, left: demand - covered - falsely };
}

const usualWidth = communities.map(widthOf).sort((a, b) => a - b)[COMMUNITIES >> 1];

/** Pixels of a pie's radius per root of a person: the largest pie of the layer fits into a usual community. */
function pieScale(view, state) {
  return Math.min(26 * view.factor, Math.max(3, usualWidth * view.scale * 0.3)) / Math.sqrt(shown(state).most);
}

/** One pie for each community: its area is the people, its dark part those who are covered. */
function paintPeople(pen, view, state) {
  if (!piesShown(state)) return;
  const scale = pieScale(view, state), { people } = shown(state);
  const pies = communities.map((i) => ({ people: people[i], x: middles[2 * i], y: middles[2 * i + 1] }))
    .filter(({ people, x, y }) => people && x > view.box[0] && x < view.box[2] && y > view.box[1] && y < view.box[3])
    .sort((a, b) => b.people.demand - a.people.demand); // small ones on top of large ones
  for (const { people, x, y } of pies) {
    paintPie(pen, x * view.scale + view.x, y * view.scale + view.y, Math.max(1.5, scale * Math.sqrt(people.demand)), people);
  }
}

function paintPie(pen, x, y, radius, people) {
  let from = -Math.PI / 2;
  for (const part of ["covered", "falsely", "left"]) {
    const to = from + (2 * Math.PI * people[part]) / people.demand;
    pen.beginPath();
    pen.moveTo(x, y);
    pen.arc(x, y, radius, from, to);
    pen.closePath();
    pen.fillStyle = PIE[part];
    pen.fill();
    from = to;
  }
  pen.beginPath();
  pen.arc(x, y, radius, 0, 7);
  pen.strokeStyle = INK;
  pen.lineWidth = radius > 8 ? 1.4 : radius > 4 ? 0.8 : 0.4;
  pen.stroke();
}

// -- names and signs ------------------------------------------------------------------------------------

const UNMET = "▽";

/** Whether the shown rule is not met in a community; never said of missing or incomplete data. */
function unmet(i, state) {
  if (state.layer === "score") return false;
  const entry = entryByKey.get(state.layer);
  return ["unmet", "half"].includes(judgement(entry, chosen(entry, state), i)[1]);
}

function textFont(view, { bold = false, italic = false, size = 12.5 } = {}) {
  return `${italic ? "italic " : ""}${bold ? 650 : 400} ${size * view.factor}px ${getComputedStyle(document.body).fontFamily}`;
}

/** Writes a text with a white edge around it. */
function writeText(pen, view, text, wx, wy, { colour = INK, bold = false, italic = false, size = 12.5, shift = 0 } = {}) {
  pen.font = textFont(view, { bold, italic, size });
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.lineJoin = "round";
  pen.lineWidth = 3.5 * view.factor;
  pen.strokeStyle = "rgba(255,255,255,0.92)";
  pen.fillStyle = colour;
  const x = wx * view.scale + view.x, y = wy * view.scale + view.y + shift * view.factor;
  pen.strokeText(text, x, y);
  pen.fillText(text, x, y);
}

/** Names of what is in view, as many as fit without touching each other; the chosen community's always. */
function paintNames(pen, view, state) {
  const taken = [];
  const write = (text, wx, wy, style) => {
    if (wx < view.box[0] || wx > view.box[2] || wy < view.box[1] || wy > view.box[3]) return;
    pen.font = textFont(view, style);
    const x = wx * view.scale + view.x, y = wy * view.scale + view.y + (style.shift ?? 0) * view.factor;
    const half = pen.measureText(text).width / 2 + 4, high = 9 * view.factor;
    const box = [x - half, y - high, x + half, y + high];
    if (taken.some((b) => box[0] < b[2] && b[0] < box[2] && box[1] < b[3] && b[1] < box[3])) return;
    taken.push(box);
    writeText(pen, view, text, wx, wy, style);
  };
  const names = !state.hidden.has("names"), pies = piesShown(state) ? pieScale(view, state) : 0;
  if (pies) taken.push(...communities.flatMap((i) => pieBox(i, view, state, pies)));
  if (isCommunity(state.unit)) nameCommunity(write, view, state, pies, state.unit, true);
  for (const i of communities) if (i !== state.unit) nameCommunity(write, view, state, pies, i, names && view.zoom >= NAME_ZOOM && widthOf(i) * view.scale > (pies ? 130 : 60));
  if (!names) return;
  const few = view.zoom < NAME_ZOOM ? 8 : backgroundNames.name.length;
  for (let i = 0; i < Math.min(few, backgroundNames.name.length); i++) {
    const water = backgroundNames.kind[i] === "water";
    write(backgroundNames.name[i], backgroundNames.xy[2 * i], backgroundNames.xy[2 * i + 1], { colour: water ? "#2f6580" : "#3d5f32", italic: water, size: 11.5 });
  }
}

/** The room that a pie of some size takes on the canvas. */
function pieBox(i, view, state, scale) {
  const people = shown(state).people[i], radius = people ? scale * Math.sqrt(people.demand) : 0;
  if (radius < 6 || !outlines[i].within(view.box)) return [];
  const x = middles[2 * i] * view.scale + view.x, y = middles[2 * i + 1] * view.scale + view.y;
  return [[x - radius, y - radius, x + radius, y + radius]];
}

/** A community's name, with the sign of what is not met; the sign alone where there is no room for the name. */
function nameCommunity(write, view, state, pies, i, named) {
  if (!outlines[i].within(view.box)) return;
  const sign = !pies && shown(state).unmet[i], x = middles[2 * i], y = middles[2 * i + 1], people = pies ? shown(state).people[i] : null;
  const shift = people ? (pies * Math.sqrt(people.demand)) / view.factor + 10 : 0; // below the pie
  if (named) write((sign ? `${UNMET} ` : "") + units.name[i], x, y, { bold: true, shift });
  else if (sign && widthOf(i) * view.scale > 26) write(UNMET, x, y, { bold: true, size: 11, shift });
}
