"use strict";

// The data of the page: unpacked once, read through small functions, never changed.

const data = JSON.parse(document.getElementById("data").textContent);
if (data.format !== 2) throw new Error(`data format ${data.format} is unknown to this page`);
const units = data.units;
ofLand = data.demand === "residential_land";
const COMMUNITIES = units.communities;

const MEASURES = ["share", "radius", "minutes", "gap", "supply"];
const COVERED = { share: "covered", radius: "radius_covered", minutes: "minutes_covered" };
const BREAKS = { share: [0.2, 0.4, 0.6, 0.8], gap: [0.05, 0.1, 0.2, 0.4], supply: [0.25, 0.5, 0.75, 1] }; // supply: parts of the clause's figure
const breaksOf = (measure) => BREAKS[measure] ?? BREAKS.share;
// Light to dark in even steps of lightness: told apart by colour-blind people and on grey paper.
const COLOURS = {
  share: ["#f6dd9e", "#aacda3", "#6faea1", "#3a808e", "#1b4869"],
  gap: ["#f6efe6", "#e8cba4", "#cf9c63", "#a86c38", "#6d3f1c"],
};
const THEMES = ["public_service", "convenience", "transit", "ecology", "information", ""];

const geo = reader(data.origin, data.scale);

// -- units ------------------------------------------------------------------------------------------

const unitKey = (i) => `${units.level[i]}:${units.id[i]}`;
const unitAt = new Map(units.id.map((_, i) => [unitKey(i), i]));
const isCommunity = (i) => i < COMMUNITIES;
const CITY = unitAt.get("city:city") ?? -1;
const communities = Array.from({ length: COMMUNITIES }, (_, i) => i);

const subdistrictOf = (i) => unitAt.get(`subdistrict:${units.district[i]}/${units.subdistrict[i]}`) ?? -1;
const districtOf = (i) => unitAt.get(`district:${units.district[i]}`) ?? -1;

/** The district of a subdistrict, whose id is "district/subdistrict"; the names of both may have a "/" of their own. */
function districtAbove(i) {
  const id = units.id[i];
  for (let at = id.indexOf("/"); at >= 0; at = id.indexOf("/", at + 1)) {
    const district = unitAt.get(`district:${id.slice(0, at)}`);
    if (district !== undefined) return district;
  }
  return -1;
}

/** The units that hold this one, smallest first. */
function above(i) {
  if (isCommunity(i)) return [subdistrictOf(i), districtOf(i), CITY].filter((u) => u >= 0);
  const district = units.level[i] === "subdistrict" ? districtAbove(i) : -1;
  return [district, CITY].filter((u) => u >= 0 && u !== i);
}

/** The communities of a unit. */
function within(i) {
  if (isCommunity(i)) return [i];
  if (i === CITY) return communities;
  const holder = units.level[i] === "subdistrict" ? subdistrictOf : districtOf;
  return communities.filter((c) => holder(c) === i);
}

const unitName = (i) => (i === CITY ? (units.name[i] && units.name[i] !== "city" ? units.name[i] : say("city")) : units.name[i] || units.id[i]);
const levelName = (level) => (level === "district" ? say("level_district") : sayOr("", level));

// -- layers: what the map can be coloured by ----------------------------------------------------------

const ruleById = new Map(data.rules.map((rule) => [rule.id, rule]));

/** One entry per rule and group of people, in the order of the standard; each holds its series. */
const entries = (() => {
  const found = new Map();
  for (const series of data.series) {
    const key = `${series.rule}~${series.group}`;
    if (!found.has(key)) found.set(key, { rule: ruleById.get(series.rule), group: series.group, series: [] });
    found.get(key).series.push(series);
  }
  const list = [...found.values()].filter((entry) => entry.rule);
  for (const entry of list) {
    entry.alone = list.filter((other) => other.rule === entry.rule).length === 1;
    entry.key = entry.alone ? entry.rule.id : `${entry.rule.id}~${entry.group}`;
  }
  return list.sort((a, b) => data.rules.indexOf(a.rule) - data.rules.indexOf(b.rule));
})();
const entryByKey = new Map(entries.map((entry) => [entry.key, entry]));
const entryName = (entry) => named(entry.rule) + (entry.alone ? "" : ` · ${sayOr("", entry.group)}`);

const distinct = (values) => [...new Set(values)].filter((value) => value !== "");
const walkers = distinct(data.series.map((series) => series.walker));
const gatesKinds = distinct(data.series.map((series) => series.gates));

/** The series of an entry for the chosen walker and gates, or the nearest to it. */
function chosen(entry, state) {
  const fits = (series) => 2 * (series.walker === state.walker) + (series.gates === state.gates);
  return entry.series.reduce((best, series) => (fits(series) > fits(best) ? series : best));
}

const columns = new Map(); // unpacked when first asked for

function number(series, column, i) {
  const at = series[column];
  if (at < 0) return null;
  const key = at * 10 + data.decimals[column];
  if (!columns.has(key)) columns.set(key, unpackKnown(data.columns[at], data.decimals[column]));
  return columns.get(key)[i];
}
const statusOf = (series, i) => series.status[i];

/** Whether a clause asks for an amount of which more is better, and which says something of a community. */
function asksForSupply(rule) {
  const ofCity = rule.unit === "count" && ["city", "district", "subdistrict"].includes(rule.tier); // so many in all of it
  const atMost = rule.metric === "density" && rule.unit === "m";
  return rule.threshold > 0 && !["share", "m", "min"].includes(rule.unit) && !ofCity && !atMost;
}

/** A share from 0 to 1, of supply the part of the clause's figure (which may be over 1), or null where nothing is known. */
function share(series, i, measure) {
  if (measure === "supply") {
    const rule = ruleById.get(series.rule), value = number(series, "value", i);
    return value === null || !asksForSupply(rule) ? null : value / rule.threshold;
  }
  if (measure === "gap") {
    const radius = share(series, i, "radius"), walk = share(series, i, "share");
    return radius === null || walk === null ? null : radius - walk;
  }
  const demand = number(series, "demand", i), covered = number(series, COVERED[measure], i);
  return !demand || covered === null ? null : covered / demand;
}

/** Those who are not covered by walking, or null. */
function uncovered(series, i) {
  const demand = number(series, "demand", i), covered = number(series, "covered", i);
  return demand === null || covered === null ? null : demand - covered;
}

const somewhere = (entry, measure) =>
  entry.series.some((series) => communities.some((i) => share(series, i, measure) !== null));
const colourable = entries.filter((entry) => ["share", "radius", "supply"].some((measure) => somewhere(entry, measure)));
const measuresOf = (entry) => MEASURES.filter((measure) => somewhere(entry, measure));
const anyScore = communities.some((i) => units.score[i] !== null);

/** The layer the page begins with: the score, or the first scoring rule that has an answer. */
function firstLayer() {
  if (anyScore) return "score";
  const answered = (entry) => entry.series.some((series) => communities.some((i) => statusOf(series, i) === "o" && share(series, i, "share") !== null));
  const best = colourable.find((e) => e.rule.scores && answered(e)) ?? colourable.find(answered) ?? colourable[0];
  return best ? best.key : "score";
}

/** What a unit shows under the present choice: a value from 0 to 1 or null, and its status sign. */
function shownValue(i, state) {
  if (state.layer === "score") {
    const score = units.score[i];
    return { value: score === null ? null : score / 100, sign: score === null ? "s" : "o" };
  }
  const series = chosen(entryByKey.get(state.layer), state);
  return { value: share(series, i, state.measure), sign: statusOf(series, i) };
}

function classOf(value, measure) {
  const breaks = breaksOf(measure);
  let k = 0;
  while (k < breaks.length && value + 1e-9 >= breaks[k]) k++;
  return k;
}

const palette = (measure) => (measure === "gap" ? COLOURS.gap : COLOURS.share);

// -- circles -------------------------------------------------------------------------------------------

/** What a walker reaches from a community, smallest first: minutes, people, area, shape, and where the walk starts. */
const circlesOf = (() => {
  const given = data.circles, found = new Map();
  if (!given) return () => [];
  let numbers = null;
  const column = (name, decimals) => unpackKnown(given[name], decimals);
  const read = (at, minutes) => ({
    minutes, people: numbers.people[at], area: numbers.area[at], shed: numbers.shed[at],
    start: geo.at(numbers.lon[at], numbers.lat[at]), shape: new Shape(geo.paths(given.shapes[at])),
  });
  return (i, walker) => {
    if (!isCommunity(i)) return [];
    numbers ??= { people: column("people", 0), area: column("area_m2", 0), shed: column("pedestrian_shed", 3), lon: unpackKnown(given.start[0], 0), lat: unpackKnown(given.start[1], 0) };
    const row = i * given.walkers.length + Math.max(0, given.walkers.indexOf(walker)), bands = given.minutes.length;
    if (!found.has(row)) found.set(row, given.minutes.flatMap((minutes, k) => (given.shapes[row * bands + k] ? [read(row * bands + k, minutes)] : [])));
    return found.get(row);
  };
})();

// -- judgement ----------------------------------------------------------------------------------------

/** What may be said of a rule in a unit: a word of the dictionary and the look of its badge. */
function judgement(entry, series, i) {
  const sign = statusOf(series, i);
  if (sign === "n") return ["no_data", "none"];
  if (sign === "a") return ["not_applicable", "none"];
  if (sign === "d") return ["no_demand", "none"];
  if (sign === "w") return ["withheld", "none"];
  if (sign === "i") return ["least", "least"];
  const clause = series.met_clause[i], walk = series.met_walk[i];
  if (clause === "0") return entry.rule.binding ? ["must_unmet", "unmet"] : ["unmet", "unmet"];
  if (walk === "0") return clause === "1" ? ["walk_unmet", "half"] : ["unmet", "unmet"];
  if (walk === "1" || clause === "1") return ["ok", "ok"];
  return ["unjudged", "plain"];
}
