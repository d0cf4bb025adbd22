//! The provinces that can be demonstrated, and their agencies. Names are real kinds of agencies; identification codes
//! of departments are not known publicly, so the demonstration's carry a level `MH` (minh họa) that no decision gives.

use anyhow::bail;
use kernel::orgs::AgencyKind;

/// A province.
pub struct Province {
    /// Code since 1 July 2025.
    pub code: &'static str,
    /// "tỉnh Thanh Hóa".
    pub full_name: &'static str,
    /// Level-1 identification code (Quyết định 20/2020/QĐ-TTg). For merged provinces the code that continues is not
    /// known; the one of the province that gave the name is used here.
    pub h_code: &'static str,
    slug: &'static str,
}

const PROVINCES: [Province; 3] = [
    Province { code: "38", full_name: "tỉnh Thanh Hóa", h_code: "H56", slug: "thanhhoa" },
    Province { code: "25", full_name: "tỉnh Phú Thọ", h_code: "H44", slug: "phutho" },
    Province { code: "15", full_name: "tỉnh Lào Cai", h_code: "H38", slug: "laocai" },
];

/// An agency of the demonstration.
pub struct Agency {
    /// Type.
    pub kind: AgencyKind,
    /// Full name.
    pub name: String,
    /// Identification code.
    pub code: String,
}

impl Province {
    /// The province with this code.
    pub fn by_code(code: &str) -> anyhow::Result<Self> {
        match PROVINCES.into_iter().find(|p| p.code == code) {
            Some(p) => Ok(p),
            None => bail!(
                "no demonstration for province {code}: choose 38 (Thanh Hóa), 25 (Phú Thọ) or 15 (Lào Cai)"
            ),
        }
    }

    /// The platform's name in log origins.
    pub fn log_name(&self) -> String {
        format!("lienthong.{}.demo", self.slug)
    }

    /// The people's committee, above all others.
    pub fn committee(&self) -> Agency {
        Agency {
            kind: AgencyKind::PeoplesCommittee,
            name: format!("Ủy ban nhân dân {}", self.full_name),
            code: self.h_code.to_owned(),
        }
    }

    /// The agencies below it that take part.
    pub fn agencies(&self) -> Vec<Agency> {
        let agency = |kind, name: &str, code: &str| Agency {
            kind,
            name: format!("{name} {}", self.full_name),
            code: format!("{}.MH.{code}", self.h_code),
        };
        vec![
            agency(AgencyKind::Department, "Sở Khoa học và Công nghệ", "KHC"),
            agency(AgencyKind::Police, "Công an", "CAT"),
            agency(AgencyKind::Department, "Sở Tài chính", "STC"),
            agency(AgencyKind::Department, "Sở Tư pháp", "STP"),
            agency(AgencyKind::Centre, "Trung tâm Phục vụ hành chính công", "HCC"),
        ]
    }

    /// The registry file of the demonstration, with the addresses of its systems filled in.
    pub fn registry(&self, population: &str, business: &str) -> String {
        include_str!("registry.toml.in")
            .replace("@H@", self.h_code)
            .replace("@TINH@", self.full_name)
            .replace("@DANCU@", population)
            .replace("@DKKD@", business)
    }

    /// `VN/GOV/H56.MH.HCC/mot-cua` for `HCC`, `mot-cua`.
    pub fn subsystem(&self, member: &str, subsystem: &str) -> String {
        format!("VN/GOV/{}.MH.{member}/{subsystem}", self.h_code)
    }
}
