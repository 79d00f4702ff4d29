//! The list of one's own attachments: what a phone that has lost its notes has uploaded, and what of that is bound to nothing.

use serde_json::json;

use crate::support::checks::{Kit, photo_bytes, upload};
use crate::support::raw::Raw;
use crate::support::sheets::{FORMATS, export, table};
use crate::support::{World, both};

const INSPECTOR: &str = "53-inspector";

/// The ids that somebody is shown, the newest first.
fn listed(world: &World, who: &str, query: &str) -> Vec<String> {
    let list = world.as_(who).get(&format!("/attachments?count=exact{query}")).expect(200, "").json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(list["total"], items.len(), "{list}");
    items.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

both! {
    fn a_phone_finds_what_it_has_uploaded_and_not_bound(world) {
        let kit = Kit::of(world, "5301");
        assert_eq!(listed(world, INSPECTOR, ""), Vec::<String>::new());
        let photo = |name: &str| {
            world.advance(1);
            upload(world, INSPECTOR, name).expect(201, "").id()
        };
        let (check, photos) = (kit.begin("covert"), [photo("一.jpg"), photo("二.jpg"), photo("三.jpg")]);
        let left = [photo("四.jpg"), photo("五.jpg")];
        let newest = |ids: &[String]| ids.iter().rev().cloned().collect::<Vec<_>>();
        assert_eq!(listed(world, INSPECTOR, "&bound=false"), newest(&[&photos[..], &left].concat()));
        assert_eq!(listed(world, INSPECTOR, "&bound=true"), Vec::<String>::new());
        world.as_(INSPECTOR).post(&format!("/unannounced-checks/{check}/record"), &kit.record_showing(&photos)).expect(200, "");
        assert_eq!(listed(world, INSPECTOR, "&bound=false"), newest(&left));
        assert_eq!(listed(world, INSPECTOR, "&bound=false&sort=created_at"), left);
        assert_eq!(listed(world, INSPECTOR, "&bound=true"), newest(&photos));
        assert_eq!(listed(world, INSPECTOR, ""), newest(&[&photos[..], &left].concat()));
        // As each is shown by itself.
        let list = world.as_(INSPECTOR).get("/attachments?limit=1&bound=true").expect(200, "").json();
        let one = world.as_(INSPECTOR).get(&format!("/attachments/{}", photos[2])).expect(200, "").json();
        assert_eq!((&list["items"][0], list["next_cursor"].is_string()), (&one, true));
        assert_eq!(one["bound_to"]["id"], json!(check));
        // What is taken back is there no more.
        world.as_(INSPECTOR).delete(&format!("/attachments/{}", left[0])).expect(204, "");
        assert_eq!(listed(world, INSPECTOR, "&bound=false"), left[1..]);
        world.as_(INSPECTOR).get("/attachments?bound=maybe").expect(400, "invalid_query");
    }

    fn it_is_one_s_own_and_nobody_else_s(world) {
        let kit = Kit::of(world, "5301");
        let own = upload(world, INSPECTOR, "a.jpg").expect(201, "").id();
        kit.taken("open", &["record", "confirm", "release"]);
        kit.taken("covert", &["record"]);
        // Whoever sees the check and its photos has not uploaded them.
        for who in ["53-discipline", "53-group-head", "53-group-member", "53-special-supervisor", "5301-unit-head", "50-inspector"] {
            assert_eq!(listed(world, who, ""), Vec::<String>::new(), "{who}");
        }
        world.as_("53-auditor").get("/attachments").expect(403, "forbidden");
        world.as_("53-nobody").get("/attachments").expect(403, "forbidden");
        assert_eq!(listed(world, INSPECTOR, "").len(), 1 + 3 + 3);
        assert_eq!(listed(world, INSPECTOR, "&bound=false"), [own]);
    }

    fn of_what_is_bound_only_what_they_may_still_know_of(world) {
        let kit = Kit::of(world, "5301");
        // Of a covert check: by the inspector, whom somebody then takes out of the team.
        let check = kit.taken("covert", &["record"]);
        let mine = listed(world, INSPECTOR, "&bound=true");
        assert_eq!(mine.len(), 3);
        Raw::owner(world, "53").run("DELETE FROM check_members").unwrap();
        world.as_(INSPECTOR).get(&format!("/unannounced-checks/{check}")).expect(404, "not_found");
        assert_eq!((listed(world, INSPECTOR, ""), listed(world, INSPECTOR, "&bound=true")), (vec![], vec![]));
        for id in &mine {
            world.as_(INSPECTOR).get(&format!("/attachments/{id}")).expect(404, "not_found");
        }
    }

    fn it_is_given_as_a_file(world) {
        let bytes = photo_bytes(world);
        let id = world.as_(INSPECTOR).call("POST", "/attachments").form(&[], Some(("大厅.jpg", &bytes))).send().expect(201, "").id();
        for format in FORMATS {
            let rows = table(format, &export(&world.as_(INSPECTOR), "/attachments", format));
            let head = rows[0].iter().map(String::as_str).collect::<Vec<_>>();
            let cell = |name: &str| {
                let at = head.iter().position(|one| *one == name).unwrap_or_else(|| panic!("no {name} in {head:?}"));
                rows[1][at].clone()
            };
            assert_eq!((rows.len(), cell("文件名"), cell("标识")), (2, "大厅.jpg".to_owned(), id.clone()));
            assert_eq!((cell("拍摄纬度"), cell("类型")), ("25.0405000".to_owned(), "JPEG 图片".to_owned()));
        }
        assert_eq!(listed(world, INSPECTOR, ""), [id]);
    }
}
