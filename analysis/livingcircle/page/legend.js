"use strict";

// The legend: what is shown, by which clause, for whom, from when, how sure.

const fact = (name, text) => [el("dt", {}, name), el("dd", {}, text)];
const pair = (name, text) => [el("div", {}, ...fact(name, text))]; // name and text stay together where lines break
const MARKS = ["V", "V2", "M+", "M?"];

function classLabels(state) {
  if (state.layer === "score") return ["0–20", "20–40", "40–60", "60–80", "80–100"];
  const gap = state.measure === "gap", supply = state.measure === "supply" ? entryByKey.get(state.layer).rule : null;
  const breaks = breaksOf(state.measure).map((b) => (supply ? decimal(b * supply.threshold, 2) : Math.round(100 * b)));
  const labels = [`<${breaks[0]}`, ...breaks.slice(1).map((b, k) => `${breaks[k]}–${b}`), `≥${breaks.at(-1)}`];
  return gap || supply ? labels : labels.map((text) => `${text}%`);
}

function legendFacts(state) {
  if (state.layer === "score") {
    const scoring = data.rules.filter((rule) => rule.scores);
    const weakest = scoring.reduce((w, rule) => Math.max(w, MARKS.indexOf(rule.mark)), 0);
    return [
      ...pair(say("standard"), data.standard[language] || data.standard.zh), ...pair(say("clause"), say("several")), ...pair(say("threshold"), limitsOf(scoring)),
      ...pair(say("clause_measure"), say("score_measure")), ...pair(say("confidence"), say(`mark_${MARKS[weakest]}`)),
    ];
  }
  const entry = entryByKey.get(state.layer), rule = entry.rule, series = chosen(entry, state);
  const whom = state.measure === "supply" ? [] : [groupText(entry, series)];
  const ofCity = rule.tier === "city" && series.met_clause.slice(0, COMMUNITIES).replaceAll("-", "") === "";
  return [
    ...pair(say("clause"), rule.citation + (ofCity ? ` (${say("judged_city")})` : "")),
    ...pair(say("threshold"), (rule.threshold === null ? say("parts") : thresholdText(rule)) + boundText(rule)),
    ...pair(say("clause_measure"), [sayOr("metric_", rule.metric), ...whom].join(" · ")),
    ...pair(say("confidence"), confidenceText(rule)),
  ];
}

/** The limits of several rules: from the smallest to the largest, in metres and in minutes. */
function limitsOf(rules) {
  const spans = ["m", "min"].map((unit) => [unit, rules.filter((rule) => rule.unit === unit && rule.threshold).map((rule) => rule.threshold)]);
  const span = ([unit, limits]) => [...new Set([Math.min(...limits), Math.max(...limits)])].map((limit) => decimal(limit)).join("–") + ` ${unitWord(unit)}`;
  return spans.filter(([, limits]) => limits.length).map(span).join(", ") || say("several");
}

function legendSigns(state) {
  const score = state.layer === "score", signs = [[score ? "no_score_swatch" : "no_data_swatch", swatch("stripes")]];
  if (!score) signs.push(["least_swatch", swatch("dots")], ["not_applicable_swatch", swatch("flat")]);
  if (!score && !piesShown(state)) signs.push(["unmet_sign", el("i", { class: "sign", "aria-hidden": "true" }, UNMET)]);
  if (piesShown(state)) {
    const pie = (part) => signs.push([ofItsOwn(entryByKey.get(state.layer).rule, `pie_${part}`), swatch("pie", PIE[part])]);
    ["covered", ...(state.measure === "gap" ? ["falsely"] : []), "left"].forEach(pie);
  }
  if (state.circle && state.measure === "share" && bandOf.has(state.layer)) signs.push(["band_sign", swatch("band")]);
  if (circlesShown(state).length) signs.push(["circle_sign", swatch("circle-sign")]);
  if (state.circle && circleTo(state.place, state)) signs.push(["circle_to_sign", swatch("circle-sign")]);
  if (state.circle && state.place >= 0 && radiusOf(state.place, state) !== null) signs.push(["ring_sign", swatch("ring-sign")]);
  if (state.unit >= 0 && state.unit !== CITY) signs.push(["selected_swatch", swatch("ring")]);
  return signs.map(([text, mark]) => el("li", {}, mark, el("span", {}, say(text))));
}

/** The services on the map, each with its dot. */
function legendServices(state) {
  return [...servicesShown(state)].sort((a, b) => a - b).filter((i) => places.of[i].length)
    .map((i) => el("li", {}, swatch("dot", services[i].colour), el("span", {}, named(services[i]))));
}

function drawLegend(state) {
  const score = state.layer === "score", entry = entryByKey.get(state.layer);
  const walker = score ? state.walker : chosen(entry, state).walker || state.walker;
  const transit = !score && entry.rule.theme === "transit" ? ` (${say("without_ride")})` : "";
  const labels = classLabels(state);
  const classes = palette(state.measure).map((colour, k) => el("li", {}, swatch("class", colour), el("span", {}, labels[k])));
  const toggled = () => { change({ legend: !state.legend }); byId("fold").focus(); };
  byId("legend").classList.toggle("folded", !state.legend);
  byId("legend").replaceChildren(
    el("div", { class: "key" },
      el("h2", {}, score ? say("score") : entryName(entry) + transit, " ", el("small", {}, say(score ? "score_short" : state.measure))),
      el("p", { class: "quiet long" }, say(score ? "score_long" : ofItsOwn(entry.rule, `${state.measure}_long`))),
      ...(data.demand === "residential_land" ? [el("p", { class: "quiet", id: "land" }, say("land_demand"))] : []),
      el("ul", { class: "classes" }, ...classes), defaultsButton(state)),
    toldOnPaper(state),
    el("ul", { class: "others" }, ...legendSigns(state), ...legendServices(state)),
    el("dl", { class: "flow" }, ...legendFacts(state),
      ...(walker ? pair(say("walker"), walkerText(walker)) : []),
      ...(gatesKinds.length > 1 ? pair(say("gates"), sayOr("", score ? state.gates : chosen(entry, state).gates)) : []),
      ...pair(say("data_date"), data.data_date || say("unknown")), ...pair(say("source"), data.credits.join("; ") || say("unknown"))),
    el("button", { type: "button", class: "fold", id: "fold", "aria-expanded": String(state.legend), "aria-label": say(state.legend ? "fold" : "unfold"), onclick: toggled }, state.legend ? "–" : "+"),
    el("dl", { class: state.defaults ? "facts settings open" : "facts settings", id: "settings" }, ...data.settings.flatMap(([key, value]) => fact(sayOr("set_", key), settingText(value)))));
}

/** What a sheet of paper says beside its map: the chosen unit in numbers. */
function toldOnPaper(state) {
  const i = state.unit;
  if (i < 0) return null;
  const { value, sign } = shownValue(i, state), people = peopleOf(i, state);
  return el("div", { class: "told" }, el("h3", {}, unitName(i)),
    units.people[i] === null ? null : el("p", {}, say("people", whole(units.people[i]))),
    el("p", {}, el("b", {}, valueText(value, sign, state)), " ", say(state.layer === "score" ? "score" : state.measure)),
    people ? el("p", {}, say(ofItsOwn(entryByKey.get(state.layer).rule, sign === "i" ? "uncovered_least" : "uncovered"), whole(people.left + people.falsely))) : null);
}

function defaultsButton(state) {
  const toggled = () => { change({ defaults: !state.defaults }); byId("defaults").focus(); };
  return el("button", { type: "button", class: "link", id: "defaults", "aria-expanded": String(state.defaults), "aria-controls": "settings", onclick: toggled }, say("defaults"));
}
