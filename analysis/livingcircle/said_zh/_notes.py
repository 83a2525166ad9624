"""Notes, facts of a check, and settings."""

from __future__ import annotations

NOTES: tuple[tuple[str, str], ...] = (
    ("note: {note__}", "提醒: {note__}"),
    ("read: {reading__}", "读入: {reading__}"),
    # -- what a check says of the inputs
    (
        "study: {name}; standard {id} ({title}), {rules} rules, {score} score",
        "研究: {name};标准 {id}({title}),共 {rules} 条,其中 {score} 条计分",
    ),
    (
        "communities: {file}, {n} communities, {subdistricts} subdistricts, {districts} districts; {km2} km²; {all_}",
        "社区: {file},{n} 个社区,{subdistricts} 个街道,{districts} 个区县;{km2} 平方公里;{all_}",
    ),
    (
        "streets: {file}, {km} km walkable, {nodes} nodes, {edges} edges, {n} separate pieces, {exits} streets leave"
        " the data; data of {date_}",
        "街道: {file},可步行 {km} 公里,{nodes} 个节点,{edges} 条边,{n} 个互不相连的部分,{exits} 条街道伸出数据;"
        "数据日期 {date_}",
    ),
    (
        "people: {file}, {n} people in {cells} cells, {outside} of them outside the communities, {rejected} rows"
        " rejected; {groups_}",
        "人口: {file},{cells} 个格点共 {n} 人,其中 {outside} 人在社区之外,弃用 {rejected} 行;{groups_}",
    ),
    (
        "people: none given; {m2} m² of residential land in {n} pieces stand in, {outside} of them outside the"
        " communities",
        "人口: 未提供;以 {n} 块共 {m2} 平方米居住用地代替,其中 {outside} 在社区之外",
    ),
    ("not measured, as no map data can place them: {services_}", "未测量(地图数据无法定位): {services_}"),
    (
        "places by source, also those that no street here reaches: {more__}",
        "各来源设施数(含接不上道路或在道路数据之外的): {more__}",
    ),
    ("services without any place: {services_}", "没有任何设施的服务: {services_}"),
    ("rule {rule} ({services_}): {more__}", "条文 {rule}({services_}): {more__}"),
    (
        "{known} known within reach, about {n} expected for a {tier_}",
        "可达范围内已知 {known} 处,按{tier_}应有约 {n} 处",
    ),
    ("{known} known within reach", "可达范围内已知 {known} 处"),
    (
        "incomplete (known to lack some, or under {share} of the expected; a share is then at least so much): {n} of"
        " {all} rules",
        "数据不全(已知有缺,或不足应有数的 {share};覆盖率为至少值): {all} 条中 {n} 条",
    ),
    ("no_data (no result): {n} of {all} rules: {rules}", "没有数据(无结果): {all} 条中 {n} 条: {rules}"),
    (
        "residential land without a street that can be walked to: {without} of {all} m² ({share}); most of it:"
        " {pieces__}",
        "步行接不上街道的居住用地: {all} 平方米中 {without} 平方米({share});主要为 {pieces__}",
    ),
    (
        "residential land without a street that can be walked to: {without} of {all} m² ({share})",
        "步行接不上街道的居住用地: {all} 平方米中 {without} 平方米({share})",
    ),
    ("residential land: none is mapped in the communities", "居住用地: 社区内地图上没有"),
    (
        "legs from home to street: p50 {p50} m, p90 {p90} m; {joined} m² of residential land join, {outside} outside;"
        " {lost_}",
        "从家到街道的接入距离: 中位数 {p50} 米,90 分位 {p90} 米;接入 {joined} 平方米居住用地,社区外 {outside};{lost_}",
    ),
    (
        "legs from home to street: p50 {p50} m, p90 {p90} m; {joined} join, {outside} outside; {lost_}",
        "从家到街道的接入距离: 中位数 {p50} 米,90 分位 {p90} 米;接入 {joined} 人,社区外 {outside} 人;{lost_}",
    ),
    (
        "gated estates: {n}, of which {shut} without a known gate; {unknown} outlines may be gated or not",
        "封闭小区: {n} 个,其中 {shut} 个没有已知大门;{unknown} 个居住区轮廓不知是否封闭",
    ),
    ("cleaning (a scan lists each in facility_changes.csv): {list_}", "清洗(逐条见 facility_changes.csv): {list_}"),
    ("nothing stops a scan; {n} notes", "可以测算;{n} 条提醒"),
    ("nothing stops a scan of the {n} districts", "{n} 个区县均可测算"),
    ("{n} of {all} districts cannot be scanned: {names}", "{all} 个区县中 {n} 个无法测算: {names}"),
    ("district {unit}: cannot be scanned", "区县 {unit}: 无法测算"),
    ("district {unit}:", "区县 {unit}:"),
    # -- one input file
    ("of {date_}", "{date_}"),
    ("licence {licence_}", "许可 {licence_}"),
    ("datum of {file}: {datum}: {answer_} ({statistic__})", "{file} 的坐标系: {datum}: {answer_}({statistic__})"),
    (
        "{shares} of {n} points of its lines lie within {m} m of a line of {known}; by chance {chance}",
        "{shares}: 其轮廓 {n} 点中距 {known} 线条 {m} 米以内者所占比例;随机为 {chance}",
    ),
    (
        "{shares} of {n} places with a name in {known} lie within {m} m of it; by chance {chance}",
        "{shares}: 与 {known} 同名的 {n} 处中相距 {m} 米以内者所占比例;随机为 {chance}",
    ),
    ("neither names nor outlines that could be compared", "没有可比对的名称或轮廓"),
    ("datum of {file}: {datum}: {answer_}", "{file} 的坐标系: {datum}: {answer_}"),
    ("datum {datum}: {answer_}", "坐标系 {datum}: {answer_}"),
    ("{ways} ways, {list_} read", "读入 {ways} 条道路、{list_}"),
    ("{n} rows, {out} left out by `where`", "{n} 行,`where` 略去 {out} 行"),
    ("{file}: {n} rows, {out} of them left out by `where`", "{file}: {n} 行,`where` 略去 {out} 行"),
    ("{file}: {n} rows", "{file}: {n} 行"),
    ("columns read as {columns}", "列的读法 {columns}"),
    ("{n} rows", "{n} 行"),
    ("{n} used", "采用 {n}"),
    ("left out: {reasons_}", "略去: {reasons_}"),
    ("{n} merged with the same place", "同一处合并 {n}"),
    ("{n} of those removed by the cleaning", "清洗剔除其中 {n}"),
    ("complete: {complete_}", "是否完整: {complete_}"),
    ("elevation {file}: {more__}", "高程 {file}: {more__}"),
    ("communities {file}: {more__}", "社区 {file}: {more__}"),
    ("population {file}: {more__}", "人口 {file}: {more__}"),
    ("facilities {file}: {more__}", "设施 {file}: {more__}"),
    ("osm {file}: {more__}", "地图 {file}: {more__}"),
    # -- notes
    (
        "{n} gated estates, {gates} gates; no gate is known for {shut} of them",
        "封闭小区 {n} 个,大门 {gates} 处;其中 {shut} 个小区没有已知大门",
    ),
    (
        "{n} residential outlines: whether they are gated, and where, is not known",
        "{n} 个居住区轮廓: 是否封闭、大门在哪里均不明",
    ),
    (
        "no outline and no gate is known, and walks to a point inside may be too long: {list_}",
        "轮廓与出入口均不明,到其内一点的步行距离可能偏长: {list_}",
    ),
    (
        "{service_}: the size of {some} of {all} places is not known; clauses that ask for one cannot count them",
        "{service_}: {all} 处中 {some} 处规模不明,对规模有要求的条文无法计入",
    ),
    (
        "{n} communities have over {share} of their people away from every street that can be walked to, who are in no"
        " share and no score: {units}; see unplaced.csv",
        "{n} 个社区有超过 {share} 的居民接不上任何可步行的街道,不计入覆盖率与得分: {units};见 unplaced.csv",
    ),
    (
        "capacity.csv: beds, seats and floor of {n} of {all} places of {service_} are not known; they are left out:"
        " {names} and {more} more",
        "capacity.csv: {service_} {all} 处中 {n} 处的床位、学位或面积不明,未计入: {names} 等(另有 {more} 处)",
    ),
    (
        "capacity.csv: beds, seats and floor of {n} of {all} places of {service_} are not known; they are left out:"
        " {names}",
        "capacity.csv: {service_} {all} 处中 {n} 处的床位、学位或面积不明,未计入: {names}",
    ),
    (
        "residential land: {km2} km² are mapped for {people} people, {each} m² each, less than {least}: much of it is"
        " not mapped, and shares of land are of what is mapped",
        "居住用地: 地图上有 {km2} 平方公里,{people} 人,人均 {each} 平方米,不足 {least}: 多数尚未绘入,"
        "用地占比只就已绘部分而言",
    ),
    (
        "no population is given: demand is residential land in m², and there is no score",
        "没有人口数据: 以居住用地平方米为需求,不给得分",
    ),
    (
        "{file}: totals of communities, spread over where people can live in each",
        "{file}: 各社区人口总数,分摊到社区内可居住之处",
    ),
    (
        "{file}: age_65_up exceeds age_60_up in {n} rows, the first of them {row}",
        "{file}: {n} 行中 65 岁以上人数多于 60 岁以上人数,首行为 {row}",
    ),
    (
        "{file}: the groups of ages add up to more than the population in {n} rows, the first of them {row}",
        "{file}: {n} 行中各年龄组之和多于总人口,首行为 {row}",
    ),
    (
        "{file}: {n} communities have no row, so that nobody is counted there: {units}",
        "{file}: {n} 个社区没有对应的行,那里不计人口: {units}",
    ),
    ("{file}: {n} of {all} places lie outside the streets' extract", "{file}: {all} 处中 {n} 处在道路数据范围之外"),
    (
        "{file}: {n} places are away from every street that can be walked to, and count for nobody; see unplaced.csv",
        "{file}: {n} 处附近没有可步行到达的道路,不为任何人计入; 见 unplaced.csv",
    ),
    (
        "{file}: {n} grounds are fenced, and neither a gate nor a street through is known: nobody gets in;"
        " see unplaced.csv",
        "{file}: {n} 处场地有围墙,已知数据中既无大门也无道路穿过,按无法进入计; 见 unplaced.csv",
    ),
    (
        "{file}: {n} of {all} areas reach beyond the communities, where nobody is counted: {units}",
        "{file}: {all} 个范围中 {n} 个伸出社区之外,其外不计人口: {units}",
    ),
    (
        "communities are {n} squares of {size} m, drawn by rule",
        "社区为 {n} 个边长 {size} 米的方格,按规则划分",
    ),
    (
        "communities are {n} hexagons of {size} m, drawn by rule",
        "社区为 {n} 个 {size} 米的六边形格,按规则划分",
    ),
    (
        "{file}: no column with ids; ids are made from names or rows",
        "{file}: 没有编号列,编号由名称或行号生成",
    ),
    (
        "{file}: only its cells in the box around the communities are read and counted",
        "{file}: 只读取并计算社区外框之内的格点",
    ),
    ("writing the report of {unit}", "正在写 {unit} 的报告"),
    ("drawing the map: {scene}", "正在绘制地图: {scene}"),
    ("{reused} of {all} results were there already, {new} are new", "{all} 份结果中 {reused} 份已有,{new} 份为新算"),
    (
        "places in gated estates that no mapped street leads to, which serve their own people only: {n}",
        "封闭小区内没有街道通达、只服务本小区居民的设施: {n} 处",
    ),
    (
        "{share} of the street length has no height in the elevation model and counts as flat",
        "{share} 的街道长度没有高程,按平地计",
    ),
    (
        "{n} entrances of lists lie over {m} m from their place and are not used",
        "清单中 {n} 处出入口距其设施超过 {m} 米,未采用",
    ),
    (
        "two populations: {first} {a}, {second} {b} people ({change})",
        "两份人口: {first} {a} 人,{second} {b} 人({change})",
    ),
    ("two populations: district {name}: {a}, {b} ({change})", "两份人口: {name}: {a},{b}({change})"),
    (
        "two populations: correlation over {n} communities r = {r}",
        "两份人口: {n} 个社区的相关系数 r = {r}",
    ),
    ("two populations: largest differences: {list__}", "两份人口: 差别最大: {list__}"),
    (
        "{file}: crossing borders repaired – {n} times, {m2} m², about {people} {demand_}: {units__}",
        "{file}: 自相交边界已修复: {n} 处,{m2} 平方米,约 {people} {demand_}: {units__}",
    ),
    (
        "{file}: rows that repeat another one, used once – {n} times, {m2} m², about {people} {demand_}: {units__}",
        "{file}: 重复的行只用一次: {n} 处,{m2} 平方米,约 {people} {demand_}: {units__}",
    ),
    (
        "{file}: units overlap; people there count once, in the smaller id – {n} times, {m2} m², about {people}"
        " {demand_}: {units__}",
        "{file}: 社区重叠,其中居民只计一次,归编号较小者: {n} 处,{m2} 平方米,约 {people} {demand_}: {units__}",
    ),
    (
        "{file}: gaps narrower than {m} m between units; people there count in the nearest one – {n} times, {m2} m²,"
        " about {people} {demand_}: {units__}",
        "{file}: 社区间窄于 {m} 米的缝隙,其中居民计入最近的社区: {n} 处,{m2} 平方米,约 {people} {demand_}: {units__}",
    ),
    (
        "{file}: gaps inside the communities that belong to none of them; people there are outside – {n} times, {m2}"
        " m², about {people} {demand_}: {units__}",
        "{file}: 社区之间不属于任何社区的空白,其中居民算在外: {n} 处,{m2} 平方米,约 {people} {demand_}: {units__}",
    ),
    # -- other commands
    ("{people} people in {n} communities", "{n} 个社区,{people} 人"),
    (
        "{file}: {a} of {b} nodes, {c} of {d} ways, {e} of {f} relations; {g} of {h} MB; {m} m beyond the area",
        "{file}: 节点 {a}/{b},道路 {c}/{d},关系 {e}/{f};{g}/{h} MB;范围外多留 {m} 米",
    ),
    (
        "rows only in the old scan: {old}, only in the new one: {new}",
        "仅旧结果有的行: {old},仅新结果有的行: {new}",
    ),
    ("no rule covers more or fewer in the whole city", "全市各条文的覆盖均无增减"),
    ("facility came: {what}", "设施新增: {what}"),
    ("facility went: {what}", "设施消失: {what}"),
    ("facility moved: {what}", "设施移位: {what}"),
    ("facility renamed: {what}", "设施更名: {what}"),
    ("community renamed: {what}", "社区更名: {what}"),
    ("community redrawn: {what}", "社区边界变化: {what}"),
    ("rule: {what}", "条文: {what}"),
    ("setting: {what}", "设定: {what}"),
    ("input: {what}", "输入: {what}"),
    ("{file}: {n} nodes, {edges} edges", "{file}: {n} 个节点,{edges} 条边"),
    ("{file}: {n} pairs within {m} m", "{file}: {m} 米内 {n} 对"),
    ("{file}: {n} circles", "{file}: {n} 个生活圈"),
    ("{file}: next, livingcircle check {study}", "{file}: 下一步 livingcircle check {study}"),
    (
        "Compared one? In a file of your own: [[verified]] rule = …, by = …, date = …, page = …",
        "核对过一条? 写入自己的文件: [[verified]] rule = …, by = …, date = …, page = …",
    ),
    # -- settings
    ("standard = {standard}", "标准 = {standard}"),
    ("walkers = {walkers_}", "步行人群 = {walkers_}"),
    ("join_limit_m = {m}", "接入距离上限 = {m} 米"),
    ("search_limit_m = {m}", "搜索上限 = {m} 米"),
    ("datum = {datum_}", "坐标系 = {datum_}"),
    ("gates = {gates_}", "院门 = {gates_}"),
    ("grounds = {grounds_}", "绿地与场地 = {grounds_}"),
    ("slope = Tobler's function on {file}", "坡度 = 按 Tobler 函数,高程 {file}"),
    ("slope = flat, no elevation model", "坡度 = 平地,无高程数据"),
    (
        "demand = residential land in m²: no population is given, so there is no score",
        "需求 = 居住用地平方米:没有人口数据,故不给得分",
    ),
    (
        "spreading = residential buildings, else residential land, else along streets, else evenly",
        "人口落位 = 居住建筑,其次居住用地,其次沿街,最后均匀",
    ),
    ("spreading = evenly over residential land", "人口落位 = 居住用地内均匀"),
    ("measure = metres along streets, legs included", "口径 = 沿街步行米数,含接入距离"),
    ("public transport = the walk to the stop only {words}", "公共交通 = 只计步行到站,不含乘车"),
    ("population_values = {values}", "人口数值 = {values}"),
    ("group_shares = {shares}", "年龄段占比 = {shares}"),
    ("household_size = {n}", "户均人口 = {n}"),
)
