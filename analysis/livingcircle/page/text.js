"use strict";

// Every word the page says, in two languages. {0}, {1} are filled in by say().

const TEXT = {
  zh: {
    page: "十五分钟社区生活圈", skip: "跳到单元详情", search: "按名称查找社区、小区、设施", print: "打印", projector: "投影",
    other_language: "English", other_language_label: "Switch to English", controls: "选择与列表", panels: "面板",
    map: "地图", map_hint: "社区地图;可用左侧列表以键盘选择社区", legend: "图例", sheet: "单元详情",
    shown: "地图着色", measure: "口径", walker: "步行人群", gates: "院门口径",
    ranking: "排名", layers: "图层", about: "说明",
    score: "综合得分", share: "沿街步行", radius: "直线半径", minutes: "步行分钟", gap: "假覆盖",
    share_long: "沿街道步行可达的人口比例", radius_long: "直线半径内的人口比例(统计口径)",
    minutes_long: "所选步行人群在圈层分钟数内可达的人口比例",
    gap_long: "假覆盖 = 半径覆盖率 − 步行覆盖率(百分点)",
    score_long: "得分 = 100 × 居民平均可步行到达的项数 ÷ 计分项数",
    scored_rules: "计分条文", other_rules: "其他条文",
    no_scores: "本次资料不足以计算综合得分,地图先显示:{0}",
    all_districts: "全部区县", all_types: "全部类型", district: "区县", unit_type: "社区类型", sort: "排序",
    low_first: "从低到高", high_first: "从高到低", most_missing: "未覆盖人数最多", by_people: "人口最多", by_name: "按名称",
    unranked: "另有 {0} 个社区资料不足或不适用,不参与排名", more: "再显示 {0} 个", nothing_found: "没有找到",
    no_ranking: "没有可排名的社区",
    urban: "城镇社区", rural: "乡村社区", industrial: "产业社区", untyped: "未注明类型",
    community: "社区", subdistrict: "街道", city: "全市", estate: "小区", level_district: "区县", this_unit: "本单元",
    people: "{0} 人", not_placed: "另有 {0} 人的住处未能接入路网,未计入任何数字", residents: "居住人口", back_to_city: "返回全市",
    k_of_n: "居民平均可步行到达 {1} 项服务中的 {0} 项", k_partly: "(其中 {0} 项有资料)",
    no_score: "资料不足,不评分", score_range: "资料缺口使得分介于 {0} 与 {1} 之间",
    complete_share: "全部必配(▲)项均可步行到达的居民", missing_one: "只缺一项的居民", weakest: "最薄弱",
    compare: "与上级比较", placed: "人口落位依据:{0}", leg: "居住点到街道距离中位数 {0} 米",
    rules: "逐条情况", uncovered: "{0} 人未覆盖", uncovered_least: "至多 {0} 人未覆盖", walk: "步行", straight: "直线",
    nearest: "最近设施中位 {0} 米", nearest_none: "半数以上居民在搜索范围内走不到",
    units_uncovered: "{0} 未覆盖(按{1}计)", value: "结果 {0} {1}", target: "目标 {0}", facilities_in: "单元内 {0} 处",
    edge: "{0} 的居民可达范围超出数据边界", false_cover: "假覆盖 {0} 个百分点",
    ok: "已达", must_unmet: "不达标", unmet: "未满足建议值", walk_unmet: "半径已达,步行未达",
    least: "至少", no_data: "无数据", not_applicable: "不适用", no_demand: "无服务对象", withheld: "不公布(人数过少)", unjudged: "条文未给目标值",
    share_long_of_land: "沿街道步行可达的居住用地比例", radius_long_of_land: "直线半径内的居住用地比例",
    minutes_long_of_land: "所选步行人群在圈层分钟数内可达的居住用地比例", people_of_land: "居住用地 {0} m²", not_placed_of_land: "另有居住用地 {0} m² 未能接入路网,未计入任何数字",
    residents_of_land: "居住用地", by_people_of_land: "居住用地最多", most_missing_of_land: "未覆盖居住用地最多", uncovered_of_land: "居住用地 {0} m² 未覆盖",
    uncovered_least_of_land: "至多居住用地 {0} m² 未覆盖", nearest_none_of_land: "半数以上居住用地在搜索范围内走不到", edge_of_land: "{0} 的居住用地可达范围超出数据边界",
    people_switch_of_land: "已覆盖与未覆盖居住用地", pie_covered_of_land: "已覆盖居住用地", pie_falsely_of_land: "假覆盖居住用地", pie_left_of_land: "未覆盖居住用地",
    not_applicable_swatch_of_land: "不适用或无居住用地", all_of_land: "全部居住用地", leg_of_land: "居住用地到街道距离中位数 {0} 米", more_missing_of_land: "另有 {0} 项有居住用地走不到,见下",
    placed_of_land: "居住用地落位依据:{0}", no_demand_of_land: "无居住用地",
    supply: "供给", supply_long: "每个单元有多少;分级界线为条文指标的 25%、50%、75% 和 100%", judged_city: "按全市评价,社区仅供比较", parts: "由多条组成,各有指标",
    without_ride: "不含乘车", stand_in: "以全体居民代替{0}人口", about_value: "约 {0}",
    mark_V: "已核对来源", mark_V2: "二手来源", "mark_M+": "待核对标准原文", "mark_M?": "待核对标准原文(存疑)",
    clause: "条文", threshold: "指标值", clause_measure: "条文口径", confidence: "可信度", data_date: "数据日期",
    standard: "标准", several: "见逐条情况", unknown: "未注明",
    mark_used: "使用 {0} 条", mark_complete: "是否完整:{0}", mark_complete_yes: "是", mark_complete_no: "否", mark_complete_unknown: "未知", mark_complete_by_service: "按服务分别说明",
    datum_fits: "坐标相符", datum_cannot_tell: "坐标无法判断", datum_reference: "坐标参照", datum_not_compared: "坐标未比对",
    defaults: "生效的全部默认设定", sources: "数据来源与许可", no_data_swatch: "无数据", no_score_swatch: "资料不足,不评分", fold: "收起图例", unfold: "展开图例",
    least_swatch: "至少(资料不全)", not_applicable_swatch: "不适用或无服务对象", selected_swatch: "所选单元",
    internal: "内部工作图,未经地图审核,不得公开", approval: "审图号:{0}",
    background: "底图", streets: "道路与铁路", ground: "水系与绿地", names: "名称", facilities: "设施", follow: "自动显示着色条文的设施",
    doors_hint: "放大后显示出入口", entered: "出入口", source: "来源", service: "服务", unnamed: "(未命名)", close: "关闭",
    zoom_in: "放大", zoom_out: "缩小", scoring: "计分", points: "分",
    public_service: "公共服务", convenience: "便民生活", transit: "公共交通", ecology: "生态", information: "信息", no_theme: "其他",
    all: "全体居民", age_0_3: "0–3 岁", age_3_6: "3–6 岁", age_6_12: "6–12 岁", age_12_15: "12–15 岁", age_60_up: "60 岁以上",
    adult: "成人", elder: "老年人", child_primary: "小学生", caregiver_small_child: "带幼儿者", wheelchair: "轮椅使用者",
    metric_radius: "服务半径(直线)", metric_walk_m: "步行距离", metric_walk_min: "步行时间", metric_per_100hh: "每百户面积",
    metric_per_cap: "人均", metric_per_1000: "千人指标", metric_count: "数量", metric_share: "比例", metric_share_land: "用地覆盖率",
    metric_share_pop: "人口覆盖率", metric_share_unit: "社区覆盖率", metric_density: "密度", metric_site_m2: "用地面积", metric_floor_m2: "建筑面积",
    must: "应", recommended: "宜", optional: "可",
    "5min": "5 分钟", "8min": "8 分钟", "10min": "10 分钟", "15min": "15 分钟", block: "街坊",
    m: "米", min: "分钟", m2_per_100hh: "平方米/百户", m2_per_person: "平方米/人", m2: "平方米", m2_per_1000: "平方米/千人", ha_per_1000: "公顷/千人", places_per_1000: "个/千人", count: "个", count_per_household: "个/户", count_per_3000_people: "个/3000 人", count_per_50000_people: "个/5 万人", km_per_km2: "公里/平方公里", people_per_km2: "人/平方公里", intersections_per_km2: "个路口/平方公里", residential_land: "居住用地", households: "户", units: "单元", land: "用地",
    how_point: "点位", how_entrance: "出入口", how_gate: "大门", how_crossing: "街道穿越边界处", how_frontage: "临街面", how_centre: "中心点",
    respect: "按地图所示,封闭不通行", yes: "是", no: "否",
    set_walker: "步行人群", set_walkers: "步行人群", set_join_limit_m: "接入街道上限(米)", set_datum: "坐标基准", set_spreading: "人口落位", set_grounds: "绿地与场地", set_demand: "需求口径",
    land_demand: "未提供人口:需求按居住用地面积(平方米)计,“人口”均指居住用地平方米,不评分",
    scenes: "演示", scene_back: "上一幕", scene_next: "下一幕", scene_close: "结束演示", people_switch: "已覆盖与未覆盖人数", circle_switch: "步行圈",
    score_short: "0–100 分", score_measure: "沿街步行", unmet_sign: "未满足该条", pie_covered: "已覆盖人数", pie_falsely: "假覆盖人数", pie_left: "未覆盖人数",
    circle_to: "紫色范围:沿街步行 {0} 内可到达这里({1})。", no_circle_to: "未能接入路网,没有步行圈。", too_many_circles: "此类设施数量过多,未预先绘制步行圈。", circle_to_sign: "可步行到达所选设施的范围",
    circle_sign: "步行圈 5·10·15 分钟", ring_sign: "设施直线半径", minutes_of: "{0} 分钟", found: "找到 {0} 个", more_found: "另有 {0} 个,请再输入几个字",
    missing: "缺什么", more_missing: "另有 {0} 项有人走不到,见下", circle_of: "步行圈内有什么", people_inside: "圈内居民", shed: "步行圈占比", none_there: "无",
    circle_note: "圈内设施按图形计数,供观看;覆盖率一律按沿街步行距离计算。", ground_area: "占地", ring_of: "虚线圈:直线半径 {0} 米(条文口径),不是步行范围。",
    band_sign: "步行可在该距离内到达绿地的范围",
    no_survey: "本工具结果不是测绘成果",
    set_gates: "院门口径", set_search_limit_m: "搜索上限(米)", set_standard: "标准", set_slope: "坡度", set_measure: "口径", "set_public transport": "公共交通",
  },
  en: {
    page: "15-minute living circle", skip: "Skip to the unit's sheet", search: "Find a community, estate or facility by name", print: "Print", projector: "Projector",
    other_language: "中文", other_language_label: "切换为中文", controls: "Choices and lists", panels: "Panels",
    map: "Map", map_hint: "Map of communities; the list on the left selects them by keyboard", legend: "Legend", sheet: "Sheet of the unit",
    shown: "Map shows", measure: "Measure", walker: "Walker", gates: "Gates",
    ranking: "Ranking", layers: "Layers", about: "About",
    score: "Overall score", share: "Walking", radius: "Straight line", minutes: "Minutes", gap: "False coverage",
    share_long: "Share of people who reach it by walking along streets", radius_long: "Share of people inside the straight-line radius (as statistics count)",
    minutes_long: "Share of people whom the chosen walker's minutes suffice",
    gap_long: "False coverage = straight-line share − walking share (percentage points)",
    score_long: "Score = 100 × services a resident can walk to on average ÷ services listed",
    scored_rules: "Scoring rules", other_rules: "Other rules",
    no_scores: "The data do not suffice for an overall score; the map begins with: {0}",
    all_districts: "All districts", all_types: "All types", district: "District", unit_type: "Type of community", sort: "Order",
    low_first: "Lowest first", high_first: "Highest first", most_missing: "Most people not covered", by_people: "Most people", by_name: "By name",
    unranked: "{0} more communities lack data or are not applicable, and are not ranked", more: "Show {0} more", nothing_found: "Nothing found",
    no_ranking: "No community can be ranked",
    urban: "Urban", rural: "Rural", industrial: "Industrial", untyped: "Type not stated",
    community: "Community", subdistrict: "Subdistrict", city: "City", estate: "Estate", level_district: "District", this_unit: "This unit",
    people: "{0} people", not_placed: "{0} more live away from every mapped street and are in no number", residents: "Residents", back_to_city: "Back to the city",
    k_of_n: "A resident can walk to {0} of {1} services on average", k_partly: " ({0} of them have data)",
    no_score: "Too little data: no score", score_range: "Missing data leave the score between {0} and {1}",
    complete_share: "Residents who can walk to every required (▲) service", missing_one: "Residents who miss exactly one", weakest: "Weakest",
    compare: "Compared", placed: "People placed by: {0}", leg: "Half of the homes are within {0} m of a street",
    rules: "Rule by rule", uncovered: "{0} people not covered", uncovered_least: "at most {0} people not covered", walk: "walk", straight: "straight line",
    nearest: "nearest: median {0} m", nearest_none: "out of reach for more than half",
    units_uncovered: "{0} not covered (counted by {1})", value: "result {0} {1}", target: "target {0}", facilities_in: "{0} in the unit",
    edge: "the reach of {0} of residents leaves the data", false_cover: "false coverage {0} points",
    ok: "Met", must_unmet: "Does not comply", unmet: "Below the recommended value", walk_unmet: "Met by radius, not by walking",
    least: "At least", no_data: "No data", not_applicable: "Not applicable", no_demand: "Nobody to serve", withheld: "Withheld (few people)", unjudged: "The clause sets no target",
    share_long_of_land: "Share of residential land from which it is reached by walking along streets", radius_long_of_land: "Share of residential land inside the straight-line radius",
    minutes_long_of_land: "Share of residential land for which the chosen walker's minutes suffice", people_of_land: "{0} m² of residential land", not_placed_of_land: "{0} m² more lie away from every mapped street and are in no number",
    residents_of_land: "Residential land", by_people_of_land: "Most residential land", most_missing_of_land: "Most land not covered", uncovered_of_land: "{0} m² of residential land not covered",
    uncovered_least_of_land: "at most {0} m² of residential land not covered", nearest_none_of_land: "out of reach for more than half of the land", edge_of_land: "the reach of {0} of the land leaves the data",
    people_switch_of_land: "Land covered and not", pie_covered_of_land: "Land covered", pie_falsely_of_land: "Land covered by radius only", pie_left_of_land: "Land not covered",
    not_applicable_swatch_of_land: "Not applicable, or no residential land", all_of_land: "all residential land", leg_of_land: "Half of the land is within {0} m of a street", more_missing_of_land: "{0} more rules leave land behind, see below",
    placed_of_land: "Land placed by: {0}", no_demand_of_land: "No residential land",
    supply: "Supply", supply_long: "How much there is in each unit; the classes part at 25%, 50%, 75% and 100% of the clause's figure", judged_city: "judged for the whole city; communities are shown to compare", parts: "made of several rules, each with its own",
    without_ride: "without the ride", stand_in: "all residents stand in for {0}", about_value: "about {0}",
    mark_V: "read in the source", mark_V2: "secondary source", "mark_M+": "to be checked against the standard's text", "mark_M?": "to be checked against the standard's text (unsure)",
    clause: "Clause", threshold: "Threshold", clause_measure: "Clause measure", confidence: "Confidence", data_date: "Data date",
    standard: "Standard", several: "see rule by rule", unknown: "not stated",
    mark_used: "{0} used", mark_complete: "complete: {0}", mark_complete_yes: "yes", mark_complete_no: "no", mark_complete_unknown: "unknown", mark_complete_by_service: "said of each service",
    datum_fits: "datum fits", datum_cannot_tell: "datum cannot be told", datum_reference: "datum of reference", datum_not_compared: "datum not compared",
    defaults: "All defaults in force", sources: "Data sources and licences", no_data_swatch: "No data", no_score_swatch: "Too little data: no score", fold: "Fold the legend", unfold: "Unfold the legend",
    least_swatch: "At least (layer incomplete)", not_applicable_swatch: "Not applicable, or nobody to serve", selected_swatch: "Selected unit",
    internal: "内部工作图,未经地图审核,不得公开 (internal working map, not reviewed, not for publication)", approval: "审图号:{0}",
    background: "Background", streets: "Roads and railways", ground: "Water and green", names: "Names", facilities: "Facilities", follow: "Show the facilities of the coloured rule",
    doors_hint: "Zoom in to see access points", entered: "Entered by", source: "Source", service: "Service", unnamed: "(no name)", close: "Close",
    zoom_in: "Zoom in", zoom_out: "Zoom out", scoring: "scores", points: "points",
    public_service: "Public services", convenience: "Everyday shops and services", transit: "Public transport", ecology: "Green and open space", information: "Information", no_theme: "Other",
    all: "all residents", age_0_3: "age 0–3", age_3_6: "age 3–6", age_6_12: "age 6–12", age_12_15: "age 12–15", age_60_up: "age 60 and over",
    adult: "Adult", elder: "Older person", child_primary: "Primary-school child", caregiver_small_child: "Adult with a small child", wheelchair: "Wheelchair user",
    metric_radius: "service radius (straight line)", metric_walk_m: "walking distance", metric_walk_min: "walking time", metric_per_100hh: "area per 100 households",
    metric_per_cap: "per person", metric_per_1000: "per 1,000 people", metric_count: "count", metric_share: "share", metric_share_land: "share of land",
    metric_share_pop: "share of people", metric_share_unit: "share of communities", metric_density: "density", metric_site_m2: "site area", metric_floor_m2: "floor area",
    must: "must", recommended: "recommended", optional: "optional",
    "5min": "5 minutes", "8min": "8 minutes", "10min": "10 minutes", "15min": "15 minutes", block: "block",
    m: "m", min: "min", m2_per_100hh: "m² per 100 households", m2_per_person: "m² per person", m2: "m²", m2_per_1000: "m² per 1,000 people", ha_per_1000: "ha per 1,000 people", places_per_1000: "places per 1,000 people", count: "in number", count_per_household: "per household", count_per_3000_people: "per 3,000 people", count_per_50000_people: "per 50,000 people", km_per_km2: "km per km²", people_per_km2: "people per km²", intersections_per_km2: "junctions per km²", residential_land: "residential land", households: "households", units: "units", land: "land",
    how_point: "point", how_entrance: "entrance", how_gate: "gate", how_crossing: "street across the edge", how_frontage: "street front", how_centre: "centre",
    respect: "as mapped, closed ones block", yes: "yes", no: "no",
    set_walker: "Walker", set_walkers: "Walkers", set_join_limit_m: "Joining limit (m)", set_datum: "Datum", set_spreading: "Placing people", set_grounds: "Grounds that count", set_demand: "Demand",
    land_demand: "No population given: demand is m² of residential land, also where people are named, and there is no score",
    scenes: "Scenes", scene_back: "Scene before", scene_next: "Next scene", scene_close: "Leave the scenes", people_switch: "People covered and not", circle_switch: "Walking circle",
    score_short: "0–100 points", score_measure: "walking along streets", unmet_sign: "Clause not met", pie_covered: "People covered", pie_falsely: "Covered by radius only", pie_left: "People not covered",
    circle_to: "Purple ground: from here people walk to it within {0} ({1}).", no_circle_to: "Not joined to the streets, so no circle.", too_many_circles: "Too many places of this kind to draw their circles beforehand.", circle_to_sign: "Ground within a walk of the facility",
    circle_sign: "Walk of 5, 10, 15 minutes", ring_sign: "Straight-line radius", minutes_of: "{0} min", found: "{0} found", more_found: "{0} more: type a few letters more",
    missing: "What is missing", more_missing: "{0} more rules leave people behind, see below", circle_of: "Inside the walking circle", people_inside: "Residents inside", shed: "Pedestrian shed", none_there: "none",
    circle_note: "Places inside are counted by the drawn shape, for looking at; coverage is always computed from walks along streets.", ground_area: "Ground", ring_of: "Dashed ring: straight-line radius of {0} m (the clause's measure), not the walk.",
    band_sign: "Ground from which a green is within this walk",
    no_survey: "The results of this tool are not surveying results",
    set_gates: "Gates", set_search_limit_m: "Search limit (m)", set_standard: "Standard", set_slope: "Slopes", set_measure: "Measure", "set_public transport": "Public transport",
  },
};

let language = "zh";
let ofLand = false; // whether what is covered is residential land in m², in place of people

/** A phrase of the dictionary; a word that is not in it (a user's own label) is said as it is. */
function say(key, ...parts) {
  const words = TEXT[language], phrase = (ofLand && words[`${key}_of_land`]) || (words[key] ?? key);
  return phrase.replace(/\{(\d)\}/g, (_, n) => parts[n]);
}

/** Parts of the settings of a run, which its tables hold in English. */
const SETTINGS_ZH = [
  ["metres along streets, legs included", "沿街步行米数,含进出街道的一段"], ["flat, no elevation model", "按平地计,无高程模型"],
  ["Tobler's function on", "按托布勒函数,高程取自"], ["residential buildings", "居住建筑"], ["else residential land", "其次居住用地"],
  ["else along streets", "其次沿街"], ["else evenly", "再次均匀"], ["s at signals", "秒信号等候"], ["adult", "成人"], ["elder", "老年人"],
  ["open to all", "对公众开放者"], ["read as", "读作"], ["the walk to the stop only 公共交通只计步行到站,不含乘车", "只计步行到站,不含乘车"],
];

function settingText(value) {
  if (language !== "zh" || has(value)) return sayOr("", value);
  return SETTINGS_ZH.reduce((text, [en, zh]) => text.replaceAll(en, zh), value);
}

const has = (key) => Object.hasOwn(TEXT[language], key);
const sayOr = (prefix, key) => (has(prefix + key) ? say(prefix + key) : has(key) ? say(key) : key);
/** The name of a rule or service in the page's language. */
const named = (thing) => thing[language] || thing.zh || thing.id;

const whole = (number) => new Intl.NumberFormat(language === "zh" ? "zh-CN" : "en-GB", { maximumFractionDigits: 0 }).format(number);
const decimal = (number, digits = 1) => number.toLocaleString(language === "zh" ? "zh-CN" : "en-GB", { maximumFractionDigits: digits });

/** A share in per cent; never rounded up to all nor down to nobody. */
function percent(share) {
  if (share === null) return "–";
  let shown = Math.round(share * 1000) / 10;
  if (share < 1 && shown >= 100) shown = 99.9;
  if (share > 0 && shown <= 0) shown = 0.1;
  return `${decimal(shown)}%`;
}
