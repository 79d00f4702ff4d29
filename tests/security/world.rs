//! The world itself: everybody can sign in, the story can be told.

use pingyi::access::Role;

use crate::support::{both, people, story};

both! {
    fn everybody_signs_in_and_a_campaign_is_launched(world) {
        for role in Role::ALL {
            world.as_(&people::root_login(*role)).get("/policy").expect(200, "");
        }
        let told = story::launched(world, "53");
        world.as_("5301-liaison").get(&format!("/plans/{}", told.plan)).expect(200, "");
        story::launched(world, "50");
    }
}
