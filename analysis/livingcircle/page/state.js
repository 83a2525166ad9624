"use strict";

// What the page is showing, and how it stands in the address.

const usualType = (() => {
  const people = new Map();
  for (const i of communities) {
    const [count, weight] = people.get(units.unit_type[i]) ?? [0, 0];
    people.set(units.unit_type[i], [count + 1, weight + units.people[i]]);
  }
  return [...people].sort((a, b) => b[1][0] - a[1][0] || b[1][1] - a[1][1])[0]?.[0] ?? "";
})();

const SORTS = { low: "low_first", high: "high_first", missing: "most_missing", people: "by_people", name: "by_name" };
const TABS = ["ranking", "layers", "about"];
const PARTS = ["ground", "streets", "names"];

const DEFAULTS = {
  layer: firstLayer(), measure: "share", walker: walkers[0] ?? "", gates: gatesKinds[0] ?? "", unit: CITY, place: -1, language: "zh",
  services: new Set(), hidden: new Set(), follow: true, people: false, circle: true, projector: false, picture: false, defaults: false,
  legend: true, tab: "ranking", district: "", type: usualType, sort: "low", scene: -1,
};
let state = { ...DEFAULTS };

/** A measure that a layer does not have falls back to one it has. */
function tidy(next) {
  if (next.layer !== "score" && !entryByKey.has(next.layer)) next.layer = DEFAULTS.layer;
  const had = next.layer === "score" ? ["share"] : measuresOf(entryByKey.get(next.layer));
  if (!had.includes(next.measure)) next.measure = had[0] ?? "share";
  return next;
}

// -- the address --------------------------------------------------------------------------------------

// The address is data from outside: a part that names nothing known is passed over.

const oneOf = (list) => ({ read: (text) => (list().includes(text) ? text : undefined), write: (value) => value });
const flag = { read: (text) => ({ 0: false, 1: true })[text], write: (value) => (value ? "1" : "0") };
const setOf = (read, write) => ({
  read: (text) => new Set(text.split(",").map(read).filter((item) => item !== undefined)),
  write: (set) => [...set].map(write).join(","),
});

/** Key in the address -> name in the state, how it is read and how it is written. */
const ADDRESS = {
  c: ["layer", oneOf(() => ["score", ...colourable.map((entry) => entry.key)])],
  m: ["measure", oneOf(() => MEASURES)],
  w: ["walker", oneOf(() => walkers)],
  g: ["gates", oneOf(() => gatesKinds)],
  u: ["unit", { read: (text) => unitAt.get(text), write: (i) => (i < 0 ? "" : unitKey(i)) }],
  f: ["place", { read: (text) => { const i = placeAt(text); return i < 0 ? undefined : i; }, write: (i) => (i < 0 ? "" : placeKey(i)) }],
  l: ["language", oneOf(() => Object.keys(TEXT))],
  n: ["people", flag],
  o: ["circle", flag],
  a: ["follow", flag],
  s: ["services", setOf((id) => serviceAt.get(id), (i) => services[i].id)],
  h: ["hidden", setOf((part) => (PARTS.includes(part) ? part : undefined), (part) => part)],
  p: ["projector", flag],
  x: ["picture", flag],
  e: ["legend", flag],
  b: ["tab", oneOf(() => TABS)],
  d: ["district", oneOf(() => distinct(units.district))],
  t: ["type", oneOf(() => units.unit_type)],
  r: ["sort", oneOf(() => Object.keys(SORTS))],
  k: ["scene", { read: (text) => { const n = Number(text); return Number.isInteger(n) && n >= 1 && n <= data.scenes.length ? n - 1 : undefined; }, write: (k) => (k < 0 ? "" : String(k + 1)) }],
};
const ALWAYS = new Set(["c", "m", "u", "l"]); // these stand in every address, others where they differ from the usual

/** What an address says: changes of the state, and the view or null. The number of a scene alone stands for the scene. */
function readAddress(text) {
  const own = new URLSearchParams(text), next = {};
  const scene = own.has("c") ? undefined : ADDRESS.k[1].read(own.get("k") ?? "");
  const given = scene === undefined ? own : new URLSearchParams({ ...Object.fromEntries(new URLSearchParams(data.scenes[scene].hash)), ...Object.fromEntries(own) });
  for (const [key, [name, { read }]] of Object.entries(ADDRESS)) {
    const value = given.has(key) ? read(given.get(key)) : undefined;
    if (value !== undefined) next[name] = value;
  }
  if (next.measure === "gap" && !next.sort) next.sort = "high"; // the worst comes first
  const view = (given.get("v") ?? "").split("/").map(Number);
  const seen = view.length === 3 && view.every(Number.isFinite) && Math.abs(view[1]) <= 85 && Math.abs(view[2]) <= 180;
  return { next, view: seen ? view : null };
}

function addressOf(state, view) {
  const parts = new URLSearchParams();
  for (const [key, [name, { write }]] of Object.entries(ADDRESS)) {
    const text = write(state[name]);
    if (ALWAYS.has(key) || text !== write(DEFAULTS[name])) parts.set(key, text);
  }
  parts.set("v", view);
  return parts.toString();
}

function writeHash() {
  if (location.protocol === "about:") return; // inside a notebook there is no address
  const centre = map.getCenter();
  window.history.replaceState(null, "", `#${addressOf(state, [Number(map.getZoom().toFixed(2)), centre.lat.toFixed(5), centre.lng.toFixed(5)].join("/"))}`);
}
