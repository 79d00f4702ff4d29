//! `pingyi admin`: what must be there before anybody can sign in.

use clap::Subcommand;
use pingyi::access::accounts::bindings::service::bind;
use pingyi::access::accounts::service::{NewAccount, enter_user};
use pingyi::access::{KeyRing, Role, command_line, password};
use pingyi::config::Settings;
use pingyi::db::TenantId;
use pingyi::db::start::{Result, StartError};
use pingyi::demo::random_password;
use pingyi::org::rules::UnitKind;
use pingyi::org::service::{self as org, Entered};

/// What `admin` can do.
#[derive(Subcommand)]
pub(crate) enum AdminCommand {
    /// Create an administrator: a platform operator, or one of a province's three separated roles.
    /// A province that is not there yet is set up with its root unit.
    Create {
        #[arg(long, help = "platform_operator, system_admin, security_admin or auditor")]
        role: String,
        /// Two-digit code of the province; not for the platform operator
        #[arg(long, value_name = "CODE")]
        province: Option<String>,
        /// What the administrator types to sign in
        #[arg(long)]
        login: String,
        /// The administrator's name
        #[arg(long)]
        name: String,
    },
    /// Make the key file that all instances share
    Keys,
}

/// Does it.
pub(crate) fn run(settings: &Settings, command: &AdminCommand) -> Result<()> {
    match command {
        AdminCommand::Keys => {
            let file = settings.key_file();
            KeyRing::create(&file)?;
            super::say(&format!("made {}; give it to every instance, and to nobody else", file.display()));
            Ok(())
        }
        AdminCommand::Create { role, province, login, name } => {
            create(settings, role, province.as_deref(), login, name)
        }
    }
}

fn create(settings: &Settings, role: &str, province: Option<&str>, login: &str, name: &str) -> Result<()> {
    let role =
        Role::parse(role).filter(|role| role.is_separated() || *role == Role::PlatformOperator).ok_or_else(
            || StartError::new("--role is platform_operator, system_admin, security_admin or auditor"),
        )?;
    let tenant = match (role, province) {
        (Role::PlatformOperator, None) => TenantId::PLATFORM,
        (Role::PlatformOperator, Some(_)) => {
            return Err(StartError::new("a platform operator belongs to no province"));
        }
        (_, None) => return Err(StartError::new("--province names the administrator's province")),
        (_, Some(code)) => TenantId::parse(code)
            .filter(|tenant| *tenant != TenantId::PLATFORM)
            .ok_or_else(|| StartError::new("--province is a two-digit code"))?,
    };
    let root = match tenant {
        TenantId::PLATFORM => None,
        tenant => Some(pingyi::demo::province_name(tenant.as_str())?),
    };
    let doors = super::serve::open(settings, false)?;
    let first = random_password()?;
    let hash = password::hash_now(&first)?;
    let (login, name) = (login.to_lowercase(), name.to_owned());
    let (typed, os_user) = (login.clone(), super::os_user());
    super::block_on(async {
        let work = command_line(&doors, tenant, &os_user, move |tx| {
            let code = tx.tenant().to_string();
            if !org::exists(tx)? {
                let title = root.clone().unwrap_or_else(|| "平台与部级".to_owned());
                let tree: Vec<Entered> = root
                    .iter()
                    .map(|name| Entered {
                        code: code.clone(),
                        name: name.clone(),
                        kind: UnitKind::Province,
                        parent: None,
                    })
                    .collect();
                org::found_province(tx, &title, &tree)?;
            }
            let unit = org::by_code(tx, &code)?;
            let account = NewAccount {
                officer: None,
                login: &login,
                display_name: &name,
                unit: unit.as_ref(),
                password_hash: &hash,
                must_change_password: true,
            };
            let user = enter_user(tx, account)?;
            bind(tx, user, role, unit.as_ref())
        });
        work.await.map_err(StartError::from)
    })?;
    super::say(&format!("{typed} is {role} of {tenant}; first password, to be changed at once: {first}"));
    Ok(())
}
