"""Notes on inputs: street layers, downloads, lists of places and what lies where."""

from __future__ import annotations

REMARKS: tuple[tuple[str, str], ...] = (
    # -- street layers
    ("crossings were not looked for: node columns tell which lines meet", "未查找交叉: 由节点列决定哪些线相连"),
    ("{name} tells of no signals: no waits at crossings are counted", "{name} 没有信号灯信息,不计路口等候"),
    ("{n} of {all} rows left out: {reason__}", "{all} 行中略去 {n} 行: {reason__}"),
    ("no line", "不是线"),
    ("a line without length or with impossible coordinates", "线没有长度,或坐标不可能"),
    ("no street for people on foot", "不是步行道路"),
    ("one edge in several pieces", "一条边分成几段"),
    (
        "{column} is taken to bind cars only; map it as `oneway` if it binds people on foot",
        "{column} 视为只约束机动车;若也约束行人,请指定为 `oneway`",
    ),
    (
        "{column} differs from the line by more than {share} in {n} of {all} rows (sum {sum} m, along the "
        "lines {m} m): the lines count",
        "{all} 行中 {n} 行的 {column} 与线长相差超过 {share}(合计 {sum} 米,沿线 {m} 米),以线长为准",
    ),
    (
        "{column} differs from the line by more than {share} in {n} of {all} rows (sum {sum}, along the lines "
        "{m} m): the lines count",
        "{all} 行中 {n} 行的 {column} 与线长相差超过 {share}(合计 {sum},沿线 {m} 米),以线长为准",
    ),
    (
        "{heads__} are no node ids ({share} of line ends lie elsewhere): lines are joined where they meet",
        "{heads__} 不是节点编号({share} 的线端点位置不符),线在相交处连通",
    ),
    ("{n} line ends lie off their node, by up to {m} m", "{n} 个线端点偏离其节点,最多 {m} 米"),
    ("{n} lines shorter than {m} m left out", "略去 {n} 条短于 {m} 米的线"),
    ("{n} crossings of lines without a vertex there were {what__}", "{n} 处没有顶点的交叉{what__}"),
    ("joined, unmarked bridges too", "已连通,未注明的桥也包括在内"),
    ("left alone: `node_crossings = true` joins them", "未连通: 写 `node_crossings = true` 可连通"),
    (
        "communities are the {n} administrative units of level {level} in {file}",
        "社区为 {file} 中 {n} 个 {level} 级行政单元",
    ),
    (
        "{file}: {n} units of level {level} are cut by the extract and left out: {units}",
        "{file}: {n} 个 {level} 级单元被数据范围截断,已略去: {units}",
    ),
    # -- downloads
    (
        "asking {host} (a box in degrees); nothing else is sent, and to nobody else 只发送地名或经纬度范围",
        "将询问 {host}(经纬度范围);只发送地名或经纬度范围,不向其他任何一方发送",
    ),
    (
        "asking {host} (a box in degrees) through the proxy {proxy}; nothing else is sent, and to nobody else "
        "只发送地名或经纬度范围",
        "将经代理 {proxy} 询问 {host}(经纬度范围);只发送地名或经纬度范围,不向其他任何一方发送",
    ),
    (
        "asking {other} (the name {name}) and {host} (a box in degrees); nothing else is sent, and to nobody "
        "else 只发送地名或经纬度范围",
        "将询问 {other}(地名 {name})和 {host}(经纬度范围);只发送地名或经纬度范围,不向其他任何一方发送",
    ),
    (
        "asking {other} (the name {name}) and {host} (a box in degrees) through the proxy {proxy}; nothing "
        "else is sent, and to nobody else 只发送地名或经纬度范围",
        "将经代理 {proxy} 询问 {other}(地名 {name})和 {host}(经纬度范围);只发送地名或经纬度范围,不向其他任何一方发送",
    ),
    ("to {host} goes this box, {n} km²: {box}", "发送给 {host} 的范围,{n} 平方公里: {box}"),
    (
        "to {host} through the proxy {proxy} goes this box, {n} km²: {box}",
        "经代理 {proxy} 发送给 {host} 的范围,{n} 平方公里: {box}",
    ),
    ("found: {name}", "找到: {name}"),
    (
        "{n} of {all} answers were there already; to load them again, delete {folder}",
        "{all} 份答复中 {n} 份已有;如需重新下载,请删除 {folder}",
    ),
    (
        "OpenStreetMap of {date_}: {km} km walkable, {n} places, gates and crossings, {buildings} buildings, "
        "{km2} km² of residential land",
        "OpenStreetMap({date_}): 可步行 {km} 公里,{n} 个地点、大门与过街,{buildings} 栋建筑,居住用地 {km2} 平方公里",
    ),
    (
        "no residential land is mapped here: the study needs a population before it can be scanned",
        "此处地图上没有居住用地: 补充人口之后才能测算",
    ),
    (
        "{n} of {all} parts hold nothing at all; that is right for the open sea only",
        "{all} 块中 {n} 块没有任何数据;只有海面才属正常",
    ),
    ("{file} was there already and stays as it is", "{file} 已存在,保持不变"),
    # -- lists and people
    (
        "{file}: datum taken as wgs84, which the streets neither confirm nor refute; if it comes from Amap or "
        "Tencent, --datum {name}=gcj02; from Baidu, bd09",
        "{file}: 坐标系按 wgs84,道路既不能证实也不能否定;若来自高德或腾讯,请写 --datum {name}=gcj02;若来自百度,写 bd09",
    ),
    ("{source} read as {datum}", "{source} 按 {datum} 读取"),
    ("outside the area in which GCJ-02 and BD-09 are in use", "在 GCJ-02 与 BD-09 的使用范围之外"),
    ("{statistic__}; both {both} stand out, the layer may mix them", "{statistic__};{both} 均明显,图层可能混用两者"),
    ("{label}: row {row} left out: {reason__}", "{label}: 略去第 {row} 行: {reason__}"),
    ("{label}: {n} left out: {reason_}", "{label}: 略去 {n}: {reason_}"),
    (
        "{n} places left out, see attrs['left_out']; the first: {first__}",
        "略去 {n} 个地点,见 attrs['left_out'];首个: {first__}",
    ),
    (
        "{n} parcels were not tried, as no street can be joined from them: {units}",
        "{n} 个地块接不上道路,未作试算: {units}",
    ),
    ("not among the chosen districts", "不在所选区县之内"),
    (
        "rules about supply have rows for districts in a batch, none for the whole city: {rules}",
        "多区县测算中,配建类条文只有区县行,没有全市行: {rules}",
    ),
    (
        "neither isced:level nor the name tells whether it is a primary or a secondary school",
        "isced:level 与名称均未说明是小学还是中学",
    ),
    (
        "{service}: not open to all ({shut}); [grounds] {key} = true lets such grounds in",
        "{service}: 不对公众开放({shut});写 [grounds] {key} = true 可计入",
    ),
    (
        "no street that leads on within {m} m of any access point can be walked to",
        "各出入口 {m} 米内没有能走出去的道路",
    ),
    (
        "a fence or wall is mapped around it, but no gate and no street through it",
        "周围有围墙,但没有大门,也没有道路穿过",
    ),
    ("writing the extract", "写出截取结果"),
    ("nothing was changed", "没有变化"),
)
