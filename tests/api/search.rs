//! The tree and its search: the same answers on both databases.

use serde_json::Value;

use crate::support::{World, both};

fn encoded(text: &str) -> String {
    text.bytes().flat_map(|byte| ["%".to_owned(), format!("{byte:02X}")]).collect()
}

fn names(world: &World, who: &str, path: &str) -> Vec<String> {
    let body = world.as_(who).get(path).expect(200, "").json();
    body["items"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

both! {
    fn search_folds_case_and_width_and_takes_wildcards_literally(world) {
        let find = |q: &str| names(world, "53-group-head", &format!("/units?q={}", encoded(q)));
        assert_eq!(find("华"), ["昆明市公安局五华分局", "华山派出所"]);
        assert_eq!(find("5301-w01"), ["昆明市公安局出入境服务窗口"]);
        assert_eq!(find("5301-W01"), find("５３０１－ｗ０１"), "full width is the same");
        for wildcard in ["%", "_", "\\", "'", "*"] {
            assert!(find(wildcard).is_empty(), "{wildcard} is a letter like others");
        }
    }

    fn kinds_subtrees_and_the_unit_alone(world) {
        let head = "53-group-head";
        let kunming = world.unit("5301");
        assert_eq!(names(world, head, "/cities"), ["昆明市公安局", "曲靖市公安局", "玉溪市公安局"]);
        assert_eq!(names(world, head, &format!("/counties?unit_id={kunming}")), ["昆明市公安局五华分局"]);
        assert_eq!(names(world, head, &format!("/units?unit_id={kunming}&depth=self")), ["昆明市公安局"]);
        assert_eq!(names(world, head, &format!("/units?parent_id={kunming}&kind=county&kind=detention_house")), ["昆明市看守所", "昆明市公安局五华分局"]);
        let subtree = names(world, head, &format!("/units/{kunming}/subtree"));
        assert_eq!(subtree[0], "昆明市公安局");
        assert!(subtree.contains(&"华山派出所".to_owned()) && !subtree.contains(&"曲靖市公安局".to_owned()));
        world.as_(head).get(&format!("/stations/{kunming}")).expect(404, "not_found");
        world.as_(head).get(&format!("/cities/{kunming}")).expect(200, "");
        // Out of reach is as good as absent, in a filter too.
        let qujing = world.unit("5303");
        assert!(names(world, "5301-liaison", &format!("/units?unit_id={qujing}")).is_empty());
        assert_eq!(names(world, "5301-liaison", "/cities"), ["昆明市公安局"]);
    }

    fn provinces_are_the_platforms_to_see(world) {
        let platform = world.as_("platform-platform-operator");
        let body = platform.get("/provinces?count=exact").expect(200, "").json();
        let codes: Vec<&str> =
            body["items"].as_array().unwrap().iter().map(|row| row["code"].as_str().unwrap()).collect();
        assert_eq!((codes, &body["total"]), (vec!["50", "53"], &Value::from(2)));
        platform.get("/provinces/53").expect(200, "");
        for none in ["00", "11", "5", "云南"] {
            platform.get(&format!("/provinces/{}", encoded(none))).expect(404, "not_found");
        }
        world.as_("53-group-head").get("/provinces").expect(403, "forbidden");
    }
}
