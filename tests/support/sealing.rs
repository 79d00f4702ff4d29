//! The relay of the audit chain, which in a test runs when it is told to.

use pingyi::audit::relay::Relay;
use pingyi::db::TenantId;

use super::World;

/// Puts what waits in a tenant's log into its chain; how many rows.
pub fn seal(world: &World, tenant: &str) -> usize {
    let (tenant, relay) = (TenantId::parse(tenant).unwrap(), relay(world));
    run(relay.seal(tenant)).unwrap()
}

/// Puts all that waits into the chain: whoever listens from here on hears of nothing that was before.
pub fn seal_all(world: &World, tenant: &str) {
    while seal(world, tenant) > 0 {}
}

/// Seals, and signs the chain.
pub fn sign(world: &World, tenant: &str) {
    seal(world, tenant);
    let (tenant, relay) = (TenantId::parse(tenant).unwrap(), relay(world));
    run(relay.sign(tenant)).unwrap();
}

/// A relay without a file.
pub fn relay(world: &World) -> Relay {
    Relay::new(world.doors().clone(), None).unwrap()
}

/// Runs to its end.
pub fn run<R>(work: impl Future<Output = R>) -> R {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}
