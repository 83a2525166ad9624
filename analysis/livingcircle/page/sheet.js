"use strict";

// The sheet of a unit: how it stands, what is missing, who is affected, rule by rule, with clause and doubt mark.

function drawSheet(state) {
  const i = state.unit;
  byId("sheet").replaceChildren(...(i < 0 ? [] : [sheetHead(i), scoreBlock(i), missingBlock(i, state), circleBlock(i, state), compareBlock(i, state), ruleBlock(i, state), footnote(i)]).filter(Boolean));
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

const MISSING_AT_ONCE = 5;

/** The scoring rules that leave most people behind, with how many neighbours that is. */
function missingBlock(i, state) {
  const rows = entries.filter((entry) => entry.rule.scores).map((entry) => ({ entry, series: chosen(entry, state) }))
    .map((row) => ({ ...row, left: uncovered(row.series, i), walk: share(row.series, i, "share") }))
    .filter(({ entry, series, left }) => left > 0 && "oi".includes(statusOf(series, i)) && countsPeople(entry.rule))
    .sort((a, b) => b.left - a.left);
  if (!rows.length) return null;
  return el("div", { class: "missing" }, el("h3", {}, say("missing")),
    el("ol", {}, ...rows.slice(0, MISSING_AT_ONCE).map((row) => missingRow(row, i))),
    rows.length > MISSING_AT_ONCE ? el("p", { class: "quiet" }, say("more_missing", rows.length - MISSING_AT_ONCE)) : null);
}

function missingRow({ entry, series, left, walk }, i) {
  const least = statusOf(series, i) === "i";
  return el("li", {},
    el("button", { type: "button", class: "link name", onclick: () => change({ layer: entry.key }) }, entryName(entry)),
    bar(1 - walk, { colour: "#a86c38" }),
    el("b", {}, say(least ? "uncovered_least" : "uncovered", whole(left))),
    el("small", { class: "quiet" }, `${percent(1 - walk)} · ${groupText(entry, series)} · ${entry.rule.citation} · ${confidenceText(entry.rule)}`));
}


/** What lies inside the circle of a community: people, ground, and how many places of each scoring service. */
function circleBlock(i, state) {
  const bands = state.circle ? circlesOf(i, state.walker) : [];
  if (!bands.length) return null;
  const row = (name, cells) => el("tr", {}, el("th", { scope: "row" }, name), ...cells.map((cell) => el("td", {}, cell)));
  const wanted = [...new Set(data.rules.filter((rule) => rule.scores).flatMap((rule) => rule.services))].map((id) => serviceAt.get(id));
  const inside = bands.map((band) => servicesInside(band.shape));
  const known = wanted.filter((service) => places.of[service].length);
  return el("div", { class: "circle" }, el("h3", {}, say("circle_of"), " ", el("small", { class: "quiet" }, walkerText(state.walker))),
    el("table", {},
      el("thead", {}, el("tr", {}, el("td"), ...bands.map((band) => el("th", { scope: "col" }, say("minutes_of", band.minutes))))),
      el("tbody", {},
        row(say("people_inside"), bands.map((band) => (band.people === null ? "–" : whole(band.people)))),
        row("km²", bands.map((band) => (band.area === null ? "–" : decimal(band.area / 1e6, 2)))),
        ...(bands.some((band) => band.shed !== null) ? [row(say("shed"), bands.map((band) => (band.shed === null ? "–" : percent(band.shed))))] : []),
        ...known.map((service) => row(named(services[service]), inside.map((found) => (found.has(service) ? whole(found.get(service)) : el("span", { class: "none" }, say("none_there")))))))),
    el("p", { class: "quiet" }, say("circle_note")));
}

/** Places of each service with a door inside a shape. */
function servicesInside(shape) {
  const found = new Map(), path = shape.path(0), box = shape.box;
  const inside = ([x, y]) => x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3] && touch.isPointInPath(path, x, y);
  places.service.forEach((service, place) => {
    if (service >= 0 && entrances(place).some(inside)) found.set(service, (found.get(service) ?? 0) + 1);
  });
  return found;
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
  const parts = [];
  if (left !== null) parts.push(countsPeople(rule) ? say(least ? "uncovered_least" : "uncovered", whole(left)) : say("units_uncovered", whole(left), unitWord(rule.denominator)));
  if (walk !== null && ["m", "min"].includes(rule.unit ?? "m")) parts.push(median === null ? say("nearest_none") : say("nearest", whole(median)));
  if (walk !== null && radius !== null && radius - walk >= 0.05) parts.push(say("false_cover", decimal(100 * (radius - walk), 0)));
  if (series.stand_in && left !== null) parts.push(groupText(entry, series));
  const ofShare = rule.unit === "share";
  if (value !== null) parts.push(say("value", ofShare ? percent(value) : decimal(value, 2), ofShare ? "" : unitWord(rule.unit)).trim());
  if (target !== null) parts.push(say("target", value === null || ofShare ? percent(target) : `${decimal(target, 2)} ${unitWord(rule.unit)}`));
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
