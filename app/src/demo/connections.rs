//! Requests for connections of the demonstration: one in each state, so that every step can be looked at. Safe to run
//! again: what is there stays.

use anyhow::Context;
use exchange::actions::{Decision, Request, decide};
use exchange::agreement::{Approval, Reason};
use exchange::connection::{Draft, Kind, actions};
use exchange::ids::{AgreementId, ServiceId, SubsystemId};
use kernel::clock::Date;
use kernel::{Cx, Kernel, params};

/// How far a request has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Draft,
    Waiting,
    Returned,
    Sandbox,
    Test,
    Published,
    Suspended,
    Refused,
    Withdrawn,
}

const POPULATION: &str = "tra-cuu-cong-dan";
const BUSINESS: &str = "tra-cuu-doanh-nghiep";

const REQUESTS: [(Reach, &str, &str); 9] = [
    (Reach::Draft, POPULATION, "Đối chiếu thông tin khi cấp bản sao trích lục hộ tịch."),
    (Reach::Waiting, BUSINESS, "Xác minh người đại diện khi chứng thực hợp đồng của doanh nghiệp."),
    (Reach::Returned, POPULATION, "Điền sẵn thông tin vào tờ khai đăng ký khai sinh."),
    (Reach::Sandbox, POPULATION, "Tra cứu thông tin cha, mẹ khi đăng ký khai sinh."),
    (Reach::Test, BUSINESS, "Kiểm tra tình trạng hoạt động của tổ chức hành nghề công chứng."),
    (Reach::Published, BUSINESS, "Đối chiếu tên, địa chỉ trụ sở khi đăng ký hoạt động đấu giá."),
    (Reach::Suspended, BUSINESS, "Rà soát dữ liệu tổ chức hành nghề luật sư."),
    (Reach::Refused, POPULATION, "Thống kê dân số theo địa bàn."),
    (Reach::Withdrawn, BUSINESS, "Tra cứu doanh nghiệp phục vụ hội thảo."),
];

/// Makes the requests unless there are some.
pub async fn prepare(k: &Kernel) -> anyhow::Result<()> {
    let there = k.db.query_one("SELECT COUNT(*) AS n FROM exchange_request", params![]).await?.int("n")?;
    if there > 0 {
        return Ok(());
    }
    let consumer: SubsystemId = id(k, "exchange_subsystem", "ho-tich").await?;
    for (reach, service, purpose) in REQUESTS {
        let made = make(k, reach, consumer, service, purpose).await;
        made.with_context(|| format!("the request “{purpose}”"))?;
    }
    Ok(())
}

async fn id<T: std::str::FromStr>(k: &Kernel, table: &str, code: &str) -> anyhow::Result<T> {
    let row = k.db.query_one(&format!("SELECT id FROM {table} WHERE code = $1"), params![code]).await?;
    row.text("id")?.parse().ok().context("an identifier")
}

fn cx(k: &Kernel) -> Cx {
    Cx::kernel("demo", k.clock.now())
}

async fn make(
    k: &Kernel,
    reach: Reach,
    consumer: SubsystemId,
    code: &str,
    purpose: &str,
) -> anyhow::Result<()> {
    let service: ServiceId = id(k, "exchange_service", code).await?;
    let draft = draft(k.clock.now().date(), reach, code, purpose);
    let request = actions::begin(k, &cx(k), consumer, service, draft, None).await?;
    if reach == Reach::Draft {
        return Ok(());
    }
    for (kind, name) in [
        (Kind::Letter, "Văn bản đề nghị kết nối.pdf"),
        (Kind::Security, "Hồ sơ đề xuất cấp độ.pdf"),
        (Kind::Personal, "Hồ sơ đánh giá tác động.pdf"),
    ] {
        let page = bytes::Bytes::from_static(b"%PDF-1.4\n% minh hoa, khong co noi dung\n%%EOF\n");
        actions::attach(k, &cx(k), request, kind, name, page).await?;
    }
    actions::submit(k, &cx(k), request, None, None).await?;
    onward(k, reach, request).await
}

async fn onward(k: &Kernel, reach: Reach, request: AgreementId) -> anyhow::Result<()> {
    let reason = |text: &str| Reason::new(text).map_err(|e| anyhow::anyhow!(e.text.en));
    let approve = || Decision::Approve(Approval::default());
    // Nothing has called yet: a record stands in for the conformance run.
    let test = || {
        let record = reason("Biên bản kiểm thử số 07/BB-KT")?;
        Ok::<_, anyhow::Error>(Decision::Produce { record, without_run: true })
    };
    let steps = match reach {
        Reach::Draft | Reach::Waiting => vec![],
        Reach::Returned => vec![Decision::Return(reason(
            "Bổ sung quyết định phê duyệt cấp độ an toàn còn hiệu lực và nêu rõ số lượng hồ sơ mỗi ngày.",
        )?)],
        Reach::Sandbox => vec![approve()],
        Reach::Test => vec![approve(), Decision::Test],
        Reach::Published => vec![approve(), Decision::Test, test()?, Decision::Publish],
        Reach::Suspended => vec![
            approve(),
            Decision::Test,
            test()?,
            Decision::Suspend(reason("Hệ thống khai thác đang khắc phục lỗ hổng bảo mật.")?),
        ],
        Reach::Refused => vec![Decision::Refuse(reason(
            "Thống kê dân số lấy từ cơ quan thống kê; mục đích này không cần dữ liệu từng người.",
        )?)],
        Reach::Withdrawn => {
            actions::withdraw(k, &cx(k), request).await?;
            vec![]
        }
    };
    for step in steps {
        decide(k, &cx(k), request, &step, &Request::default()).await?;
    }
    Ok(())
}

fn draft(today: Date, reach: Reach, code: &str, purpose: &str) -> Draft {
    let (fields, personal): (&[&str], bool) = match code {
        POPULATION => (&["so_dinh_danh", "ho_ten", "ngay_sinh", "gia_lap"], true),
        _ => (&["ma_so", "ten", "tinh_trang"], false),
    };
    let draft = Draft {
        fields: fields.iter().map(|f| (*f).to_owned()).collect(),
        purpose: purpose.to_owned(),
        personal,
        ..Draft::default()
    };
    if reach == Reach::Draft {
        return draft;
    }
    Draft {
        legal_basis: vec!["Nghị định 278/2025/NĐ-CP".to_owned()],
        valid_from: Some(today),
        valid_to: today.plus_days(365),
        letter_number: "311/MH-STP".to_owned(),
        letter_date: Some(today),
        security_level: Some(2),
        security_decision: "12/MH-QĐ".to_owned(),
        contact_name: "Đỗ Giả Định".to_owned(),
        contact_phone: "0000 000 000".to_owned(),
        ..draft
    }
}
