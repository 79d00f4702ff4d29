//! `pingyi serve`.

use std::net::TcpListener;
use std::sync::Arc;

use pingyi::access::{Doors, KeyRing};
use pingyi::app::{self, Serving};
use pingyi::audit::relay::Relay;
use pingyi::campaigns::clearing::sweep;
use pingyi::config::Settings;
use pingyi::db::start::{Result, StartError};
use pingyi::db::{Clock, Db, migrate};
use pingyi::events::hub::Hub;
use pingyi::inspections::attachments::leftovers;
use pingyi::inspections::candidates::missing;
use pingyi::inspections::checks::embargo;
use pingyi::web::Rates;

/// Serves until it is told to end.
pub(crate) fn run(settings: &Settings) -> Result<()> {
    let doors = open(settings, false)?;
    serve(settings, Arc::new(doors))
}

/// Opens the database and the keys. The embedded database is brought up to date and its keys are
/// made once; on PostgreSQL, where instances share both, that is asked for.
pub(crate) fn open(settings: &Settings, may_make_keys: bool) -> Result<Doors> {
    let location = settings.location()?;
    let embedded = location.is_embedded();
    if embedded || settings.admin_database_url.is_some() {
        migrate::up(&location, settings.admin_database_url.as_deref())?;
    }
    migrate::ensure_current(&location)?;
    let file = settings.key_file();
    let keys = if embedded || may_make_keys {
        KeyRing::load_or_create(&file)?
    } else {
        KeyRing::load(&file).map_err(|error| {
            StartError::new(format!(
                "{error}; all instances share one file, made once with `pingyi admin keys`"
            ))
        })?
    };
    let db = Db::open(&location, settings.limits())?;
    Ok(Doors::new(db, Clock::system(), keys, settings.files()?)?)
}

/// Serves with what is open.
pub(crate) fn serve(settings: &Settings, doors: Arc<Doors>) -> Result<()> {
    tracing::info!("{}", settings.redacted());
    let address = settings.listen().to_owned();
    let listener = TcpListener::bind(&address)
        .map_err(|error| StartError::new(format!("cannot listen on {address}: {error}")))?;
    // Port 0 asks the system for a free one.
    let address = listener.local_addr().map_or(address, |bound| bound.to_string());
    let serving = Serving { workers: settings.workers(), origins: settings.cors_origins.clone() };
    let mut context = app::context(doors, settings.trusted_proxies.clone());
    if let Some(context) = Arc::get_mut(&mut context) {
        context.rates = Rates::of(settings.rate_limit());
    }
    let look_away = settings.look_away();
    let system = actix_web::rt::System::new();
    system.block_on(async move {
        let trouble = |error: std::io::Error| StartError::new(format!("the server failed: {error}"));
        let doors = Arc::clone(&context.doors);
        // Heard from here on, so that nobody who was told the address can end the program unheard.
        let end = told_to_end().map_err(trouble)?;
        let runner = app::runner(&context);
        let server = app::start(context, listener, &serving).map_err(trouble)?;
        let handle = server.handle();
        if let Some(address) = &settings.metrics_listen {
            let metrics = TcpListener::bind(address)
                .map_err(|error| StartError::new(format!("cannot listen on {address}: {error}")))?;
            let address = metrics.local_addr().map_or_else(|_| address.clone(), |bound| bound.to_string());
            actix_web::rt::spawn(app::watched(Arc::clone(&doors), metrics).map_err(trouble)?);
            super::say(&format!("metrics http://{address}/metrics"));
        }
        let url = format!("http://{address}");
        super::say(&format!("serving {url} · docs {url}/docs/ · document {url}/api/v1/openapi.json"));
        actix_web::rt::spawn(sweep::run(Arc::clone(&doors)));
        actix_web::rt::spawn(leftovers::run(Arc::clone(&doors)));
        actix_web::rt::spawn(embargo::run(Arc::clone(&doors)));
        actix_web::rt::spawn(missing::run(Arc::clone(&doors)));
        let relay = Relay::new(Arc::clone(&doors), Some(settings.checkpoint_file()))?;
        actix_web::rt::spawn(relay.run());
        actix_web::rt::spawn(Hub::new(Arc::clone(&doors)).run());
        actix_web::rt::spawn(runner.run());
        actix_web::rt::spawn(async move {
            end.await;
            doors.drain();
            tracing::info!("draining: readiness fails, requests under way finish");
            tokio::time::sleep(look_away).await;
            handle.stop(true).await;
        });
        server.await.map_err(trouble)
    })
}

/// Begins to listen for the signals at once; what it answers ends with the first of them.
#[cfg(unix)]
fn told_to_end() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn told_to_end() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "signals cannot be heard");
            std::future::pending::<()>().await;
        }
    })
}
