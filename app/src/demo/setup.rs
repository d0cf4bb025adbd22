//! Fills a new demonstration: units, agencies, accounts, registry. Safe to run again: what is there stays.

use std::path::Path;

use accounts::actions::officials::{self, NewAppointment, NewOfficial};
use anyhow::Context;
use kernel::identity::{Holding, Secret};
use kernel::orgs::{NewAgency, UnitId};
use kernel::{Cx, Kernel, Ref, params, random};

use super::province::Province;
use super::state::{Login, State};
use super::systems::Systems;
use crate::assemble::Platform;

/// An account of the demonstration.
struct Account {
    role: &'static str,
    title: &'static str,
    post: &'static str,
    /// Last level of the agency's code; none for the platform itself.
    agency: Option<&'static str>,
    /// Code of the role that carries the rights.
    code: &'static str,
    name: &'static str,
}

const PEOPLE: [Account; 9] = [
    Account {
        role: "operator",
        title: "Quản trị vận hành",
        post: "Quản trị viên nền tảng",
        agency: None,
        code: "operator",
        name: "Trần Minh Họa",
    },
    Account {
        role: "provider",
        title: "Đơn vị cung cấp (Công an)",
        post: "Cán bộ quản trị dữ liệu dân cư",
        agency: Some("CAT"),
        code: "provider-officer",
        name: "Lê Văn Mẫu",
    },
    Account {
        role: "neighbour",
        title: "Đơn vị cung cấp (Tài chính)",
        post: "Chuyên viên đăng ký kinh doanh",
        agency: Some("STC"),
        code: "provider-officer",
        name: "Phạm Thị Ví Dụ",
    },
    Account {
        role: "consumer",
        title: "Đơn vị khai thác (một cửa)",
        post: "Trưởng bộ phận Một cửa",
        agency: Some("HCC"),
        code: "consumer-officer",
        name: "Hoàng Thử Nghiệm",
    },
    Account {
        role: "unit-admin",
        title: "Quản trị viên đơn vị (một cửa)",
        post: "Quản trị viên công nghệ thông tin",
        agency: Some("HCC"),
        code: "unit-admin",
        name: "Ngô Thị Thử",
    },
    Account {
        role: "leader",
        title: "Lãnh đạo duyệt quyền khẩn cấp",
        post: "Phó Giám đốc",
        agency: Some("KHC"),
        code: "emergency-grantor",
        name: "Bùi Giả Định",
    },
    Account {
        role: "integrator",
        title: "Kỹ sư tích hợp (một cửa)",
        post: "Kỹ sư của nhà thầu phần mềm một cửa",
        agency: Some("HCC"),
        code: "integrator",
        name: "Đặng Tích Hợp",
    },
    Account {
        role: "catalogues",
        title: "Danh mục (Khoa học và Công nghệ)",
        post: "Chuyên viên quản lý danh mục dùng chung",
        agency: Some("KHC"),
        code: "catalogue-publisher",
        name: "Vũ Minh Danh",
    },
    Account {
        role: "auditor",
        title: "Kiểm tra, giám sát",
        post: "Thanh tra viên",
        agency: None,
        code: "auditor",
        name: "Nguyễn Trình Diễn",
    },
];

/// Brings data and state to where the demonstration can begin.
pub async fn prepare(
    platform: &Platform,
    province: &Province,
    systems: &Systems,
    mut state: State,
    data: &Path,
) -> anyhow::Result<State> {
    let k = &platform.kernel;
    agencies(k, province).await.context("agencies cannot be made")?;
    mark(k, province).await?;
    registry(k, province, systems, &mut state).await?;
    super::connections::prepare(k).await.context("requests for connections cannot be made")?;
    shared_catalogues(k, province).await.context("catalogues cannot be made")?;
    state.province = Some(province.code.to_owned());
    // Secrets are shown once: they are kept before anything else can fail.
    state.save(data)?;
    if state.logins.is_empty() {
        people(platform, province, &mut state).await.context("accounts cannot be made")?;
    }
    Ok(state)
}

/// Imports the shipped lists of units, unless they are there.
pub async fn import_units(k: &Kernel) -> anyhow::Result<()> {
    if kernel::orgs::import::last(k).await?.is_none() {
        let cx = Cx::kernel("demo", k.clock.now());
        units::import(k, &cx, units::Lists::Shipped, false)
            .await
            .context("the lists of units cannot be imported")?;
    }
    Ok(())
}

async fn mark(k: &Kernel, province: &Province) -> anyhow::Result<()> {
    let mut tx = k.begin(&Cx::kernel("demo", k.clock.now())).await?;
    tx.set_setting("demo", province.code).await?;
    tx.commit().await?;
    Ok(())
}

async fn agencies(k: &Kernel, province: &Province) -> anyhow::Result<()> {
    let since = kernel::clock::Date::new(2025, 7, 1).context("a date")?;
    let committee = province.committee();
    let top = agency(k, &committee, None, since).await?;
    for other in province.agencies() {
        agency(k, &other, Some(top), since).await?;
    }
    Ok(())
}

async fn agency(
    k: &Kernel,
    a: &super::province::Agency,
    parent: Option<UnitId>,
    since: kernel::clock::Date,
) -> anyhow::Result<UnitId> {
    if let Some(there) = k.orgs().by_code(&a.code, since).await? {
        return Ok(there.unit);
    }
    let mut tx = k.begin(&Cx::kernel("demo", k.clock.now())).await?;
    let new =
        NewAgency { kind: a.kind, full_name: a.name.clone(), code: Some(a.code.clone()), parent, act: None };
    let unit = tx.create_agency(&new, since).await?;
    tx.audit("orgs.agency.create", &Ref::new("unit", unit.to_string()), serde_json::json!({"code": a.code}))
        .await?;
    tx.commit().await?;
    Ok(unit)
}

/// Catalogues of the units, and mappings of their codes, published for the agency that runs the platform.
async fn shared_catalogues(k: &Kernel, province: &Province) -> anyhow::Result<()> {
    let cx = Cx::kernel("demo", k.clock.now());
    let code = format!("{}.MH.KHC", province.h_code);
    let owner = k.orgs().by_code(&code, cx.at.date()).await?.context("an agency of the demonstration")?;
    catalogues::actions::publish_units(k, &cx, owner.unit, province.code).await?;
    Ok(())
}

async fn registry(
    k: &Kernel,
    province: &Province,
    systems: &Systems,
    state: &mut State,
) -> anyhow::Result<()> {
    let text = province.registry(&systems.population_url(), &systems.business_url());
    let attachments = |name: &str| match name {
        "population.json" => Ok(registries::population::OPENAPI.as_bytes().to_vec()),
        "business.json" => Ok(registries::business::OPENAPI.as_bytes().to_vec()),
        _ => Err(std::io::ErrorKind::NotFound.into()),
    };
    let file = exchange::registry_file::read(text.as_bytes(), &attachments).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(|f| format!("line {}: {}", f.line, f.text.en)).collect();
        anyhow::anyhow!("the demonstration's registry: {}", lines.join("; "))
    })?;
    let cx = Cx::kernel("demo", k.clock.now());
    let imported = exchange::actions::import_registry(k, &cx, &file).await.context("the registry")?;
    for client in imported.clients {
        state.clients.insert(client.client_id, client.secret.expose().to_owned());
    }
    Ok(())
}

async fn people(platform: &Platform, province: &Province, state: &mut State) -> anyhow::Result<()> {
    let k = &platform.kernel;
    let since = kernel::clock::Date::new(2025, 7, 1).context("a date")?;
    for Account { role, title, post, agency, code, name } in PEOPLE {
        let agency = match agency {
            None => None,
            Some(a) => {
                let code = format!("{}.MH.{a}", province.h_code);
                Some(k.orgs().by_code(&code, since).await?.context("an agency of the demonstration")?.unit)
            }
        };
        let username = role.to_owned();
        let password = format!("Demo-{}", random::token(&*k.random, 9));
        let new = NewOfficial {
            username: username.clone(),
            full_name: name.to_owned(),
            appointment: NewAppointment {
                post: post.to_owned(),
                agency,
                field: None,
                holding: Holding::Substantive,
                from: since,
                until: None,
                roles: vec![code.to_owned()],
            },
            password: Some(Secret::new(password.clone())),
        };
        let cx = Cx::kernel("demo", k.clock.now());
        let there = !k
            .db
            .query("SELECT id FROM identity_person WHERE username = $1", params![&username])
            .await?
            .is_empty();
        if !there {
            officials::create(&platform.accounts, k, &cx, &new)
                .await
                .with_context(|| format!("account {username}"))?;
        }
        state.logins.push(Login { role: role.into(), title: title.into(), username, password });
    }
    Ok(())
}
