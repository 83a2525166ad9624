"use strict";

// Legend, ranking, layers and the sheet of a unit. All text is set as text, never as markup.

const byId = (id) => document.getElementById(id);

/** An element; attributes that begin with "on" are listeners, children that are null are left out. */
function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const option = (value, text) => el("option", { value }, text);
function fillSelect(select, options, value) {
  select.replaceChildren(...options);
  select.value = value;
}

/** A swatch is coloured through the style object, which the page's security policy allows. */
function swatch(kind, colour = null) {
  const box = el("i", { class: `swatch ${kind}`, "aria-hidden": "true" });
  if (colour) box.style.backgroundColor = colour;
  return box;
}

/** A bar from 0 to 1: filled as far as people walk, marked where the straight line would be. */
function bar(value, { mark = null, colour = null, least = false } = {}) {
  const fill = el("i", { class: least ? "fill least" : "fill" });
  fill.style.width = `${100 * Math.max(0, Math.min(1, value ?? 0))}%`;
  if (colour) fill.style.backgroundColor = colour;
  const track = el("span", { class: value === null ? "bar unknown" : "bar", "aria-hidden": "true" }, fill);
  if (mark !== null) {
    const tick = el("i", { class: "tick" });
    tick.style.left = `${100 * Math.min(1, mark)}%`;
    track.append(tick);
  }
  return track;
}

/** In a list of buttons only one is reached by Tab; the arrow keys go on from there. */
function arrowKeys(list) {
  list.addEventListener("keydown", (event) => {
    const buttons = [...list.querySelectorAll("button")], at = buttons.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (to === undefined || at < 0 || !buttons[to]) return;
    event.preventDefault();
    buttons[at].tabIndex = -1;
    buttons[to].tabIndex = 0;
    buttons[to].focus();
  });
}

// -- words about a rule -------------------------------------------------------------------------------

const unitWord = (unit) => sayOr("", unit);
const thresholdText = (rule) => `${decimal(rule.threshold, 2)} ${unitWord(rule.unit)}`;
const confidenceText = (rule) => say(`mark_${rule.mark}`);
const boundText = (rule) => (rule.bound ? ` · ${say(rule.bound)}` : "");
const groupText = (entry, series) => (series.stand_in ? say("stand_in", sayOr("", entry.rule.group)) : sayOr("", entry.group));
const walkerText = (walker) => sayOr("", walker);

/** A value as people read it: points for the score, per cent for shares, percentage points for the gap. */
function valueText(value, sign, state) {
  if (sign === "s") return say("no_score");
  if (sign === "n") return say("no_data");
  if (sign === "a") return say("not_applicable");
  if (sign === "d") return say("no_demand");
  if (value === null) return "–";
  const text = state.layer === "score" ? decimal(100 * value) : percent(value);
  if (sign !== "i") return text;
  return state.measure === "gap" ? say("about_value", text) : `${say("least")} ${text}`; // a difference of two lower bounds is none
}

// -- legend -------------------------------------------------------------------------------------------

const fact = (name, text) => [el("dt", {}, name), el("dd", {}, text)];

function classLabels(state) {
  if (state.layer === "score") return ["0–20", "20–40", "40–60", "60–80", "80–100"];
  const breaks = (state.measure === "gap" ? BREAKS.gap : BREAKS.share).map((b) => Math.round(100 * b));
  return [`<${breaks[0]}`, ...breaks.slice(1).map((b, k) => `${breaks[k]}–${b}`), `≥${breaks.at(-1)}`].map((text) => (state.measure === "gap" ? text : `${text}%`));
}

function legendFacts(state) {
  const marks = ["V", "V2", "M+", "M?"];
  if (state.layer === "score") {
    const scoring = data.rules.filter((rule) => rule.scores);
    const weakest = scoring.reduce((w, rule) => Math.max(w, marks.indexOf(rule.mark)), 0);
    return [...fact(say("standard"), data.standard[language] || data.standard.zh), ...fact(say("clause"), say("several")), ...fact(say("confidence"), say(`mark_${marks[weakest]}`))];
  }
  const entry = entryByKey.get(state.layer), rule = entry.rule;
  return [
    ...fact(say("clause"), rule.citation),
    ...(rule.threshold === null ? [] : fact(say("threshold"), thresholdText(rule) + boundText(rule))),
    ...fact(say("clause_measure"), `${sayOr("metric_", rule.metric)} · ${groupText(entry, chosen(entry, state))}`),
    ...fact(say("confidence"), confidenceText(rule)),
  ];
}

function drawLegend(state) {
  const score = state.layer === "score", entry = entryByKey.get(state.layer);
  const walker = score ? state.walker : chosen(entry, state).walker || state.walker;
  const gates = score ? state.gates : chosen(entry, state).gates;
  const transit = !score && entry.rule.theme === "transit" ? ` (${say("without_ride")})` : "";
  const classes = palette(state.measure).map((colour, k) => el("li", {}, swatch("class", colour), el("span", {}, classLabels(state)[k])));
  const others = [
    [score ? "no_score_swatch" : "no_data_swatch", "stripes"],
    ...(score ? [] : [["least_swatch", "dots"], ["not_applicable_swatch", "flat"]]),
    ["selected_swatch", "ring"],
  ].map(([text, kind]) => el("li", {}, swatch(kind), el("span", {}, say(text))));
  byId("legend").classList.toggle("folded", !state.legend);
  byId("legend").replaceChildren(
    el("button", { type: "button", class: "fold", id: "fold", "aria-expanded": String(state.legend), "aria-label": say(state.legend ? "fold" : "unfold"), onclick: () => { change({ legend: !state.legend }); byId("fold").focus(); } }, state.legend ? "–" : "+"),
    el("h2", {}, score ? say("score") : entryName(entry) + transit),
    el("p", { class: "quiet" }, say(score ? "score_long" : `${state.measure}_long`)),
    el("ul", { class: "classes" }, ...classes),
    el("ul", { class: "others" }, ...others),
    el("dl", { class: "facts" }, ...legendFacts(state),
      ...(walker ? fact(say("walker"), walkerText(walker)) : []), ...(gatesKinds.length > 1 ? fact(say("gates"), sayOr("", gates)) : []),
      ...fact(say("data_date"), data.data_date || say("unknown"))),
    el("button", { type: "button", class: "link", id: "defaults", "aria-expanded": String(state.defaults), "aria-controls": "settings", onclick: () => { change({ defaults: !state.defaults }); byId("defaults").focus(); } }, say("defaults")),
    el("dl", { class: state.defaults ? "facts settings open" : "facts settings", id: "settings" }, ...data.settings.flatMap(([key, value]) => fact(sayOr("set_", key), sayOr("", value)))));
}

// -- about --------------------------------------------------------------------------------------------

function drawAbout() {
  byId("panel-about").replaceChildren(
    el("h2", {}, say("standard")), el("p", {}, data.standard[language] || data.standard.zh),
    el("h2", {}, say("sources")),
    el("ul", { class: "sources" },
      ...data.sources.map((source) => el("li", {}, el("strong", {}, source.path || source.role),
        el("span", {}, [source.date, source.licence, source.attribution].filter(Boolean).join(" · "))))),
    el("h2", {}, say("defaults")), el("dl", { class: "facts" }, ...data.settings.flatMap(([key, value]) => fact(sayOr("set_", key), sayOr("", value)))));
}

// -- layers -------------------------------------------------------------------------------------------

const tick = (text, checked, onchange, extra = null) =>
  el("label", { class: "tick-row" }, el("input", { type: "checkbox", checked, onchange }), extra, el("span", { class: "grow" }, text));

function drawLayers(state) {
  const toggled = (set, item) => { const next = new Set(set); next.has(item) ? next.delete(item) : next.add(item); return next; };
  const held = services.map((_, i) => i).filter((i) => placesOf[i].length);
  const blocks = THEMES.flatMap((theme) => {
    const members = held.filter((i) => services[i].theme === theme);
    return members.length ? [el("h3", {}, say(theme || "no_theme")), ...members.map((i) => {
      const row = tick(named(services[i]), state.services.has(i), () => change({ services: toggled(state.services, i) }), swatch("dot", services[i].colour));
      row.append(el("span", { class: "count" }, whole(placesOf[i].length)));
      return row;
    })] : [];
  });
  byId("panel-layers").replaceChildren(
    el("h2", {}, say("background")),
    ...["ground", "streets", "names"].map((part) => tick(say(part), !state.hidden.has(part), () => change({ hidden: toggled(state.hidden, part) }))),
    el("h2", {}, say("facilities")),
    tick(say("follow"), state.follow, () => change({ follow: !state.follow })),
    ...blocks, el("p", { class: "quiet" }, say("doors_hint")));
}

// -- ranking ------------------------------------------------------------------------------------------

const RANKED_AT_ONCE = 200;

/** The communities that may be compared: same type, same list of services, and a value. */
function ranked(state) {
  const rows = communities
    .filter((i) => units.unit_type[i] === state.type && (!state.district || units.district[i] === state.district))
    .map((i) => ({ i, ...shownValue(i, state) }));
  const lists = new Map();
  for (const row of rows) if (row.value !== null) lists.set(units.n_scored[row.i], (lists.get(units.n_scored[row.i]) ?? 0) + 1);
  const usual = [...lists].reduce((best, item) => (item[1] > best[1] ? item : best), [null, 0])[0];
  const comparable = (row) => row.value !== null && !"nads".includes(row.sign) && (state.layer !== "score" || units.n_scored[row.i] === usual);
  const kept = rows.filter(comparable).sort((a, b) => b.value - a.value || a.i - b.i);
  kept.forEach((row, k) => { row.rank = k && kept[k - 1].value === row.value ? kept[k - 1].rank : k + 1; });
  return { rows: kept, out: rows.length - kept.length };
}

function sorted(rows, state) {
  const missing = (row) => (state.layer === "score" ? units.people[row.i] * (1 - row.value) : uncovered(chosen(entryByKey.get(state.layer), state), row.i) ?? 0);
  const orders = {
    low: (a, b) => a.value - b.value, high: (a, b) => b.value - a.value, missing: (a, b) => missing(b) - missing(a),
    people: (a, b) => units.people[b.i] - units.people[a.i], name: (a, b) => units.name[a.i].localeCompare(units.name[b.i], "zh-CN"),
  };
  return [...rows].sort((a, b) => orders[state.sort](a, b) || a.i - b.i);
}

function rankingRow(row, state) {
  const colour = palette(state.measure)[classOf(row.value, state.measure)];
  return el("li", {},
    el("button", { type: "button", tabindex: "-1", "data-unit": row.i, "aria-current": state.unit === row.i ? "true" : null, onclick: () => select(row.i, true) },
      el("span", { class: "rank" }, String(row.rank)),
      el("span", { class: "who" }, el("strong", {}, unitName(row.i)), el("small", {}, units.subdistrict[row.i])),
      bar(row.value, { colour, least: row.sign === "i" }),
      el("span", { class: "value" }, valueText(row.value, row.sign, state))));
}

function drawRanking(state, limit = RANKED_AT_ONCE) {
  const { rows, out } = ranked(state), list = byId("ranking");
  const inOrder = sorted(rows, state);
  list.replaceChildren(...inOrder.slice(0, limit).map((row) => rankingRow(row, state)));
  if (inOrder.length > limit) {
    const next = Math.min(RANKED_AT_ONCE, inOrder.length - limit);
    list.append(el("li", {}, el("button", { type: "button", class: "link", tabindex: "-1", onclick: () => drawRanking(state, limit + next) }, say("more", whole(next)))));
  }
  if (!inOrder.length) list.append(el("li", { class: "quiet" }, say("no_ranking")));
  const first = list.querySelector("[aria-current]") ?? list.querySelector("button");
  if (first) first.tabIndex = 0;
  byId("unranked").textContent = out ? say("unranked", whole(out)) : "";
}

/** Marks the chosen unit in the list without drawing the list again. */
function markRanking(state) {
  for (const button of byId("ranking").querySelectorAll("[data-unit]")) {
    const here = Number(button.dataset.unit) === state.unit;
    here ? button.setAttribute("aria-current", "true") : button.removeAttribute("aria-current");
    if (here) button.scrollIntoView({ block: "nearest" });
  }
}

// -- the sheet of a unit ------------------------------------------------------------------------------

function drawSheet(state) {
  const i = state.unit;
  byId("sheet").replaceChildren(...(i < 0 ? [] : [sheetHead(i), scoreBlock(i), compareBlock(i, state), ruleBlock(i, state), footnote(i)]).filter(Boolean));
  byId("sheet").scrollTop = 0;
}

function sheetHead(i) {
  const holders = above(i).filter((u) => u !== CITY).reverse();
  return el("div", { class: "head" },
    i === CITY ? null : el("p", { class: "crumbs" }, ...[CITY, ...holders].filter((u) => u >= 0).map((u) =>
      el("button", { type: "button", class: "link", onclick: () => select(u, true) }, u === CITY ? say("back_to_city") : unitName(u)))),
    el("h2", {}, unitName(i)),
    el("p", { class: "quiet" }, [i === CITY ? "" : levelName(units.level[i]), isCommunity(i) && units.unit_type[i] ? sayOr("", units.unit_type[i]) : "",
      units.people[i] === null ? "" : say("people", whole(units.people[i]))].filter(Boolean).join(" · ")),
    isCommunity(i) && units.not_placed[i] ? el("p", { class: "quiet" }, say("not_placed", whole(units.not_placed[i]))) : null);
}

function scoreBlock(i) {
  if (units.score[i] === null) return el("div", { class: "score none" }, el("p", { class: "big" }, say("no_score")));
  const partly = units.n_scored[i] < units.n_listed[i];
  const facts = [["complete_share", units.complete_share[i]], ["missing_one", units.missing_one_share[i]]].filter(([, v]) => v !== null);
  const weakest = ruleById.get(units.weakest[i]);
  return el("div", { class: "score" },
    el("p", { class: "big" }, el("span", { class: "points" }, decimal(units.score[i])),
      units.score_low[i] < units.score_high[i] ? el("span", { class: "range", title: say("score_range", decimal(units.score_low[i]), decimal(units.score_high[i])) }, `[${decimal(units.score_low[i])}, ${decimal(units.score_high[i])}]`) : null),
    el("p", { class: "sentence" }, say("k_of_n", decimal(units.k_mean[i]), units.n_listed[i]) + (partly ? say("k_partly", units.n_scored[i]) : "")),
    el("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => fact(say(name), percent(value)))),
    weakest ? el("p", { class: "weakest" }, `${say("weakest")}: ${named(weakest)}`) : null);
}

/** The unit beside its subdistrict, its district and the city, in what the map shows now. */
function compareBlock(i, state) {
  if (i === CITY) return null;
  const rows = [i, ...above(i)].map((u) => ({ u, ...shownValue(u, state) }));
  if (rows.every((row) => row.value === null)) return null;
  const title = state.layer === "score" ? say("score") : `${entryName(entryByKey.get(state.layer))} · ${say(state.measure)}`;
  return el("div", { class: "compare" }, el("h3", {}, `${say("compare")}: ${title}`),
    ...rows.map((row) => el("div", { class: row.u === i ? "row own" : "row" }, el("span", { class: "who" }, row.u === i ? say("this_unit") : unitName(row.u)),
      bar(row.value, { colour: row.value === null ? null : palette(state.measure)[classOf(row.value, state.measure)], least: row.sign === "i" }),
      el("span", { class: "value" }, row.value === null ? "–" : valueText(row.value, row.sign, state)))));
}

function ruleBlock(i, state) {
  const here = entries.map((entry) => ({ entry, series: chosen(entry, state) })).filter(({ series }) => statusOf(series, i) !== "-");
  const block = el("div", { class: "rules" }, el("h3", {}, say("rules")));
  for (const theme of THEMES) {
    const rows = here.filter(({ entry }) => entry.rule.theme === theme).sort((a, b) => b.entry.rule.scores - a.entry.rule.scores);
    if (rows.length) block.append(el("h4", {}, say(theme || "no_theme") + (theme === "transit" ? ` · ${say("without_ride")}` : "")), ...rows.map(({ entry, series }) => ruleRow(entry, series, i, state)));
  }
  return block;
}

function ruleRow(entry, series, i, state) {
  const [word, look] = judgement(entry, series, i), rule = entry.rule;
  const walk = share(series, i, "share"), radius = share(series, i, "radius"), least = statusOf(series, i) === "i";
  const known = walk !== null || radius !== null;
  const numbers = known ? el("p", { class: "numbers" }, bar(walk, { mark: radius, least, colour: walk === null ? null : COLOURS.share[classOf(walk, "share")] }),
    el("span", {}, `${say("walk")} `, el("b", {}, (least ? `${say("least")} ` : "") + percent(walk))), el("span", { class: "quiet" }, `${say("straight")} ${percent(radius)}`)) : null;
  const title = el("p", { class: "title" },
    colourable.includes(entry) ? el("button", { type: "button", class: "link name", "aria-pressed": String(state.layer === entry.key), onclick: () => change({ layer: entry.key }) }, entryName(entry)) : el("span", { class: "name" }, entryName(entry)),
    rule.provision === "required" ? el("span", { class: "mark", title: rule.provision }, "▲") : null,
    el("span", { class: `badge ${look}` }, say(word)));
  return el("div", { class: state.layer === entry.key ? "rule shown" : "rule", "data-rule": entry.key }, title, numbers,
    el("p", { class: "detail" }, ruleDetail(entry, series, i, walk, radius, least).join(" · ")),
    compareText(entry, series, i), el("p", { class: "cite" }, rule.citation, " · ", el("em", { title: rule.confidence }, confidenceText(rule))));
}

function ruleDetail(entry, series, i, walk, radius, least) {
  const rule = entry.rule, left = uncovered(series, i), value = number(series, "value", i), target = number(series, "target", i);
  const median = number(series, "nearest_m_median", i), edge = number(series, "edge_share", i), here = number(series, "facilities", i);
  const people = !rule.denominator || rule.denominator === "people";
  const parts = [];
  if (left !== null) parts.push(people ? say(least ? "uncovered_least" : "uncovered", whole(left)) : say("units_uncovered", whole(left), unitWord(rule.denominator)));
  if (walk !== null) parts.push(median === null ? say("nearest_none") : say("nearest", whole(median)));
  if (walk !== null && radius !== null && radius - walk >= 0.05) parts.push(say("false_cover", decimal(100 * (radius - walk), 0)));
  if (series.stand_in && left !== null) parts.push(groupText(entry, series));
  if (value !== null) parts.push(say("value", decimal(value, 2), unitWord(rule.unit)));
  if (target !== null) parts.push(say("target", value === null ? percent(target) : `${decimal(target, 2)} ${unitWord(rule.unit)}`));
  if (here !== null) parts.push(say("facilities_in", whole(here)));
  if (walk !== null && edge >= 0.05) parts.push(say("edge", percent(edge)));
  return parts;
}

function compareText(entry, series, i) {
  const others = above(i).map((u) => [u, share(series, u, "share")]).filter(([, value]) => value !== null);
  return others.length && share(series, i, "share") !== null ? el("p", { class: "detail quiet" }, others.map(([u, value]) => `${unitName(u)} ${percent(value)}`).join(" · ")) : null;
}

function footnote(i) {
  if (!isCommunity(i) || !(units.basis[i] || units.leg_m_p50[i] !== null)) return null;
  return el("p", { class: "quiet note" }, [units.basis[i] && say("placed", units.basis[i]), units.leg_m_p50[i] !== null && say("leg", whole(units.leg_m_p50[i]))].filter(Boolean).join(language === "zh" ? ";" : "; "));
}
