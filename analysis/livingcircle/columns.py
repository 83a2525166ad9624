"""Every column of every output, named once: type, unit, meaning in two languages, what an empty cell says.

The data dictionary (`docs/data-dictionary.md` and a sheet of the report) is made from this module::

    python -m livingcircle.columns > docs/data-dictionary.md
"""

from __future__ import annotations

import sys

from livingcircle._table import SMALL_COUNT, Column, Table, column_of, conform, looks_like_formula, published
from livingcircle_layers.services import THEMES_ZH

__all__ = [
    "ACCESS_POINTS",
    "ADDITIONS",
    "BACKGROUND",
    "BANDS",
    "CAPACITY",
    "CAUSES",
    "CIRCLES",
    "COMMUNITIES",
    "COMPARISON",
    "COVERAGE",
    "DISTANCES",
    "DISTRICTS",
    "ESTATE_NAMES",
    "FACILITIES",
    "FACILITY_CHANGES",
    "FACILITY_CIRCLES",
    "FAIRNESS",
    "FALSE_COVERAGE",
    "GAPS",
    "HOMES",
    "MATRIX",
    "RANK_STABILITY",
    "SCORES",
    "SCORE_HISTOGRAM",
    "SENSITIVITY",
    "SMALL_COUNT",
    "STREET_DIAGNOSIS",
    "STREET_EDGES",
    "STREET_NODES",
    "TABLES",
    "UNPLACED",
    "Column",
    "Table",
    "column_of",
    "conform",
    "data_dictionary_markdown",
    "looks_like_formula",
    "published",
]  # fmt: skip

# fmt: off
_LEVEL = Column(
    "level", "id", "", "community, subdistrict, district or city; estate or area, which may overlap",
    "层级:社区、街道、区县、市;小区、自定义范围(可重叠)"
)
_UNIT_ID = Column("unit_id", "id", "", "identifier of the unit, as in the input", "单元编号,与输入一致")
_UNIT_NAME = Column("unit_name", "text", "", "name of the unit", "单元名称", "the input has no name")
_PEOPLE_OF = Column(
    "group", "id", "", "everybody (all), or a group of people that the input has", "人群:全体或输入中的年龄组"
)
_UNIT_TYPE = Column(
    "unit_type", "id", "", "urban, rural or industrial", "社区类型:城镇、乡村、产业",
    "not stated in the input"
)
_PEOPLE = Column("people", "int", "people", "people who live in the unit", "居住人口", "no population is given")
_K_MEAN = Column(
    "k_mean", "float", "services",
    "services that a resident can walk to within the standard, on average (k)",
    "居民平均可步行到达的服务项数 k", "no score"
)
_N_SCORED = Column(
    "n_scored", "int", "services", "scoring services that have data here", "有数据的计分服务项数"
)
_N_LISTED = Column(
    "n_listed", "int", "services", "scoring services of the bundle (N)", "组合中的计分服务项数 N"
)
_SCORE = Column(
    "score", "float", "points", "100 · k / N, weighted by people", "得分 = 100 · k / N,按人口加权",
    "too few people, or data for less than 70 % of the list"
)
_SCORE_LOW = Column(
    "score_low", "float", "points", "score if every missing layer had no places", "缺失图层按“无”计的得分",
    "no score"
)
_SCORE_HIGH = Column(
    "score_high", "float", "points", "score if every missing layer served all", "缺失图层按“全有”计的得分",
    "no score"
)
_COMPLETE = Column(
    "complete_share", "float", "share", "people who reach every required (▲) scoring service / people",
    "可到达全部应配建(▲)计分服务的人口比例", "no people, or no required service has data"
)
_MISSING_ONE = Column(
    "missing_one_share", "float", "share", "people who miss exactly one required scoring service / people",
    "只缺一项应配建计分服务的人口比例", "no people, or no required service has data"
)
_WEAKEST = Column(
    "weakest_rule", "id", "", "scoring rule with the lowest share, where possible of a layer that is not incomplete",
    "覆盖率最低的计分条文(优先取资料完整者)",
    "no share is known"
)
_UNIT_COMPLETE = Column(
    "unit_complete", "bool", "", "all communities of the unit are in the input", "单元内的社区是否全部输入"
)
_SCORE_CONFIDENCE = Column(
    "confidence", "id", "",
    "weakest mark of the scored rules: V read in the source, V2 second-hand, M+ to be checked, M? unsure",
    "计分条文中最弱的可信度标记:V 已核对、V2 二手来源、M+ 待核对、M? 存疑",
    "nothing is scored, or all verified"
)
_THEMES = tuple(
    Column(
        f"theme_{theme}", "float", "share",
        f"mean k / N over the listed services of the theme {theme}; shown beside the score, never averaged",
        f"{name}主题:可达项数占该主题清单项数的比例(人口加权),仅列示,不参与平均",
        "no score, or no listed service of the theme has data"
    )
    for theme, name in {**THEMES_ZH, "transit": "公共交通(只计步行到站,不含乘车)"}.items()
    if theme != "information"
)
_FACILITY_ID = Column("facility_id", "id", "", "identifier of the facility", "设施编号")
_SERVICE = Column("service", "id", "", "service of the catalogue", "服务(目录编号)")
_SOURCE = Column("source", "text", "", "osm, or the file the row came from", "来源:osm 或文件名")
_LEG_M = Column(
    "leg_m", "float", "m", "distance to the street it joins", "接入街道的距离",
    "farther than the joining limit"
)

COVERAGE = Table(
    "coverage", "coverage.csv",
    "Coverage: one row per unit, rule, group, walker and treatment of gates",
    "覆盖率:每个单元、条文、人群、步行人群和院门口径一行",
    (
        _LEVEL,
        _UNIT_ID,
        _UNIT_NAME,
        Column("standard", "id", "", "standard the rule belongs to", "标准编号"),
        Column("rule", "id", "", "rule: one clause of the standard", "条文编号"),
        Column(
            "service", "id", "", "services of the rule, joined by |", "条文所要求的服务,以 | 连接",
            "no facility"
        ),
        Column("theme", "id", "", "theme of the service", "主题圈", "no facility"),
        Column("tier", "id", "", "tier of the rule: 5min, 10min, 15min …", "圈层", "the clause names none"),
        Column("group", "id", "", "group of people that is counted: all or age_…", "服务人群"),
        Column(
            "group_basis", "id", "",
            "given: counted in the input; share: a share of everybody; stand_in: all people stand in for the group",
            "人群数的依据:given 输入数据,share 按比例推算,stand_in 以全体人口代替", "no people are counted"
        ),
        Column(
            "walker", "id", "", "walker whose speed and steps count", "步行人群", "the measure does not walk"
        ),
        Column(
            "gates", "id", "", "how gates of closed estates were taken", "封闭小区院门的口径",
            "the same for all"
        ),
        Column("clause_measure", "id", "", "what the clause itself measures by", "条文口径"),
        Column(
            "threshold", "float", "threshold_unit", "figure of the clause", "条文指标值",
            "the clause has no figure"
        ),
        Column("threshold_unit", "id", "", "unit of the threshold", "指标单位", "the clause has no figure"),
        Column(
            "denominator", "id", "",
            "what demand and share count: people, households, residential_land (m²), land (m²), units (communities)",
            "应服务量与覆盖率的分母:人口、户、居住用地(m²)、用地(m²)、社区", "nothing is counted"
        ),
        Column("demand", "int", "denominator", "all that should be served", "应服务量", "not a share"),
        Column(
            "covered", "int", "denominator",
            "served by walking along streets: metres, or the rule's walker's minutes; a community (units) counts "
            "when half of its people can walk there",
            "沿街步行口径的已覆盖量;以社区计(units)时,半数居民可步行到达即计入", "no data, or not a share"
        ),
        Column(
            "share", "float", "share", "covered / demand", "步行覆盖率", "no data, no demand, or not a share"
        ),
        Column(
            "radius_covered", "int", "denominator", "inside the straight-line radius, as statistics count",
            "直线半径口径的已覆盖量", "no data, or not a share"
        ),
        Column("radius_share", "float", "share", "radius_covered / demand", "半径覆盖率", "as share"),
        Column(
            "minutes_covered", "int", "denominator", "served within the tier's minutes by the chosen walker",
            "所选步行人群在圈层分钟数内的已覆盖量", "no data, or the rule has no minutes"
        ),
        Column(
            "minutes_share", "float", "share", "minutes_covered / demand", "分钟覆盖率", "as minutes_covered"
        ),
        Column(
            "value", "float", "threshold_unit", "result of a supply rule", "配建类条文的结果",
            "not a supply rule"
        ),
        Column(
            "target", "float", "threshold_unit", "share or value to be reached", "目标值",
            "the clause has none"
        ),
        Column(
            "met_clause", "bool", "", "met by the clause's own measure", "按条文口径是否满足",
            "cannot be judged"
        ),
        Column(
            "met_walk", "bool", "", "met when checked by walking", "按步行距离复核是否满足",
            "cannot be judged"
        ),
        Column(
            "nearest_m_median", "float", "m",
            "walk to the nearest place, half of the demand (people, or land) has less",
            "到最近设施步行距离的加权中位数(按应服务量)", "not reached within the search limit"
        ),
        Column(
            "nearest_m_p90", "float", "m", "walk to the nearest place, nine tenths of the demand have less",
            "到最近设施步行距离的加权 90 分位(按应服务量)", "not reached within the search limit"
        ),
        Column(
            "facilities", "int", "places", "places of the service inside the unit", "单元内设施数", "no data"
        ),
        Column(
            "status", "id", "",
            "ok; incomplete (the share is a lower bound); no_data; no_demand; not_applicable; withheld (--publish)",
            "状态:正常;不完整(至少值);无数据;无需求;不适用;不公布(--publish)"
        ),
        Column("layer_complete", "id", "", "yes, no or unknown", "图层是否完整", "no layer"),
        Column(
            "edge_share", "float", "share", "people whose reach leaves the extract / people",
            "可达范围超出数据边界的人口比例", "no people"
        ),
        Column("clause", "text", "", "citation of the clause", "条文出处"),
        Column(
            "bound", "id", "", "must (应), recommended (宜) or optional", "约束程度:应、宜、可",
            "wording not known"
        ),
        Column(
            "provision", "id", "", "required (▲) or as_needed (△)", "应配建 ▲ 或按需配建 △",
            "the clause says neither"
        ),
        Column("confidence", "text", "", "confidence mark of the figure", "可信度标记"),
        Column(
            "attainment", "float", "share", "min(1, share by the clause's measure / target)",
            "目标完成度 = min(1, 按条文口径的覆盖率 / 目标值)", "the clause states no target, or no share is known"
        ),
    ),
)

SCORES = Table(
    "scores", "scores.csv",
    "Scores: one row per unit",
    "得分:每个单元一行",
    (
        _LEVEL,
        _UNIT_ID,
        _UNIT_NAME,
        _UNIT_TYPE,
        _PEOPLE,
        _UNIT_COMPLETE,
        _K_MEAN,
        _N_SCORED,
        _N_LISTED,
        _SCORE,
        _SCORE_LOW,
        _SCORE_HIGH,
        _COMPLETE,
        _MISSING_ONE,
        _WEAKEST,
        _SCORE_CONFIDENCE,
        *_THEMES,
    ),
)

SCORE_HISTOGRAM = Table(
    "score_histogram", "score_histogram.csv",
    "How many people reach k of the N listed services",
    "可达 k 项服务的居民人数分布",
    (
        _LEVEL,
        _UNIT_ID,
        _PEOPLE_OF,
        Column("k", "int", "services", "listed services in reach, 0 to N", "可达服务项数 k(0 至 N)"),
        Column("people", "int", "people", "people who reach exactly k of them", "恰好可达 k 项的居民人数"),
    ),
)

DISTANCES = Table(
    "distances", "distances.csv",
    "How far people of districts and the city walk to the nearest place of each rule, by steps of 100 m",
    "各区和全市居民到各条文最近设施的沿街步行距离分布(每 100 米一档)",
    (
        _LEVEL,
        _UNIT_ID,
        *(column_of(COVERAGE, name) for name in ("rule", "group", "walker", "gates")),
        Column(
            "to_m", "float", "m", "end of the step: walks of more than 100 m less, up to and with this",
            "该档上限(含),下限为其减 100 米", "no place within the search limit"
        ),
        Column(
            "people", "int", "people", "people whose walk ends in this step; steps without anybody have no row",
            "步行距离在该档内的人数;无人的档不列出"
        ),
    ),
)

FAIRNESS = Table(
    "fairness", "fairness.csv",
    "How evenly the services within reach are spread over people; Gini (1912) of k, as Delbosc and Currie (2011)",
    "可达服务项数在居民之间的均衡程度(k 的基尼系数)",
    (
        _LEVEL,
        _UNIT_ID,
        _UNIT_NAME,
        _PEOPLE_OF,
        Column("people", "int", "people", "people of the group who are scored", "计分人口"),
        Column("k_mean", "float", "services", "listed services in reach, mean over the group", "人均可达服务项数"),
        Column(
            "gini", "float", "0–1", "Gini coefficient of k: 0 all reach as many, towards 1 few reach everything",
            "k 的基尼系数:0 为完全均等", "nobody reaches anything"
        ),
        Column(
            "worst_tenth_k", "float", "services", "mean k of the tenth of the people who reach fewest",
            "可达项数最少的十分之一居民的人均可达项数"
        ),
        Column(
            "k_difference", "float", "services", "k_mean of the group less k_mean of everybody in the unit",
            "该人群与全体居民人均可达项数之差"
        ),
    ),
)

CAPACITY = Table(
    "capacity", "capacity.csv",
    "Beds, seats and floor in reach, shared with all who reach them: 2SFCA (Luo & Wang 2003), E2SFCA (Luo & Qi 2009)",
    "床位、学位、建筑面积的可达供给:两步移动搜索法 2SFCA 与带距离衰减的 E2SFCA",
    (
        _LEVEL,
        _UNIT_ID,
        _UNIT_NAME,
        _SERVICE,
        Column("measure", "id", "", "beds, seats, or m2 of floor", "床位、学位或建筑面积 m2"),
        Column(
            "method", "id", "", "2sfca; e2sfca_slow or e2sfca_fast: nearer people weigh more, by thirds of the reach",
            "方法:2sfca;e2sfca_slow、e2sfca_fast 按距离三等分递减"
        ),
        Column("group", "id", "", "who shares the supply", "共享供给的人群"),
        Column("reach_m", "float", "m", "longest walk, as the clause of the service says", "最远步行距离,按该服务条文"),
        Column("people", "int", "people", "people of the group in homes on the streets", "单元内该人群人数"),
        Column(
            "supply_in_reach", "float", "beds, seats or m²", "what the places have that people of the unit can walk to",
            "单元居民步行可达设施的总供给"
        ),
        Column(
            "access_per_1000", "float", "per 1,000 people", "supply per 1,000 people, mean over people",
            "每千人可达供给,按人口平均", "nobody of the group lives in the unit"
        ),
        Column(
            "access_p10", "float", "per 1,000 people", "a tenth of the people have no more than this",
            "人口 10 分位", "nobody of the group lives in the unit"
        ),
        Column(
            "access_p50", "float", "per 1,000 people", "half of the people have no more than this",
            "人口中位数", "nobody of the group lives in the unit"
        ),
        Column("people_without", "int", "people", "people without any known supply in reach", "范围内无已知供给的人数"),
        Column(
            "required_per_1000", "float", "per 1,000 people", "what a clause of the run asks for",
            "条文要求的千人指标", "no clause states one"
        ),
        Column(
            "people_below", "int", "people", "people whose access is below the figure of the clause",
            "低于条文指标的人数", "no clause states one"
        ),
        Column("places_known", "int", "places", "places of the input whose figure is known", "规模已知的设施数"),
        Column(
            "places_unknown", "int", "places",
            "places of the input whose figure is not known: they take no part, so that access is at least this much",
            "规模未知的设施数(不参与计算,故供给为下限)"
        ),
    ),
)

SENSITIVITY = Table(
    "sensitivity", "sensitivity.csv",
    "A range beside each share: lowest and highest when thresholds, speeds, people or gates are changed one at a time",
    "覆盖率的波动范围:逐一改变指标值、步速、人口、院门口径时的最低与最高",
    (
        _LEVEL,
        _UNIT_ID,
        _UNIT_NAME,
        Column("rule", "id", "", "rule: one clause of the standard", "条文编号"),
        Column("group", "id", "", "whom the rule is for, as scanned", "服务人群"),
        Column("walker", "id", "", "whose walking speed was used", "步行人群"),
        Column("share", "float", "share", "share on foot, as scanned", "步行覆盖率(本次扫描)"),
        Column("share_low", "float", "share", "lowest share of all that was tried", "各种情形中最低的覆盖率"),
        Column("share_high", "float", "share", "highest share of all that was tried", "各种情形中最高的覆盖率"),
        Column(
            "low_by", "text", "", "what made the lowest: as scanned, thresholds, speeds, population or gates",
            "最低值出现的情形"
        ),
        Column("high_by", "text", "", "what made the highest", "最高值出现的情形"),
    ),
)

RANK_STABILITY = Table(
    "rank_stability", "rank_stability.csv",
    "How stable scores and ranks are when thresholds, speeds, people or gates are changed one at a time",
    "得分与名次的稳定性:逐一改变指标值、步速、人口、院门口径",
    (
        _LEVEL,
        _UNIT_ID,
        _UNIT_NAME,
        _SCORE,
        Column("score_low_variant", "float", "points", "lowest score of all that was tried", "各种情形中最低的得分"),
        Column("score_high_variant", "float", "points", "highest score of all that was tried", "各种情形中最高的得分"),
        Column(
            "rank", "int", "", "rank among units of the same level, type and list, 1 is best, as scanned",
            "同层级、同类型、同清单单元中的名次(本次扫描)", "not all communities of the unit are in the input"
        ),
        Column(
            "ranked_units", "int", "units", "units ranked together as scanned, this one included; 1: the only one",
            "本次扫描中一同排名的单元数(含本单元),1 为仅此一个", "not ranked"
        ),
        Column("rank_low", "int", "", "best rank of all that was tried", "各种情形中最靠前的名次", "not ranked"),
        Column("rank_high", "int", "", "worst rank of all that was tried", "各种情形中最靠后的名次", "not ranked"),
        Column(
            "rank_share_stable", "float", "share", "share of what was tried in which the rank is the same as scanned",
            "名次与本次扫描相同的情形所占比例", "not ranked, or nothing was tried"
        ),
    ),
)

COMMUNITIES = Table(
    "communities", "communities.gpkg, layer communities",
    "Communities with their scores and shares, for QGIS",
    "社区、得分与覆盖率,供 QGIS 使用",
    (
        _UNIT_ID,
        _UNIT_NAME,
        Column(
            "subdistrict", "text", "", "subdistrict of the community", "所属街道", "not stated in the input"
        ),
        Column("district", "text", "", "district of the community", "所属区县", "not stated in the input"),
        _UNIT_TYPE,
        _PEOPLE,
        _SCORE,
        _SCORE_LOW,
        _SCORE_HIGH,
        _K_MEAN,
        _N_SCORED,
        _N_LISTED,
        _COMPLETE,
        _MISSING_ONE,
        _WEAKEST,
        _UNIT_COMPLETE,
        _SCORE_CONFIDENCE,
        Column(
            "not_placed",
            "int",
            "people",
            "people who live there but are not on the street network; they are in no other number"
            " (m² of residential land where no population is given)",
            "居住在此但未接入路网的人口,未计入其他任何数字(无人口数据时为居住用地 m²)",
        ),
        *_THEMES,
        Column("basis", "text", "", "how people were placed in homes", "人口落位的依据", "no people"),
        Column(
            "leg_m_p50", "float", "m", "leg from home to street, median", "居住点接入街道距离的中位数",
            "no people"
        ),
        Column(
            "leg_m_p90", "float", "m", "leg from home to street, 90th percentile", "接入街道距离的 90 分位",
            "no people"
        ),
        Column(
            "pedestrian_shed", "float", "share",
            "ground inside its 15-minute circle / ground of the disc that a straight walk of 15 minutes would reach",
            "15 分钟生活圈面积与同半径圆面积之比", "no circle: nobody lives on the street network"
        ),
        Column(
            "share_*", "float", "share",
            "walking share of the rule named after share_ (the first row of coverage.csv for it)",
            "该条文的步行覆盖率", "no data, no demand, not applicable, or not a share"
        ),
        Column(
            "geometry", "geometry", "EPSG:4326", "outline of the community, from the input",
            "社区边界,来自输入"
        ),
    ),
)

FACILITIES = Table(
    "facilities", "facilities.gpkg, layers facilities_<source>",
    "Facilities as used, one layer per source",
    "所用设施,每个来源一个图层",
    (
        _FACILITY_ID,
        _SERVICE,
        Column("theme", "id", "", "theme of the service", "主题圈"),
        Column("name", "text", "", "name of the facility", "设施名称", "not named"),
        _SOURCE,
        Column(
            "how", "id", "", "how its access points were found, joined by |", "出入口的确定方式,以 | 连接",
            "no access point"
        ),
        Column("area_m2", "float", "m²", "area of its ground", "占地面积", "a point, or not known"),
        Column("complete", "id", "", "whether its layer is complete: yes, no, unknown", "所在图层是否完整"),
        Column("geometry", "geometry", "EPSG:4326", "place or ground of the facility", "设施位置或范围"),
    ),
)

ACCESS_POINTS = Table(
    "access_points", "facilities.gpkg, layers access_<source>",
    "Access points: where facilities are entered from the street",
    "出入口:从街道进入设施的位置",
    (
        _FACILITY_ID,
        _SERVICE,
        _SOURCE,
        Column("how", "id", "", "point, entrance, gate, crossing, frontage or centre", "出入口的确定方式"),
        Column("edge_id", "int", "", "street edge it joins; -1 if none", "接入的街道边,-1 为未接入"),
        _LEG_M,
        Column("geometry", "geometry", "EPSG:4326", "access point", "出入口位置"),
    ),
)

UNPLACED = Table(
    "unplaced", "unplaced.csv",
    "Rows and people that could not be used, with the reason",
    "未能使用的行与人口及原因",
    (
        Column("source", "text", "", "file the row came from", "来源文件"),
        Column(
            "row", "id", "", "row of the file as Excel shows it (headings: row 1), or id",
            "文件行号(与 Excel 一致,表头为第 1 行)或对象编号", "no single row"
        ),
        Column("name", "text", "", "name in the row", "名称", "not named"),
        Column("unit_id", "id", "", "unit the row belongs to", "所属单元", "not known"),
        Column(
            "people", "int", "people",
            "people who are not counted because of it (m² of residential land where no population is given)",
            "因此未计入的人口(无人口数据时为居住用地 m²)",
            "a facility"
        ),
        Column("reason", "id", "", "reason in one word", "原因"),
        Column("detail", "text", "", "what was found, and what was expected", "说明"),
    ),
)

_NEAREST_ID = Column(
    "nearest_id", "id", "", "the place that is nearest to most of them", "对其中多数人最近的设施编号",
    "no place within the search limit"
)
GAPS = Table(
    "gaps", "gaps.csv",
    "Gaps: per community the rules that leave people without, the most people first",
    "缺口:每个社区未能步行到达的条文,人数多者在前",
    (
        _UNIT_ID,
        _UNIT_NAME,
        *(column_of(COVERAGE, name) for name in ("rule", "service", "tier", "group", "walker", "gates")),
        Column("scores", "bool", "", "the rule counts in the score", "是否计分条文"),
        column_of(COVERAGE, "provision"),
        Column(
            "without", "int", "people", "people who do not reach it on foot within the standard: demand - covered",
            "标准内步行不可达的人数"
        ),
        *(column_of(COVERAGE, name) for name in ("demand", "share")),
        Column(
            "unreached", "int", "people", "of them: no place at all within the search limit",
            "其中搜索范围内步行无任何设施可达的人数"
        ),
        _NEAREST_ID,
        Column("nearest_name", "text", "", "its name", "该设施名称", "not named, or as nearest_id"),
        Column(
            "nearest_m", "float", "m", "their walk to it: half of those for whom it is nearest walk less",
            "以其为最近设施者的步行距离中位数", "as nearest_id"
        ),
        *(
            column_of(COVERAGE, name)
            for name in (
                "threshold", "threshold_unit", "target", "met_clause", "met_walk", "status", "clause", "bound",
                "confidence",
            )
        ),
    ),
)

FALSE_COVERAGE = Table(
    "false_coverage", "false_coverage.csv",
    "False coverage: inside the straight-line radius, outside the walk; by level, the most people first",
    "假覆盖:在直线半径内而步行距离外,按层级、人数排序",
    (
        _LEVEL,
        Column(
            "rank", "int", "", "place among the rows of its level, walker and gates: 1 has the most people",
            "同一层级内的名次,1 为人数最多"
        ),
        _UNIT_ID,
        _UNIT_NAME,
        *(column_of(COVERAGE, name) for name in ("rule", "service", "tier", "group", "walker", "gates", "demand")),
        *(column_of(COVERAGE, name) for name in ("radius_covered", "radius_share", "covered", "share")),
        Column(
            "false_covered", "int", "people", "people whom the radius counts and the walk does not: the difference",
            "半径口径与步行口径之差的人数"
        ),
        Column("false_share", "float", "share", "false_covered / demand", "假覆盖人数占应服务人数的比例"),
        *(column_of(COVERAGE, name) for name in ("status", "clause", "bound", "confidence")),
    ),
)

ADDITIONS = Table(
    "additions", "additions.csv",
    "Additions: where one more place would help most people, each tried alone",
    "补点:新增一处设施受益人口最多的位置,逐一试算",
    (
        column_of(COVERAGE, "rule"),
        Column("service", "id", "", "service of the place that is added", "新增设施的服务"),
        Column(
            "rank", "int", "", "place among the best of its rule by people gained; they lie the rule's reach apart",
            "该条文内按新增覆盖人口的名次,位置之间相距不小于该条文的距离", "listed for what it completes"
        ),
        Column(
            "city_rank", "int", "", "place among the additions of all rules by people completed",
            "全市各条文补点中按补齐人口的名次", "completes nobody, or is not among the best"
        ),
        Column(
            "candidate_id", "id", "", "the parcel, or longitude and latitude of a street point",
            "地块编号,或街道点的经纬度"
        ),
        Column("candidate_name", "text", "", "name of the parcel", "地块名称", "a street point, or not named"),
        Column("lon", "float", "degrees", "longitude (WGS-84)", "经度(WGS-84)"),
        Column("lat", "float", "degrees", "latitude (WGS-84)", "纬度(WGS-84)"),
        Column("unit_id", "id", "", "community in which it lies", "所在社区编号", "outside all communities"),
        Column("unit_name", "text", "", "name of that community", "所在社区名称", "as unit_id, or not named"),
        Column(
            "gained", "int", "people", "people of the rule's group, of all communities, who come inside the rule",
            "新增覆盖人口(全市)"
        ),
        Column(
            "gained_share", "float", "share", "gained / people of the rule's group", "新增覆盖人口占应服务人口的比例"
        ),
        Column(
            "completed", "int", "people",
            "people for whom it is the only required (▲) scoring service out of reach: they then reach all of them;"
            " services without data are left out",
            "补齐人口:只缺该项应配建(▲)服务者,新增后即齐全;无数据的服务不计", "the rule is not required"
        ),
        *(column_of(COVERAGE, name) for name in ("walker", "gates", "status", "clause")),
    ),
)

FACILITY_CHANGES = Table(
    "facility_changes", "facility_changes.csv",
    "What was merged into another facility or removed; [[facility_override]] in the study overrules a row by its id",
    "被合并或剔除的设施;可在研究文件中用 [[facility_override]] 按编号改判",
    (
        Column("facility_id", "id", "", "the row that is no facility of its own", "被合并或剔除的设施编号"),
        _SOURCE,
        Column("name", "text", "", "its name", "名称", "not named"),
        _SERVICE,
        Column(
            "action", "id", "", "merged, removed, or kept (on the word of the study)",
            "处理:merged 合并、removed 剔除、kept 按研究文件保留"
        ),
        Column("into", "id", "", "facility_id of the place that it is, or is a part of", "并入的设施编号", "none"),
        Column("distance_m", "float", "m", "distance to that place", "与并入设施的距离", "no such place"),
        Column(
            "rule", "id", "",
            "same_name, same_outline, inside, touching, one_campus, part_of_place, wrong_category, housing_estate, "
            "not_public_private, not_public_customers, not_public_fee, not_public_school, not_public_golf, override",
            "规则:同名、同一范围、位于其内、相邻、同一校区或院区、场所的一部分、类别不符、住宅小区、非公众开放、人工改判"
        ),
        Column("detail", "text", "", "why, in words", "说明"),
    ),
)

COMPARISON = Table(
    "comparison", "compare.csv; output of livingcircle compare",
    "Two scans beside each other, per unit and rule",
    "两次运行的对比,每个单元和条文一行",
    (
        Column("side", "id", "", "both; or old, new: only that scan has the row", "两次均有 both;仅旧 old、仅新 new"),
        _LEVEL,
        _UNIT_ID,
        _UNIT_NAME,
        *(column_of(COVERAGE, name) for name in ("rule", "walker", "gates")),
        Column("demand_old", "float", "", "demand of the old scan", "旧:服务人口", "not in it"),
        Column("demand_new", "float", "", "demand of the new scan", "新:服务人口", "not in it"),
        Column("covered_old", "float", "", "covered in the old scan", "旧:步行达标", "not in it, or not known"),
        Column("covered_new", "float", "", "covered in the new scan", "新:步行达标", "not in it, or not known"),
        Column("covered_change", "float", "", "covered_new - covered_old", "步行达标之差", "one of them is not known"),
        Column("share_old", "float", "", "share of the old scan", "旧:覆盖率", "not in it, or not known"),
        Column("share_new", "float", "", "share of the new scan", "新:覆盖率", "not in it, or not known"),
        Column("share_change", "float", "", "share_new - share_old", "覆盖率之差", "one of them is not known"),
        Column("status_old", "id", "", "status in the old scan", "旧:状态", "not in it"),
        Column("status_new", "id", "", "status in the new scan", "新:状态", "not in it"),
    ),
)

CAUSES = Table(
    "causes", "compare_causes.csv; output of livingcircle compare",
    "What is not the same in two scans, apart from the numbers",
    "两次运行中不同的设施、设置和输入",
    (
        Column(
            "cause", "text", "",
            "facility came, went, moved or renamed; community renamed or redrawn; rule; setting; input",
            "设施新增、减少、移位、更名;社区更名、边界变化;条文;设置;输入"
        ),
        Column("what", "text", "", "which", "名称"),
        Column(
            "old_value", "text", "", "in the old scan; of an input its digest, of an outline its area",
            "旧值;输入为摘要,边界为面积", "none"
        ),
        Column("new_value", "text", "", "in the new scan; of a place how far it moved", "新值;设施为移动距离", "none"),
    ),
)

DISTRICTS = Table(
    "districts", "districts.csv",
    "Districts of a batch: what became of each",
    "批量运行的各区:完成情况",
    (
        Column("district", "text", "", "name of the [[district]] in the study file", "区名"),
        Column("status", "id", "", "done, failed or skipped", "完成 done、失败 failed、跳过 skipped"),
        Column("why", "text", "", "why it failed or was skipped", "失败或跳过的原因", "done"),
        Column("communities", "int", "", "communities that were counted", "社区数", "not done"),
        Column("people", "int", "people", "people who were placed", "计入的人口", "not done"),
    ),
)

ESTATES = Table(
    "estates",
    "estates.csv",
    "Gated estates: what opening the gates would bring (in m² of residential land where no population is given)",
    "封闭小区:打开院门可新增的覆盖人口(无人口数据时为居住用地 m²)",
    (
        Column("estate_id", "id", "", "outline of the estate", "小区编号"),
        Column("name", "text", "", "name of the estate", "小区名称", "not named"),
        Column("unit_id", "id", "", "community in which these people live", "所在社区编号"),
        Column("known_gates", "int", "", "gates that are known", "已知院门数"),
        Column("rule", "id", "", "rule", "条文编号"),
        Column("people", "int", "people", "people of the rule's group in the estate", "小区内该条文的服务人口"),
        Column("inside", "int", "people", "inside the standard, leaving through the gates", "经院门步行覆盖人口"),
        Column("inside_open", "int", "people", "inside the standard over open borders", "打开围墙后覆盖人口"),
        Column("gain", "int", "people", "people whom opening the gates brings inside", "打开院门新增覆盖人口"),
    ),
)

CIRCLES = Table(
    "circles", "circles.gpkg, layer circles",
    "Circles: the ground that can be walked to from where a community's people live, a row per walker and minutes",
    "社区生活圈:自社区居民居住中心沿街步行可达的范围,每个步行人群和时间一行",
    (
        _UNIT_ID,
        _UNIT_NAME,
        Column("walker", "id", "", "walker whose speed and steps count", "步行人群"),
        Column("minutes", "float", "min", "minutes of the walk", "步行分钟数"),
        Column(
            "people", "int", "people", "people who live within the walk, of any community",
            "步行范围内的居住人口(含其他社区)"
        ),
        Column("area_m2", "float", "m²", "area of the circle", "生活圈面积"),
        Column(
            "pedestrian_shed", "float", "share",
            "area of the circle / area of the disc of the same walk as the crow flies",
            "步行可达面积占同等直线半径圆面积的比例"
        ),
        Column(
            "lon", "float", "degrees",
            "start of the walk: the street position of the home nearest to the middle of its people",
            "起点经度:最接近居民居住中心的居住点的临街位置"
        ),
        Column("lat", "float", "degrees", "start of the walk", "起点纬度"),
        Column("geometry", "geometry", "EPSG:4326", "the circle, with its holes", "生活圈范围,含内部空洞"),
    ),
)

ESTATE_NAMES = Table(
    "estate_names", "facilities.gpkg, layer estates",
    "Estates by name: a point in every residential outline that has one, for the search of the map",
    "小区名称:每个有名称的居住区内一点,供地图查找",
    (
        Column("name", "text", "", "name of the estate", "小区名称"),
        Column("geometry", "geometry", "EPSG:4326", "a point inside it", "其内一点"),
    ),
)

BACKGROUND = Table(
    "background", "facilities.gpkg, layer background",
    "Background of the map: water, green, roads and rails of OpenStreetMap",
    "地图底图:OpenStreetMap 的水面、绿地、道路与铁路",
    (
        Column("kind", "id", "", "water, green, road or rail", "类别:水面、绿地、道路、铁路"),
        Column("rank", "int", "", "importance within its kind: 0 is the highest", "重要程度:0 最高"),
        Column("name", "text", "", "its name in OpenStreetMap", "OpenStreetMap 中的名称", "has none 无名称"),
        Column("geometry", "geometry", "EPSG:4326", "outline or line", "轮廓或线"),
    ),
)

BANDS = Table(
    "bands", "bands.gpkg, layer bands",
    "Bands: the ground from which people walk to a green within the metres of a rule (300米见绿、500米见园), for maps",
    "绿地步行带:沿街步行可在条文距离内到达绿地的范围,供制图使用",
    (
        Column("rule", "id", "", "rule: one clause of the standard", "条文编号"),
        Column("metres", "float", "m", "walk along streets", "沿街步行距离"),
        Column("doors", "int", "", "access points of the greens that the rule counts", "所计绿地的出入口数"),
        Column("geometry", "geometry", "EPSG:4326", "the ground, with its holes", "范围,含内部空洞"),
    ),
)

FACILITY_CIRCLES = Table(
    "facility_circles", "circles.gpkg, layer facilities",
    "Circles of facilities: the ground from which people walk to one within the walk that a rule of the run asks for",
    "设施步行圈:沿街步行可在条文距离或时间内到达该设施的范围",
    (
        Column("facility_id", "id", "", "id of the facility", "设施编号"),
        Column("service", "id", "", "service of the catalogue", "服务类别"),
        Column("metres", "float", "m", "walk along streets", "沿街步行距离", "the rule is in minutes"),
        Column("minutes", "float", "min", "minutes of the walk", "步行分钟数", "the rule is in metres"),
        Column("walker", "id", "", "walker whose speed and steps count", "步行人群"),
        Column("geometry", "geometry", "EPSG:4326", "the ground, with its holes", "范围,含内部空洞"),
    ),
)

HOMES = Table(
    "homes", "homes.parquet",
    "Homes, for checks; never published",
    "居住点,仅供校核,不得发布",
    (
        Column("home", "int", "", "number of the home", "居住点序号"),
        Column(
            "unit", "id", "", "unit_id of the community it lies in", "所在社区编号",
            "outside all communities"
        ),
        Column("x", "float", "m", "east in the metric plane named in run.json", "平面东坐标"),
        Column("y", "float", "m", "north in the metric plane named in run.json", "平面北坐标"),
        Column("people", "int", "people", "people who live there", "人口"),
        Column("age_*", "int", "people", "people of the group", "该人群人口"),
        Column("edge_id", "int", "", "street edge it joins; -1 if none", "接入的街道边,-1 为未接入"),
        Column("fraction", "float", "share", "position along the edge, 0 to 1", "沿边位置", "not joined"),
        _LEG_M,
        Column(
            "nearest_m_*", "float", "m", "walk to the nearest place of the layer",
            "到该图层最近设施的步行距离", "not reached within the search limit"
        ),
        Column(
            "within_*", "int", "places", "places within the threshold of the scoring rule, by its walk",
            "按步行在该计分条文阈值内的设施数", "no place of the layer is known"
        ),
    ),
)

MATRIX = Table(
    "matrix", "output of livingcircle matrix",
    "Walks between origins and destinations; pairs that are not reached are left out",
    "起讫点间步行距离,不可达的不列出",
    (
        Column("origin_id", "id", "", "id of the origin", "起点编号"),
        Column("destination_id", "id", "", "id of the destination", "终点编号"),
        Column("walk_m", "float", "m", "walk along streets, legs included", "沿街步行距离,含接入段"),
        Column("walk_min", "float", "min", "minutes of the walker", "步行分钟数"),
    ),
)

STREET_NODES = Table(
    "street_nodes", "output of livingcircle streets, layer nodes",
    "Nodes of the walking network",
    "步行网络节点",
    (
        Column("node_id", "int", "", "node of OpenStreetMap", "OpenStreetMap 节点编号"),
        Column("signals", "bool", "", "has traffic signals", "是否有信号灯"),
        Column("geometry", "geometry", "EPSG:4326", "position", "位置"),
    ),
)

STREET_EDGES = Table(
    "street_edges", "output of livingcircle streets, layer edges",
    "Edges of the walking network",
    "步行网络边",
    (
        Column("edge_id", "int", "", "number of the edge", "边序号"),
        Column("u", "int", "", "node_id where the edge begins", "起节点编号"),
        Column("v", "int", "", "node_id where the edge ends", "止节点编号"),
        Column("length_m", "float", "m", "length", "长度"),
        Column("oneway", "bool", "", "walking is allowed from u to v only", "是否只能由 u 走向 v"),
        Column("highway", "id", "", "class of the street in OpenStreetMap", "道路类别"),
        Column(
            "component", "int", "", "connected part of the network; 0 is the largest", "连通分量,0 为最大"
        ),
        Column("geometry", "geometry", "EPSG:4326", "line", "线形"),
    ),
)

STREET_DIAGNOSIS = Table(
    "street_diagnosis", "diagnosis.gpkg; output of livingcircle streets, layer diagnosis",
    "Where the walking network may be broken",
    "步行网络可能存在的问题",
    (
        Column(
            "kind", "id", "",
            "island: cut off from the longest piece; undershoot: a dead end just short of a street; "
            "long_connector: a place far from every street",
            "类型:孤岛(与主网不连通)、悬挂端点(差一点未接上道路)、过长接入段"
        ),
        Column("edge_id", "int", "", "edge it is about", "所涉及的街道边"),
        Column("component", "int", "", "connected part of the network", "所属连通分量"),
        Column(
            "length_m", "float", "m", "length of the island, of the dead-end street, or of the edge",
            "孤岛、断头路或街道边的长度"
        ),
        Column(
            "gap_m", "float", "m",
            "distance to the longest piece, to the street that is missed, or of the leg",
            "到主网、到未接道路或接入段的距离"
        ),
        Column("detail", "text", "", "what was found", "说明"),
        Column(
            "geometry", "geometry", "EPSG:4326", "the island, the missing line, or the leg",
            "孤岛、缺失的连接线或接入段"
        ),
    ),
)
# fmt: on

TABLES = (
    COVERAGE,
    SCORES,
    SCORE_HISTOGRAM,
    DISTANCES,
    FAIRNESS,
    CAPACITY,
    SENSITIVITY,
    RANK_STABILITY,
    COMMUNITIES,
    FACILITIES,
    ACCESS_POINTS,
    UNPLACED,
    FACILITY_CHANGES,
    GAPS,
    FALSE_COVERAGE,
    ADDITIONS,
    DISTRICTS,
    COMPARISON,
    CAUSES,
    ESTATES,
    CIRCLES,
    BANDS,
    FACILITY_CIRCLES,
    ESTATE_NAMES,
    BACKGROUND,
    HOMES,
    MATRIX,
    STREET_NODES,
    STREET_EDGES,
    STREET_DIAGNOSIS,
)


def data_dictionary_markdown() -> str:
    """Return the data dictionary of all outputs as Markdown."""
    lines = [
        "# Data dictionary 数据字典",
        "",
        "Made from `livingcircle.columns`: `python -m livingcircle.columns > docs/data-dictionary.md`.",
        "",
        "- An empty cell is never 0: the last column says what it means.",
        "- CSV files are UTF-8 with BOM, comma, LF; `true`/`false`; shares have 6 decimals, metres 2.",
        "- `id` and `text` are strings. Texts (names, details, citations) that begin with `=`, `+`, `-`, `@`"
        " or a control character get a leading apostrophe in CSV files, so that no spreadsheet runs them as"
        " a formula; ids are never altered.",
        "- A name ending in `*` stands for all columns that begin with it.",
    ]
    for table in TABLES:
        lines += ["", f"## {table.name}", "", f"{table.title_en}. {table.title_zh}。 File: {table.file}.", ""]
        lines += ["| column | type | unit | meaning | 含义 | empty means |", "|---|---|---|---|---|---|"]
        lines += [_markdown_row(column) for column in table.columns]
    return "\n".join(lines) + "\n"


def _markdown_row(column: Column) -> str:
    cells = (column.dtype, column.unit, column.meaning_en, column.meaning_zh, column.null or "never empty")
    return f"| `{column.name}` | " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(data_dictionary_markdown())
