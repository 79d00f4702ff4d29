//! How divisions lend their names to police organs.

use std::collections::BTreeMap;

/// The first lets a street office be recognized by what it is an office of.
const TOWNSHIP_SUFFIXES: [&str; 4] = ["街道办事处", "街道", "镇", "乡"];

/// Names of the ethnic groups without 族, as they stand in the names of ethnic townships (蔵 is a variant the data has).
const ETHNIC_GROUPS: &str = "阿昌 白 保安 布朗 布依 藏 蔵 朝鲜 达斡尔 傣 德昂 东乡 侗 独龙 鄂伦春 鄂温克 俄罗斯 高山 哈尼 \
    哈萨克 汉 赫哲 回 基诺 京 景颇 柯尔克孜 拉祜 黎 傈僳 珞巴 满 毛南 门巴 蒙古 苗 仫佬 纳西 怒 普米 羌 撒拉 畲 水 塔吉克 \
    塔塔尔 土 土家 佤 维吾尔 乌孜别克 锡伯 瑶 彝 仡佬 裕固 壮";

/// Rows of the cities' file that only group counties.
pub(super) fn is_pseudo_city(name: &str) -> bool {
    name == "市辖区" || name == "县" || name.ends_with("直辖县级行政区划")
}

/// What a branch (分局) of a city's bureau is called after; `None` of a county that has a bureau of its own.
pub(super) fn branch_stem<'a>(code: &str, name: &'a str, province: &str, city: &str) -> Option<&'a str> {
    if name.ends_with(['市', '县', '旗']) || name.ends_with("特区") || name.ends_with("委员会") {
        return None;
    }
    if city == province {
        // Chongqing writes 渝中区分局.
        return Some(name);
    }
    let name = name.strip_suffix("管委会").unwrap_or(name);
    let name = name.strip_suffix("的岛礁及其海域").unwrap_or(name);
    // Codes …71 to …79 are development zones. Their names repeat province and city, which the bureau's name already says.
    if code.get(4..5) == Some("7") {
        let stem = without_place(name, province, &["省", "自治区"]);
        return Some(without_place(stem, city, &["市", "盟"]));
    }
    let keep = name.chars().count() > 3 && (name.ends_with("矿区") || name.ends_with("新区"));
    let stem = name.strip_suffix('区').filter(|_| !keep).unwrap_or(name);
    // Of 城区, 郊区, 东区 a single character would be left.
    Some(if stem.chars().count() < 2 { name } else { stem })
}

/// The name without the place it begins with; 东营港 is a place of its own and stays.
fn without_place<'a>(name: &'a str, place: &str, suffixes: &[&str]) -> &'a str {
    let short = suffixes.iter().find_map(|suffix| place.strip_suffix(suffix));
    name.strip_prefix(place)
        .or_else(|| short.and_then(|short| name.strip_prefix(short)))
        .filter(|rest| !rest.starts_with('港'))
        .unwrap_or(name)
}

/// What the stations of one bureau are called after. Where two townships would be equal, both keep their suffix.
pub(super) fn station_stems(places: &[(String, String)]) -> Vec<&str> {
    let full: Vec<&str> = places.iter().map(|(_, name)| name.as_str()).collect();
    let mut stems: Vec<&str> = full.iter().map(|name| township_stem(name)).collect();
    loop {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for stem in &stems {
            *counts.entry(stem).or_default() += 1;
        }
        let mut changed = false;
        for (stem, full) in stems.iter_mut().zip(&full) {
            if counts.get(stem).is_some_and(|count| *count > 1) && stem != full {
                *stem = full;
                changed = true;
            }
        }
        // A name with its suffix may now equal another's without: go on until nothing moves.
        if !changed {
            return stems;
        }
    }
}

/// 前卫街道 → 前卫, 双河彝族乡 → 双河. Of 张镇 a single character would be left, which nobody says: it stays whole.
fn township_stem(place: &str) -> &str {
    let Some(base) = TOWNSHIP_SUFFIXES.iter().find_map(|suffix| place.strip_suffix(suffix)) else {
        return place;
    };
    let stem = if place.ends_with(['乡', '镇']) { without_ethnic_groups(base) } else { base };
    if stem.chars().count() < 2 { place } else { stem }
}

fn without_ethnic_groups(base: &str) -> &str {
    let mut stem = base;
    if let Some(rest) = stem.strip_suffix("少数民族").or_else(|| stem.strip_suffix("民族")) {
        // 查巴奇鄂温克民族乡 leaves 族 out. A single character before it may as well be part of the place's name.
        stem = without_group(rest, 2).unwrap_or(rest);
    }
    // An ethnic township may name several groups.
    while let Some(rest) = stem.strip_suffix('族').and_then(|rest| without_group(rest, 1)) {
        stem = rest;
    }
    stem
}

/// What stands before the longest ethnic group's name, of at least `shortest` characters, at the end of the text.
fn without_group(text: &str, shortest: usize) -> Option<&str> {
    ETHNIC_GROUPS
        .split_whitespace()
        .filter(|group| group.chars().count() >= shortest)
        .filter_map(|group| text.strip_suffix(group))
        .min_by_key(|rest| rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stems(names: &[&str]) -> Vec<String> {
        let places: Vec<_> = names.iter().map(|name| (String::new(), (*name).to_owned())).collect();
        station_stems(&places).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn townships_lose_their_suffix_and_their_ethnic_groups() {
        for (place, stem) in [
            ("前卫街道", "前卫"),
            ("汤丹镇", "汤丹"),
            ("舍块乡", "舍块"),
            ("双河彝族乡", "双河"),
            ("高良壮族苗族瑶族乡", "高良"),
            ("军赛佤族拉祜族傈僳族德昂族乡", "军赛"),
            ("兴蒙蒙古族乡", "兴蒙"),
            ("布朗山布朗族乡", "布朗山"),
            ("瑶区瑶族乡", "瑶区"),
            ("城关回族镇", "城关"),
            ("查巴奇鄂温克民族乡", "查巴奇"),
            ("恩和俄罗斯族民族乡", "恩和"),
            ("东固畲族少数民族乡", "东固"),
            ("祁丰蔵族乡", "祁丰"),
            ("保康街道办事处", "保康"),
            ("胡族铺镇", "胡族铺"),
            ("四族镇", "四族"),
            ("民族街道", "民族"),
            // Nothing would be left, or a single character.
            ("达斡尔民族乡", "达斡尔民族乡"),
            ("张镇", "张镇"),
            ("昆明经济技术开发区", "昆明经济技术开发区"),
            ("巴彦塔拉苏木", "巴彦塔拉苏木"),
        ] {
            assert_eq!(township_stem(place), stem, "{place}");
        }
    }

    #[test]
    fn equal_stems_keep_their_suffix() {
        assert_eq!(stems(&["新华街道", "新华镇", "东风街道"]), ["新华街道", "新华镇", "东风"]);
        // 大安镇街道 would be called as 大安镇 is once that keeps its suffix.
        assert_eq!(stems(&["大安镇街道", "大安镇", "大安乡"]), ["大安镇街道", "大安镇", "大安乡"]);
    }

    #[test]
    fn branches_are_named_after_their_district() {
        let yunnan = |code, name| branch_stem(code, name, "云南省", "昆明市");
        assert_eq!(yunnan("530102", "五华区"), Some("五华"));
        assert_eq!(yunnan("530181", "安宁市"), None);
        assert_eq!(yunnan("530126", "石林彝族自治县"), None);
        for (code, name, province, city, stem) in [
            ("140303", "矿区", "山西省", "阳泉市", "矿区"),
            ("130406", "峰峰矿区", "河北省", "邯郸市", "峰峰矿区"),
            ("210113", "沈北新区", "辽宁省", "沈阳市", "沈北新区"),
            ("231202", "北林区", "黑龙江省", "绥化市", "北林"),
            ("130706", "下花园区", "河北省", "张家口市", "下花园"),
            ("130271", "河北唐山芦台经济开发区", "河北省", "唐山市", "芦台经济开发区"),
            ("370572", "东营港经济开发区", "山东省", "东营市", "东营港经济开发区"),
            ("152571", "乌拉盖管理区管委会", "内蒙古自治区", "锡林郭勒盟", "乌拉盖管理区"),
        ] {
            assert_eq!(branch_stem(code, name, province, city), Some(stem), "{name}");
        }
        assert_eq!(branch_stem("520203", "六枝特区", "贵州省", "六盘水市"), None);
    }
}
