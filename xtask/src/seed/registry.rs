//! Members, systems, services and agreements of a whole province: departments and national members provide, 166 communes
//! consume. The first commune belongs to the agency of the demonstration's officer "neighbour", for whom pages are
//! measured as one agency sees them.

use anyhow::{Context, Result};
use base::ids::Uuid;
use base::text;
use kernel::db::Value;
use kernel::params;

use super::{Ground, Rows};

const COMMUNES: usize = 166;
const DEPARTMENTS: usize = 30;
const NATIONAL: usize = 15;
/// Days back at which everything was registered.
const AGE: i64 = 400;
const DAY: i64 = 86_400_000_000;

/// What was made, for the seeders that follow.
#[derive(Default)]
pub(super) struct Registry {
    /// Paths of services.
    pub services: Vec<String>,
    /// Identifier, path of the consumer, service (by its place above).
    pub agreements: Vec<(String, String, usize)>,
}

struct Subsystem {
    id: String,
    path: String,
}

/// A number as an identifier of version 7, far from those the platform gives.
fn id(kind: u64, n: usize) -> String {
    let low = (n as u128) | (8_u128 << 60) | (u128::from(kind) << 48);
    Uuid::from_u128((0x0190_0000_0000_7000_u128 << 64) | low).hyphenated().to_string()
}

pub(super) async fn seed(g: &mut Ground<'_>) -> Result<u64> {
    let at = g.now.micros() - AGE * DAY;
    let one = g.db.query_one("SELECT instance FROM exchange_registry", params![]).await?.text("instance")?;
    let own = "SELECT m.agency_id, v.base_url FROM exchange_member m JOIN exchange_subsystem s ON s.member_id = m.id
               JOIN exchange_service v ON v.subsystem_id = s.id WHERE m.code LIKE '%.STC'";
    let own = g.db.query_opt(own, params![]).await?.context("the demonstration has another registry now")?;
    let (agency, address) = (own.text("agency_id")?, own.text("base_url")?);
    let mut tx = g.db.begin().await?;
    let mut members = Rows::new(
        "exchange_member",
        "id, class, code, name, sort_key, search_key, agency_id, agency_code, created_at, changed_at",
    );
    let mut subsystems = Rows::new(
        "exchange_subsystem",
        "id, member_id, code, name, sort_key, search_key, created_at, changed_at",
    );
    let mut units = Rows::new("orgs_unit", "id, tree, natural_key, created_at");
    let mut consumers = Vec::new();
    let mut providers = Vec::new();
    // What refers to a row is written after it.
    let mut systems = Vec::new();
    for n in 0..COMMUNES + DEPARTMENTS + NATIONAL {
        let (name, is_national) = match n {
            n if n < COMMUNES => (format!("Ủy ban nhân dân xã Minh Họa {}", n + 1), false),
            n if n < COMMUNES + DEPARTMENTS => (format!("Sở, ngành minh họa số {}", n - COMMUNES + 1), false),
            n => (format!("Cơ quan trung ương minh họa số {}", n - COMMUNES - DEPARTMENTS + 1), true),
        };
        let (code, member) = (format!("SEED.{n:03}"), id(1, n));
        let unit = if n == 0 { agency.clone() } else { id(9, n) };
        if n > 0 && !is_national {
            units.add(&mut tx, params![&unit, "agency", None::<String>, at]).await?;
        }
        let (sort, search) = (text::sort_key(&name), text::fold(&format!("{name} {code}")));
        let owner = (!is_national).then_some(unit);
        members
            .add(&mut tx, params![&member, "GOV", &code, &name, sort, search, owner, None::<String>, at, at])
            .await?;
        for s in 0..3 {
            let kinds = [
                ("mot-cua", "Một cửa điện tử"),
                ("nghiep-vu", "Phần mềm nghiệp vụ"),
                ("kho", "Kho dữ liệu dùng chung"),
            ];
            let (part, label) = kinds[s];
            let name = format!("{label} – {name}");
            let (sort, search) = (text::sort_key(&name), text::fold(&format!("{name} {part}")));
            let subsystem = Subsystem { id: id(2, n * 3 + s), path: format!("{one}/GOV/{code}/{part}") };
            systems.push(params![&subsystem.id, &member, part, &name, sort, search, at, at]);
            if n < COMMUNES || s == 0 { consumers.push(subsystem) } else { providers.push(subsystem) }
        }
    }
    for rows in [&mut units, &mut members] {
        rows.flush(&mut tx).await?;
    }
    for row in systems {
        subsystems.add(&mut tx, row).await?;
    }
    subsystems.flush(&mut tx).await?;
    let mut written = members.count + subsystems.count + units.count;
    written += services(g, &mut tx, &providers, &address, at).await?;
    written += agreements(g, &mut tx, &consumers, at).await?;
    tx.execute("UPDATE exchange_registry SET serial = serial + 1, changed_at = $1", params![g.now]).await?;
    tx.commit().await?;
    Ok(written)
}

async fn services(
    g: &mut Ground<'_>,
    tx: &mut kernel::db::Transaction,
    providers: &[Subsystem],
    address: &str,
    at: i64,
) -> Result<u64> {
    let columns = "id, subsystem_id, code, name, sort_key, search_key, kind, base_url, timeout_ms, enabled, notice, created_at, changed_at";
    let mut services = Rows::new("exchange_service", columns);
    let mut endpoints = Rows::new("exchange_endpoint", "id, service_id, method, path, name");
    let subjects =
        ["hộ tịch", "đất đai", "doanh nghiệp", "bảo hiểm", "người có công", "xây dựng", "giao thông", "y tế"];
    for n in 0..g.options.services {
        let provider = &providers[n % providers.len()];
        let (code, service) = (format!("tra-cuu-{n:05}"), id(3, n));
        let name = format!("Tra cứu dữ liệu {} số {}", subjects[n % subjects.len()], n + 1);
        let (sort, search) = (text::sort_key(&name), text::fold(&format!("{name} {code}")));
        let row = params![
            &service,
            &provider.id,
            &code,
            &name,
            sort,
            search,
            "REST",
            address,
            10_000,
            1,
            "",
            at,
            at
        ];
        services.add(tx, row).await?;
        g.registry.services.push(format!("{}/{code}", provider.path));
    }
    services.flush(tx).await?;
    for n in 0..g.options.services {
        for (e, path) in ["/ho-so/*", "/danh-sach"].into_iter().enumerate() {
            endpoints.add(tx, params![id(4, n * 2 + e), id(3, n), "GET", path, ""]).await?;
        }
    }
    endpoints.flush(tx).await?;
    Ok(services.count + endpoints.count)
}

async fn agreements(
    g: &mut Ground<'_>,
    tx: &mut kernel::db::Transaction,
    consumers: &[Subsystem],
    at: i64,
) -> Result<u64> {
    let columns = "id, number, search_key, consumer_id, service_id, whole, purpose, legal_basis, fields, per_minute, per_day,
        valid_from, valid_to, state, version, asked_at, changed_at";
    let mut agreements = Rows::new("exchange_agreement", columns);
    let purpose =
        "Đối chiếu thông tin khi giải quyết thủ tục hành chính, không yêu cầu người dân nộp lại giấy tờ.";
    for n in 0..g.options.agreements {
        // A busy service has many consumers; a step that is coprime to the number of services spreads the others.
        let service = if n % 3 == 0 { n / 3 % 40 } else { n * 7_919 } % g.options.services.max(1);
        let consumer = &consumers[(n * 31 + n / consumers.len()) % consumers.len()];
        let state = match n % 40 {
            0 => "waiting",
            1 => "revoked",
            2 => "suspended",
            _ => "approved",
        };
        let (agreement, number) = (id(5, n), format!("{:05}/CN-SEED", n + 1));
        let changed = at + (n as i64 % 390) * DAY;
        let row: Vec<Value> = params![
            &agreement,
            &number,
            text::fold(&format!("{number} {purpose}")),
            &consumer.id,
            id(3, service),
            1,
            purpose,
            "[\"Nghị định 278/2025/NĐ-CP\"]",
            "[]",
            600,
            20_000,
            "2025-07-01",
            if n % 50 == 7 { "2026-06-30" } else { "2028-12-31" },
            state,
            2,
            changed,
            changed
        ];
        agreements.add(tx, row).await?;
        if state == "approved" {
            g.registry.agreements.push((agreement, consumer.path.clone(), service));
        }
    }
    agreements.flush(tx).await?;
    Ok(agreements.count)
}
