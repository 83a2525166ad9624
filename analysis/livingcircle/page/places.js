"use strict";

// Facilities and the doors by which they are entered: where they are, which are shown, which lies under the pointer.

const services = data.services;
const serviceAt = new Map(services.map((service, i) => [service.id, i]));

const places = (() => {
  const given = data.facilities;
  const list = {
    id: given.id, name: given.name, m2: unpackKnown(given.m2, 0), service: unpack(given.service), source: unpack(given.source), sources: given.sources,
    xy: geo.points(given.xy), door: geo.points(given.door_xy), doorOf: unpack(given.door_of), doorHow: unpack(given.door_how), hows: given.hows,
    of: services.map(() => []), doors: given.id.map(() => []), ground: new Map(),
  };
  list.service.forEach((service, i) => { if (service >= 0) list.of[service].push(i); });
  list.doorOf.forEach((owner, door) => { if (owner >= 0) list.doors[owner].push(door); });
  given.ground_of.forEach((owner, k) => list.ground.set(owner, { text: given.ground[k], shape: null }));
  return list;
})();

const placeKey = (i) => `${services[places.service[i]].id}~${places.id[i]}`;
const placeAt = (key) => places.id.findIndex((_, i) => places.service[i] >= 0 && placeKey(i) === key);
const placeName = (i) => places.name[i] || say("unnamed");
const placeLatLng = (i) => geo.latlng(places.xy[2 * i], places.xy[2 * i + 1]);

/** The doors of a facility as x, y; where none is known the facility itself. */
function entrances(i) {
  const doors = places.doors[i];
  return doors.length ? doors.map((d) => [places.door[2 * d], places.door[2 * d + 1]]) : [[places.xy[2 * i], places.xy[2 * i + 1]]];
}

/** The services whose facilities are on the map: those ticked, those of the coloured rule, that of the chosen facility. */
function servicesShown(state) {
  const wanted = new Set(state.services);
  if (state.follow && state.layer !== "score") {
    for (const id of entryByKey.get(state.layer).rule.services) wanted.add(serviceAt.get(id));
  }
  if (state.place >= 0) wanted.add(places.service[state.place]);
  return wanted;
}

/** Whether a facility has the size that the coloured rule counts; an unknown size is in no rule that names one. */
function counts(i, state) {
  const site = state.layer === "score" ? null : entryByKey.get(state.layer).rule.site, m2 = places.m2[i];
  return !site || (m2 !== null && m2 >= site[0] && (site[1] === null || m2 < site[1]));
}

// -- drawing ------------------------------------------------------------------------------------------

const DOOR_ZOOM = 15; // from here a facility is shown with its doors
const GROUND_DOOR_ZOOM = 12.5; // a park is its ground and its doors much earlier

/** Radius of a facility's dot; among pies it steps back. */
const markRadius = (view, state) => view.factor * Math.min(7, Math.max(2.2, view.zoom - 8.5)) * (piesShown(state) && view.zoom < DOOR_ZOOM ? 0.6 : 1);

function paintGrounds(pen, view, state) {
  const shown = servicesShown(state);
  inWorld(pen, view, () => {
    for (const [i, ground] of places.ground) {
      if (!shown.has(places.service[i])) continue;
      ground.shape ??= new Shape(geo.paths(ground.text));
      if (!ground.shape.within(view.box)) continue;
      const path = ground.shape.path(grainOf(view.zoom)), counted = counts(i, state);
      pen.fillStyle = counted ? "rgba(72,134,60,0.75)" : "rgba(120,140,110,0.35)";
      pen.fill(path);
      pen.strokeStyle = counted ? "#1f4a18" : "#7d8a72";
      pen.lineWidth = 1.2 / view.scale;
      pen.setLineDash(counted ? [] : [3 / view.scale, 3 / view.scale]);
      pen.stroke(path);
    }
  });
}

function paintPlaces(pen, view, state) {
  const radius = markRadius(view, state);
  for (const service of servicesShown(state)) {
    for (const i of places.of[service]) {
      if (!counts(i, state)) continue;
      const ground = places.ground.has(i), opened = view.zoom >= (ground ? GROUND_DOOR_ZOOM : DOOR_ZOOM);
      if (!ground || !opened) paintDot(pen, view, places.xy[2 * i], places.xy[2 * i + 1], radius, services[service].colour, "#fff");
      if (opened) paintDoors(pen, view, i, Math.min(3.2 * view.factor, radius));
    }
  }
  if (state.place >= 0) paintDot(pen, view, places.xy[2 * state.place], places.xy[2 * state.place + 1], radius + 4, services[places.service[state.place]].colour, INK);
}

/** Doors as rings; an open side (a front along the street) is a row of places to enter and gets small dots. */
function paintDoors(pen, view, i, radius) {
  const colour = services[places.service[i]].colour;
  for (const door of places.doors[i]) {
    const front = places.hows[places.doorHow[door]] === "frontage", x = places.door[2 * door], y = places.door[2 * door + 1];
    if (front && view.zoom < DOOR_ZOOM) paintDot(pen, view, x, y, 1.4 * view.factor, colour, colour);
    else paintDot(pen, view, x, y, radius, "#fff", colour);
  }
}

function paintDot(pen, view, wx, wy, radius, fill, line) {
  if (wx < view.box[0] || wx > view.box[2] || wy < view.box[1] || wy > view.box[3]) return;
  pen.beginPath();
  pen.arc(wx * view.scale + view.x, wy * view.scale + view.y, radius, 0, 7);
  pen.fillStyle = fill;
  pen.fill();
  pen.lineWidth = 1.5 * view.factor;
  pen.strokeStyle = line;
  pen.stroke();
}

/** The walk that a clause asks for to a facility, that of the coloured rule first; null where no clause asks for one. */
function askedWalk(i, state) {
  const id = services[places.service[i]].id;
  const fits = (entry) => entry && "m min".split(" ").includes(entry.rule.unit) && entry.rule.threshold && entry.rule.services.includes(id);
  return [entryByKey.get(state.layer), ...entries.filter((entry) => entry.rule.scores), ...entries].find(fits)?.rule ?? null;
}

/** The straight-line radius of the clause around the chosen facility, or null where no clause of it has one. */
function radiusOf(i, state) {
  const rule = askedWalk(i, state);
  return rule && rule.unit === "m" ? rule.threshold : null;
}

/** From where people walk to a facility: limit, unit, walker and shape by facility; read when first asked for. */
const walksTo = (() => {
  const given = data.facility_circles;
  if (!given) return () => [];
  const walk = unpack(given.walk), found = new Map(), read = new Map();
  unpack(given.place).forEach((place, k) => found.set(place, [...(found.get(place) ?? []), k]));
  const circle = (k) => ({ limit: given.limit[walk[k]], unit: given.unit[walk[k]], walker: given.walker[walk[k]], shape: new Shape(geo.paths(given.shapes[k])) });
  return (i) => {
    if (!read.has(i)) read.set(i, (found.get(i) ?? []).filter((k) => given.shapes[k]).map(circle));
    return read.get(i);
  };
})();
const drawnServices = new Set(data.facility_circles?.service ?? []);

/** The circle of the chosen facility for the walk that a clause asks for, or null. */
function circleTo(i, state) {
  const rule = i < 0 ? null : askedWalk(i, state), drawn = rule ? walksTo(i) : [];
  const fits = drawn.filter(({ limit, unit }) => unit === rule?.unit && limit === rule.threshold);
  return fits.find(({ walker }) => walker === state.walker) ?? fits[0] ?? drawn[0] ?? null;
}

const limitText = ({ limit, unit }) => `${decimal(limit)} ${unitWord(unit)}`;

function paintCircleTo(pen, view, state) {
  const circle = state.circle ? circleTo(state.place, state) : null;
  if (!circle) return;
  inWorld(pen, view, () => paintBandOfCircle(pen, view, circle.shape, 0));
  const [x, y] = northernmost(circle.shape);
  writeText(pen, view, limitText(circle), x, y, { colour: "#4a1f5e", bold: true, shift: -8 });
}

/** What a card says of the walk to its facility: the circle that is drawn, or why there is none. */
function walkNote(i, state) {
  const circle = circleTo(i, state), service = services[places.service[i]].id;
  if (circle) return say("circle_to", limitText(circle), walkerText(circle.walker));
  if (!data.facility_circles || !askedWalk(i, state)) return null;
  return say(drawnServices.has(service) ? "no_circle_to" : "too_many_circles");
}

function paintRadius(pen, view, state) {
  const metres = state.circle && state.place >= 0 ? radiusOf(state.place, state) : null;
  if (metres === null) return;
  const wx = places.xy[2 * state.place], wy = places.xy[2 * state.place + 1];
  const radius = metres * view.scale / metresPerPixel(placeLatLng(state.place).lat);
  pen.beginPath();
  pen.arc(wx * view.scale + view.x, wy * view.scale + view.y, radius, 0, 7);
  for (const [colour, width, dash] of [["rgba(255,255,255,0.9)", 5, []], [INK, 2.2, [8, 6]]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = width * view.factor;
    pen.setLineDash(dash);
    pen.stroke();
  }
  pen.setLineDash([]);
}

/** The facility under the pointer, if one is shown there. */
function facilityAt(latlng, state) {
  const view = viewNow(), [wx, wy] = geo.world(latlng), reach = 10 / view.scale;
  let best = -1, away = reach * reach;
  for (const service of servicesShown(state)) for (const i of places.of[service]) {
    const d = (places.xy[2 * i] - wx) ** 2 + (places.xy[2 * i + 1] - wy) ** 2;
    if (d < away && counts(i, state)) { best = i; away = d; }
  }
  return best;
}

function facilityCard(i, state) {
  const how = places.doors[i].reduce((found, door) => found.set(places.doorHow[door], (found.get(places.doorHow[door]) ?? 0) + 1), new Map());
  const entered = [...how].map(([code, times]) => `${sayOr("how_", places.hows[code])} × ${times}`).join(", ");
  const radius = radiusOf(i, state), m2 = places.m2[i];
  const row = (name, text) => (text ? [el("dt", {}, say(name)), el("dd", {}, text)] : []);
  return el("div", { class: "card" },
    el("strong", {}, placeName(i)),
    el("dl", {},
      ...row("service", named(services[places.service[i]])), ...row("source", places.sources[places.source[i]]),
      ...row("entered", entered || say("unknown")), ...row("ground_area", m2 === null ? "" : `${whole(m2)} m²`)),
    walkNote(i, state) === null ? null : el("p", { class: "quiet" }, walkNote(i, state)),
    radius === null ? null : el("p", { class: "quiet" }, say("ring_of", decimal(radius))));
}
