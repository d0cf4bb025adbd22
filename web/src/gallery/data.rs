//! Invented people, agencies and figures for the gallery.

use std::sync::Arc;

use base::clock::Timestamp;
use kernel::Actor;

use crate::access::Access;
use crate::cx::Cx;
use crate::nav::Nav;
use crate::session::{Account, Appointment};
use crate::t;
use crate::ui::Icon;

/// The longest kind of name: about ninety characters, as such bodies are really called.
pub(super) const LONGEST: &str =
    "Trung tâm Phục vụ hành chính công và Chuyển đổi số trực thuộc Ủy ban nhân dân phường Nam Đông Hà";

pub(super) struct Member {
    pub(super) code: &'static str,
    pub(super) name: &'static str,
    pub(super) system: &'static str,
    pub(super) calls: i64,
    pub(super) failed: f64,
    pub(super) minutes: u64,
    pub(super) state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Active,
    Testing,
    Asked,
    Suspended,
    Ended,
}

use State::{Active, Asked, Ended, Suspended, Testing};

#[rustfmt::skip]
pub(super) const MEMBERS: &[Member] = &[
    Member { code: "H99.01", name: "Sở Nội vụ", system: "Hệ thống quản lý cán bộ, công chức, viên chức", calls: 1_204_518, failed: 0.02, minutes: 0, state: Active },
    Member { code: "H99.02", name: "Sở Tài chính", system: "Cổng thanh toán và biên lai điện tử", calls: 86_340, failed: 0.4, minutes: 3, state: Active },
    Member { code: "H99.03.115", name: LONGEST, system: "Hệ thống thông tin giải quyết thủ tục hành chính cấp xã", calls: 9_871, failed: 3.8, minutes: 47, state: Suspended },
    Member { code: "H99.04", name: "Sở Y tế", system: "Hồ sơ sức khỏe điện tử", calls: 0, failed: 0.0, minutes: 0, state: Asked },
    Member { code: "H99.05", name: "Sở Nông nghiệp và Môi trường", system: "Cơ sở dữ liệu đất đai", calls: 412_007, failed: 0.9, minutes: 1, state: Active },
    Member { code: "H99.06", name: "Sở Khoa học và Công nghệ", system: "Kho dữ liệu dùng chung", calls: 27, failed: 0.0, minutes: 190, state: Testing },
    Member { code: "H99.09", name: "Ủy ban nhân dân xã Đất Mũi", system: "Phần mềm một cửa (cũ)", calls: 0, failed: 0.0, minutes: 60 * 24 * 44, state: Ended },
];

pub(super) fn now() -> Timestamp {
    Timestamp::from_micros(1_795_335_268_000_000)
}

/// The same request by an invented officer, so that the desk shell is seen.
pub(super) fn desk(cx: &Cx) -> Cx {
    let account = Account {
        name: "Trần Thị Thanh Hà".into(),
        post: t::g_post(cx.lang).into(),
        agency: "Trung tâm Giám sát, điều hành thông minh thuộc Sở Khoa học và Công nghệ".into(),
        lang: None,
        others: vec![Appointment {
            id: "2".into(),
            post: t::g_other_post(cx.lang).into(),
            agency: LONGEST.into(),
        }],
        roles: Vec::new(),
    };
    let nav = [
        Nav::new("/gallery/figures", Icon::LayoutDashboard, t::g_nav_today, Access::Public).order(1),
        Nav::new("/gallery/list", Icon::BuildingCommunity, t::g_nav_members, Access::Public)
            .group(t::g_nav_exchange),
        Nav::new("/gallery/thing", Icon::FileCheck, t::g_nav_agreements, Access::Public)
            .group(t::g_nav_exchange),
        Nav::new("/gallery/none", Icon::Api, t::g_nav_services, Access::Public).group(t::g_nav_exchange),
        Nav::new("/gallery/verify", Icon::ShieldCheck, t::g_nav_evidence, Access::Public)
            .group(t::g_nav_exchange),
        Nav::new("/gallery/form", Icon::Sitemap, t::g_nav_units, Access::Public).group(t::g_nav_admin),
        Nav::new("/gallery", Icon::Stack2, t::g_title, Access::Public).group(t::g_nav_admin),
    ];
    let actor = Actor::Kernel { part: "gallery".into() };
    cx.seen_by(actor, account, Arc::new(nav))
}

/// A small description of an API.
pub(super) fn apis() -> serde_json::Value {
    serde_json::json!({
        "openapi": "3.1.0",
        "paths": {
            "/api/exchange/v1/members": {
                "get": {
                    "tags": ["exchange"], "summary": "Lists members",
                    "parameters": [
                        { "name": "state", "in": "query", "schema": { "type": "string" }, "description": "Only this state" },
                        { "name": "limit", "in": "query", "schema": { "type": "integer", "default": 50 } }
                    ],
                    "responses": { "200": { "description": "One page of members" }, "403": { "description": "No right" } }
                },
                "post": {
                    "tags": ["exchange"], "summary": "Registers a member",
                    "requestBody": { "content": { "application/json": { "schema": {
                        "properties": { "code": { "type": "string", "example": "H99.01" }, "name": { "type": "string" } }
                    } } } },
                    "responses": { "201": { "description": "Registered" }, "422": { "description": "Wrong values" } }
                }
            },
            "/api/exchange/v1/members/{id}": {
                "delete": {
                    "tags": ["exchange"], "summary": "Ends a membership",
                    "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
                    "responses": { "204": { "description": "Ended" } }
                }
            }
        }
    })
}
