use chrono::NaiveDate;
use proptest::prelude::*;

use super::*;
use crate::db::Id;

/// 53 with a city of two counties, each with a station, the city with a department; another city.
struct Tree {
    places: HashMap<UnitId, Place>,
    ids: HashMap<&'static str, UnitId>,
}

fn tree() -> Tree {
    use UnitKind::{City, County, Department, Province, Station};
    let mut tree = Tree { places: HashMap::new(), ids: HashMap::new() };
    for (path, kind) in [
        ("53/", Province),
        ("53/5301/", City),
        ("53/5301/5301-D01/", Department),
        ("53/5301/530102/", County),
        ("53/5301/530102/530102001/", Station),
        ("53/5301/530103/", County),
        ("53/5303/", City),
    ] {
        let code = path.split_terminator('/').next_back().unwrap();
        let above = path.split_terminator('/').rev().nth(1);
        let place = Place {
            id: Id::generate(),
            parent_id: above.map(|code| tree.ids[code]),
            path: path.to_owned(),
            kind,
            name: code.to_owned(),
        };
        tree.ids.insert(code, place.id);
        tree.places.insert(place.id, place);
    }
    tree
}

fn alone(unit: UnitId) -> Responsible {
    Responsible { unit_id: unit, extent: ResponsibleExtent::OnlySelf, kind: None }
}

fn below(unit: UnitId, kind: Option<UnitKind>) -> Responsible {
    Responsible { unit_id: unit, extent: ResponsibleExtent::Subtree, kind }
}

fn task(title: &str, responsible: Vec<Responsible>) -> TaskDraft {
    TaskDraft {
        id: Some(Id::generate()),
        category: "服务窗口".into(),
        title: title.into(),
        content: "一次告知全部材料。".into(),
        lead_leader: Some("分管副局长".into()),
        responsible,
        due_on: "2026-06-30".parse().unwrap(),
        frequency: Frequency::Weekly,
        daily_entries: false,
        target: Some(Target {
            name: "一次性告知率".into(),
            direction: TargetDirection::AtLeast,
            value: "98".into(),
            unit: "%".into(),
        }),
        parent_task_id: None,
    }
}

fn answer(parent: &TaskDraft, responsible: Vec<Responsible>) -> TaskDraft {
    TaskDraft { id: Some(Id::generate()), parent_task_id: parent.id, responsible, ..parent.clone() }
}

fn told(tasks: &[TaskDraft], ground: &Ground<'_>) -> Vec<String> {
    offences(tasks, ground).iter().map(|one| format!("{} {}", one.pointer, one.kind)).collect()
}

#[test]
fn each_offence_is_told_with_its_place() {
    let tree = tree();
    let city = tree.ids["5301"];
    let parent = task("落实一次性告知", vec![below(tree.ids["53"], Some(UnitKind::City))]);
    let ground = Ground { unit: city, above: std::slice::from_ref(&parent), places: &tree.places };
    let same = answer(&parent, vec![alone(city)]);
    assert_eq!(told(std::slice::from_ref(&same), &ground), Vec::<String>::new());
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let target = |change: &dyn Fn(&mut Target)| {
        let mut target = parent.target.clone().unwrap();
        change(&mut target);
        Some(target)
    };
    for (changed, wanted) in [
        (TaskDraft { due_on: day("2026-06-29"), ..same.clone() }, "/tasks/0/due_on deadline_shortened"),
        (TaskDraft { due_on: day("2026-07-01"), ..same.clone() }, "/tasks/0/due_on deadline_extended"),
        (TaskDraft { frequency: Frequency::Daily, ..same.clone() }, "/tasks/0/frequency frequency_raised"),
        (TaskDraft { frequency: Frequency::Once, ..same.clone() }, "/tasks/0/frequency frequency_lowered"),
        (TaskDraft { daily_entries: true, ..same.clone() }, "/tasks/0/daily_entries frequency_raised"),
        (TaskDraft { target: None, ..same.clone() }, "/tasks/0/target target_lowered"),
        (
            TaskDraft { target: target(&|one| one.value = "98.000001".into()), ..same.clone() },
            "/tasks/0/target/value target_raised",
        ),
        (
            TaskDraft { target: target(&|one| one.value = "97.9".into()), ..same.clone() },
            "/tasks/0/target/value target_lowered",
        ),
        (
            TaskDraft { target: target(&|one| one.direction = TargetDirection::AtMost), ..same.clone() },
            "/tasks/0/target/direction target_lowered",
        ),
        (
            TaskDraft { target: target(&|one| one.name = "满意率".into()), ..same.clone() },
            "/tasks/0/target indicator_added",
        ),
    ] {
        assert_eq!(told(&[changed], &ground), [wanted]);
    }
    let rewritten = TaskDraft { target: target(&|one| one.value = "98.00".into()), ..same.clone() };
    assert!(told(&[rewritten], &ground).is_empty(), "98 and 98.00 are one number");
    assert_eq!(told(&[], &ground), ["/tasks task_dropped"]);
    let facts = offences(&[], &ground).remove(0);
    assert_eq!((facts.parent.as_deref(), facts.child), (Some("落实一次性告知"), None));
}

#[test]
fn of_a_ceiling_less_is_more() {
    let tree = tree();
    let city = tree.ids["5301"];
    let ceiling = |value: &str| {
        Some(Target {
            name: "平均办理日数".into(),
            direction: TargetDirection::AtMost,
            value: value.into(),
            unit: "日".into(),
        })
    };
    let parent =
        TaskDraft { target: ceiling("5"), ..task("限时办结", vec![below(tree.ids["53"], None)]) };
    let ground = Ground { unit: city, above: std::slice::from_ref(&parent), places: &tree.places };
    let child =
        |value: &str| TaskDraft { target: ceiling(value), ..answer(&parent, vec![below(city, None)]) };
    assert_eq!(told(&[child("3")], &ground), ["/tasks/0/target/value target_raised"]);
    assert_eq!(told(&[child("7.5")], &ground), ["/tasks/0/target/value target_lowered"]);
    let none = TaskDraft { target: None, ..parent.clone() };
    let ground = Ground { unit: city, above: std::slice::from_ref(&none), places: &tree.places };
    assert_eq!(told(&[child("5")], &ground), ["/tasks/0/target indicator_added"]);
}

#[test]
fn who_is_bound_further_down_than_above_is_told() {
    let tree = tree();
    let (root, city, office) = (tree.ids["53"], tree.ids["5301"], tree.ids["5301-D01"]);
    let (county, other) = (tree.ids["530102"], tree.ids["5303"]);
    let parent = task("窗口整治", vec![below(root, Some(UnitKind::City)), alone(county)]);
    let ground = Ground { unit: city, above: std::slice::from_ref(&parent), places: &tree.places };
    let answered = |responsible| told(&[answer(&parent, responsible)], &ground);
    // Handed on within the own subtree, to departments too, and to whom the level above has bound.
    assert!(answered(vec![alone(city), alone(county), alone(office), below(city, None)]).is_empty());
    assert!(answered(vec![alone(other)]).is_empty(), "the province has bound every city");
    // Nobody else beside: the level above has bound Qujing, not its neighbours' superior.
    let added = ["/tasks/0/responsible/0 task_added_downstream"];
    assert_eq!(answered(vec![alone(root)]), added);
    assert_eq!(answered(vec![below(root, None)]), added);
    let own = |responsible| TaskDraft { target: None, ..task("本局学习", responsible) };
    let all = |responsible| told(&[answer(&parent, vec![alone(city)]), own(responsible)], &ground);
    assert!(all(vec![alone(city), alone(office), below(office, None)]).is_empty());
    for wrong in
        [alone(county), alone(other), alone(root), below(city, None), below(city, Some(UnitKind::County))]
    {
        assert_eq!(all(vec![wrong]), ["/tasks/1/responsible/0 task_added_downstream"]);
    }
    // Indicators are the province's.
    let with = [answer(&parent, vec![alone(city)]), task("自设指标", vec![alone(city)])];
    assert_eq!(told(&with, &ground), ["/tasks/1/target indicator_added"]);
}

#[test]
fn what_does_not_concern_the_unit_need_not_be_there() {
    let tree = tree();
    let (root, city) = (tree.ids["53"], tree.ids["5301"]);
    let above = [
        task("省厅自办", vec![alone(root)]),
        task("另一市", vec![alone(tree.ids["5303"])]),
        task("看守所", vec![below(root, Some(UnitKind::DetentionHouse))]),
        task("派出所", vec![below(root, Some(UnitKind::Station))]),
    ];
    let ground = Ground { unit: city, above: &above, places: &tree.places };
    let missing = offences(&[], &ground);
    assert_eq!(missing.len(), 1, "only the stations' task reaches below the city: {missing:?}");
    assert_eq!(missing[0].parent_task_id, above[3].id);
    let begun = drawn_down(&ground);
    assert_eq!(begun.len(), 1);
    assert_eq!(begun[0].responsible, [below(city, Some(UnitKind::Station))]);
    assert!(offences(&begun, &ground).is_empty());
}

/// What somebody at a keyboard may do to a task list.
#[derive(Debug, Clone)]
enum Edit {
    Due(usize, i64),
    Often(usize, usize),
    Daily(usize),
    Value(usize, u32),
    Turn(usize),
    NoTarget(usize),
    Bind(usize, usize, bool),
    Drop(usize),
    Own(usize),
    Loosen(usize),
    Respell(usize),
    Lead(usize),
    Swap(usize, usize),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let one = prop_oneof![
        (0_usize..4, -3_i64..4).prop_map(|(at, days)| Edit::Due(at, days)),
        (0_usize..4, 0_usize..6).prop_map(|(at, often)| Edit::Often(at, often)),
        (0_usize..4).prop_map(Edit::Daily),
        (0_usize..4, 90_u32..105).prop_map(|(at, value)| Edit::Value(at, value)),
        (0_usize..4).prop_map(Edit::Turn),
        (0_usize..4).prop_map(Edit::NoTarget),
        (0_usize..4, 0_usize..7, any::<bool>()).prop_map(|(at, unit, far)| Edit::Bind(at, unit, far)),
        (0_usize..4).prop_map(Edit::Drop),
        (0_usize..7).prop_map(Edit::Own),
        (0_usize..4).prop_map(Edit::Loosen),
        (0_usize..4).prop_map(Edit::Respell),
        (0_usize..4).prop_map(Edit::Lead),
        (0_usize..4, 0_usize..4).prop_map(|(one, other)| Edit::Swap(one, other)),
    ];
    proptest::collection::vec(one, 0..12)
}

fn apply(tasks: &mut Vec<TaskDraft>, edit: &Edit, units: &[UnitId]) {
    let free = |unit: UnitId, far: bool| if far { below(unit, None) } else { alone(unit) };
    match *edit {
        Edit::Drop(at) if at < tasks.len() => {
            tasks.remove(at);
        }
        Edit::Own(unit) => tasks.push(TaskDraft { target: None, ..task("自办", vec![alone(units[unit])]) }),
        Edit::Swap(one, other) if one < tasks.len() && other < tasks.len() => tasks.swap(one, other),
        Edit::Due(at, days) => change(tasks, at, |task| task.due_on += chrono::Duration::days(days)),
        Edit::Often(at, often) => change(tasks, at, |task| task.frequency = Frequency::ALL[often]),
        Edit::Daily(at) => change(tasks, at, |task| task.daily_entries = !task.daily_entries),
        Edit::Value(at, value) => change(tasks, at, |task| {
            if let Some(target) = &mut task.target {
                target.value = value.to_string();
            }
        }),
        Edit::Turn(at) => change(tasks, at, |task| {
            if let Some(target) = &mut task.target {
                target.direction = TargetDirection::AtMost;
            }
        }),
        Edit::NoTarget(at) => change(tasks, at, |task| task.target = None),
        Edit::Bind(at, unit, far) => change(tasks, at, |task| task.responsible.push(free(units[unit], far))),
        Edit::Loosen(at) => change(tasks, at, |task| task.parent_task_id = None),
        Edit::Respell(at) => change(tasks, at, |task| {
            if let Some(target) = task.target.as_mut().filter(|target| !target.value.contains('.')) {
                target.value.push_str(".0");
            }
        }),
        Edit::Lead(at) => change(tasks, at, |task| task.lead_leader = Some("局长".into())),
        Edit::Drop(_) | Edit::Swap(..) => {}
    }
}

fn change(tasks: &mut [TaskDraft], at: usize, how: impl FnOnce(&mut TaskDraft)) {
    if let Some(task) = tasks.get_mut(at) {
        how(task);
    }
}

/// Told apart from [`offences`]: whether a list burdens anybody below, or frees anybody, otherwise than the
/// plan above does; unit by unit and task by task.
fn burdens_as_above(tasks: &[TaskDraft], above: &[TaskDraft], tree: &Tree, city: UnitId) -> bool {
    let binds = |task: &TaskDraft, place: &Place| {
        task.responsible.iter().any(|one| match one.extent {
            ResponsibleExtent::OnlySelf => one.unit_id == place.id,
            ResponsibleExtent::Subtree => {
                let named = &tree.places[&one.unit_id];
                place.path.starts_with(&named.path) && one.kind.is_none_or(|kind| kind == place.kind)
            }
        })
    };
    let number = |task: &TaskDraft| {
        task.target.as_ref().map(|one| {
            (one.name.clone(), one.unit.clone(), one.direction, one.value.parse::<f64>().unwrap().to_bits())
        })
    };
    let terms = |task: &TaskDraft| (task.due_on, task.frequency, task.daily_entries, number(task));
    let own = [city, tree.ids["5301-D01"]];
    let bears = tasks.iter().all(|task| {
        let parent = task.parent_task_id.and_then(|id| above.iter().find(|parent| parent.id == Some(id)));
        let mut bound = tree.places.values().filter(|place| binds(task, place));
        match parent {
            Some(parent) => {
                terms(parent) == terms(task)
                    && bound.all(|place| place.path.starts_with("53/5301/") || binds(parent, place))
            }
            None => task.target.is_none() && bound.all(|place| own.contains(&place.id)),
        }
    });
    let whole = above.iter().all(|parent| {
        let concerns =
            tree.places.values().any(|place| place.path.starts_with("53/5301/") && binds(parent, place));
        !concerns || tasks.iter().any(|task| task.parent_task_id == parent.id)
    });
    bears && whole
}

proptest! {
    #[test]
    fn no_sequence_of_edits_passes_unless_it_burdens_as_above(edits in edits()) {
        let tree = tree();
        let (root, city) = (tree.ids["53"], tree.ids["5301"]);
        let above = [
            task("市县同办", vec![below(root, Some(UnitKind::City)), below(root, Some(UnitKind::County))]),
            task("派出所", vec![below(root, Some(UnitKind::Station))]),
            TaskDraft { target: None, ..task("五华", vec![alone(tree.ids["530102"])]) },
            task("曲靖", vec![alone(tree.ids["5303"])]),
        ];
        let ground = Ground { unit: city, above: &above, places: &tree.places };
        let mut tasks = drawn_down(&ground);
        prop_assert!(offences(&tasks, &ground).is_empty(), "what it begins with departs in nothing");
        let mut units: Vec<UnitId> = tree.places.values().map(|place| place.id).collect();
        units.sort_unstable_by_key(|id| tree.places[id].path.clone());
        for edit in &edits {
            apply(&mut tasks, edit, &units);
        }
        let passes = offences(&tasks, &ground).is_empty();
        prop_assert_eq!(passes, burdens_as_above(&tasks, &above, &tree, city), "{:?}", tasks);
    }
}
